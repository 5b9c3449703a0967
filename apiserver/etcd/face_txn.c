/* Txn: compares choose a branch, at each level before anything is written; the branch's requests
 * are checked, then executed at one revision. Order and texts: etcd's etcdserver/txn/txn.go and
 * v3rpc/key.go. */
#include "etcd/face_internal.h"

#include "base/heap.h"

#include <assert.h>

/* In one request, over all levels: ours, so that looking for keys written twice stays cheap. (etcd
 * allows 128 a level.) */
#define OPS_ALL 4096

/* ---- checks without the store ---- */

static etcd_error check_ops(const etcd_list *ops, int64_t max, uint32_t *total);

static etcd_error check_level(const etcd_txn_request *r, int64_t max, uint32_t *total) {
  uint32_t most = r->compare.count;
  if (r->success.count > most) most = r->success.count;
  if (r->failure.count > most) most = r->failure.count;
  if (most > max) return ETCD_ERROR_TOO_MANY_OPS;
  const etcd_compare *c = r->compare.items;
  for (uint32_t i = 0; i < r->compare.count; i++) {
    if (c[i].key.len == 0) return ETCD_ERROR_EMPTY_KEY;
  }
  etcd_error e = check_ops(&r->success, max - most, total);
  return e == ETCD_OK ? check_ops(&r->failure, max - most, total) : e;
}

static etcd_error check_ops(const etcd_list *ops, int64_t max, uint32_t *total) {
  const etcd_request_op *op = ops->items;
  for (uint32_t i = 0; i < ops->count; i++) {
    etcd_error e = ETCD_ERROR_KEY_NOT_FOUND; /* of an empty op */
    if (++*total > OPS_ALL) return ETCD_ERROR_TOO_MANY_OPS;
    switch (op[i].which) {
    case ETCD_OP_RANGE: e = face_check_range(op[i].range); break;
    case ETCD_OP_PUT: e = face_check_put(op[i].put); break;
    case ETCD_OP_DELETE: e = op[i].del->key.len ? ETCD_OK : ETCD_ERROR_EMPTY_KEY; break;
    case ETCD_OP_TXN: e = check_level(op[i].txn, max, total); break;
    default: break;
    }
    if (e != ETCD_OK) return e;
  }
  return ETCD_OK;
}

/* ---- keys written twice ---- */

typedef struct written {
  slice *puts;
  uint32_t put_count, put_cap;
  face_range *dels;
  uint32_t del_count, del_cap;
} written;

static void add_put(arena *a, written *w, slice key) {
  w->puts = arena_more(a, w->puts, w->put_count, &w->put_cap, sizeof(slice));
  w->puts[w->put_count++] = key;
}

static void add_del(arena *a, written *w, face_range r) {
  w->dels = arena_more(a, w->dels, w->del_count, &w->del_cap, sizeof(face_range));
  w->dels[w->del_count++] = r;
}

static bool has_put(const written *w, uint32_t from, uint32_t to, slice key) {
  for (uint32_t i = from; i < to; i++) {
    if (slice_eq(w->puts[i], key)) return true;
  }
  return false;
}

static bool has_del(const written *w, slice key) {
  for (uint32_t i = 0; i < w->del_count; i++) {
    if (face_range_has(&w->dels[i], key)) return true;
  }
  return false;
}

static bool check_writes(arena *a, const etcd_list *ops, written *w);

