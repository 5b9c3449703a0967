/* A waiter is a timer and a watch of the whole store. It lives in the request's arena: it ends with
 * the request, either by resuming it or because the peer left. The store calls back inside of
 * somebody's write, so that resuming is left to the timer, which fires when that turn ends. */
#include "verb/wait.h"

#include "base/mutant.h"
#include "codec/codec.h"
#include "respond/respond.h"
#include "server_stores.h"
#include "verb/read.h"

#include <assert.h>

typedef struct waiter {
  timer timer;
  store_watch *feed;
  request *rq;
  uint64_t version;
  bool short_of; /* the request's own ?timeout= is shorter */
  void (*again)(request *rq);
} waiter;

static void forget(waiter *w) {
  w->rq->server->shutdown.in_flight--;
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
  if (w->short_of && (uint64_t)store_revision(request_store(rq)) < w->version) {
    respond_bytes(rq, 504, SLICE_LIT("text/plain; charset=utf-8"), SLICE_LIT(RESPOND_TIMED_OUT),
                  NULL, NULL, 0);
    return;
  }
  rq->wall_ns = rq->server->env->wall_ns;
  rq->mono_ns = rq->server->env->mono_ns;
  w->again(rq);
}

static void on_event(void *ctx, const store_event *ev) {
  waiter *w = ctx;
  server *s = w->rq->server;
  if ((uint64_t)ev->revision < w->version || MUTANT(NO_ANSWER)) return;
  timer_set(&s->timers, &w->timer, s->env->mono_ns, resume, w);
}

/* How long: three seconds, or the request's own time where that is shorter. */
static int64_t wait_ns(request *rq, bool *short_of) {
  int64_t own = 0;
  bool is_watch = slice_is(rq->info.verb, "watch"); /* which has no timeout of that kind */
  *short_of = !is_watch && duration_parse(http_query_get(rq->http, "timeout"), &own) && own > 0 &&
              own < WAIT_NS;
  return *short_of ? own : MUTANT(NO_ANSWER) ? 1000 * WAIT_NS : WAIT_NS;
}

/* On a fiber it is a step like any other. True: it was answered. */
static bool wait_here(request *rq, uint64_t version) {
  bool short_of;
  store *s = request_store(rq);
  int64_t ns = wait_ns(rq, &short_of);
  int64_t want = version < INT64_MAX ? (int64_t)version : INT64_MAX;
  store_result r = store_wait_revision(s, want, ns);
  rq->waited = true;
  if (r == STORE_OK || r == STORE_CANCELLED || !short_of) return false;
  respond_bytes(rq, 504, SLICE_LIT("text/plain; charset=utf-8"), SLICE_LIT(RESPOND_TIMED_OUT),
                NULL, NULL, 0);
  return true;
}

bool wait_for_version(request *rq, uint64_t version, void (*again)(request *rq)) {
  server *s = rq->server;
  int64_t current = store_revision(request_store(rq));
  if (rq->waited || version <= (uint64_t)current || !read_is_cached(rq)) return false;
  if (rq->fiber) return wait_here(rq, version);
  assert(rq->kept_count == 0);
  waiter *w = ARENA_NEW(rq->arena, waiter);
  w->rq = rq;
  w->version = version;
  w->again = again;
  store *st = request_store(rq);
  if (store_watch_open(st, SLICE_LIT("/"), current, on_event, w, &w->feed) != STORE_OK) {
    return false;
  }
  int64_t ns = wait_ns(rq, &w->short_of);
  s->shutdown.in_flight++;
  timer_set(&s->timers, &w->timer, s->env->mono_ns + ns, resume, w);
  rq->http->user = w;
  rq->http->on_abort = on_abort;
  return true;
}
