/* memory_world: an env for tests in which connections are memory: what one side writes the other
 * is given by memory_world_pump, in pieces of a chosen size. Test code only. */
#ifndef APISIM_ETCD_MEMORY_WORLD_H
#define APISIM_ETCD_MEMORY_WORLD_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/timers.h"
#include "env/env.h"

struct env_conn {
  struct env_conn *other; /* NULL: gone */
  const env_conn_events *events;
  void *owner; /* NULL: closed by its owner */
  buf in; /* written by the other, not yet given */
  bool opened, outgoing, paused, broken;
  struct env_conn *next;
};

typedef struct memory_world {
  env env; /* first */
  timers timers;
  env_acceptor acceptor; /* every connect goes there; open NULL: refused */
  struct env_conn *conns;
  size_t piece; /* bytes a delivery; 0: all */
  bool cut; /* bytes are swallowed: the network is dead */
} memory_world;

static void mw_log(env *e, int level, slice line) {
  (void)e;
  (void)level;
  (void)line;
}

static void mw_wake(env *e, int64_t at) {
  (void)e;
  (void)at;
}

static void mw_write(env *e, env_conn *c, slice bytes) {
  memory_world *w = (memory_world *)e;
  if (c->other && !w->cut) buf_append(&c->other->in, bytes);
}

static void mw_write_blob(env *e, env_conn *c, blob *b, slice part) {
  (void)b;
  mw_write(e, c, part);
}

static size_t mw_pending(env *e, env_conn *c) {
  (void)e;
  return c->other ? c->other->in.len : 0;
}

static void mw_pause(env *e, env_conn *c, bool paused) {
  (void)e;
  c->paused = paused;
}

static void mw_close(env *e, env_conn *c, bool flush) {
  (void)e;
  (void)flush;
  c->owner = NULL;
  if (c->other) c->other->broken = true;
}

static struct env_conn *mw_conn(memory_world *w) {
  struct env_conn *c = heap_zalloc(sizeof *c);
  buf_init(&c->in, (size_t)1 << 30);
  c->next = w->conns;
  w->conns = c;
  return c;
}

static env_conn *mw_connect(env *e, const env_target *t, const env_conn_events *events,
                            void *owner) {
  (void)t;
  struct env_conn *c = mw_conn((memory_world *)e);
  c->events = events;
  c->owner = owner;
  c->outgoing = true;
  return c;
}

static void memory_world_init(memory_world *w) {
  *w = (memory_world){.env = {.wall_ns = 1767225600000000000,
                              .mono_ns = 1000000000,
                              .seed = 1,
                              .log = mw_log,
                              .wake_at = mw_wake,
                              .conn_write = mw_write,
                              .conn_write_blob = mw_write_blob,
                              .conn_pending = mw_pending,
                              .conn_pause = mw_pause,
                              .conn_close = mw_close,
                              .connect = mw_connect}};
  timers_init(&w->timers);
}

static void mw_accept(memory_world *w, struct env_conn *c) {
  static const env_peer peer = {.address = {"127.0.0.1:40000", 15}};
  c->opened = true;
  if (!w->acceptor.open) {
    void *owner = c->owner;
    c->owner = NULL;
    c->events->closed(owner, SLICE_LIT("refused"));
    return;
  }
  struct env_conn *s = mw_conn(w);
  s->opened = true;
  s->other = c;
  c->other = s;
  s->owner = w->acceptor.open(w->acceptor.ctx, s, &peer, &s->events);
  if (c->owner) c->events->opened(c->owner, &peer);
}

static bool mw_step(memory_world *w, struct env_conn *c) {
  if (c->outgoing && !c->opened && c->owner) {
    mw_accept(w, c);
    return true;
  }
  if (c->in.len && !c->owner) buf_clear(&c->in);
  if (c->in.len && !c->paused) {
    size_t n = w->piece && w->piece < c->in.len ? w->piece : c->in.len;
    char *copy = heap_alloc(n);
    memcpy(copy, c->in.ptr, n);
    buf_consume(&c->in, n);
    if (!c->events->data(c->owner, slice_of(copy, n))) c->owner = NULL;
    heap_free(copy);
    if (c->other && c->other->owner && c->in.len < ENV_PENDING_LOW) {
      c->other->events->drained(c->other->owner);
    }
    return true;
  }
  if (c->broken && c->owner && c->in.len == 0) {
    void *owner = c->owner;
    c->owner = NULL;
    c->events->closed(owner, SLICE_NONE);
    return true;
  }
  return false;
}

/* Until nothing moves. */
static void memory_world_pump(memory_world *w) {
  bool moved = true;
  while (moved) {
    moved = timers_fire_one(&w->timers, w->env.mono_ns);
    for (struct env_conn *c = w->conns; c; c = c->next) {
      if (mw_step(w, c)) moved = true;
    }
  }
}

static void memory_world_advance(memory_world *w, int64_t ns) {
  w->env.mono_ns += ns;
  memory_world_pump(w);
}

static void memory_world_dispose(memory_world *w) {
  memory_world_pump(w);
  while (w->conns) {
    struct env_conn *c = w->conns;
    w->conns = c->next;
    if (c->owner) c->events->closed(c->owner, SLICE_NONE);
    buf_dispose(&c->in);
    heap_free(c);
  }
  timers_dispose(&w->timers);
}

#endif
