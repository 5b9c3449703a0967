/* A simulated API server process: its heap, its clocks, its life. Every call into the library goes
 * through sim_server_enter, which is also where an allocation that fails ends the process. */
#include "sim/world/world.h"

#include "base/heap.h"
#include "sim/check/check_commit.h"
#include "sim/world/store_link.h"

#include <assert.h>
#include <time.h>

#define RESTART_NS (300 * MILLI)
#define TURN_BYTES_MAX ((size_t)64 << 20)

static void on_log(env *e, int level, slice text) {
  (void)e;
  (void)level;
  (void)text;
}

static void on_wake_at(env *e, int64_t mono_ns) {
  sim_server *s = (sim_server *)e;
  s->wake_ns = mono_ns == INT64_MAX ? INT64_MAX : mono_ns - MONO_BASE_NS;
}

static void set_clocks(sim_server *s) {
  s->env.mono_ns = s->world->now_ns + MONO_BASE_NS;
  s->env.wall_ns = WORLD_EPOCH_NS + s->world->now_ns + s->wall_skew_ns;
}

static uint64_t wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void schedule_wake(sim_server *s) {
  if (s->wake_ns == INT64_MAX) return;
  int64_t at = s->wake_ns < s->world->now_ns ? s->world->now_ns : s->wake_ns;
  at += s->timer_slack_ns;
  if (s->wake_due <= at) return; /* an earlier one is in the queue: it looks again */
  s->wake_due = at;
  world_at(s->world, at, DUE_SERVER_WAKE, s, (uint64_t)s->life << 32 | ++s->wake_ticket);
}

/* A strike at SITE_TURN: the process dies in this turn, at its n-th allocation or behind it. */
static bool strike(sim_server *s) {
  world *w = s->world;
  fault *f = fault_visit(w, SITE_TURN);
  if (!f) return false;
  fault_begin(w, f);
  s->heap.fail_at = s->heap.calls + (uint64_t)f->arg;
  return f->class == 35;
}

/* The library runs between setjmp and its return; nothing local changes after setjmp. */
static bool run_inside(sim_server *s, server_call call, void *ctx) {
  jmp_buf over;
  s->heap.on_failure = &over;
  s->heap.turn_bytes = 0;
  s->inside = true;
  if (setjmp(over)) {
    process_heap_left(&over);
    heap_set_hook(NULL);
    return false;
  }
  heap_set_hook(&s->heap.hook);
  call(s, ctx);
  if (s->api) server_tick(s->api);
  heap_set_hook(NULL);
  return true;
}

/* Its copy is none of a history that never was. */
static void look_aware(sim_server *s) {
  const lost_history *lost = &s->world->lost;
  int64_t at = s->api ? store_revision(s->api->store) : 0;
  if (at <= lost->from || at >= lost->upto) s->aware_ns = s->world->now_ns;
}

bool sim_server_enter(sim_server *s, server_call call, void *ctx) {
  world *w = s->world;
  assert(!s->inside);
  bool dies = strike(s);
  set_clocks(s);
  rng names = s->api ? s->api->name_rng : (rng){{0}};
  uint64_t began = w->measure ? wall_ns() : 0;
  bool lived = run_inside(s, call, ctx);
  if (w->measure) w->server_wall_ns += wall_ns() - began;
  s->inside = false;
  s->heap.on_failure = NULL;
  CHECK_THAT(w, FAIRNESS, s->heap.turn_bytes <= TURN_BYTES_MAX,
             "server%u asked for %zu bytes in one turn", s->index, s->heap.turn_bytes);
  if (lived && s->api && fault_active(w, 38, -1, s->index)) s->api->name_rng = names;
  bool failed = !lived;
  if (dies && s->heap.fail_at) failed = true; /* the turn was over before: behind it, then */
  s->heap.fail_at = 0;
  if (failed) {
    if (!lived) SOMETIMES(w, NO_MEMORY);
    sim_server_kill(s, lived ? "died behind a turn" : "died in a turn");
    return false;
  }
  net_flush(s);
  schedule_wake(s);
  if (s->aware_ns == INT64_MAX) look_aware(s);
  return true;
}

static void nothing(sim_server *s, void *ctx) {
  (void)s;
  (void)ctx;
}

void sim_server_woken(sim_server *s, uint32_t ticket) {
  if (ticket != s->wake_ticket) return;
  s->wake_due = INT64_MAX;
  if (sim_server_busy_until(s)) return; /* the pause's end looks again */
  if (s->wake_ns > s->world->now_ns) schedule_wake(s);
  else sim_server_enter(s, nothing, NULL);
}

int64_t sim_server_busy_until(const sim_server *s) {
  return s->paused_until_ns;
}

