/* The face's frame: its rows, its connections (gRPC or HTTP/1.1, told apart by their first bytes),
 * and what all answers share. */
#include "etcd/face_internal.h"

#include "base/heap.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define URLS_MAX 16
#define TXN_OPS 128
#define REQUEST_BYTES ((size_t)3 << 19) /* 1.5 MiB */
#define REQUEST_OVERHEAD ((size_t)512 << 10)
#define ANSWER_CEILING ((size_t)2 << 30)
#define PROGRESS_NS ((int64_t)600 * 1000000000)
#define QUOTA_BYTES ((int64_t)2 << 30)

static const grpc_method methods[] = {
    {ETCD_PATH_RANGE, false, face_range_call, NULL},
    {ETCD_PATH_PUT, false, face_put_call, NULL},
    {ETCD_PATH_DELETE_RANGE, false, face_delete_call, NULL},
    {ETCD_PATH_TXN, false, face_txn_call, NULL},
    {ETCD_PATH_COMPACT, false, face_compact_call, NULL},
    {ETCD_PATH_WATCH, true, face_watch_call, face_watch_end},
    {ETCD_PATH_LEASE_GRANT, false, face_lease_grant_call, NULL},
    {ETCD_PATH_LEASE_REVOKE, false, face_lease_revoke_call, NULL},
    {ETCD_PATH_LEASE_KEEP_ALIVE, true, face_lease_keepalive_call, face_lease_keepalive_end},
    {ETCD_PATH_LEASE_TIME_TO_LIVE, false, face_lease_ttl_call, NULL},
    {ETCD_PATH_LEASE_LEASES, false, face_leases_call, NULL},
    {ETCD_PATH_MEMBER_LIST, false, face_member_list_call, NULL},
    {ETCD_PATH_ALARM, false, face_alarm_call, NULL},
    {ETCD_PATH_STATUS, false, face_status_call, NULL},
    {ETCD_PATH_DEFRAGMENT, false, face_defragment_call, NULL},
    {ETCD_PATH_HASH, false, face_hash_call, NULL},
    {ETCD_PATH_HASH_KV, false, face_hashkv_call, NULL},
    {ETCD_PATH_AUTH_STATUS, false, face_auth_status_call, NULL},
    {ETCD_PATH_USER_LIST, false, face_nobody_call, NULL},
    {ETCD_PATH_ROLE_LIST, false, face_nobody_call, NULL},
    {ETCD_PATH_SNAPSHOT, false, face_snapshot_call, NULL},
};

/* ---- answers ---- */

etcd_header *face_header(etcd_face *f, arena *a, int64_t revision) {
  etcd_header *h = ARENA_NEW(a, etcd_header);
  h->cluster_id = f->cluster_id;
  h->member_id = f->member_id;
  h->raft_term = FACE_RAFT_TERM;
  h->revision = revision ? revision : store_revision(f->o.store);
  return h;
}

bool face_decode(grpc_stream *s, const etcd_message *m, slice bytes, arena *a, void *out) {
  const char *problem = etcd_decode(m, bytes, a, out);
  if (!problem) return true;
  if (problem == etcd_text_too_deep) {
    face_fail(s, ETCD_ERROR_TOO_MANY_OPS);
  } else {
    grpc_stream_finish(s, GRPC_INTERNAL,
                       arena_printf(a, "grpc: error unmarshalling request: %s", problem));
  }
  return false;
}

void face_answer(grpc_stream *s, const etcd_message *m, const void *answer) {
  buf out;
  buf_init(&out, ANSWER_CEILING);
  etcd_encode(m, answer, &out);
  face_of(s)->requests++;
  if (out.overflow) {
    grpc_stream_finish(s, GRPC_RESOURCE_EXHAUSTED, SLICE_LIT("the answer is too large"));
  } else {
    grpc_stream_send(s, buf_slice(&out));
    grpc_stream_finish(s, GRPC_OK, SLICE_NONE);
  }
  buf_dispose(&out);
}

void face_fail(grpc_stream *s, etcd_error e) {
  grpc_stream_finish(s, etcd_error_code(e), etcd_error_text(e));
}

/* ---- connections ---- */

typedef struct face_conn {
  etcd_face *face;
  env_conn *conn;
  const env_peer *peer;
  const env_conn_events *events; /* NULL: not known yet whose it is */
  void *owner;
  buf first; /* what came before that */
  struct face_conn *next, **link;
} face_conn;

static void conn_free(face_conn *c) {
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  buf_dispose(&c->first);
  heap_free(c);
}

#define PREFACE SLICE_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

static void choose(face_conn *c, bool grpc) {
  if (grpc) {
    c->events = &grpc_server_conn_events;
    c->owner = grpc_server_conn_open(&c->face->grpc, c->conn, c->peer);
  } else {
    c->events = &http_conn_events;
    c->owner = http_conn_open(&c->face->http, c->conn, c->peer);
  }
}

