/* One history for all servers; each server's end of it is a remote of store/remote.h. Everything
 * that passes between them takes time, as events of the world, and may meet the fault plan. */
#include "sim/world/sim_etcd_internal.h"

#include "base/heap.h"
#include "base/mutant.h"
#include "sim/check/check_actors.h"
#include "sim/check/check_commit.h"
#include "sim/workload/kinds.h"

#include <assert.h>

#define HOP_NS ((int64_t)200000) /* one way between a server and the store, and as much jitter */
#define TOO_LARGE_BYTES ((size_t)1536 << 10)
#define KEEPALIVE_NS (35 * SECOND)
#define CUT_ANSWER_NS (2 * SECOND)

sim_etcd *sim_etcd_of(const world *w) { return w->store; }

int64_t sim_etcd_hop(sim_etcd *e, int64_t extra_ns) {
  return e->w->now_ns + HOP_NS + (int64_t)rng_below(&e->rng, (uint64_t)HOP_NS) + extra_ns;
}

/* ---- commits ---- */

static const commit *raw_state(const sim_etcd *e, slice key, uint32_t *id) {
  *id = model_key_id(e->raw, key, 0, true);
  return model_state(e->raw, *id, model_revision(e->raw));
}

static void tell_model(sim_etcd *e, slice key, bool deleted, slice stored) {
  world *w = e->w;
  commit_seen seen = {.key = key, .deleted = deleted, .revision = model_revision(e->raw)};
  blob *json = NULL;
  if (kind_of_key(key, w->draw->kinds | KINDS_ALWAYS)) {
    const mirror_codec *c = stored_codec_of(e->codec);
    slice problem = SLICE_NONE;
    bool stale = false;
    json = c->decode(c->ctx, key, stored, seen.revision, &stale, &problem);
    if (!json) {
      check_fail(w, CHECK_FORMATS, "what was stored under %.*s can't be read: %.*s",
                 SLICE_ARG(key), SLICE_ARG(problem));
      return;
    }
    seen.value = blob_slice(json);
  }
  check_commit(w, &seen);
  if (slice_has_prefix(key, SLICE_LIT("/registry/"))) w->settled_revision = seen.revision;
  blob_unref(json);
}

/* too: in the newest revision, with what is there. */
static int64_t put(sim_etcd *e, bool too, slice key, bool deleted, slice value, int64_t lease) {
  uint32_t id;
  const commit *before = raw_state(e, key, &id);
  etcd_extra extra = {.create = model_revision(e->raw) + !too, .version = 1, .lease = lease};
  slice shown = value;
  if (before) {
    const etcd_extra *x = &e->extras[before - e->raw->commits];
    extra.create = x->create;
    extra.version = x->version + 1;
    if (deleted) shown = before->value;
  }
  if (deleted) extra.version = 0;
  e->extras = arena_more(e->w->arena, e->extras, e->raw->count, &e->extra_cap, sizeof extra);
  e->extras[e->raw->count] = extra;
  if (too) model_commit_too(e->raw, id, deleted, shown, NO_OP);
  else model_commit(e->raw, id, deleted, shown, NO_OP);
  tell_model(e, e->raw->keys[id].text, deleted, shown);
  for (remote_watch *x = e->watches; x; x = x->next) sim_etcd_feed_soon(x, 0);
  return model_revision(e->raw);
}

int64_t sim_etcd_commit(sim_etcd *e, slice key, bool deleted, slice value, int64_t lease) {
  return put(e, false, key, deleted, value, lease);
}

int64_t sim_etcd_delete_too(sim_etcd *e, bool first, slice key) {
  return put(e, !first, key, true, SLICE_NONE, 0);
}

remote_kv sim_etcd_kv(const sim_etcd *e, const commit *c, bool keys_only) {
  const etcd_extra *x = &e->extras[c - e->raw->commits];
  return (remote_kv){.key = e->raw->keys[c->key].text,
                     .value = c->deleted || keys_only ? SLICE_NONE : c->value,
                     .create_revision = x->create, .mod_revision = c->revision,
                     .version = x->version, .lease = x->lease};
}

