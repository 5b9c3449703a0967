/* Unary calls. A failure that is known at once is told by a timer: no call answers before it has
 * returned. */
#include "store/etcd/etcd_internal.h"

#include "base/heap.h"
#include "base/limits.h"

#define REQUEST_MAX ((size_t)16 << 20)

static void call_free(remote_call *c) {
  timer_clear(c->r->timers, &c->timer);
  if (c->before) c->before->next = c->next;
  else c->r->calls = c->next;
  if (c->next) c->next->before = c->before;
  heap_free(c);
}

static void finish(remote_call *c, const remote_answer *a) {
  remote_done done = c->done;
  void *ctx = c->ctx;
  call_free(c);
  done(ctx, a);
}

static void on_failure(void *ctx, int64_t now_ns) {
  (void)now_ns;
  remote_call *c = ctx;
  slice text = c->failure == REMOTE_UNKNOWN ? SLICE_LIT("the connection to etcd was lost")
                                            : SLICE_LIT("etcd can't be reached");
  finish(c, &(remote_answer){.result = c->failure, .message = text});
}

static void fail_soon(remote_call *c, remote_result failure) {
  c->grpc = NULL;
  c->failure = failure;
  timer_set(c->r->timers, &c->timer, c->r->env->mono_ns, on_failure, c);
}

/* ---- answers ---- */

static int64_t revision_of(const etcd_header *h) { return h ? h->revision : 0; }

static remote_kv kv_of(const etcd_kv *kv) {
  return (remote_kv){.key = kv->key, .value = kv->value, .create_revision = kv->create_revision,
                     .mod_revision = kv->mod_revision, .version = kv->version, .lease = kv->lease};
}

static void take_kvs(arena *a, const etcd_range_response *range, remote_answer *out) {
  const etcd_kv *kvs = range->kvs.items;
  remote_kv *all = ARENA_ARRAY(a, remote_kv, range->kvs.count + 1);
  for (uint32_t i = 0; i < range->kvs.count; i++) all[i] = kv_of(kvs + i);
  out->kvs = all;
  out->count = range->kvs.count;
  out->more = range->more;
  out->total = range->count > 0 ? (uint64_t)range->count : 0;
}

static bool read_range(arena *a, slice answer, remote_answer *out) {
  etcd_range_response m = {0};
  if (etcd_decode(&etcd_range_response_message, answer, a, &m)) return false;
  take_kvs(a, &m, out);
  out->revision = revision_of(m.header);
  return out->revision > 0;
}

static bool read_txn(arena *a, slice answer, remote_answer *out) {
  etcd_txn_response m = {0};
  if (etcd_decode(&etcd_txn_response_message, answer, a, &m)) return false;
  out->revision = revision_of(m.header);
  if (out->revision <= 0 || m.responses.count != 1) return false;
  const etcd_response_op *op = m.responses.items;
  if (m.succeeded) return op->which == ETCD_OP_PUT || op->which == ETCD_OP_DELETE;
  out->result = REMOTE_GUARD_FAILED;
  if (op->which != ETCD_OP_RANGE || !op->range) return false;
  take_kvs(a, op->range, out);
  return true;
}

static bool read_header(arena *a, slice answer, remote_answer *out) {
  etcd_header_response m = {0};
  if (etcd_decode(&etcd_header_response_message, answer, a, &m)) return false;
  out->revision = revision_of(m.header);
  return out->revision > 0;
}

static bool read_lease(arena *a, slice answer, remote_answer *out) {
  etcd_lease_grant_response m = {0};
  if (etcd_decode(&etcd_lease_grant_response_message, answer, a, &m)) return false;
  out->revision = revision_of(m.header);
  out->lease = m.id;
  out->ttl_s = m.ttl;
  return m.id != 0 && m.error.len == 0;
}

typedef bool (*read_fn)(arena *a, slice answer, remote_answer *out);
static const read_fn readers[] = {[ETCD_CALL_TXN] = read_txn, [ETCD_CALL_RANGE] = read_range,
                                  [ETCD_CALL_COMPACT] = read_header,
                                  [ETCD_CALL_LEASE] = read_lease};

/* A member that says so has no leader, or is about to go: the next may do better. */
static bool useless(const grpc_result *g) {
  switch (etcd_error_of(g->code, g->message)) {
    case ETCD_ERROR_NO_LEADER:
    case ETCD_ERROR_TIMEOUT:
    case ETCD_ERROR_STOPPED:
    case ETCD_ERROR_CORRUPT: return true;
    default: return false;
  }
}

