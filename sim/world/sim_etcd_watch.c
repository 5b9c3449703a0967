/* The simulated etcd's watches: changes in the order of revisions, each once, as late and in such
 * pieces as the fault plan wants. */
#include "sim/world/sim_etcd_internal.h"

#include "base/heap.h"

#define BATCH_MAX 64

remote_watch *sim_etcd_watch_open(remote *r, slice key, slice end, int64_t from,
                              remote_on_event event, void *ctx) {
  sim_remote *near_end = (sim_remote *)r;
  sim_etcd *e = near_end->etcd;
  const heap_hook *before = heap_set_hook(NULL);
  remote_watch *x = ARENA_NEW(e->w->arena, remote_watch);
  *x = (remote_watch){.next = e->watches, .end = near_end, .generation = e->generation,
                      .key = arena_copy(e->w->arena, key),
                      .end_key = arena_copy(e->w->arena, end), .next_revision = from,
                      .event = event, .ctx = ctx, .due_ns = INT64_MAX};
  e->watches = x;
  sim_etcd_feed_soon(x, 0);
  heap_set_hook(before);
  return x;
}

static void forget(sim_etcd *e, remote_watch *x) {
  x->closed = true;
  for (remote_watch **at = &e->watches; *at; at = &(*at)->next) {
    if (*at != x) continue;
    *at = x->next;
    return;
  }
}

void sim_etcd_watch_close(remote *r, remote_watch *x) { forget(((sim_remote *)r)->etcd, x); }

void sim_etcd_progress(remote *r, remote_watch *x) {
  (void)r;
  x->progress = true;
  const heap_hook *before = heap_set_hook(NULL);
  sim_etcd_feed_soon(x, 0);
  heap_set_hook(before);
}

/* A server that lags hears everything that much later. */
static int64_t lag_of(const remote_watch *x) {
  world *w = x->end->etcd->w;
  const fault *f = fault_active(w, 16, -1, x->end->server->index);
  const fault *moved = fault_active(w, 43, -1, x->end->server->index);
  return (f ? f->arg * MILLI : 0) + (moved ? moved->arg * MILLI : 0);
}

void sim_etcd_feed_soon(remote_watch *x, int64_t extra_ns) {
  sim_etcd *e = x->end->etcd;
  if (x->closed || x->due_ns < INT64_MAX) return;
  int64_t at = sim_etcd_hop(e, lag_of(x) + extra_ns);
  if (at < x->held_until_ns) at = x->held_until_ns;
  x->due_ns = at;
  world_at(e->w, at, DUE_STORE, x, ETCD_FEEDS);
}

typedef struct feeding {
  remote_watch *x;
  remote_watch_event event;
} feeding;

static void feed_inside(sim_server *s, void *ctx) {
  (void)s;
  feeding *f = ctx;
  f->x->event(f->x->ctx, &f->event);
}

static bool tell(remote_watch *x, remote_event_kind kind, int64_t revision,
                 const remote_change *changes, uint32_t count) {
  feeding f = {.x = x, .event = {.kind = kind, .revision = revision, .changes = changes,
                                 .count = count}};
  if (kind == REMOTE_WATCH_BROKEN) f.event.message = SLICE_LIT("connection reset");
  if (kind == REMOTE_WATCH_COMPACTED || kind == REMOTE_WATCH_BROKEN) {
    forget(x->end->etcd, x);
  }
  return sim_server_enter(x->end->server, feed_inside, &f) && !x->closed;
}

static bool concerns(const remote_watch *x, slice key) {
  if (x->end_key.len == 0) return slice_eq(x->key, key);
  return slice_cmp(key, x->key) >= 0 && slice_cmp(key, x->end_key) < 0;
}

static remote_change change_of(const sim_etcd *e, const commit *c) {
  const commit *prev = model_prev(e->raw, c);
  remote_change change = {.deleted = c->deleted, .kv = sim_etcd_kv(e, c, false)};
  change.has_prev = prev && !prev->deleted && prev->revision >= e->compacted;
  if (change.has_prev) change.prev = sim_etcd_kv(e, prev, false);
  return change;
}

