/* The loop: take what is due, let it happen, look at the invariants. */
#include "sim/world/world.h"

#include "base/heap.h"
#include "base/mutant.h"
#include "sim/check/check_backends.h"
#include "sim/check/check_end.h"
#include "sim/workload/call.h"
#include "sim/workload/client.h"
#include "sim/workload/h2_link.h"
#include "sim/workload/player.h"
#include "sim/world/sim_etcd.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#define TURNS_MAX ((uint64_t)4000000)
#define LIVENESS_NS (240 * SECOND)
#define WATCHDOG_NS SECOND

void world_at(world *w, int64_t at_ns, uint8_t what, void *ptr, uint64_t arg) {
  assert(at_ns >= w->now_ns);
  queue_push(&w->queue, at_ns, what, ptr, arg);
}

void world_line(world *w, actor who, event_kind what, actor peer, int64_t n0, int64_t n1,
                int64_t n2, slice text) {
  line l;
  memset(&l, 0, sizeof l);
  l.turn = w->turn;
  l.at_ns = w->now_ns;
  l.n[0] = n0;
  l.n[1] = n1;
  l.n[2] = n2;
  l.who = who;
  l.peer = peer;
  l.what = (uint8_t)what;
  l.text_len = (uint8_t)(text.len < LINE_TEXT ? text.len : LINE_TEXT);
  if (l.text_len) memcpy(l.text, text.ptr, l.text_len);
  transcript_add(&w->log, &l);
}

void world_note(world *w, actor who, int64_t n, const char *text) {
  world_line(w, who, EV_NOTE, NOBODY, n, 0, 0, slice_cstr(text));
}

bool cuts_have(const run_cuts *cuts, uint32_t writer, uint32_t number) {
  uint32_t id = writer << 16 | number, low = 0, high = cuts->op_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (cuts->ops[middle] == id) return true;
    if (cuts->ops[middle] < id) low = middle + 1;
    else high = middle;
  }
  return false;
}

static void plan_faults(world *w, const sim_options *o) {
  if (!o->has_faults) {
    fault_plan_draw(&w->plan, w->arena, w->draw, w->safety_ns);
  } else {
    w->plan.count = o->fault_count;
    w->plan.entries = ARENA_ARRAY(w->arena, fault, o->fault_count + 1);
    memcpy(w->plan.entries, o->faults, o->fault_count * sizeof(fault));
    fault_plan_index(&w->plan, w->arena);
  }
  for (uint32_t i = 0; i < w->plan.count; i++) {
    fault *f = &w->plan.entries[i];
    if (f->visit || f->dropped) continue;
    world_at(w, f->at_ns, DUE_FAULT, f, 0);
  }
}

world *sim_create(const sim_options *o) {
  arena *a = arena_create();
  world *w = ARENA_NEW(a, world);
  w->arena = a;
  draw *d = ARENA_NEW(a, draw);
  *d = o->draw;
  w->draw = d;
  w->cuts = o->cuts;
  w->tape = o->tape;
  w->turns_max = o->events_max ? o->events_max : TURNS_MAX;
  w->measure = o->measure;
#ifdef APISIM_MUTANTS
  mutant_chosen = d->mutant;
#endif
  transcript_init(&w->log, o->record, o->trace);
  rng root;
  rng_init(&root, d->seed);
  w->net_rng = rng_split(&root, 3);
  w->model = model_create(a, d->etcd_model ? d->first_revision : 1);
  uint32_t busy = d->writers ? d->writers : 1;
  w->safety_ns = d->gap_ns * (int64_t)(d->operations / busy + 1) * 3 / 2 + 2 * SECOND;
  if (w->tape && w->safety_ns < player_length_ns(w->tape)) {
    w->safety_ns = player_length_ns(w->tape);
  }
  if (o->until_ns) w->safety_ns = o->until_ns;
  for (uint32_t i = 0; i < SERVERS_MAX; i++) {
    w->servers[i].world = w;
    w->servers[i].index = (uint8_t)i;
    w->servers[i].wake_ns = w->servers[i].wake_due = INT64_MAX;
  }
  sim_etcd_create(w);
  plan_faults(w, o);
  return w;
}

/* Nothing resumes it. */
static void stall(world *w) {
  if (w->draw->canary == CANARY_STALL) w->servers[0].paused_until_ns = INT64_MAX;
}

/* What must be caught by whoever runs this world. */
static void sing(const world *w, transcript *log) {
  if (w->draw->canary == CANARY_CRASH) abort();
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  line l = {.turn = w->turn, .at_ns = w->now_ns, .who = THE_WORLD, .peer = NOBODY,
            .what = EV_NOTE, .n = {(int64_t)t.tv_sec * 1000000000 + t.tv_nsec}};
  if (w->draw->canary == CANARY_CHANCE) transcript_add(log, &l);
}

static void begin(world *w) {
  world_line(w, THE_WORLD, EV_PHASE, NOBODY, 0, 0, 0, SLICE_LIT("safety"));
  for (uint32_t i = 0; i < w->draw->servers && !w->stop; i++) sim_server_start(&w->servers[i]);
  clients_start(w);
  stall(w);
  world_at(w, w->safety_ns, DUE_PHASE, NULL, PHASE_LIVENESS);
}

static void enter_phase(world *w, uint8_t phase) {
  if (w->phase >= phase) return;
  w->phase = phase;
  if (phase == PHASE_OVER) {
    check_liveness_failed(w);
    return;
  }
  world_line(w, THE_WORLD, EV_PHASE, NOBODY, 0, 0, 0, SLICE_LIT("heal; liveness"));
  w->healed_ns = w->now_ns;
  fault_heal(w);
  stall(w);
  clients_heal(w);
  world_at(w, w->now_ns + LIVENESS_NS, DUE_PHASE, NULL, PHASE_OVER);
  world_at(w, w->now_ns + WATCHDOG_NS, DUE_WATCHDOG, NULL, 0);
}

