/* server: the whole API server as a library without I/O.
 *
 * The world (env_libevent, uplink_world) opens connections, feeds bytes and ticks; the
 * server answers through env. One instance holds no state outside itself. */
#ifndef APISIM_SERVER_H
#define APISIM_SERVER_H

#include "access/access.h"
#include "base/rng.h"
#include "base/timers.h"
#include "env/env.h"
#include "http/http.h"
#include "schema/features.h"
#include "schema/served.h"
#include "shutdown.h"
#include "store/store.h"

/* Keeps the objects elsewhere (store/remote.h) instead of in the embedded store. */
typedef struct server_remote {
  /* Makes the remote, which the server owns then: that of these servers (commas between URLs),
   * or, SLICE_NONE, the main one. NULL with *problem (static). */
  struct remote *(*make)(void *ctx, slice servers, env *e, timers *t, slice *problem);
  void *ctx;
  slice overrides; /* --etcd-servers-overrides; empty: everything is in one place */
  slice prefix; /* of the keys there, as --etcd-prefix: "/registry" */
  bool json; /* --storage-media-type application/json */
  const struct encryption *encryption; /* of what is written there; borrowed; NULL: none */
  int64_t compact_every_ns; /* --etcd-compaction-interval; 0: never */
} server_remote;

typedef struct server_options {
  access_options access;
  slice enable_admission, disable_admission; /* comma separated */
  slice service_cidr; /* "10.0.0.0/24"; empty: the real default */
  int32_t node_port_first, node_port_last; /* 0: 30000-32767 */
  slice advertise_address; /* of the kubernetes Endpoints */
  int32_t secure_port; /* told in the same */
  slice hostname; /* of the identity lease */
  slice snapshot; /* its bytes, needed only while the server is made; empty: a fresh cluster */
  bool cbor; /* the feature gate CBORServingAndStorage */
  feature_set features; /* the gates for fields; zero: their defaults */
  served_set served; /* --runtime-config; not made: the default */
  server_remote remote; /* make NULL: the embedded store */
  int64_t event_ttl_s; /* of events; 0: they stay */
  int64_t lease_reuse_s; /* --lease-reuse-duration-seconds; 0: the default, below: none */
  uint32_t http2_max_streams; /* on one connection; 0: the real default, 100 */
  int64_t min_request_timeout_s; /* watches last that to twice that; 0: 1800; below: for ever */
  shutdown_options shutdown;
  /* How long an etcd may take to answer a check of health, and one of readiness; 0: 2 s. */
  int64_t health_timeout_ns, ready_timeout_ns;
  bool no_flow_control; /* --enable-priority-and-fairness=false: answers name no FlowSchema */
  double goaway_chance; /* of an HTTP/2 answer, that its connection takes no more requests */
  bool watch_window; /* watches begin as far back as the real watch caches let them
                      * (watch/window.h); else as far as the store's history goes */
  bool no_watch_cache; /* --watch-cache=false: every resource is read as events are (verb/read.h) */
  uint64_t store_history; /* revisions kept at most; 0: the store's own limit */
} server_options;

struct server {
  env *env;
  server_options options;
  timers timers;
  timer store_timer;
  timer repair_timer;
  timer flow_timer; /* verb/flow_status.h */
  timer crd_timer, crd_end_timer; /* crd/crd_serve.h */
  http_server http;
  struct fiber_pool *fibers; /* that requests run on when the store or a webhook may wait */
  struct webhooks *webhooks;
  struct stored_codec *codec; /* of a store elsewhere */
  store *store; /* of all that is in no other: ask server_store (server_stores.h) */
  store **others; /* of --etcd-servers-overrides */
  uint32_t other_count, stores_ready;
  uint8_t *places; /* by resource id: 0 the main one, n others[n - 1]; NULL: all in the main one */
  access_config *access;
  struct admission_config *admission;
  struct ip_allocator *ips;
  struct port_allocator *ports;
  struct watch_hub *watches;
  struct watch_window *windows; /* by resource id; NULL: see options.watch_window */
  struct route_cache *routes;
  struct crd_registry *customs; /* kinds of stored definitions (crd/crd.h) */
  rng uid_rng, name_rng, port_rng, ip_rng, audit_rng, goaway_rng, webhook_rng;
  uint64_t disabled_admission; /* bits by plugin number */
  int64_t *resource_revisions; /* by resource id: the newest write (verb/registry.c) */
  struct revision_feed *revision_feeds;
  const struct server_tap *tap; /* request/tap.h; NULL: none */
  int64_t snapshot_clock_ns; /* what options.snapshot said of the world's clock */
  int64_t begun_ns; /* on the monotonic clock */
  shutdown_state shutdown;
  struct health_probe *probes; /* of stores elsewhere (route/health.h); NULL: none yet */
  bool ready, stopping;
};

/* Makes the server, its store and the bootstrap objects: ready when this returns, but with a store
 * elsewhere, which is read first: until then requests are answered 429 and /readyz 500. NULL with
 * *problem (static or heap text, never freed) for options that can't work. */
server *server_create(env *e, const server_options *o, slice *problem);
void server_destroy(server *s);

http_conn *server_conn_open(server *s, env_conn *c, const env_peer *peer);
/* The same as an env_acceptor. */
env_acceptor server_acceptor(server *s);
/* Fires the timers that are due and asks env for the next wake-up. Call once a turn. */
void server_tick(server *s);
/* Ends watches and answers nothing new; in-flight answers leave. */
void server_stop(server *s);

#endif