/* A txn inside: its branches exclude each other, so both may put one key. */
static bool check_inner(arena *a, const etcd_txn_request *t, written *w) {
  written then = {0}, otherwise = {0};
  if (!check_writes(a, &t->success, &then) || !check_writes(a, &t->failure, &otherwise)) {
    return false;
  }
  uint32_t before = w->put_count;
  for (uint32_t i = 0; i < then.put_count; i++) {
    if (has_put(w, 0, w->put_count, then.puts[i]) || has_del(w, then.puts[i])) return false;
    add_put(a, w, then.puts[i]);
  }
  uint32_t of_then = w->put_count;
  for (uint32_t i = 0; i < otherwise.put_count; i++) {
    slice key = otherwise.puts[i];
    bool twice = has_put(w, 0, before, key) || has_put(w, of_then, w->put_count, key);
    if (twice || has_del(w, key)) return false;
    add_put(a, w, key);
  }
  for (uint32_t i = 0; i < then.del_count; i++) add_del(a, w, then.dels[i]);
  for (uint32_t i = 0; i < otherwise.del_count; i++) add_del(a, w, otherwise.dels[i]);
  return true;
}

/* False: a key is put twice, or put and deleted. */
static bool check_writes(arena *a, const etcd_list *ops, written *w) {
  const etcd_request_op *op = ops->items;
  for (uint32_t i = 0; i < ops->count; i++) {
    if (op[i].which != ETCD_OP_DELETE) continue;
    add_del(a, w, face_range_of(op[i].del->key, op[i].del->range_end));
  }
  for (uint32_t i = 0; i < ops->count; i++) {
    if (op[i].which == ETCD_OP_TXN && !check_inner(a, op[i].txn, w)) return false;
  }
  for (uint32_t i = 0; i < ops->count; i++) {
    if (op[i].which != ETCD_OP_PUT) continue;
    slice key = op[i].put->key;
    if (has_put(w, 0, w->put_count, key) || has_del(w, key)) return false;
    add_put(a, w, key);
  }
  return true;
}

etcd_error face_check_txn(const etcd_txn_request *r, uint32_t max_ops) {
  uint32_t total = 0;
  etcd_error e = check_level(r, max_ops, &total);
  if (e != ETCD_OK) return e;
  arena *a = arena_create();
  written success = {0}, failure = {0};
  bool ok = check_writes(a, &r->success, &success) && check_writes(a, &r->failure, &failure);
  arena_destroy(a);
  return ok ? ETCD_OK : ETCD_ERROR_DUPLICATE_KEY;
}

/* ---- compares ---- */

typedef struct compare_run {
  etcd_face *f;
  arena *a;
  const etcd_compare *c;
  bool any, holds;
} compare_run;

