/* The chain is a table of stages; each passes the request on or fills in its error. */
#include "request/chain.h"

#include "access/access.h"
#include "access/flow.h"
#include "access/text.h"
#include "admission/webhook.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "codec/negotiate.h"
#include "crd/crd_serve.h"
#include "request/info.h"
#include "request/options.h"
#include "request/request.h"
#include "request/tap.h"
#include "respond/head.h"
#include "respond/respond.h"
#include "route/health.h"
#include "route/route.h"
#include "server.h"
#include "verb/component_status.h"
#include "verb/flow_status.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "version/version.h"

#include <assert.h>
#include <math.h>

static bool stage_body(request *rq) {
  if (rq->http->body_late) {
    rq->timed_out = true;
    return status_set(&rq->error, rq->arena, STATUS_TIMEOUT, "the request's body is late");
  }
  if (rq->http->body_too_large) {
    return status_set(&rq->error, rq->arena, STATUS_TOO_LARGE,
                      "Request entity too large: limit is %zu",
                      LIMIT_REQUEST_BODY);
  }
  if (!rq->http->body_broken) return true;
  return status_plain(&rq->error, rq->arena, "%.*s", SLICE_ARG(rq->http->body_error));
}

static bool (*const stages[])(request *rq) = {
    options_check_timeout,
    access_authenticate,
    access_impersonate,
    flow_classify,
    access_authorize, /* in front of it stands the tap */
};
#define TAP_STAGE 4
#define WATCH_MIN_S ((int64_t)1800) /* --min-request-timeout */

static bool not_found(request *rq) {
  status_set(&rq->error, rq->arena, STATUS_NOT_FOUND,
             "the server could not find the requested resource");
  rq->error.has_details = true;
  return false;
}

static bool not_allowed(request *rq) {
  status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
             "the server does not allow this method on the requested resource");
  rq->error.has_details = true;
  return false;
}

typedef struct verb_row {
  const char *name;
  uint16_t bit;
  bool named; /* needs a name in the path; else must have none */
  void (*run)(request *rq);
} verb_row;

static const verb_row verb_rows[] = {
    {"get", VERB_GET, true, verb_get},
    {"list", VERB_LIST, false, verb_list},
    {"watch", VERB_WATCH, false, verb_watch},
    {"create", VERB_CREATE, false, verb_create},
    {"update", VERB_UPDATE, true, verb_update},
    {"patch", VERB_PATCH, true, verb_patch},
    {"delete", VERB_DELETE, true, verb_delete},
    {"deletecollection", VERB_DELETECOLLECTION, false, verb_deletecollection},
};

/* A namespaced object can't be reached without a namespace, nor a cluster-scoped one in one; lists
 * of all namespaces are fine. */
static bool place_fits(const request *rq) {
  bool has = rq->info.namespace.len > 0;
  bool is_namespace = slice_is(rq->resource->resource, "namespaces") &&
      rq->resource->group.len == 0;
  if (is_namespace) return true;
  if (!rq->resource->namespaced) return !has;
  return has || slice_is(rq->info.verb, "list") || slice_is(rq->info.verb, "watch");
}

/* Of a definition that is stored, whether it is served or not. */
static bool is_custom(const request *rq) {
  const request_info *i = &rq->info;
  if (!slice_is(i->api_prefix, "apis")) return false;
  return crd_find(rq->server->customs, i->group, i->resource) != NULL &&
         !served_group_has_version(&rq->server->options.served, i->group, i->version);
}