/* ---- life ---- */

#define CLIENT_TOKEN SIM_TOKEN ",admin,admin-uid,system:masters\n"
/* The recorded sessions' people, beside the simulated clients. */
#define TAPE_TOKENS CLIENT_TOKEN "admintoken,admin,admin-uid,system:masters\n" \
                                 "alicetoken,alice,alice-uid,\"devs,testers\"\n"

server_options sim_server_options(void) {
  server_options o = {0};
  o.access.token_file = SLICE_LIT(CLIENT_TOKEN);
  o.access.authorization_modes = SLICE_LIT("Node,RBAC");
  o.access.anonymous = true;
  o.disable_admission = SLICE_LIT("ServiceAccount");
  o.service_cidr = SLICE_LIT("10.0.0.0/16");
  o.advertise_address = SLICE_LIT("192.0.2.2");
  o.secure_port = 6443;
  o.hostname = SLICE_LIT("apisim");
  return o;
}

static void create_inside(sim_server *s, void *ctx) {
  slice why = SLICE_NONE;
  server_options *o = ctx;
  s->api = server_create(&s->env, o, &why);
  if (!s->api) {
    check_fail(s->world, CHECK_LIVENESS, "a server does not start: %.*s", SLICE_ARG(why));
    return;
  }
  store_link_started(s);
}

bool sim_server_start(sim_server *s) {
  world *w = s->world;
  assert(!s->api);
  process_heap_init(&s->heap);
  s->life++;
  rng seeds;
  rng_init(&seeds, w->draw->seed ^ (uint64_t)s->index << 40 ^ (uint64_t)s->life << 48);
  s->env.seed = rng_u64(&seeds);
  s->env.log = on_log;
  s->env.wake_at = on_wake_at;
  net_env_init(&s->env);
  s->wake_ns = s->wake_due = INT64_MAX;
  server_options o = sim_server_options();
  if (w->tape) { /* as the recorded sessions' server */
    o.access.token_file = SLICE_LIT(TAPE_TOKENS);
    o.service_cidr = SLICE_LIT("10.0.0.0/24");
    o.secure_port = 21001;
  }
  if (!store_link_options(s, &o)) return false;
  uint64_t began = w->measure ? wall_ns() : 0;
  bool lived = sim_server_enter(s, create_inside, &o);
  if (w->measure) w->start_wall_ns += wall_ns() - began;
  if (s->api) {
    world_line(w, actor_of_server(s), EV_SERVER_UP, NOBODY, s->life, model_revision(w->model), 0,
               SLICE_NONE);
  }
  return lived && s->api;
}

void sim_server_kill(sim_server *s, const char *why) {
  world *w = s->world;
  assert(!s->inside);
  world_line(w, actor_of_server(s), EV_SERVER_DOWN, NOBODY, s->life, 0, 0, slice_cstr(why));
  if (s->conns) SOMETIMES(w, SERVER_DIED);
  store_link_gone(s);
  s->api = NULL;
  s->observer = NULL;
  net_server_gone(s);
  process_heap_clear(&s->heap);
  world_at(w, w->now_ns + RESTART_NS, DUE_SERVER_START, s, s->life);
}

static void stop_inside(sim_server *s, void *ctx) {
  (void)ctx;
  server_stop(s->api);
}

/* Conns are told that their peer left, as a process that ends closes its sockets. */
static void destroy_inside(sim_server *s, void *ctx) {
  (void)ctx;
  for (sim_conn *c = s->conns, *next; c; c = next) {
    next = c->next;
    void *h = c->http;
    c->http = NULL;
    if (h) c->events->closed(h, SLICE_NONE);
  }
  store_link_stopping(s);
  store_link_gone(s);
  server *api = s->api;
  s->api = NULL;
  server_destroy(api);
}

void sim_server_stop(sim_server *s) {
  world *w = s->world;
  if (!s->api || !sim_server_enter(s, stop_inside, NULL)) return;
  for (sim_conn *c = w->all_conns; c; c = c->all_next) { /* what a fault of that turn ends */
    if (c->server == s && c->close_behind) net_fault_behind(c);
  }
  if (!s->api) return;
  if (!sim_server_enter(s, destroy_inside, NULL)) return;
  world_line(w, actor_of_server(s), EV_SERVER_DOWN, NOBODY, s->life, 0, 0, SLICE_LIT("stopped"));
  CHECK_THAT(w, MEMORY, s->heap.live_blocks == 0,
             "server%u ended in order and left %zu blocks, %zu bytes", s->index,
             s->heap.live_blocks, s->heap.live_bytes);
  net_server_gone(s);
  process_heap_clear(&s->heap);
}