/* ---- calls ---- */

static bool reaches(const sim_etcd *e, const sim_server *s) {
  return e->w->now_ns >= e->down_until_ns && e->w->now_ns >= e->cut_until_ns[s->index];
}

static void fails(remote_call *c, remote_result result, const char *words) {
  c->answer = (remote_answer){.result = result, .message = slice_cstr(words)};
}

static remote_call *call_new(remote *r, uint8_t kind, remote_done done, void *ctx) {
  sim_remote *end = (sim_remote *)r;
  sim_etcd *e = end->etcd;
  const heap_hook *before = heap_set_hook(NULL);
  remote_call *c = ARENA_NEW(e->w->arena, remote_call);
  *c = (remote_call){.end = end, .kind = kind, .done = done, .ctx = ctx,
                     .generation = e->generation, .number = e->calls++};
  int64_t extra = sim_etcd_slowness(e);
  if (extra == INT64_MAX) { /* it never gets there; the connection's keepalive finds out */
    fails(c, kind == ETCD_TXN ? REMOTE_UNKNOWN : REMOTE_UNAVAILABLE, "keepalive ping failed");
    world_at(e->w, sim_etcd_hop(e, KEEPALIVE_NS), DUE_STORE, c, ETCD_ANSWERS);
  } else {
    world_at(e->w, sim_etcd_hop(e, extra / 2), DUE_STORE, c, ETCD_ARRIVES);
    c->slow_ns = extra - extra / 2;
  }
  heap_set_hook(before);
  return c;
}

static slice keep(sim_etcd *e, slice s) {
  const heap_hook *before = heap_set_hook(NULL);
  slice copy = arena_copy(e->w->arena, s);
  heap_set_hook(before);
  return copy;
}

static remote_call *on_txn(remote *r, const remote_txn *t, remote_done done, void *ctx) {
  sim_etcd *e = ((sim_remote *)r)->etcd;
  remote_call *c = call_new(r, ETCD_TXN, done, ctx);
  c->txn = *t;
  c->txn.key = keep(e, t->key);
  c->txn.value = keep(e, t->value);
  return c;
}

static remote_call *on_range(remote *r, const remote_range *q, remote_done done, void *ctx) {
  sim_etcd *e = ((sim_remote *)r)->etcd;
  remote_call *c = call_new(r, ETCD_RANGE, done, ctx);
  c->range = *q;
  c->range.key = keep(e, q->key);
  c->range.end = keep(e, q->end);
  return c;
}

static remote_call *on_compact(remote *r, int64_t revision, remote_done done, void *ctx) {
  remote_call *c = call_new(r, ETCD_COMPACT, done, ctx);
  c->number_asked = revision;
  return c;
}

static remote_call *on_grant(remote *r, int64_t ttl_s, remote_done done, void *ctx) {
  remote_call *c = call_new(r, ETCD_GRANT, done, ctx);
  c->number_asked = ttl_s;
  return c;
}

static void on_cancel(remote *r, remote_call *c) {
  (void)r;
  c->cancelled = true;
}

static void do_txn(sim_etcd *e, remote_call *c) {
  uint32_t id;
  const remote_txn *t = &c->txn;
  const commit *now = raw_state(e, t->key, &id);
  int64_t guard = now ? now->revision : 0;
  if (guard != t->guard) {
    c->answer.result = REMOTE_GUARD_FAILED;
    c->answer.revision = model_revision(e->raw);
    if (!now) return;
    remote_kv *kv = ARENA_NEW(e->w->arena, remote_kv);
    *kv = sim_etcd_kv(e, now, false);
    c->answer.kvs = kv;
    c->answer.count = 1;
    return;
  }
  if (t->value.len > TOO_LARGE_BYTES) {
    fails(c, REMOTE_TOO_LARGE, "etcdserver: request is too large");
  } else if (!t->remove && fault_active(e->w, 5, -1, -1)) {
    fails(c, REMOTE_NO_SPACE, "etcdserver: mvcc: database space exceeded");
  } else if (t->lease && !sim_etcd_lease_lives(e, t->lease)) {
    fails(c, REMOTE_NO_LEASE, "etcdserver: requested lease not found");
  } else {
    check_ttl_lease(e->w, t->key, t->remove, t->lease);
    c->answer.revision = sim_etcd_commit(e, t->key, t->remove, t->value, t->lease);
  }
}

