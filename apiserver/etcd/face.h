/* face: an etcd v3 server over an embedded store: KV, Watch, Lease, Maintenance, Cluster by gRPC,
 * /health, /livez, /readyz and /version by HTTP/1.1 on the same port, as etcd 3.6.
 *
 * Two uses: `apisim serve --etcd-listen` shows the API server's own store to etcd's clients, with
 * the keys and bytes that kube-apiserver would have stored (`values` says how); started as `etcd`
 * it is an etcd in memory, whose values are what was put.
 * What it is not: a cluster of several members, authentication, a file (Snapshot is
 * UNIMPLEMENTED).
 * Source: etcd server/etcdserver/{api/v3rpc,txn}, server/lease, server/storage/mvcc. */
#ifndef APISIM_ETCD_FACE_H
#define APISIM_ETCD_FACE_H

#include "base/arena.h"
#include "base/timers.h"
#include "env/env.h"
#include "store/store.h"

#define ETCD_SERVER_VERSION "3.6.8"
#define ETCD_STORAGE_VERSION "3.6.0"

/* Between what etcd's clients see and what the store keeps. */
typedef struct etcd_values {
  /* An entry's bytes for a client; in the arena or borrowed from the entry. */
  slice (*out)(void *ctx, arena *a, const store_entry *e);
  /* A put of `bytes` at this revision: what to keep, a reference of the caller's. NULL: it is
   * refused, *problem says why. */
  blob *(*in)(void *ctx, arena *a, slice key, slice bytes, int64_t revision, slice *problem);
  /* What watchers of the store see as the last of a deleted entry; NULL: nothing special. */
  blob *(*final)(void *ctx, const store_entry *e, int64_t revision);
  void *ctx;
} etcd_values;

/* The bytes that a client put, kept with the entry where `in` made others of them. */
#define ETCD_FORM_PUT ((uint64_t)0x65746364) /* "etcd" */

typedef struct etcd_face_options {
  env *env;
  timers *timers;
  store *store; /* an embedded one; outlives the face */
  const etcd_values *values; /* NULL: bytes are kept as they are */
  slice name; /* of the one member; empty: "default" */
  slice client_urls, peer_urls; /* comma separated; told by MemberList, hashed to the ids */
  slice cluster_token; /* empty: "etcd-cluster" */
  int64_t quota_bytes; /* told by Status; 0: etcd's 2 GiB */
  uint32_t max_txn_ops; /* 0: 128 */
  size_t max_request_bytes; /* 0: 1.5 MiB */
  bool require_client_cert; /* a peer without a verified certificate is closed */
  int64_t progress_interval_ns; /* of watches with progress_notify; 0: 10 minutes */
} etcd_face_options;

typedef struct etcd_face etcd_face;

/* Slices of the options are copied. */
etcd_face *etcd_face_create(const etcd_face_options *o);
env_acceptor etcd_face_acceptor(etcd_face *f);
/* The store has been put back to another state: watches end with UNAVAILABLE, because what they
 * have seen may never have been. */
void etcd_face_reset(etcd_face *f);
/* GOAWAY to all; calls under way go on. */
void etcd_face_stop(etcd_face *f);
/* Connections must have been closed before. NULL is fine. */
void etcd_face_destroy(etcd_face *f);

#endif
