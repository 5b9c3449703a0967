/* Steps of a timer. */
#include "shutdown.h"

#include "base/limits.h"
#include "respond/respond.h"
#include "server.h"
#include "watch/watcher.h"

#define STEP_NS ((int64_t)10 * 1000000)
#define WATCHES_A_SECOND 200 /* at least: the real server's floor */
#define SHUTTING_DOWN "The apiserver is shutting down, please try again later.\n"

static void on_drain_step(void *ctx, int64_t now_ns) {
  server *s = ctx;
  shutdown_state *d = &s->shutdown;
  if (d->watches_a_step) watchers_end(s, d->watches_a_step);
  uint32_t watches = watchers_count(s);
  bool busy = d->in_flight || s->http.under_way > watches; /* what watches stands under_way too */
  bool stay = watches && (d->watches_a_step || now_ns < d->watches_until_ns);
  if ((!busy && !stay) || now_ns >= d->until_ns) {
    d->calls.gone(d->calls.ctx);
    return;
  }
  timer_set(&s->timers, &d->timer, now_ns + STEP_NS, on_drain_step, s);
}

static void on_delay_over(void *ctx, int64_t now_ns) {
  server *s = ctx;
  shutdown_state *d = &s->shutdown;
  const shutdown_options *o = &s->options.shutdown;
  d->refusing = o->retry_after;
  d->over_ns = now_ns;
  d->until_ns = now_ns + LIMIT_REQUEST_TIME_NS;
  if (d->until_ns < now_ns + o->watch_time_ns) d->until_ns = now_ns + o->watch_time_ns;
  if (d->until_ns < now_ns + o->watch_grace_ns) d->until_ns = now_ns + o->watch_grace_ns;
  if (!d->refusing) {
    d->calls.deaf(d->calls.ctx);
    http_leave(&s->http);
  }
  if (o->watch_grace_ns > 0) {
    int64_t steps = o->watch_grace_ns / STEP_NS + 1;
    int64_t rate = (watchers_count(s) + steps - 1) / steps;
    int64_t least = WATCHES_A_SECOND * STEP_NS / 1000000000;
    d->watches_a_step = (uint32_t)(rate > least ? rate : least);
  } else {
    d->watches_until_ns = now_ns + o->watch_time_ns;
  }
  on_drain_step(s, now_ns);
}

void server_leave(server *s, const shutdown_calls *calls) {
  shutdown_state *d = &s->shutdown;
  if (d->leaving) return;
  d->leaving = true;
  d->calls = *calls;
  int64_t at = s->env->mono_ns + s->options.shutdown.delay_ns;
  timer_set(&s->timers, &d->timer, at, on_delay_over, s);
}

static bool is_exempt(const http_exchange *x) {
  static const char *const prefixes[] = {"/readyz", "/livez", "/healthz", "/metrics"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (slice_has_prefix(x->path, slice_cstr(prefixes[i]))) return true;
  }
  return slice_has_prefix(http_header_get(x, "User-Agent"), SLICE_LIT("kube-apiserver/"));
}

/* Who comes is who sends the head: a body may end later. */
bool shutdown_refuses(request *rq) {
  const shutdown_state *d = &rq->server->shutdown;
  if (!d->refusing || rq->http->head_mono_ns < d->over_ns || is_exempt(rq->http)) return false;
  http_header more[] = {{SLICE_LIT("Connection"), SLICE_LIT("close")},
                        {SLICE_LIT("Retry-After"), SLICE_LIT("5")}};
  respond_plain_error(rq, 429, SLICE_LIT(SHUTTING_DOWN), more, sizeof more / sizeof *more);
  return true;
}
