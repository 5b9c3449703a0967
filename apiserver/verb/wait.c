/* A waiter is a timer and a watch of the whole store. It lives in the request's arena: it ends with
 * the request, either by resuming it or because the peer left. The store calls back inside of
 * somebody's write, so that resuming is left to the timer, which fires when that turn ends. */
#include "verb/wait.h"

#include "server.h"

#include <assert.h>

#define WAIT_NS ((int64_t)3 * 1000000000)

typedef struct waiter {
  timer timer;
  store_watch *feed;
  request *rq;
  uint64_t version;
  void (*again)(request *rq);
} waiter;

static void forget(waiter *w) {
  timer_clear(&w->rq->server->timers, &w->timer);
  store_watch_close(w->feed);
  w->feed = NULL;
  w->rq->http->on_abort = NULL;
  w->rq->http->user = NULL;
}

static void on_abort(http_exchange *x) {
  forget(x->user);
}

static void resume(void *ctx, int64_t now_ns) {
  waiter *w = ctx;
  request *rq = w->rq;
  (void)now_ns;
  forget(w);
  rq->waited = true;
  rq->wall_ns = rq->server->env->wall_ns;
  rq->mono_ns = rq->server->env->mono_ns;
  w->again(rq);
}

static void on_event(void *ctx, const store_event *ev) {
  waiter *w = ctx;
  server *s = w->rq->server;
  if ((uint64_t)ev->revision < w->version) return;
  timer_set(&s->timers, &w->timer, s->env->mono_ns, resume, w);
}

bool wait_for_version(request *rq, uint64_t version, void (*again)(request *rq)) {
  server *s = rq->server;
  int64_t current = store_revision(s->store);
  if (rq->waited || version <= (uint64_t)current) return false;
  assert(rq->kept_count == 0);
  waiter *w = ARENA_NEW(rq->arena, waiter);
  w->rq = rq;
  w->version = version;
  w->again = again;
  if (store_watch_open(s->store, SLICE_LIT("/"), current, on_event, w, &w->feed) != STORE_OK) return false;
  timer_set(&s->timers, &w->timer, s->env->mono_ns + WAIT_NS, resume, w);
  rq->http->user = w;
  rq->http->on_abort = on_abort;
  return true;
}