static int order_of(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

/* A member of another target than the one asked for counts as zero. */
static int compare_entry(compare_run *run, const store_entry *e) {
  const etcd_compare *c = run->c;
  switch (c->target) {
  case ETCD_CMP_VERSION:
    return order_of(e ? e->version : 0, c->which == ETCD_WITH_VERSION ? c->version : 0);
  case ETCD_CMP_CREATE:
    return order_of(e ? e->create_revision : 0,
                    c->which == ETCD_WITH_CREATE ? c->create_revision : 0);
  case ETCD_CMP_MOD:
    return order_of(e ? e->mod_revision : 0, c->which == ETCD_WITH_MOD ? c->mod_revision : 0);
  case ETCD_CMP_LEASE:
    return order_of(e ? e->lease : 0, c->which == ETCD_WITH_LEASE ? c->lease : 0);
  case ETCD_CMP_VALUE:
    return slice_cmp(face_value(run->f, run->a, e),
                     c->which == ETCD_WITH_VALUE ? c->value : SLICE_NONE);
  default: return 0;
  }
}

static bool holds(int32_t result, int order) {
  switch (result) {
  case ETCD_EQUAL: return order == 0;
  case ETCD_NOT_EQUAL: return order != 0;
  case ETCD_GREATER: return order > 0;
  case ETCD_LESS: return order < 0;
  default: return true;
  }
}

static bool compare_visit(void *ctx, store_entry *e) {
  compare_run *run = ctx;
  run->any = true;
  run->holds = holds(run->c->result, compare_entry(run, e));
  return run->holds;
}

static bool compare_holds(etcd_face *f, arena *a, store_view *view, const etcd_compare *c) {
  compare_run run = {.f = f, .a = a, .c = c};
  face_range range = face_range_of(c->key, c->range_end);
  store_view_walk(view, face_range_start(&range), face_range_stop(&range, a), compare_visit, &run);
  if (run.any) return run.holds;
  /* A value that is not there is like no other. */
  return c->target != ETCD_CMP_VALUE && holds(c->result, compare_entry(&run, NULL));
}

/* The branches taken, a txn a byte, in the order in which they are met. */
typedef struct path {
  arena *a;
  bool *taken;
  uint32_t count, cap, at;
} path;

static const etcd_list *branch(const etcd_txn_request *t, bool taken) {
  return taken ? &t->success : &t->failure;
}

static void choose_path(etcd_face *f, store_view *view, const etcd_txn_request *t, path *p) {
  bool taken = true;
  const etcd_compare *c = t->compare.items;
  for (uint32_t i = 0; i < t->compare.count && taken; i++) {
    taken = compare_holds(f, p->a, view, &c[i]);
  }
  p->taken = arena_more(p->a, p->taken, p->count, &p->cap, sizeof(bool));
  p->taken[p->count++] = taken;
  const etcd_list *ops = branch(t, taken);
  const etcd_request_op *op = ops->items;
  for (uint32_t i = 0; i < ops->count; i++) {
    if (op[i].which == ETCD_OP_TXN) choose_path(f, view, op[i].txn, p);
  }
}

/* ---- checks against the store, and the puts' values ---- */

typedef struct prepared {
  face_put *puts; /* in the order of execution */
  uint32_t count, cap, at;
  slice key, problem; /* of a value that was refused */
  bool writes;
} prepared;

static etcd_error check_revision(etcd_face *f, int64_t revision) {
  if (revision == 0) return ETCD_OK;
  if (revision > store_revision(f->o.store)) return ETCD_ERROR_FUTURE_REV;
  return revision < store_compacted(f->o.store) ? ETCD_ERROR_COMPACTED : ETCD_OK;
}

static etcd_error prepare(etcd_face *f, const etcd_txn_request *t, path *p, prepared *out) {
  const etcd_list *ops = branch(t, p->taken[p->at++]);
  const etcd_request_op *op = ops->items;
  for (uint32_t i = 0; i < ops->count; i++) {
    etcd_error e = ETCD_OK;
    if (op[i].which == ETCD_OP_RANGE) {
      e = check_revision(f, op[i].range->revision);
    } else if (op[i].which == ETCD_OP_PUT) {
      out->puts = arena_more(p->a, out->puts, out->count, &out->cap, sizeof(face_put));
      face_put *put = &out->puts[out->count++];
      e = face_prepare_put(f, p->a, op[i].put, put, &out->problem);
      out->key = op[i].put->key;
      out->writes = true;
    } else if (op[i].which == ETCD_OP_DELETE) {
      out->writes = true;
    } else {
      e = prepare(f, op[i].txn, p, out);
    }
    if (e != ETCD_OK) return e;
  }
  return ETCD_OK;
}

/* ---- execution ---- */

/* Where the batch stands: its revision once something has changed. */
typedef struct execution {
  etcd_face *f;
  arena *a;
  int64_t changes;
} execution;

static int64_t revision_now(const execution *x) {
  return store_revision(x->f->o.store) + (x->changes ? 1 : 0);
}

static void execute(execution *x, const etcd_txn_request *t, path *p, prepared *ready,
                    etcd_txn_response *out);

static void execute_op(execution *x, const etcd_request_op *op, path *p, prepared *ready,
                       etcd_response_op *out) {
  arena *a = x->a;
  out->which = op->which;
  switch (op->which) {
  case ETCD_OP_RANGE: {
    out->range = ARENA_NEW(a, etcd_range_response);
    etcd_error e = face_do_range(x->f, a, op->range, revision_now(x), out->range);
    assert(e == ETCD_OK);
    (void)e;
    break;
  }
  case ETCD_OP_PUT:
    out->put = ARENA_NEW(a, etcd_put_response);
    face_do_put(x->f, a, &ready->puts[ready->at++], out->put);
    x->changes++;
    break;
  case ETCD_OP_DELETE:
    out->del = ARENA_NEW(a, etcd_delete_response);
    face_do_delete(x->f, a, op->del, out->del);
    x->changes += out->del->deleted;
    out->del->header->revision = revision_now(x);
    break;
  default:
    out->txn = ARENA_NEW(a, etcd_txn_response);
    out->txn->header = ARENA_NEW(a, etcd_header);
    execute(x, op->txn, p, ready, out->txn);
    break;
  }
}

static void execute(execution *x, const etcd_txn_request *t, path *p, prepared *ready,
                    etcd_txn_response *out) {
  out->succeeded = p->taken[p->at++];
  const etcd_list *ops = branch(t, out->succeeded);
  const etcd_request_op *op = ops->items;
  etcd_response_op *responses = ARENA_ARRAY(x->a, etcd_response_op, ops->count + 1);
  for (uint32_t i = 0; i < ops->count; i++) execute_op(x, &op[i], p, ready, &responses[i]);
  out->responses = (etcd_list){responses, ops->count, ops->count};
}

/* A txn of ranges alone is read, not logged, whatever it would be in its other branch. */
static bool reads_only(const etcd_txn_request *t) {
  const etcd_list *lists[] = {&t->success, &t->failure};
  for (size_t l = 0; l < 2; l++) {
    const etcd_request_op *op = lists[l]->items;
    for (uint32_t i = 0; i < lists[l]->count; i++) {
      if (op[i].which != ETCD_OP_RANGE) return false;
    }
  }
  return true;
}

static bool puts_something(const etcd_txn_request *t) {
  const etcd_list *lists[] = {&t->success, &t->failure};
  for (size_t l = 0; l < 2; l++) {
    const etcd_request_op *op = lists[l]->items;
    for (uint32_t i = 0; i < lists[l]->count; i++) {
      if (op[i].which == ETCD_OP_PUT) return true;
      if (op[i].which == ETCD_OP_TXN && puts_something(op[i].txn)) return true;
    }
  }
  return false;
}

static void run(grpc_stream *s, arena *a, const etcd_txn_request *t) {
  etcd_face *f = face_of(s);
  path p = {.a = a};
  prepared ready = {0};
  store_view *view = NULL;
  store_result opened = store_view_open(f->o.store, 0, &view);
  assert(opened == STORE_OK);
  (void)opened;
  choose_path(f, view, t, &p);
  store_view_close(view);
  etcd_error e = prepare(f, t, &p, &ready);
  if (e != ETCD_OK) {
    for (uint32_t i = 0; i < ready.count; i++) face_put_dispose(&ready.puts[i]);
    if (e == ETCD_ERROR_OTHER) face_refuse_value(s, ready.key, ready.problem, a);
    else face_fail(s, e);
    return;
  }
  p.at = 0;
  execution x = {.f = f, .a = a};
  etcd_txn_response out = {0};
  store_memory_begin(f->o.store);
  execute(&x, t, &p, &ready, &out);
  int64_t revision = store_memory_commit(f->o.store);
  out.header = face_header(f, a, revision);
  face_answer(s, &etcd_txn_response_message, &out);
  face_release(f);
}

void face_txn_call(grpc_stream *s, slice message) {
  etcd_face *f = face_of(s);
  arena *a = arena_create();
  etcd_txn_request t;
  if (face_decode(s, &etcd_txn_request_message, message, a, &t)) {
    etcd_error e = face_check_txn(&t, f->o.max_txn_ops);
    if (e == ETCD_OK) e = face_alarm_error(f, puts_something(&t));
    bool logged = e == ETCD_OK && !reads_only(&t);
    if (logged && face_too_large(f, message.len)) e = ETCD_ERROR_TOO_LARGE;
    if (e == ETCD_OK) run(s, a, &t);
    else face_fail(s, e);
  }
  arena_destroy(a);
}