/* Another writer touches the key in front of the transaction. */
static void storm(sim_etcd *e, const remote_txn *t) {
  uint32_t id;
  if (e->storm_left == 0 || t->guard == 0) return;
  const commit *now = raw_state(e, t->key, &id);
  if (!now || now->revision != t->guard) return;
  e->storm_left--;
  e->w->foreign = true;
  sim_etcd_commit(e, t->key, false, now->value, e->extras[now - e->raw->commits].lease);
  e->w->foreign = false;
}

static void txn_arrives(sim_etcd *e, remote_call *c) {
  world *w = e->w;
  fault *f = fault_visit(w, SITE_TXN);
  if (f) fault_begin(w, f);
  if (f && f->class == 15) e->storm_left = (uint32_t)f->arg;
  storm(e, &c->txn);
  if (f && f->class == 1 && f->variant == 0) {
    fails(c, REMOTE_UNAVAILABLE, "etcdserver: leader changed");
  } else if (f && f->class == 1) {
    fails(c, REMOTE_UNKNOWN, "connection reset");
  } else if (f && f->class == 2 && f->variant == 1) {
    SOMETIMES(w, STORE_UNKNOWN);
    fails(c, REMOTE_UNKNOWN, "connection reset");
    world_at(w, w->now_ns + f->arg * MILLI, DUE_STORE, c, ETCD_LATE);
  } else {
    do_txn(e, c);
    if (!f || f->class != 2 || c->answer.result != REMOTE_OK) return;
    SOMETIMES(w, STORE_UNKNOWN);
    fails(c, REMOTE_UNKNOWN, "connection reset");
  }
}

static bool in_range(const remote_range *q, slice key) {
  if (q->end.len == 0) return slice_eq(q->key, key);
  return slice_cmp(key, q->key) >= 0 && slice_cmp(key, q->end) < 0;
}

static void do_range(sim_etcd *e, remote_call *c) {
  const remote_range *q = &c->range;
  int64_t newest = model_revision(e->raw), at = q->revision ? q->revision : newest;
  c->answer.revision = newest;
  if (at > newest) fails(c, REMOTE_FUTURE, "etcdserver: mvcc: required revision is a future one");
  if (at < e->compacted) {
    fails(c, REMOTE_COMPACTED, "etcdserver: mvcc: required revision has been compacted");
  }
  if (c->answer.result != REMOTE_OK) return;
  remote_kv *all = NULL;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < e->raw->key_count; i++) {
    uint32_t id = e->raw->sorted[i];
    if (!in_range(q, e->raw->keys[id].text)) continue;
    const commit *state = model_state(e->raw, id, at);
    if (!state) continue;
    c->answer.total++;
    if (q->count_only) continue;
    if (q->limit && c->answer.count == q->limit) {
      c->answer.more = true;
      continue;
    }
    all = arena_more(e->w->arena, all, c->answer.count, &cap, sizeof *all);
    all[c->answer.count++] = sim_etcd_kv(e, state, q->keys_only);
  }
  c->answer.kvs = all;
}

static void do_compact(sim_etcd *e, remote_call *c) {
  c->answer.revision = model_revision(e->raw);
  if (c->number_asked > c->answer.revision) fails(c, REMOTE_FUTURE, "etcdserver: mvcc: future");
  else if (c->number_asked <= e->compacted) fails(c, REMOTE_COMPACTED, "etcdserver: mvcc: gone");
  else sim_etcd_compact(e->w, c->number_asked);
}

