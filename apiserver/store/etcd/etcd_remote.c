/* Endpoints and the one connection.
 *
 * A paused or cut-off member is found by pings; one without a leader says so, because every call
 * carries "hasleader". Attempts: all endpoints in turn without a pause, then pauses that grow. */
#include "store/etcd/etcd_internal.h"

#include "base/heap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define MILLI_NS ((int64_t)1000000)
#define PAUSE_FIRST_NS (50 * MILLI_NS)
#define PAUSE_MAX_NS (2000 * MILLI_NS)
#define KEEPALIVE_NS (6000 * MILLI_NS) /* etcd takes pings every 5 s at most for an attack */
#define KEEPALIVE_TIMEOUT_NS (4000 * MILLI_NS)

static const grpc_metadata metadata[] = {{{"hasleader", 9}, {"true", 4}}};

/* ---- endpoints ---- */

static const char *parse_endpoint(slice text, const struct world_tls *tls, etcd_endpoint *e) {
  slice rest = text;
  bool secure = slice_has_prefix(text, SLICE_LIT("https://"));
  if (slice_has_prefix(text, SLICE_LIT("http://"))) rest = slice_from(text, 7);
  else if (secure) rest = slice_from(text, 8);
  else if (slice_find(text, SLICE_LIT("://")) >= 0) return "a scheme that is not http or https";
  if (rest.len && rest.ptr[rest.len - 1] == '/') rest.len--;
  slice host = rest, port = SLICE_NONE;
  ptrdiff_t bracket = slice_find_char(rest, ']');
  ptrdiff_t colon = slice_find_char(slice_from(rest, bracket > 0 ? (size_t)bracket : 0), ':');
  if (colon >= 0) {
    size_t at = (size_t)colon + (bracket > 0 ? (size_t)bracket : 0);
    host = slice_upto(rest, at);
    port = slice_from(rest, at + 1);
  }
  if (host.len > 2 && host.ptr[0] == '[') host = slice_upto(slice_from(host, 1), host.len - 2);
  long long n = 2379;
  if (port.len && (!slice_to_i64(port, &n) || n < 1 || n > 65535)) return "a bad port";
  if (host.len == 0) return "no host";
  if (secure && !tls) return "https without TLS settings";
  e->text = text;
  e->target = (env_target){.host = host, .port = (uint16_t)n, .tls = secure ? tls : NULL};
  return NULL;
}

static const char *parse_endpoints(etcd_remote *r, slice all, const struct world_tls *tls) {
  slice one, rest = all;
  for (bool more = all.len > 0; more;) {
    more = slice_cut(rest, ',', &one, &rest);
    one = slice_trim(one);
    if (one.len == 0) continue;
    if (r->endpoint_count == ETCD_ENDPOINTS_MAX) return "too many servers";
    const char *why = parse_endpoint(one, tls, &r->endpoints[r->endpoint_count]);
    if (why) return why;
    r->endpoint_count++;
  }
  return r->endpoint_count ? NULL : "no server";
}

/* ---- the connection ---- */

static void say(etcd_remote *r, int level, const char *what, slice detail) {
  char line[512];
  slice where = r->endpoints[r->at].text;
  int n = snprintf(line, sizeof line, "etcd %.*s: %s%s%.*s",
                   (int)(where.len < 100 ? where.len : 100), where.ptr, what,
                   detail.len ? ": " : "", (int)(detail.len < 300 ? detail.len : 300),
                   detail.len ? detail.ptr : "");
  if (r->env->log) r->env->log(r->env, level, slice_of(line, (size_t)n));
}

/* etcd #15220: progress could overtake events before 3.4.31 and 3.5.13. */
static bool progress_is_sound(slice version) {
  char text[32];
  int major = 0, minor = 0, patch = 0;
  if (version.len == 0 || version.len >= sizeof text) return false;
  memcpy(text, version.ptr, version.len);
  text[version.len] = 0;
  char *p = text;
  major = (int)strtol(p, &p, 10);
  if (*p == '.') minor = (int)strtol(p + 1, &p, 10);
  if (*p == '.') patch = (int)strtol(p + 1, &p, 10);
  if (major != 3) return major > 3;
  return minor > 5 || (minor == 5 && patch >= 13) || (minor == 4 && patch >= 31);
}

static void on_version(void *ctx, const grpc_result *g, slice answer) {
  etcd_remote *r = ctx;
  r->version_call = NULL;
  if (g->code != GRPC_OK) return;
  arena *a = arena_create();
  etcd_status_response status = {0};
  if (!etcd_decode(&etcd_status_response_message, answer, a, &status)) {
    slice v = slice_upto(status.version, sizeof r->version - 1);
    if (v.len) memcpy(r->version, v.ptr, v.len);
    r->version[v.len] = 0;
    r->progress = progress_is_sound(v);
  }
  arena_destroy(a);
}

static void on_ready(void *ctx) {
  etcd_remote *r = ctx;
  r->failures = 0;
  say(r, ENV_DEBUG, "connected", SLICE_NONE);
}

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  (void)etcd_client(ctx);
}

