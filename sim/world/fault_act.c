/* What the timed classes do when they begin and end. Those that strike at a site are done there;
 * fault_begin only counts and tells of them. */
#include "sim/world/world.h"

#include "sim/workload/client.h"
#include "sim/world/sim_etcd.h"
#include "sim/world/store_link.h"

#define SLOW_FACTOR 65536u

static sim_server *target(world *w, const fault *f) { return &w->servers[f->target]; }

/* Watches run on it. */
static bool has_streams(const sim_conn *c) { return c->open && (c->is_stream || c->h2); }

static void break_streams(world *w) {
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (has_streams(c)) net_break(c);
  }
}

static void compact(world *w, int64_t keep) {
  int64_t newest = model_revision(w->model);
  store_link_compact(w, newest > keep ? newest - keep : 1);
}

static void begin_skew(world *w, fault *f) { target(w, f)->wall_skew_ns = f->arg * SECOND; }
static void end_skew(world *w, fault *f) { target(w, f)->wall_skew_ns = 0; }
static void begin_slack(world *w, fault *f) { target(w, f)->timer_slack_ns = f->arg * MILLI; }
static void end_slack(world *w, fault *f) { target(w, f)->timer_slack_ns = 0; }

static void begin_pause(world *w, fault *f) {
  target(w, f)->paused_until_ns = w->now_ns + f->until_ns;
}

/* Its timers are due all at once. */
static void end_pause(world *w, fault *f) {
  sim_server *s = target(w, f);
  if (!s->paused_until_ns) return; /* that process is gone, or another pause's end came first */
  s->paused_until_ns = 0;
  s->resumed_ns = w->now_ns;
  net_resume_server(s);
  if (s->api) sim_server_woken(s, s->wake_ticket);
}

static void begin_compaction(world *w, fault *f) { compact(w, f->arg); }

/* The store dies between two batches of a compaction: what it has dropped is dropped, and it is
 * finished or done again when the store is back. */
static void begin_half_compaction(world *w, fault *f) {
  if (f->variant == 0) compact(w, f->arg);
  sim_etcd_fault_begin(w, f);
}

static void end_half_compaction(world *w, fault *f) {
  sim_etcd_fault_end(w, f);
  if (f->variant == 1) compact(w, f->arg);
}

static void shrink_inside(sim_server *s, void *ctx) {
  store_memory_window(s->api->store, (uint64_t)((const fault *)ctx)->arg, SIZE_MAX);
}

static void begin_window(world *w, fault *f) {
  sim_server *s = &w->servers[0];
  if (w->draw->etcd_model) compact(w, f->arg);
  else if (s->api) sim_server_enter(s, shrink_inside, f);
}

static void begin_jump(world *w, fault *f) {
  if (f->variant == 1) sim_etcd_others_write(w, (uint32_t)f->arg);
  if (f->variant == 2) sim_etcd_restore(w, 0, f->arg, w->now_ns + f->until_ns);
}

static void begin_backup(world *w, fault *f) {
  sim_etcd_restore(w, f->arg, 1000000, w->now_ns + f->until_ns);
}

static void begin_large(world *w, fault *f) {
  (void)f;
  w->shared.huge_wanted = true;
}

static void begin_storm(world *w, fault *f) {
  (void)f;
  break_streams(w);
}

static void begin_relist(world *w, fault *f) {
  (void)f;
  break_streams(w);
  compact(w, 0);
}

static void restart(world *w, sim_server *s, bool in_order) {
  if (!s->api) return;
  if (!in_order) {
    sim_server_kill(s, "killed");
    return;
  }
  uint32_t life = s->life;
  sim_server_stop(s);
  if (!s->api && s->life == life) world_at(w, w->now_ns + 300 * MILLI, DUE_SERVER_START, s, life);
}

static void begin_restart(world *w, fault *f) { restart(w, target(w, f), f->variant == 0); }

static void begin_rolling(world *w, fault *f) {
  if (f->variant == 1) {
    compact(w, 5);
    compact(w, 3);
    return;
  }
  for (uint32_t i = 0; i < w->draw->servers; i++) restart(w, &w->servers[i], true);
}

