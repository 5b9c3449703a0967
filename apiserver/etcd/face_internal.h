/* face_internal: what the files of the face share. Private to face*.c and lease.c. */
#ifndef APISIM_ETCD_FACE_INTERNAL_H
#define APISIM_ETCD_FACE_INTERNAL_H

#include "etcd/face.h"
#include "etcd/grpc_server.h"
#include "etcd/rpc.h"
#include "http/http.h"
#include "store/lease.h"

#define FACE_RAFT_TERM 2 /* of a first start */

struct etcd_face {
  etcd_face_options o; /* its slices are in `memory` */
  arena *memory;
  grpc_server grpc;
  http_server http;
  struct face_conn *conns;
  uint64_t cluster_id, member_id;
  timer lease_timer;
  uint64_t lease_sequence;
  bool alarms[3]; /* by alarm type */
  bool compacted_at_0; /* asked for at revision 0: nothing goes, and it can't be asked for again */
  struct watch_stream *streams; /* face_watch.c */
  timer progress_timer;
  uint64_t requests; /* applied so far: a raft index */
  store_view **held; /* of ranges whose answer is not encoded yet */
  uint32_t held_count, held_cap;
};

/* A fresh etcd counts as compacted at -1, so that it can be compacted at 0 once. */
static inline int64_t face_compacted(const etcd_face *f) {
  int64_t compacted = store_compacted(f->o.store);
  return compacted || f->compacted_at_0 ? compacted : -1;
}

static inline lease_table *face_leases(const etcd_face *f) {
  return store_memory_leases(f->o.store);
}
static inline etcd_face *face_of(const grpc_stream *s) { return s->server->ctx; }

/* The header that answers carry; revision 0: the newest. In the arena. */
etcd_header *face_header(etcd_face *f, arena *a, int64_t revision);
/* Decodes, or finishes the call with INTERNAL and says false. */
bool face_decode(grpc_stream *s, const etcd_message *m, slice bytes, arena *a, void *out);
/* Sends the one answer and finishes. */
void face_answer(grpc_stream *s, const etcd_message *m, const void *answer);
void face_fail(grpc_stream *s, etcd_error e);

/* As a client sees it. keys_only: without the value. */
void face_kv(etcd_face *f, arena *a, const store_entry *e, bool keys_only, etcd_kv *out);
slice face_value(etcd_face *f, arena *a, const store_entry *e);

/* [key, end) as the protocol gives it: end empty: the key alone; "\0": from the key on. */
typedef struct face_range {
  slice key, end;
  bool single, open; /* open: no upper end */
} face_range;
face_range face_range_of(slice key, slice range_end);
bool face_range_has(const face_range *r, slice key);
/* Its lower and upper end for store_view_walk. */
slice face_range_start(const face_range *r);
slice face_range_stop(const face_range *r, arena *a);

/* What of the protocol's requests can be refused without looking at the store. */
etcd_error face_check_range(const etcd_range_request *r);
etcd_error face_check_put(const etcd_put_request *r);
/* Also txns in txns, too many operations, keys written twice. */
etcd_error face_check_txn(const etcd_txn_request *r, uint32_t max_ops);

/* Reads at the newest state, also inside a batch. `revision`: what the header says. What is read
 * is borrowed until face_release. */
etcd_error face_do_range(etcd_face *f, arena *a, const etcd_range_request *r, int64_t revision,
                         etcd_range_response *out);
void face_release(etcd_face *f);
/* A put that has been checked against the store, with its value made. */
typedef struct face_put {
  const etcd_put_request *request;
  blob *value; /* a reference */
  blob *put_bytes; /* what the client put, where value is not that; else NULL */
  int64_t lease;
} face_put;
/* Checks and makes the value; *problem for ETCD_ERROR_OTHER. */
etcd_error face_prepare_put(etcd_face *f, arena *a, const etcd_put_request *r, face_put *out,
                            slice *problem);
void face_put_dispose(face_put *p);
void face_refuse_value(grpc_stream *s, slice key, slice problem, arena *a);
/* Inside a batch; p is disposed of. */
void face_do_put(etcd_face *f, arena *a, face_put *p, etcd_put_response *out);
void face_do_delete(etcd_face *f, arena *a, const etcd_delete_request *r,
                    etcd_delete_response *out);
/* Deletes one key inside a batch, with its lease. */
void face_remove_key(etcd_face *f, const store_entry *e);
/* Alarms that forbid it. writes: the request needs space. */
etcd_error face_alarm_error(const etcd_face *f, bool writes);
/* The size of the request in etcd's log is over the limit. */
bool face_too_large(const etcd_face *f, size_t size);

/* Rows' functions. */
void face_range_call(grpc_stream *s, slice message);
void face_put_call(grpc_stream *s, slice message);
void face_delete_call(grpc_stream *s, slice message);
void face_txn_call(grpc_stream *s, slice message);
void face_compact_call(grpc_stream *s, slice message);
void face_watch_call(grpc_stream *s, slice message);
void face_watch_end(grpc_stream *s);
void face_lease_grant_call(grpc_stream *s, slice message);
void face_lease_revoke_call(grpc_stream *s, slice message);
void face_lease_keepalive_call(grpc_stream *s, slice message);
void face_lease_keepalive_end(grpc_stream *s);
void face_lease_ttl_call(grpc_stream *s, slice message);
void face_leases_call(grpc_stream *s, slice message);
void face_member_list_call(grpc_stream *s, slice message);
void face_alarm_call(grpc_stream *s, slice message);
void face_status_call(grpc_stream *s, slice message);
void face_defragment_call(grpc_stream *s, slice message);
void face_hash_call(grpc_stream *s, slice message);
void face_hashkv_call(grpc_stream *s, slice message);
void face_auth_status_call(grpc_stream *s, slice message);
void face_nobody_call(grpc_stream *s, slice message);
void face_snapshot_call(grpc_stream *s, slice message);

/* Sets the timer for the next lease that ends. */
void face_lease_arm(etcd_face *f);
void face_watch_dispose(etcd_face *f);
/* HTTP/1.1: /health and its kin. */
void face_http(void *ctx, http_exchange *x);

#endif