static void watchdog(world *w) {
  if (check_all_caught_up(w)) {
    w->stop = true;
    return;
  }
  world_at(w, w->now_ns + WATCHDOG_NS, DUE_WATCHDOG, NULL, 0);
}

static void start_again(world *w, sim_server *s, uint64_t life) {
  if (s->api || s->life != life) return;
  sim_server_start(s);
  (void)w;
}

static void happen(world *w, const due *d) {
  sim_server *s = d->ptr;
  switch (d->what) {
    case DUE_PHASE: enter_phase(w, (uint8_t)d->arg); break;
    case DUE_SERVER_WAKE:
      if (s->api && s->life == d->arg >> 32) sim_server_woken(s, (uint32_t)d->arg);
      break;
    case DUE_SERVER_START: start_again(w, s, d->arg); break;
    case DUE_TO_SERVER: net_to_server(w, d->ptr); break;
    case DUE_TO_CLIENT: net_to_client(w, d->ptr); break;
    case DUE_CLIENT: client_woken(d->ptr, d->arg); break;
    case DUE_CLIENT_RESTART: client_restart(d->ptr); break;
    case DUE_CONN_SEND: net_sends_now(w, d->ptr); break;
    case DUE_CONN_RESUME:
      if (d->arg == 2) net_fault_behind(d->ptr);
      else net_fault_resume(d->ptr, d->arg == 1);
      break;
    case DUE_CALL_TIMEOUT: call_timed_out(d->ptr); break;
    case DUE_CALL_RESET: call_reset(d->ptr); break;
    case DUE_CALL_INSTEAD: call_answered_instead(d->ptr); break;
    case DUE_CALL_GOES_ON: call_goes_on(d->ptr); break;
    case DUE_FAULT: fault_begin(w, d->ptr); break;
    case DUE_FAULT_END: fault_end(w, d->ptr); break;
    case DUE_STORE: sim_etcd_due(w, d->ptr, d->arg); break;
    case DUE_WATCHDOG: watchdog(w); break;
    default: assert(false);
  }
}

static void turns(world *w, bool (*go_on)(const world *w)) {
  due d;
  while (go_on(w) && w->turn < w->turns_max && queue_pop(&w->queue, &d)) {
    assert(d.at >= w->now_ns);
    w->now_ns = d.at;
    w->turn++;
    if (w->turn == CANARY_TURN && w->draw->canary >= CANARY_CRASH) sing(w, &w->log);
    happen(w, &d);
    if (w->turn % 64 == 0 && !w->stop) check_caches(w);
  }
}

static bool not_stopped(const world *w) { return !w->stop; }
static bool something_due(const world *w) { return w->queue.count > 0 && !w->violation.set; }

/* Copies of requests that still wait for their answer. */
static void copies_leave(world *w) {
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    if (!c->owner) net_close(c);
  }
}

/* Everybody leaves; what the last messages do is let happen, then the servers end in order. */
static void end_in_order(world *w) {
  clients_leave(w);
  copies_leave(w);
  w->phase = PHASE_OVER;
  int64_t last = w->now_ns + 2 * SECOND;
  due d;
  while (something_due(w) && w->queue.heap[0].at <= last && queue_pop(&w->queue, &d)) {
    w->now_ns = d.at;
    w->turn++;
    if (d.what != DUE_PHASE && d.what != DUE_CLIENT && d.what != DUE_WATCHDOG) happen(w, &d);
  }
  if (w->violation.set) return;
  check_quiet(w);
  for (uint32_t i = 0; i < w->draw->servers && !w->violation.set; i++) {
    sim_server_stop(&w->servers[i]);
  }
}

static void free_messages(message *m) {
  while (m) {
    message *next = m->next;
    heap_free(m);
    m = next;
  }
}

void sim_run(world *w) {
  begin(w);
  turns(w, not_stopped);
  if (w->turn >= TURNS_MAX) {
    check_fail(w, CHECK_LIVENESS, "no end after %llu turns", (unsigned long long)w->turn);
  }
  if (w->turn >= w->turns_max) return; /* as was asked for */
  if (!w->violation.set) check_end(w);
  if (!w->violation.set && w->draw->compare) check_backends(w);
  if (!w->violation.set) end_in_order(w);
  transcript_mix(&w->log, (uint64_t)w->now_ns);
  transcript_mix(&w->log, w->net_rng.s[0]);
}

void sim_destroy(world *w) {
  due d;
  while (queue_pop(&w->queue, &d)) {
    if (d.what != DUE_TO_CLIENT && d.what != DUE_TO_SERVER && d.what != DUE_CONN_SEND) continue;
    message *m = d.ptr;
    heap_free(m);
  }
  clients_dispose(w);
  for (uint32_t i = 0; i < SERVERS_MAX; i++) {
    free_messages(w->servers[i].backlog);
    if (w->servers[i].heap.hook.resize) process_heap_clear(&w->servers[i].heap);
  }
  sim_etcd_destroy(w);
  queue_dispose(&w->queue);
  transcript_dispose(&w->log);
  for (sim_conn *c = w->all_conns; c; c = c->all_next) {
    buf_dispose(&c->out);
    free_messages(c->held);
    free_messages(c->unread);
    if (c->h2) h2_link_dispose(c->h2);
  }
  arena_destroy(w->arena);
}