static bool find_resource(request *rq) {
  const request_info *i = &rq->info;
  rq->resource = served_resource(&rq->server->options.served, i->group, i->version, i->resource);
  if (!rq->resource || slice_is(i->verb, "proxy")) return not_found(rq);
  bool is_namespace = slice_is(rq->resource->resource, "namespaces") && !rq->resource->group.len;
  if (is_namespace && i->namespace.len && !slice_eq(i->namespace, i->name)) return not_found(rq);
  if (rq->resource->namespaced && !i->namespace.len && !(rq->resource->verbs & VERB_LIST)) {
    return not_found(rq);
  }
  bool collection = slice_is(i->verb, "list") || slice_is(i->verb, "watch");
  if (i->name.len && !collection && !i->subresource.len && rq->resource->verbs == VERB_CREATE) {
    return not_found(rq);
  }
  /* The deprecated paths are there for what can be watched; below an object there are none. */
  if (i->watch_path && (i->subresource.len || !(rq->resource->verbs & VERB_WATCH))) {
    return not_found(rq);
  }
  if (!rq->resource->namespaced && i->namespace.len && !is_namespace) return not_found(rq);
  /* /roles/x is no path of a namespaced resource; /roles is (its lists). */
  if (rq->resource->namespaced && i->namespace.len == 0 && i->name.len && !collection) {
    return not_found(rq);
  }
  if (i->subresource.len == 0) return true;
  if (i->deeper && !slice_is(i->subresource, "proxy")) return not_found(rq);
  rq->subresource = schema_subresource(rq->resource, i->subresource);
  return rq->subresource != NULL || not_found(rq);
}

static const verb_row *find_verb(request *rq) {
  uint16_t verbs = rq->subresource ? rq->subresource->verbs : rq->resource->verbs;
  bool named = rq->info.name.len > 0, reads = slice_is(rq->http->method, "GET");
  if (slice_is(rq->http->method, "HEAD") || (slice_is(rq->info.verb, "watch") && !reads)) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof verb_rows / sizeof *verb_rows; i++) {
    const verb_row *row = verb_rows + i;
    if (!slice_is(rq->info.verb, row->name)) continue;
    bool fits = row->bit == VERB_CREATE && !rq->subresource ? !rq->info.name.len
                : row->named                                ? named
                                                            : true;
    return (verbs & row->bit) && fits && place_fits(rq) ? row : NULL;
  }
  return NULL;
}

/* The real store refuses keys with a part "." or "..", a namespace from the path (a name never gets
 * so far, nor does a create, whose namespace does not exist). */
static bool key_is_valid(request *rq) {
  slice ns = rq->info.namespace, name = rq->info.name, prefix = rq->resource->etcd_prefix;
  if (!slice_is(ns, ".") && !slice_is(ns, "..")) return true;
  if (!rq->resource->namespaced || slice_is(rq->info.verb, "create")) return true;
  return status_plain(&rq->error, rq->arena, "invalid key: \"/%.*s/%.*s%s%.*s\"",
                      SLICE_ARG(prefix), SLICE_ARG(ns), name.len ? "/" : "", SLICE_ARG(name));
}

/* Not what the router refuses: it is the handler that warns. */
static void warn_deprecated(request *rq) {
  slice text = version_deprecation(rq->arena, rq->resource);
  if (text.len && !negotiate_route(rq)) {
    rq->error = (status_error){0};
    return;
  }
  if (text.len) request_warn(rq, text);
}

static void serve_path(request *rq);

static const verb_row *custom_verb(const request *rq) {
  for (size_t i = 0; i < sizeof verb_rows / sizeof *verb_rows; i++) {
    if (slice_is(rq->info.verb, verb_rows[i].name)) return &verb_rows[i];
  }
  return NULL;
}

/* False: the answer has been given. */
static bool find_custom(request *rq) {
  if (crd_route(rq)) return true;
  if (rq->error.set) respond_error(rq);
  else serve_path(rq);
  return false;
}

static void serve_resource(request *rq) {
  bool custom = is_custom(rq);
  if (custom && !find_custom(rq)) return;
  if (!custom && !find_resource(rq)) {
    respond_error(rq);
    return;
  }
  const verb_row *row = custom ? custom_verb(rq) : find_verb(rq);
  if (!row) {
    bool listed = !rq->subresource && (rq->resource->verbs & VERB_LIST);
    if (listed && slice_is(rq->info.verb, "watch") && slice_is(rq->http->method, "GET")) {
      warn_deprecated(rq);
      verb_watch_refused(rq);
    } else {
      not_allowed(rq);
      respond_error(rq);
    }
    return;
  }
  warn_deprecated(rq);
  if (!stage_body(rq) || !key_is_valid(rq)) {
    respond_error(rq);
    return;
  }
  if (rq->subresource && verb_subresource(rq)) return;
  if (!rq->resource->list_type && verb_review(rq)) return;
  if (component_status_serve(rq)) return;
  row->run(rq);
}