static void arrives(sim_etcd *e, remote_call *c) {
  sim_server *s = c->end->server;
  world *w = e->w;
  int64_t wait = 0;
  if (!reaches(e, s)) {
    SOMETIMES(w, STORE_DOWN);
    fails(c, REMOTE_UNAVAILABLE, "connection refused");
    if (w->now_ns < e->cut_until_ns[s->index]) wait = CUT_ANSWER_NS;
  } else if (c->kind == ETCD_TXN) {
    txn_arrives(e, c);
  } else if (c->kind == ETCD_RANGE) {
    do_range(e, c);
  } else if (c->kind == ETCD_COMPACT) {
    do_compact(e, c);
  } else {
    check_ttl_asked(w, c->number_asked);
    c->answer.lease = sim_etcd_lease_grant(e, c->number_asked);
    c->answer.ttl_s = c->number_asked;
  }
  world_at(w, sim_etcd_hop(e, c->slow_ns + wait), DUE_STORE, c, ETCD_ANSWERS);
}

static void answer_inside(sim_server *s, void *ctx) {
  (void)s;
  remote_call *c = ctx;
  c->done(c->ctx, &c->answer);
}

static void answers(sim_etcd *e, remote_call *c) {
  sim_server *s = c->end->server;
  if (c->cancelled || c->end->dead || s->life != c->end->life || !s->api) return;
  if (c->generation != e->generation) { /* the store restarted meanwhile */
    bool txn = c->kind == ETCD_TXN;
    fails(c, txn ? REMOTE_UNKNOWN : REMOTE_UNAVAILABLE, "connection reset");
  }
  c->cancelled = true; /* answered: once */
  sim_server_enter(s, answer_inside, c);
}

/* A transaction that was given up, and happens. */
static void late(sim_etcd *e, remote_call *c) {
  if (c->generation != e->generation) return;
  do_txn(e, c);
}

void sim_etcd_due(world *w, void *ptr, uint64_t arg) {
  sim_etcd *e = sim_etcd_of(w);
  switch (arg) {
    case ETCD_ARRIVES: arrives(e, ptr); break;
    case ETCD_ANSWERS: answers(e, ptr); break;
    case ETCD_LATE: late(e, ptr); break;
    case ETCD_FEEDS: sim_etcd_feed(e, ptr); break;
    default: sim_etcd_lease_due(e, ptr); break;
  }
}

/* ---- the remote ---- */

static void on_status(const remote *r, remote_status *out) {
  const sim_remote *end = (const sim_remote *)r;
  bool up = reaches(end->etcd, end->server);
  *out = (remote_status){.connected = up, .progress = true,
                         .version = SLICE_LIT("3.6.4"), .endpoint = SLICE_LIT("etcd-model")};
}

static void on_destroy(remote *r) { ((sim_remote *)r)->dead = true; }

static const remote_ops ops = {.txn = on_txn, .range = on_range, .compact = on_compact,
                               .lease_grant = on_grant, .cancel = on_cancel,
                               .watch_open = sim_etcd_watch_open,
                               .watch_progress = sim_etcd_progress,
                               .watch_close = sim_etcd_watch_close, .status = on_status,
                               .destroy = on_destroy};

remote *sim_etcd_remote(void *ctx, slice servers, env *env_, timers *t, slice *problem) {
  sim_server *s = ctx;
  (void)servers;
  (void)env_;
  (void)t;
  (void)problem;
  const heap_hook *before = heap_set_hook(NULL);
  sim_remote *end = ARENA_NEW(s->world->arena, sim_remote);
  heap_set_hook(before);
  *end = (sim_remote){.base = {&ops}, .etcd = sim_etcd_of(s->world), .server = s,
                      .life = s->life};
  return &end->base;
}