static bool on_data(void *owner, slice bytes) {
  face_conn *c = owner;
  bool alive = true;
  if (c->events) {
    alive = c->events->data(c->owner, bytes);
  } else {
    buf_append(&c->first, bytes);
    slice have = buf_slice(&c->first);
    slice head = slice_upto(PREFACE, have.len);
    bool grpc = slice_has_prefix(have, head);
    if (grpc && head.len < PREFACE.len) return true;
    choose(c, grpc);
    alive = c->events->data(c->owner, have);
    if (alive) buf_dispose(&c->first);
  }
  if (!alive) conn_free(c);
  return alive;
}

static bool on_eof(void *owner) {
  face_conn *c = owner;
  if (!c->events || c->events->eof(c->owner)) return true;
  conn_free(c);
  return false;
}

static void on_closed(void *owner, slice why) {
  face_conn *c = owner;
  if (c->events) c->events->closed(c->owner, why);
  conn_free(c);
}

static void on_drained(void *owner) {
  face_conn *c = owner;
  if (c->events) c->events->drained(c->owner);
}

static const env_conn_events conn_events = {
    .data = on_data, .eof = on_eof, .closed = on_closed, .drained = on_drained};

static void *accept_conn(void *ctx, env_conn *conn, const env_peer *peer,
                         const env_conn_events **events) {
  etcd_face *f = ctx;
  if (f->o.require_client_cert && peer->client_cert_der.len == 0) {
    f->o.env->conn_close(f->o.env, conn, false);
    return NULL;
  }
  face_conn *c = heap_zalloc(sizeof *c);
  c->face = f;
  c->conn = conn;
  c->peer = peer;
  buf_init(&c->first, (size_t)256 << 10);
  c->next = f->conns;
  c->link = &f->conns;
  if (c->next) c->next->link = &c->next;
  f->conns = c;
  *events = &conn_events;
  return c;
}

env_acceptor etcd_face_acceptor(etcd_face *f) {
  return (env_acceptor){accept_conn, f};
}

void etcd_face_stop(etcd_face *f) {
  for (face_conn *c = f->conns; c; c = c->next) {
    if (c->events == &grpc_server_conn_events) grpc_server_conn_leave(c->owner);
  }
}

/* ---- ids ---- */

static uint64_t first_eight(const unsigned char digest[SHA_DIGEST_LENGTH]) {
  uint64_t n = 0;
  for (int i = 0; i < 8; i++) n = n << 8 | digest[i];
  return n;
}

/* As etcd makes them: of the sorted peer URLs and the cluster's token; of the member ids. */
static void make_ids(etcd_face *f) {
  slice urls[URLS_MAX], rest = f->o.peer_urls;
  uint32_t n = 0;
  for (bool more = rest.len > 0; more && n < URLS_MAX; n++) {
    more = slice_cut(rest, ',', &urls[n], &rest);
  }
  qsort(urls, n, sizeof urls[0], slice_order);
  slice text = SLICE_NONE;
  for (uint32_t i = 0; i < n; i++) text = arena_concat(f->memory, text, urls[i]);
  text = arena_concat(f->memory, text, f->o.cluster_token);
  unsigned char digest[SHA_DIGEST_LENGTH], id[8];
  SHA1((const unsigned char *)text.ptr, text.len, digest);
  f->member_id = first_eight(digest);
  memcpy(id, digest, sizeof id);
  SHA1(id, sizeof id, digest);
  f->cluster_id = first_eight(digest);
}

/* ---- life ---- */

etcd_face *etcd_face_create(const etcd_face_options *o) {
  assert(store_is_memory(o->store));
  etcd_face *f = heap_zalloc(sizeof *f);
  arena *a = f->memory = arena_create();
  f->o = *o;
  f->o.name = o->name.len ? arena_copy(a, o->name) : SLICE_LIT("default");
  f->o.client_urls = arena_copy(a, o->client_urls);
  f->o.peer_urls = o->peer_urls.len ? arena_copy(a, o->peer_urls)
                                    : SLICE_LIT("http://localhost:2380");
  f->o.cluster_token = o->cluster_token.len ? arena_copy(a, o->cluster_token)
                                            : SLICE_LIT("etcd-cluster");
  if (!o->quota_bytes) f->o.quota_bytes = QUOTA_BYTES;
  if (!o->max_txn_ops) f->o.max_txn_ops = TXN_OPS;
  if (!o->max_request_bytes) f->o.max_request_bytes = REQUEST_BYTES;
  if (!o->progress_interval_ns) f->o.progress_interval_ns = PROGRESS_NS;
  f->grpc = (grpc_server){.env = o->env,
                          .timers = o->timers,
                          .methods = methods,
                          .method_count = sizeof methods / sizeof methods[0],
                          .receive_max = f->o.max_request_bytes + REQUEST_OVERHEAD,
                          .ctx = f};
  f->http = (http_server){.env = o->env, .timers = o->timers, .handle = face_http, .ctx = f};
  make_ids(f);
  return f;
}

void etcd_face_destroy(etcd_face *f) {
  if (!f) return;
  assert(!f->conns);
  timer_clear(f->o.timers, &f->lease_timer);
  face_watch_dispose(f);
  heap_free(f->held);
  arena_destroy(f->memory);
  heap_free(f);
}