static void on_answer(void *ctx, const grpc_result *g, slice answer) {
  remote_call *c = ctx;
  etcd_remote *r = c->r;
  remote_answer a = {0};
  arena *memory = NULL;
  c->grpc = NULL;
  if (g->code != GRPC_OK) {
    a.result = etcd_failure(g);
    a.message = g->message;
    r->answered = a.result != REMOTE_UNAVAILABLE && a.result != REMOTE_UNKNOWN;
    bool rotate = useless(g);
    finish(c, &a);
    if (rotate) etcd_rotate(r);
    return;
  }
  memory = arena_create();
  r->answered = true;
  if (!readers[c->kind](memory, answer, &a)) {
    a = (remote_answer){.result = REMOTE_BAD_ANSWER,
                        .message = SLICE_LIT("etcd's answer can't be understood")};
  }
  finish(c, &a);
  arena_destroy(memory);
}

/* ---- requests ---- */

static remote_call *send(remote *base, enum etcd_call_kind kind, const char *path,
                         const etcd_message *m, const void *request, remote_done done,
                         void *ctx) {
  etcd_remote *r = etcd_of(base);
  remote_call *c = heap_zalloc(sizeof *c);
  *c = (remote_call){.r = r, .next = r->calls, .kind = kind, .done = done, .ctx = ctx};
  if (r->calls) r->calls->before = c;
  r->calls = c;
  grpc_client *client = etcd_client(r);
  if (!client) {
    fail_soon(c, REMOTE_UNAVAILABLE);
    return c;
  }
  buf bytes;
  buf_init(&bytes, REQUEST_MAX);
  etcd_encode(m, request, &bytes);
  if (bytes.overflow) fail_soon(c, REMOTE_TOO_LARGE);
  else c->grpc = grpc_unary(client, path, buf_slice(&bytes), 0, on_answer, c);
  buf_dispose(&bytes);
  return c;
}

remote_call *etcd_txn(remote *r, const remote_txn *t, remote_done done, void *ctx) {
  etcd_compare guard = {.which = ETCD_WITH_MOD, .result = ETCD_EQUAL, .target = ETCD_CMP_MOD,
                        .key = t->key, .mod_revision = t->guard};
  etcd_put_request put = {.key = t->key, .value = t->value, .lease = t->lease};
  etcd_delete_request del = {.key = t->key};
  etcd_range_request range = {.key = t->key};
  etcd_request_op then = {.which = ETCD_OP_PUT, .put = &put};
  if (t->remove) then = (etcd_request_op){.which = ETCD_OP_DELETE, .del = &del};
  etcd_request_op other = {.which = ETCD_OP_RANGE, .range = &range};
  etcd_txn_request m = {.compare = {&guard, 1, 1}, .success = {&then, 1, 1},
                        .failure = {&other, 1, 1}};
  return send(r, ETCD_CALL_TXN, ETCD_PATH_TXN, &etcd_txn_request_message, &m, done, ctx);
}

remote_call *etcd_range(remote *r, const remote_range *q, remote_done done, void *ctx) {
  etcd_range_request m = {.key = q->key, .range_end = q->end, .revision = q->revision,
                          .limit = q->limit, .keys_only = q->keys_only,
                          .count_only = q->count_only};
  return send(r, ETCD_CALL_RANGE, ETCD_PATH_RANGE, &etcd_range_request_message, &m, done, ctx);
}

remote_call *etcd_compact(remote *r, int64_t revision, remote_done done, void *ctx) {
  etcd_compact_request m = {.revision = revision};
  return send(r, ETCD_CALL_COMPACT, ETCD_PATH_COMPACT, &etcd_compact_request_message, &m, done,
              ctx);
}

remote_call *etcd_lease_grant(remote *r, int64_t ttl_s, remote_done done, void *ctx) {
  etcd_lease_grant_request m = {.ttl = ttl_s};
  return send(r, ETCD_CALL_LEASE, ETCD_PATH_LEASE_GRANT, &etcd_lease_grant_request_message, &m,
              done, ctx);
}

void etcd_cancel(remote *base, remote_call *c) {
  (void)base;
  if (c->grpc) grpc_call_cancel(c->grpc);
  call_free(c);
}

void etcd_calls_lost(etcd_remote *r) {
  for (remote_call *c = r->calls; c; c = c->next) {
    if (c->grpc) fail_soon(c, REMOTE_UNKNOWN);
  }
}