/* On to the next endpoint; after a round of all of them, with a pause. */
static void next_attempt(etcd_remote *r) {
  r->client = NULL;
  r->version_call = NULL;
  r->answered = false;
  r->at = (r->at + 1) % r->endpoint_count;
  uint32_t round = r->failures++ / r->endpoint_count;
  int64_t pause = 0;
  if (round > 0 || r->endpoint_count == 1) {
    pause = PAUSE_FIRST_NS << (round < 6 ? round : 6);
    if (pause > PAUSE_MAX_NS) pause = PAUSE_MAX_NS;
  }
  timer_set(r->timers, &r->timer, r->env->mono_ns + pause, on_timer, r);
}

static void on_closed(void *ctx, slice why) {
  etcd_remote *r = ctx;
  say(r, ENV_WARN, "the connection ended", why);
  next_attempt(r);
}

void etcd_rotate(etcd_remote *r) {
  if (!r->client) return;
  grpc_client_close(r->client);
  next_attempt(r);
  etcd_calls_lost(r);
  etcd_watches_lost(r);
}

grpc_client *etcd_client(etcd_remote *r) {
  if (r->client && !grpc_client_leaving(r->client)) return r->client;
  if (r->client || timer_is_set(&r->timer)) return NULL;
  grpc_client_options o = {.env = r->env,
                           .timers = r->timers,
                           .target = r->endpoints[r->at].target,
                           .user_agent = SLICE_LIT("apisim"),
                           .metadata = metadata,
                           .metadata_count = 1,
                           .keepalive_ns = KEEPALIVE_NS,
                           .keepalive_timeout_ns = KEEPALIVE_TIMEOUT_NS,
                           .send_max = (size_t)8 << 20,
                           .on_ready = on_ready,
                           .on_closed = on_closed,
                           .ctx = r};
  r->client = grpc_client_create(&o);
  if (r->client) {
    r->version_call =
        grpc_unary(r->client, ETCD_PATH_STATUS, SLICE_NONE, 0, on_version, r);
  }
  return r->client;
}

remote_result etcd_failure(const grpc_result *g) {
  switch (etcd_error_of(g->code, g->message)) {
    case ETCD_ERROR_COMPACTED: return REMOTE_COMPACTED;
    case ETCD_ERROR_FUTURE_REV: return REMOTE_FUTURE;
    case ETCD_ERROR_TOO_LARGE: return REMOTE_TOO_LARGE;
    case ETCD_ERROR_NO_SPACE: return REMOTE_NO_SPACE;
    case ETCD_ERROR_LEASE_NOT_FOUND: return REMOTE_NO_LEASE;
    case ETCD_ERROR_TOO_MANY_REQUESTS: return REMOTE_UNAVAILABLE; /* refused before proposing */
    default: break;
  }
  if (g->not_processed) return REMOTE_UNAVAILABLE;
  switch (g->code) {
    case GRPC_RESOURCE_EXHAUSTED: return REMOTE_TOO_LARGE; /* the message itself */
    case GRPC_INVALID_ARGUMENT:
    case GRPC_PERMISSION_DENIED:
    case GRPC_UNAUTHENTICATED:
    case GRPC_FAILED_PRECONDITION: return REMOTE_DENIED;
    default: return REMOTE_UNKNOWN;
  }
}

/* ---- the remote ---- */

static void status(const remote *base, remote_status *out) {
  const etcd_remote *r = (const etcd_remote *)base;
  *out = (remote_status){.connected = r->answered, .progress = r->progress,
                         .version = slice_cstr(r->version), .endpoint = r->endpoints[r->at].text};
}

static void destroy(remote *base) {
  etcd_remote *r = etcd_of(base);
  if (r->client) grpc_client_close(r->client);
  r->client = NULL;
  etcd_calls_lost(r);
  etcd_watches_lost(r);
  while (r->calls) etcd_cancel(base, r->calls);
  while (r->watches) etcd_watch_close(base, r->watches);
  timer_clear(r->timers, &r->timer);
  heap_free(r->text);
  heap_free(r);
}

static const remote_ops etcd_ops = {
    .txn = etcd_txn,
    .range = etcd_range,
    .compact = etcd_compact,
    .lease_grant = etcd_lease_grant,
    .cancel = etcd_cancel,
    .watch_open = etcd_watch_open,
    .watch_progress = etcd_watch_progress_ask,
    .watch_close = etcd_watch_close,
    .status = status,
    .destroy = destroy,
};

remote *etcd_remote_create(const etcd_remote_options *o, slice *problem) {
  etcd_remote *r = heap_zalloc(sizeof *r);
  r->base.ops = &etcd_ops;
  r->env = o->env;
  r->timers = o->timers;
  r->text = heap_alloc(o->servers.len);
  if (o->servers.len) memcpy(r->text, o->servers.ptr, o->servers.len);
  const char *why = parse_endpoints(r, slice_of(r->text, o->servers.len), o->tls);
  if (!why && !o->env->connect) why = "this world has no other hosts";
  if (!why) return &r->base;
  *problem = slice_cstr(why);
  destroy(&r->base);
  return NULL;
}
