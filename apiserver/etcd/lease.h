/* lease: which leases there are, when they end, and which keys hang on them.
 * Source: etcd server/lease/lessor.go. */
#ifndef APISIM_ETCD_LEASE_H
#define APISIM_ETCD_LEASE_H

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

#endif
