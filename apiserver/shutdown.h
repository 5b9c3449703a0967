/* shutdown: how a server leaves, as the real one does:
 *   1. at once /readyz fails (its check "shutdown"); everything else is served for
 *      --shutdown-delay-duration, so that load balancers can notice;
 *   2. without --shutdown-send-retry-after that is all: the world stops listening, connections
 *      without a request end (http_leave), requests under way are answered, those whose body is
 *      still coming too, and watches end behind them: at once, or after --shutdown-watch-time, if
 *      they are still open then. The real server has no such flag: it holds them for 60 s (2 s with
 *      retry-after), in which they are told of writes and get their last bookmark. Who stops a
 *      server in CI does not want to wait for that, so that it must be asked for;
 *   3. with it, new requests are answered 429 with Retry-After and Connection: close, until those
 *      under way are answered and, where --shutdown-watch-termination-grace-period is above 0, the
 *      watches have been ended, some at a time. /readyz, /livez, /healthz and /metrics go on, and
 *      so does a client that calls itself kube-apiserver.
 * Whoever is under way a minute later (or later than the times asked for) is cut.
 * Sources: apiserver pkg/server/genericapiserver.go (RunWithContext), pkg/server/filters
 * (with_retry_after.go, goaway.go). */
#ifndef APISIM_SHUTDOWN_H
#define APISIM_SHUTDOWN_H

#include "request/request.h"

typedef struct shutdown_options {
  int64_t delay_ns, watch_grace_ns;
  int64_t watch_time_ns; /* without a grace period: how long watches may go on behind the delay */
  bool retry_after;
} shutdown_options;

typedef struct shutdown_state {
  bool leaving, refusing;
  uint32_t in_flight; /* fibers and waits, whose client may have left */
  uint32_t watches_a_step;
  int64_t over_ns, until_ns; /* when the delay was over; when nobody is waited for */
  int64_t watches_until_ns;
  timer timer;
  struct shutdown_calls {
    void (*deaf)(void *ctx); /* no new connection is to be taken */
    void (*gone)(void *ctx); /* nothing more is to be served */
    void *ctx;
  } calls;
} shutdown_state;
typedef struct shutdown_calls shutdown_calls;

/* Begins. Each of the calls comes once, from a timer; deaf not with retry_after. */
void server_leave(server *s, const shutdown_calls *calls);
/* Answers a new request that comes too late; true: it did. */
bool shutdown_refuses(request *rq);

#endif