/* Everything that is no resource of a served group. */
static void serve_path(request *rq) {
  route_answer out;
  head h;
  route_result got = rq->info.is_resource ? route_unknown(rq, &out) : route_static(rq, &out);
  if (got == ROUTE_ERROR) {
    respond_error(rq);
    return;
  }
  head_begin(&h, rq, SLICE_NONE);
  route_send(rq, &out, h.items, h.count);
}

/* "//api/v1/pods" and "/apis//v1/pods" are asked for as the resource is, and lead nowhere. */
static bool is_routed(const request *rq) {
  return slice_has_prefix(rq->http->path, SLICE_LIT("/api")) &&
         (rq->info.group.len || !slice_is(rq->info.api_prefix, "apis"));
}

static bool group_is_served(const request *rq) {
  if (is_custom(rq)) return true;
  return served_group_has_version(&rq->server->options.served, rq->info.group, rq->info.version);
}

static request *request_create(server *s, http_exchange *x) {
  request *rq = ARENA_NEW(x->arena, request);
  rq->arena = x->arena;
  rq->server = s;
  rq->http = x;
  rq->wall_ns = s->env->wall_ns;
  rq->mono_ns = rq->came_ns = s->env->mono_ns;
  return rq;
}

/* True: it goes on. */
static bool pass_tap(request *rq) {
  const server_tap *tap = rq->server->tap;
  tap_verdict v = tap ? tap->request(tap->ctx, rq) : TAP_PASS;
  if (v == TAP_REFUSE) respond_error(rq);
  if (v == TAP_KEEP && rq->fiber) { /* which ends; going on takes another */
    rq->fiber = NULL;
    rq->http->on_abort = NULL;
  }
  return v == TAP_PASS;
}

static void run_stages(request *rq, size_t from) {
  for (size_t i = from; i < sizeof stages / sizeof *stages; i++) {
    if (i == TAP_STAGE && from < TAP_STAGE && !pass_tap(rq)) return;
    if (stages[i](rq)) continue;
    respond_error(rq);
    return;
  }
  if (rq->info.is_resource && is_routed(rq) && group_is_served(rq)) serve_resource(rq);
  else serve_path(rq);
}

/* ---- requests that may wait ---- */

/* Whoever asks has gone: what the request waits for is given up, and it ends before this returns;
 * what it answers is dropped by http. */
static void on_gone(http_exchange *x) {
  request *rq = x->user;
  x->on_abort = NULL;
  rq->gone = true;
  store_cancel(rq->server->store, rq->fiber);
  webhooks_cancel(rq);
}

static bool mutates(const request *rq) {
  slice m = rq->http->method;
  return !slice_is(m, "GET") && !slice_is(m, "HEAD") && !slice_is(m, "OPTIONS");
}

static int64_t own_time_ns(const http_exchange *x, int64_t most) {
  int64_t own = 0;
  slice asked = http_query_get(x, "timeout");
  bool shorter = asked.len && duration_parse(asked, &own) && own > 0 && own < most;
  return shorter ? own : most;
}

/* Until a watch has begun: its own time, which no filter shortens. */
static int64_t watch_time_ns(const http_exchange *x) {
  long long own = 0;
  bool asked = slice_to_i64(http_query_get(x, "timeoutSeconds"), &own) && own > 0;
  int64_t ns = (asked && own < WATCH_MIN_S ? own : WATCH_MIN_S) * 1000000000;
  bool waits = http_query_get(x, "resourceVersion").len > 0; /* for that version, to the end */
  return waits && ns < 2 * WAIT_NS ? 2 * WAIT_NS : ns;
}

