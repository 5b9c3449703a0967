/* lease: which leases there are, when they end, and which keys hang on them.
 * Sources: etcd server/lease/lessor.go; apiserver pkg/storage/etcd3/lease_manager.go for the use of
 * one lease for many objects. */
#ifndef APISIM_STORE_LEASE_H
#define APISIM_STORE_LEASE_H

#include "base/blob.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_TTL_MIN ((int64_t)2) /* seconds: shorter ones are made as long */
#define LEASE_TTL_MAX ((int64_t)9000000000)

typedef struct lease {
  int64_t id, ttl_s;
  int64_t ends_ns; /* monotonic */
  blob **keys; /* sorted; owned */
  uint32_t key_count, key_cap;
} lease;

typedef struct lease_table {
  lease **items; /* by id, owned */
  uint32_t count, cap;
} lease_table;

void lease_table_dispose(lease_table *t);
/* A table of its own with the same content, whose leases end shift_ns later. */
void lease_table_copy(const lease_table *from, int64_t shift_ns, lease_table *to);
lease *lease_find(const lease_table *t, int64_t id);
/* The id must be new. */
lease *lease_add(lease_table *t, int64_t id, int64_t ttl_s, int64_t now_ns);
void lease_drop(lease_table *t, lease *l);
void lease_renew(lease *l, int64_t now_ns);
/* Whole seconds that are left, downwards; below 0 when it has ended. */
int64_t lease_remaining(const lease *l, int64_t now_ns);
void lease_attach(lease *l, slice key);
void lease_detach(lease *l, slice key);
/* The one that ends first; NULL: none. */
lease *lease_next(const lease_table *t);

/* The lease that the next object of a kind with a time to live goes on: one at a time, used again
 * for a thousand objects while it ends neither before their time nor more than the extra after. */
typedef struct lease_reuse {
  int64_t id; /* 0: none yet */
  int64_t until_ns;
  uint32_t keys;
} lease_reuse;
#define LEASE_REUSE_S 60 /* --lease-reuse-duration-seconds */
/* What an option asks for: 0 is the default, below 0 none. */
int64_t lease_reuse_s_of(int64_t option);
/* What a new lease lasts beyond ttl_s: 5 % of it, reuse_s seconds at most. */
int64_t lease_extra_s(int64_t ttl_s, int64_t reuse_s);
/* Whether it does once more, which is counted. */
bool lease_reuse_take(lease_reuse *r, int64_t ttl_s, int64_t extra_s, int64_t now_ns);
/* A new one, of ttl_s and the extra, with its first object. */
void lease_reuse_begin(lease_reuse *r, int64_t id, int64_t whole_s, int64_t now_ns);

#endif
