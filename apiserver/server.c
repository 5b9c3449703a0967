/* The server's parts, put together. Everything that differs between two servers is in this struct;
 * the random streams are split from one seed, a stream a purpose. */
#include "server.h"

#include "admission/admission.h"
#include "admission/webhook.h"
#include "base/fiber.h"
#include "base/heap.h"
#include "base/limits.h"
#include "bootstrap/bootstrap.h"
#include "crd/crd_serve.h"
#include "http/http2.h"
#include "registry/ip_allocator.h"
#include "registry/port_allocator.h"
#include "registry/stored_codec.h"
#include "request/chain.h"
#include "route/health.h"
#include "route/route_cache.h"
#include "server_stores.h"
#include "snapshot.h"
#include "verb/registry.h"
#include "watch/watcher.h"

#include <assert.h>

#define STORE_TICK_NS ((int64_t)1000000000) /* a tick drops a bounded piece of history */

enum stream_purpose {
  STREAM_UID = 1, STREAM_NAME, STREAM_PORT, STREAM_IP, STREAM_AUDIT, STREAM_GOAWAY,
  STREAM_WEBHOOK
};

static void seed_streams(server *s) {
  rng root;
  rng_init(&root, s->env->seed);
  s->uid_rng = rng_split(&root, STREAM_UID);
  s->name_rng = rng_split(&root, STREAM_NAME);
  s->port_rng = rng_split(&root, STREAM_PORT);
  s->ip_rng = rng_split(&root, STREAM_IP);
  s->audit_rng = rng_split(&root, STREAM_AUDIT);
  s->goaway_rng = rng_split(&root, STREAM_GOAWAY);
  s->webhook_rng = rng_split(&root, STREAM_WEBHOOK);
}

static void on_store_tick(void *ctx, int64_t now_ns) {
  server *s = ctx;
  for (uint32_t i = 0; i <= s->other_count; i++) store_tick(server_store_nth(s, i), now_ns);
  timer_set(&s->timers, &s->store_timer, now_ns + STORE_TICK_NS, on_store_tick, s);
}

static void on_repair(void *ctx, int64_t now_ns) {
  server *s = ctx;
  if (!s->stopping) bootstrap_repair(s);
  timer_set(&s->timers, &s->repair_timer, now_ns + BOOTSTRAP_REPAIR_NS, on_repair, s);
}

static bool configure_admission(server *s, const server_options *o, slice *problem) {
  slice unknown;
  if (admission_configure(s, o->enable_admission, o->disable_admission, &unknown)) return true;
  bool enables = unknown.ptr >= o->enable_admission.ptr &&
                 unknown.ptr < o->enable_admission.ptr + o->enable_admission.len;
  buf text; /* stays, as the problem is told when all else is gone */
  buf_init(&text, LIMIT_BUFFER);
  buf_cstr(&text, enables ? "enable" : "disable");
  buf_lit(&text, "-admission-plugins plugin \"");
  buf_append(&text, unknown);
  buf_lit(&text, "\" is unknown");
  *problem = buf_slice(&text);
  return false;
}

static bool make_parts(server *s, const server_options *o, slice *problem) {
  if (!server_stores_make(s, o, problem)) return false;
  if (!s->fibers) s->fibers = fiber_pool_create(LIMIT_FIBER_STACK);
  s->webhooks = webhooks_create(s);
  s->routes = route_cache_create(s->env->wall_ns);
  s->ips = ip_allocator_create(o->service_cidr);
  s->ports = port_allocator_create(o->node_port_first, o->node_port_last);
  if (!s->ips) {
    *problem = SLICE_LIT("--service-cluster-ip-range: not a valid range");
    return false;
  }
  if (!configure_admission(s, o, problem)) return false;
  s->access = access_create(&o->access, problem);
  return s->access != NULL;
}

/* A snapshot's objects stand as they are; what it lacks of a fresh cluster's is made, as the real
 * server does at each start. Drawing for objects that are there already must not advance the
 * streams: the server goes on where the snapshot was taken. */
static bool make_content(server *s, slice *problem) {
  bool loaded = s->options.snapshot.len > 0;
  if (loaded && !snapshot_load(s, s->options.snapshot, &s->snapshot_clock_ns, problem)) {
    return false;
  }
  rng uid_rng = s->uid_rng;
  int64_t revision = store_revision(s->store);
  if (!bootstrap_run(s, problem)) return false;
  if (loaded && store_revision(s->store) == revision) s->uid_rng = uid_rng;
  if (loaded) crd_load(s); /* its definitions came past the store's events */
  return true;
}

server *server_create(env *e, const server_options *o, slice *problem) {
  server *s = heap_zalloc(sizeof *s);
  s->env = e;
  s->begun_ns = e->mono_ns;
  s->options = *o;
  if (!o->served.made) served_standard(&s->options.served);
  timers_init(&s->timers);
  seed_streams(s);
  s->http = (http_server){.env = e, .timers = &s->timers, .handle = chain_handle, .ctx = s,
                          .body_time_ns = chain_body_time_ns,
                          .http2_max_streams = o->http2_max_streams};
  if (!make_parts(s, o, problem)) {
    server_destroy(s);
    return NULL;
  }
  if (!store_waits(s->store) && !make_content(s, problem)) {
    server_destroy(s);
    return NULL;
  }
  s->options.snapshot = SLICE_NONE;
  s->options.remote = (server_remote){0};
  timer_set(&s->timers, &s->store_timer, e->mono_ns + STORE_TICK_NS, on_store_tick, s);
  if (!store_waits(s->store)) {
    timer_set(&s->timers, &s->repair_timer, e->mono_ns + BOOTSTRAP_REPAIR_NS, on_repair, s);
    s->ready = true;
  }
  return s;
}

void server_destroy(server *s) {
  if (s->watches) watchers_stop(s);
  server_stores_destroy(s); /* what waits in them ends, and may look at the rest */
  if (s->access) access_destroy(s->access);
  if (s->ports) port_allocator_destroy(s->ports);
  if (s->ips) ip_allocator_destroy(s->ips);
  health_close(s);
  if (s->routes) route_cache_destroy(s->routes);
  if (s->resource_revisions) registry_close(s);
  webhooks_destroy(s->webhooks);
  fiber_pool_destroy(s->fibers);
  stored_codec_destroy(s->codec);
  timers_dispose(&s->timers);
  heap_free(s);
}

http_conn *server_conn_open(server *s, env_conn *c, const env_peer *peer) {
  return http_conn_open(&s->http, c, peer);
}

static void *accept_conn(void *ctx, env_conn *c, const env_peer *peer,
                         const env_conn_events **events) {
  server *s = ctx;
  if (s->http.leaving) { /* its handshake was under way */
    s->env->conn_close(s->env, c, false);
    return NULL;
  }
  if (slice_is(peer->alpn, "h2")) {
    *events = &http2_conn_events;
    return http2_conn_open(&s->http, c, peer);
  }
  *events = &http_conn_events;
  return server_conn_open(s, c, peer);
}

env_acceptor server_acceptor(server *s) {
  return (env_acceptor){accept_conn, s};
}

void server_tick(server *s) {
  while (timers_fire_one(&s->timers, s->env->mono_ns)) {
  }
  s->env->wake_at(s->env, timers_next(&s->timers));
}

void server_stop(server *s) {
  s->stopping = true;
  watchers_stop(s);
  http2_leave(&s->http);
}