/* Up to `upto`, in pieces; a revision's changes stay together. False: the watch is over. */
static bool deliver(sim_etcd *e, remote_watch *x, int64_t upto, uint32_t piece) {
  const model *m = e->raw;
  remote_change *changes = NULL;
  uint32_t n = 0, cap = 0;
  int64_t last = 0;
  for (uint32_t i = model_index(m, x->next_revision); i < m->count; i++) {
    const commit *c = &m->commits[i];
    if (c->revision > upto) break;
    if (concerns(x, m->keys[c->key].text)) {
      changes = arena_more(e->w->arena, changes, n, &cap, sizeof *changes);
      changes[n++] = change_of(e, c);
      last = c->revision;
    }
    if (model_more(m, c)) continue;
    x->next_revision = c->revision + 1;
    if (n < piece) continue;
    if (!tell(x, REMOTE_EVENTS, last, changes, n)) return false;
    n = 0;
  }
  if (x->next_revision <= upto) x->next_revision = upto + 1;
  return n == 0 || tell(x, REMOTE_EVENTS, last, changes, n);
}

static int64_t newest_for(sim_etcd *e, const remote_watch *x) {
  int64_t newest = model_revision(e->raw);
  const fault *f = fault_active(e->w, 10, -1, x->end->server->index);
  if (!f) return newest;
  SOMETIMES(e->w, CACHE_BEHIND);
  return newest - f->arg < x->next_revision - 1 ? x->next_revision - 1 : newest - f->arg;
}

/* True: the strike delays or ends it. */
static bool struck(remote_watch *x, uint32_t *piece) {
  world *w = x->end->etcd->w;
  fault *f = fault_visit(w, SITE_FEED);
  if (!f) return false;
  fault_begin(w, f);
  if (f->variant == 1) {
    tell(x, REMOTE_WATCH_BROKEN, 0, NULL, 0);
    return true;
  }
  if (f->variant == 2) {
    *piece = 1;
    return false;
  }
  x->held_until_ns = w->now_ns + f->arg * MILLI;
  sim_etcd_feed_soon(x, 0);
  SOMETIMES(w, CACHE_BEHIND);
  return true;
}

static bool reachable(const sim_etcd *e, const remote_watch *x) {
  int64_t now = e->w->now_ns;
  return now >= e->down_until_ns && now >= e->cut_until_ns[x->end->server->index];
}

void sim_etcd_feed(sim_etcd *e, remote_watch *x) {
  sim_server *s = x->end->server;
  x->due_ns = INT64_MAX;
  if (x->closed) return;
  if (x->end->dead || s->life != x->end->life || !s->api) {
    forget(e, x);
    return;
  }
  if (sim_server_busy_until(s)) {
    sim_etcd_feed_soon(x, SECOND / 2);
    return;
  }
  uint32_t piece = BATCH_MAX;
  if (!reachable(e, x) || x->generation != e->generation) {
    if (e->w->now_ns < e->cut_until_ns[s->index]) sim_etcd_feed_soon(x, SECOND);
    else tell(x, REMOTE_WATCH_BROKEN, 0, NULL, 0);
    return;
  }
  if (x->torn || x->next_revision < e->compacted) {
    SOMETIMES(e->w, CACHE_REMADE);
    tell(x, REMOTE_WATCH_COMPACTED, e->compacted, NULL, 0);
    return;
  }
  if (struck(x, &piece)) return;
  int64_t upto = newest_for(e, x);
  if (!deliver(e, x, upto, piece)) return;
  if (x->progress && upto >= x->next_revision - 1) {
    x->progress = false;
    tell(x, REMOTE_PROGRESS, upto, NULL, 0);
  }
  if (!x->closed && model_revision(e->raw) > upto) sim_etcd_feed_soon(x, SECOND / 2);
}