/* As the real server's: 34 s for what writes, 60 s for the rest, or the client's own timeout. */
static int64_t allowed_ns(const request *rq) {
  if (slice_is(rq->info.verb, "watch")) return watch_time_ns(rq->http);
  return own_time_ns(rq->http, mutates(rq) ? LIMIT_MUTATING_TIME_NS : LIMIT_REQUEST_TIME_NS);
}

int64_t chain_body_time_ns(const http_exchange *x) {
  return own_time_ns(x, LIMIT_REQUEST_TIME_NS);
}

static void on_fiber(void *ctx) {
  request *rq = ctx;
  server *s = rq->server;
  rq->fiber = fiber_current(s->fibers);
  rq->http->user = rq;
  rq->http->on_abort = on_gone;
  fiber_set_deadline(rq->fiber, rq->mono_ns + allowed_ns(rq));
  s->shutdown.in_flight++;
  run_stages(rq, rq->first_stage); /* rq is gone with the answer */
  s->shutdown.in_flight--;
}

/* Where neither the store waits nor a webhook may be asked, a request runs where it came in. */
static void run(request *rq, size_t from) {
  server *s = rq->server;
  if (!store_waits(s->store) && !webhooks_may_wait(rq)) {
    run_stages(rq, from);
    return;
  }
  if (fiber_count(s->fibers) >= LIMIT_FIBERS) {
    respond_text(rq, 429, SLICE_LIT("Too many requests, please try again later.\n"));
    return;
  }
  rq->first_stage = from;
  fiber_run(s->fibers, on_fiber, rq);
}

/* As the watch cache's calculateRetryAfterForUnreadyCache: the longer it takes, the later. */
static int32_t early_retry_s(const server *s) {
  double down_s = (double)(s->env->mono_ns - s->begun_ns) / 1e9, wait_s = exp(0.06 * down_s);
  return wait_s < 30 ? (int32_t)wait_s : 30;
}

/* A store elsewhere is not read yet: nothing can be said, but how things are. */
static bool is_early(request *rq) {
  bool single;
  if (rq->server->ready || health_path(rq->server, rq->http->path, &single)) return false;
  status_set(&rq->error, rq->arena, STATUS_TOO_MANY, "storage is (re)initializing");
  rq->error.has_details = true;
  rq->error.retry_after_seconds = early_retry_s(rq->server);
  respond_error(rq);
  return true;
}

void chain_resume(request *rq) {
  rq->wall_ns = rq->server->env->wall_ns;
  rq->mono_ns = rq->server->env->mono_ns;
  run(rq, TAP_STAGE);
}

void chain_refuse(request *rq) {
  respond_error(rq);
}

/* HTTP/2 only: a connection that lives for ever would stay with one of several servers. */
static bool goes_away(server *s, const http_exchange *x) {
  if (!x->wire || s->options.goaway_chance <= 0) return false;
  return (double)rng_below(&s->goaway_rng, 1u << 30) < s->options.goaway_chance * (1u << 30);
}

void chain_handle(void *ctx, http_exchange *x) {
  flow_status_settle(ctx);
  crd_settle(ctx);
  request *rq = request_create(ctx, x);
  slice problem = SLICE_NONE;
  if (shutdown_refuses(rq)) return;
  rq->goaway = goes_away(rq->server, x);
  if (!request_info_read(rq->arena, x, &rq->info, &problem)) {
    slice target = go_quote(rq->arena, x->target);
    slice text = arena_printf(rq->arena, "Internal Server Error: %.*s: failed to create "
                              "RequestInfo: %.*s\n", SLICE_ARG(target), SLICE_ARG(problem));
    respond_plain_error(rq, 500, text_sanitized(rq->arena, text), NULL, 0);
    return;
  }
  if (is_early(rq)) return;
  /* How the store is must be told while it is not there: without roles, but the real server's
   * --authorization-always-allow-paths need none. */
  bool single;
  if (!rq->server->ready && health_path(rq->server, rq->http->path, &single)) serve_path(rq);
  else run(rq, 0);
}