static void begin_apart(world *w, fault *f) {
  sim_server *s = target(w, f);
  if (f->variant == 1) {
    sim_etcd_cut(w, s, w->now_ns + f->until_ns);
    return;
  }
  s->cut_until_ns = w->now_ns + f->until_ns;
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (c->open && c->server == s) net_break(c);
  }
}

static void end_apart(world *w, fault *f) { target(w, f)->cut_until_ns = 0; }

/* Controllers and informers all go to the server that falls behind. */
static void begin_stale(world *w, fault *f) {
  for (uint32_t i = 0; i < w->client_count; i++) {
    client *c = w->clients[i];
    if (c->who.kind != ACTOR_CONTROLLER && c->who.kind != ACTOR_INFORMER) continue;
    c->server = f->target;
    for (client *p = c->parts; p; p = p->next_part) p->server = f->target;
  }
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (has_streams(c) && c->server != target(w, f)) net_break(c);
  }
  SOMETIMES(w, MOVED);
}

static const struct fault_act {
  void (*begin)(world *w, fault *f);
  void (*end)(world *w, fault *f);
} acts[FAULT_CLASSES + 1] = {
    [4] = {sim_etcd_fault_begin, sim_etcd_fault_end},
    [6] = {begin_large, NULL},
    [7] = {begin_compaction, NULL},
    [8] = {begin_half_compaction, end_half_compaction},
    [9] = {sim_etcd_fault_begin, sim_etcd_fault_end},
    [11] = {begin_backup, sim_etcd_fault_end},
    [12] = {begin_jump, sim_etcd_fault_end},
    [14] = {sim_etcd_fault_begin, NULL},
    [17] = {sim_etcd_fault_begin, NULL},
    [18] = {begin_window, NULL},
    [24] = {begin_storm, NULL},
    [32] = {begin_skew, end_skew},
    [33] = {begin_pause, end_pause},
    [34] = {begin_slack, end_slack},
    [36] = {begin_restart, NULL},
    [39] = {begin_apart, end_apart},
    [41] = {begin_rolling, NULL},
    [43] = {begin_stale, NULL},
    [45] = {begin_relist, NULL},
};

static bool lasts(const fault *f) { return fault_variant(f)->lasts_max_ms > 0 && !f->visit; }

void fault_begin(world *w, fault *f) {
  if (w->plan.healed || f->dropped) return;
  f->fired++;
  w->fault_counts[f->class - 1]++;
  const char *name = fault_rows[f->class - 1].name;
  char text[LINE_TEXT];
  int n = snprintf(text, sizeof text, "%s/%s", name, fault_variant(f)->name);
  world_line(w, THE_WORLD, EV_FAULT, f->visit ? NOBODY : (actor){ACTOR_SERVER, f->target},
             f->number, f->class, f->arg, slice_of(text, (size_t)n));
  if (lasts(f)) {
    f->active = true;
    w->active_classes |= (uint64_t)1 << (f->class - 1);
    world_at(w, w->now_ns + f->until_ns, DUE_FAULT_END, f, 0);
  }
  if (acts[f->class].begin) acts[f->class].begin(w, f);
}

void fault_end(world *w, fault *f) {
  if (!f->active) return;
  f->active = false;
  world_line(w, THE_WORLD, EV_FAULT_END, NOBODY, f->number, f->class, 0,
             slice_cstr(fault_rows[f->class - 1].name));
  if (acts[f->class].end) acts[f->class].end(w, f);
}

void fault_heal(world *w) {
  for (uint32_t i = 0; i < w->plan.count; i++) fault_end(w, &w->plan.entries[i]);
  w->plan.healed = true;
  for (uint32_t i = 0; i < w->draw->servers; i++) {
    sim_server *s = &w->servers[i];
    s->cut_until_ns = 0;
    s->wall_skew_ns = s->timer_slack_ns = 0;
    net_pending_factor(s, 0);
  }
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (c->blackhole_up || c->blackhole_down) net_break(c);
    if (c->slow) net_slow(c, false);
  }
  sim_etcd_heal(w);
}
