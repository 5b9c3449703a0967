/* The uplink to an embedded server: its whole world is this file. Connections are memory, the
 * clock moves only when the player lets it, and everything the server sees comes from the tape
 * and one seed, so that a replay is the same each time. */
#include "sim/replay/uplink.h"

#include "base/heap.h"
#include "env/env.h"
#include "server.h"
#include "sim/replay/signing_key.h"

#include <stdio.h>
#include <stdlib.h>

#define WARM_UP_MS 2000 /* the server is that old when the tape begins, as the taped one was */
#define LOG_ENV "APISIM_REPLAY_LOG"

typedef struct world world;

struct env_conn {
  call base;
  arena *arena;
  world *world;
  http_conn *http; /* NULL: closed */
};

struct world {
  env env; /* first: the server hands it back */
  uplink uplink;
  server *server;
  int64_t now_ms; /* since the tape's start */
  int64_t wall_ms; /* at the tape's start */
  int64_t wake_ns;
  bool progress;
};

static world *world_of(uplink *l) {
  return (world *)((char *)l - offsetof(world, uplink));
}

/* ---- what the server calls ---- */

static void on_log(env *e, int level, slice line) {
  (void)e;
  if (level >= ENV_WARN && getenv(LOG_ENV)) {
    fprintf(stderr, "%.*s\n", SLICE_ARG(line));
  }
}

static void on_wake_at(env *e, int64_t mono_ns) {
  ((world *)e)->wake_ns = mono_ns;
}

static void on_write(env *e, env_conn *c, slice bytes) {
  ((world *)e)->progress = true;
  response_feed(&c->base.res, bytes);
}

static void on_write_blob(env *e, env_conn *c, blob *b, slice part) {
  (void)b;
  on_write(e, c, part);
}

static size_t on_pending(env *e, env_conn *c) {
  (void)e;
  (void)c;
  return 0;
}

static void on_pause(env *e, env_conn *c, bool paused) {
  (void)e;
  (void)c;
  (void)paused; /* a request is handed over whole: there is nothing to hold back */
}

static void on_close(env *e, env_conn *c, bool flush) {
  (void)flush;
  ((world *)e)->progress = true;
  c->http = NULL;
  response_eof(&c->base.res);
  if (c->base.res.state == RESPONSE_BROKEN && !c->base.problem[0]) {
    snprintf(c->base.problem, sizeof c->base.problem, "the server closed the connection");
  }
}

/* ---- time ---- */

static void set_clock(world *w) {
  w->env.mono_ns = (w->now_ms + WARM_UP_MS) * 1000000 + 1000000000;
  w->env.wall_ns = (w->wall_ms + w->now_ms) * 1000000;
}

static int64_t wake_ms(const world *w) {
  int64_t base = (int64_t)WARM_UP_MS * 1000000 + 1000000000;
  return w->wake_ns == INT64_MAX ? INT64_MAX : (w->wake_ns - base + 999999) / 1000000;
}

static void turn(world *w) {
  w->wake_ns = INT64_MAX;
  server_tick(w->server);
}

static bool world_step(uplink *l, int64_t until_ms) {
  world *w = world_of(l);
  w->progress = false;
  while (w->now_ms < until_ms) {
    int64_t wake = wake_ms(w);
    if (wake > until_ms) {
      w->now_ms = until_ms;
      set_clock(w);
      return false;
    }
    w->now_ms = wake > w->now_ms ? wake : w->now_ms + 1;
    set_clock(w);
    turn(w);
    if (w->progress) {
      return true;
    }
  }
  return false;
}

static int64_t world_now(uplink *l) {
  return world_of(l)->now_ms;
}

static int64_t world_wall(uplink *l) {
  const world *w = world_of(l);
  return (w->wall_ms + w->now_ms) / 1000;
}

/* ---- calls ---- */

static call *world_start(uplink *l, slice bytes, bool head_request) {
  static const env_peer peer = {
      .address = {"127.0.0.1:40000", 15}, .tls = true, .alpn = {"http/1.1", 8}};
  world *w = world_of(l);
  env_conn *c = heap_zalloc(sizeof *c);
  c->arena = arena_create();
  c->world = w;
  response_init(&c->base.res, c->arena, head_request);
  set_clock(w);
  c->http = server_conn_open(w->server, c, &peer);
  if (c->http && !http_conn_data(c->http, bytes)) {
    c->http = NULL;
  }
  turn(w);
  return &c->base;
}

static void world_finish(uplink *l, call *base) {
  env_conn *c = (env_conn *)base;
  if (c->http) {
    http_conn *h = c->http;
    c->http = NULL;
    http_conn_closed(h);
    turn(world_of(l));
  }
  response_dispose(&c->base.res);
  arena_destroy(c->arena);
  heap_free(c);
}

static void world_destroy(uplink *l) {
  world *w = world_of(l);
  if (w->server) {
    server_destroy(w->server);
  }
  heap_free(w);
}

/* The flags that the tapes' server ran with. */
static server_options options_of_tapes(void) {
  static const slice issuer = {"https://kubernetes.default.svc", 30};
  server_options o = {0};
  o.access.token_file = SLICE_LIT("admintoken,admin,admin-uid,system:masters\n"
                                  "alicetoken,alice,alice-uid,\"devs,testers\"\n");
  o.access.authorization_modes = SLICE_LIT("Node,RBAC");
  o.access.issuers = o.access.api_audiences = &issuer;
  o.access.issuer_count = o.access.audience_count = 1;
  o.access.anonymous = true;
  o.access.sa_signing_key_pem = signing_key_private();
  o.access.sa_public_keys_pem = signing_key_public();
  o.disable_admission = SLICE_LIT("ServiceAccount");
  o.service_cidr = SLICE_LIT("10.0.0.0/24");
  o.advertise_address = SLICE_LIT("192.0.2.2"); /* the taped server's, an address for examples */
  o.secure_port = 21001;
  o.hostname = SLICE_LIT("apisim");
  return o;
}

uplink *uplink_world_create(uint64_t seed, int64_t wall_ms, char *problem, size_t problem_size) {
  world *w = heap_zalloc(sizeof *w);
  w->env = (env){.seed = seed,
                 .log = on_log,
                 .wake_at = on_wake_at,
                 .conn_write = on_write,
                 .conn_write_blob = on_write_blob,
                 .conn_pending = on_pending,
                 .conn_pause = on_pause,
                 .conn_close = on_close};
  w->uplink = (uplink){world_start, world_finish, world_step, world_now, world_wall,
                       world_destroy};
  w->wall_ms = wall_ms;
  w->now_ms = -WARM_UP_MS;
  w->wake_ns = INT64_MAX;
  set_clock(w);
  server_options o = options_of_tapes();
  slice why = SLICE_NONE;
  w->server = server_create(&w->env, &o, &why);
  if (!w->server) {
    snprintf(problem, problem_size, "the embedded server does not start: %.*s", SLICE_ARG(why));
    heap_free(w);
    return NULL;
  }
  turn(w);
  while (world_step(&w->uplink, 0)) {
  }
  return &w->uplink;
}
