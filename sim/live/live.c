/* The engine's life: opening, the feed of commits, ticks, healing, quiet. */
#include "sim/live/engine.h"

#include "base/heap.h"
#include "watch/watcher.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#define TICK_NS ((int64_t)10 * 1000000)
#define TRIGGERS_EXTRA 256 /* for faults added at run time */

int64_t real_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t live_now_ns(const live *l) { return real_ns() - l->opened_ns; }
const live_plan *live_plan_of(const live *l) { return l->plan; }
const live_lint *live_lint_of(const live *l) { return l->lint; }
int64_t live_writes_of(const live *l, int client) {
  return client >= 0 ? l->clients[client].writes : 0;
}
const char *live_died(const live *l) { return l->died[0] ? l->died : NULL; }

/* ---- commits ---- */

static slice resource_name_of(arena *a, const resource_info *r) {
  if (r->group.len == 0) return r->resource;
  return arena_printf(a, "%.*s.%.*s", SLICE_ARG(r->resource), SLICE_ARG(r->group));
}

static void observe(live *l, const live_event *ev, bool created, bool deleted) {
  if (!l->observer || engine_ignores(l, ev->resource_name)) return;
  live_commit c = {.client = ev->client, .ghost = ev->ex && ev->ex->ghost, .created = created,
                   .deleted = deleted, .revision = ev->revision,
                   .resource_name = ev->resource_name, .namespace = ev->namespace,
                   .name = ev->name, .key = ev->key};
  if (ev->before) c.before = blob_slice(ev->before->value);
  if (!deleted) c.after = blob_slice(ev->after->value);
  l->observer(l->observer_ctx, &c);
}

static void on_commit(void *ctx, const store_event *e) {
  live *l = ctx;
  exchange *ex = l->current;
  live_target t;
  l->commit_revision[l->commits % LIVE_COMMITS_KEPT] = e->revision;
  l->commit_ns[l->commits % LIVE_COMMITS_KEPT] = real_ns();
  l->commits++;
  if (!live_target_of_stored(store_entry_key(e->entry), &t)) return;
  arena *a = arena_create();
  slice effect = e->deleted ? SLICE_LIT("delete")
                 : e->prev  ? SLICE_LIT("update")
                            : SLICE_LIT("create");
  live_event ev = {.point = POINT_AFTER_COMMIT, .step = -1, .ex = ex,
                   .client = ex ? ex->client : CLIENT_SERVER, .verb = ex ? ex->verb : effect,
                   .effect = effect, .resource_name = resource_name_of(a, t.resource),
                   .subresource = ex ? ex->subresource : SLICE_NONE, .namespace = t.namespace,
                   .name = t.name, .key = live_target_key(a, &t), .revision = e->revision,
                   .before = e->prev, .after = e->deleted ? NULL : e->entry, .arena = a};
  if (ex) {
    ex->committed = e->revision;
    if (ex->client >= 0) l->clients[ex->client].writes++;
    lint_stored(l->lint, ex, ev.key, true);
  }
  engine_record(l, RECORD_COMMIT, ev.client, effect, ev.key, 0, e->revision, "%s",
                ex && ex->ghost ? "by a duplicate" : "");
  if (!engine_ignores(l, ev.resource_name)) engine_active(l, "a commit of", ev.client, ev.key);
  observe(l, &ev, !e->prev && !e->deleted, e->deleted);
  if (!ex || !ex->ghost) engine_event(l, &ev);
  engine_soon(l); /* lagging servers may have moved */
  arena_destroy(a);
}

/* ---- turns ---- */

static void run_due(live *l) {
  int64_t now = real_ns();
  for (due_action **at = &l->due; *at;) {
    due_action *d = *at;
    if (d->at_ns > now && !l->healed) {
      at = &d->next;
      continue;
    }
    *at = d->next;
    action_due(l, d);
    heap_free(d);
    at = &l->due;
  }
}

static void pump(live *l) {
  run_due(l);
  for (exchange *ex = l->exchanges, *next; ex; ex = next) {
    uint64_t over = l->exchanges_over;
    next = ex->next;
    exchange_pump(ex);
    if (l->exchanges_over != over) next = l->exchanges; /* which of them have gone is unknown */
  }
}

static void on_soon(void *ctx, int64_t now_ns) {
  (void)now_ns;
  pump(ctx);
}

static void on_tick(void *ctx, int64_t now_ns) {
  live *l = ctx;
  timer_set(&l->server->timers, &l->tick, now_ns + TICK_NS, on_tick, l);
  child_poll(l);
  pump(l);
}

void engine_soon(live *l) {
  if (l->closing || timer_is_set(&l->soon)) return;
  timer_set(&l->server->timers, &l->soon, l->server->env->mono_ns, on_soon, l);
}

/* ---- life ---- */

/* Not secret, and not guessed: the server listens on loopback for the time of a test. */
static void make_token(const live_plan *p, uint32_t client, char out[48]) {
  rng names, own;
  rng_init(&names, p->seed ^ 0x6c697665);
  own = rng_split(&names, client + 1);
  snprintf(out, 48, "%016llx%016llx", (unsigned long long)rng_u64(&own),
           (unsigned long long)rng_u64(&own));
}

void live_tokens(const live_plan *p, buf *out) {
  char token[48];
  for (uint32_t i = 0; i < p->client_count; i++) {
    slice name = p->clients[i].name;
    make_token(p, i, token);
    buf_printf(out, "%s,apisim:%.*s,apisim:%.*s,system:masters\n", token, SLICE_ARG(name),
               SLICE_ARG(name));
  }
}

static void open_clients(live *l) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    client_view *c = &l->clients[i];
    c->plan = &l->plan->clients[i];
    c->server = c->plan->server;
    make_token(l->plan, i, c->token);
  }
}

static void add_fault(live *l, const live_fault *f) {
  if (l->fault_count == l->fault_cap) {
    l->fault_cap = l->fault_cap ? 2 * l->fault_cap : 16;
    l->faults = heap_realloc(l->faults, l->fault_cap * sizeof *l->faults);
  }
  l->faults[l->fault_count++] = (fault_state){.fault = f};
  engine_arm_triggers(l, f->on);
}

static void open_parts(live *l) {
  const live_plan *p = l->plan;
  l->records = heap_zalloc(LIVE_RECORDS_MAX * sizeof *l->records);
  l->record_end = 1;
  l->trigger_count = p->trigger_count + TRIGGERS_EXTRA;
  l->next_trigger = p->trigger_count;
  l->triggers = heap_zalloc(l->trigger_count * sizeof *l->triggers);
  l->servers = heap_zalloc(p->server_count * sizeof *l->servers);
  l->clients = heap_zalloc(p->client_count * sizeof *l->clients);
  l->lint = lint_create(l);
  int64_t head = store_revision(l->server->store);
  for (uint32_t i = 0; i < p->server_count; i++) {
    l->servers[i] = (server_view){head, p->servers[i].frozen};
  }
  open_clients(l);
  for (uint32_t i = 0; i < p->fault_count; i++) add_fault(l, &p->faults[i]);
}

static void open_feed(live *l) {
  commit_install(l);
  store_result r = store_watch_open(l->server->store, SLICE_LIT("/"),
                                    store_revision(l->server->store), on_commit, l, &l->feed);
  assert(r == STORE_OK);
  (void)r;
}

live *live_open(serving *s, const live_plan *p, const live_options *o) {
  live *l = heap_zalloc(sizeof *l);
  assert(p->server_count > 0 && p->client_count > 0);
  l->serving = s;
  l->server = s->server;
  l->plan = p;
  l->options = *o;
  l->arena = arena_create();
  l->opened_ns = l->last_activity_ns = real_ns();
  rng_init(&l->chance, p->seed ^ 0x706c616e);
  open_parts(l);
  l->http_tap = (http_tap){l, exchange_answer, exchange_stream, exchange_over};
  l->server_tap = (server_tap){l, exchange_request, stream_frame};
  l->server->http.tap = &l->http_tap;
  l->server->tap = &l->server_tap;
  inner_install(l);
  l->elsewhere = !store_is_memory(l->server->store);
  if (!l->elsewhere) open_feed(l);
  timer_set(&l->server->timers, &l->tick, l->server->env->mono_ns + TICK_NS, on_tick, l);
  server_tick(l->server); /* the world asks for wake-ups only behind a turn */
  return l;
}

void live_observe(live *l, live_observer fn, void *ctx) {
  l->observer = fn;
  l->observer_ctx = ctx;
}

static void free_lists(live *l) {
  for (standing *s; (s = l->standings);) {
    l->standings = s->next;
    heap_free(s);
  }
  for (due_action *d; (d = l->due);) {
    l->due = d->next;
    heap_free(d);
  }
}

/* Behind world_run: no exchange is left. */
void live_close(live *l) {
  if (!l) return;
  live_stop_clients(l);
  l->closing = true;
  l->server->http.tap = NULL;
  l->server->tap = NULL;
  inner_remove(l);
  commit_remove(l);
  if (l->feed) store_watch_close(l->feed);
  timer_clear(&l->server->timers, &l->tick);
  timer_clear(&l->server->timers, &l->soon);
  free_lists(l);
  for (uint32_t i = 0; i < LIVE_RECORDS_MAX; i++) {
    heap_free(l->records[i].key);
    heap_free(l->records[i].detail);
  }
  lint_destroy(l->lint);
  heap_free(l->records);
  heap_free(l->triggers);
  heap_free(l->faults);
  heap_free(l->servers);
  heap_free(l->clients);
  arena_destroy(l->arena);
  heap_free(l);
}

void live_forked(live *l) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    l->clients[i].child = CHILD_NONE;
    l->clients[i].resume_at_ns = 0;
  }
}

void live_step_begins(live *l, int64_t number, const char *what) {
  arena *a = arena_create();
  live_event ev = {.point = -1, .step = number, .client = CLIENT_SCENARIO, .arena = a};
  engine_record(l, RECORD_STEP, CLIENT_SCENARIO, SLICE_LIT("step"), slice_cstr(what), 0, 0, "%s",
                "");
  engine_active(l, "a step of", CLIENT_SCENARIO, slice_cstr(what));
  engine_event(l, &ev);
  arena_destroy(a);
}

/* Servers that lag or stand still, streams and requests that are held. */
static bool release_all(live *l) {
  bool some = false;
  for (uint32_t i = 0; i < l->plan->server_count; i++) {
    const live_server *s = &l->plan->servers[i];
    some = some || l->servers[i].frozen || s->lag_revisions || s->lag_ns;
    l->servers[i].frozen = false;
  }
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    some = some || ex->hold;
    if (ex->streaming && ex->hold) stream_release(ex);
    else if (ex->hold) ex->hold_until_ns = 1;
  }
  return some;
}

bool live_heal(live *l) {
  if (l->healed) return false;
  l->healed = true;
  engine_record(l, RECORD_FAULT, CLIENT_SERVER, SLICE_LIT("heal"), SLICE_LIT("-"), 0, 0, "%s", "");
  engine_active(l, "the healing by", CLIENT_SERVER, SLICE_NONE);
  bool changes = release_all(l);
  changes = changes || l->due || l->standings;
  run_due(l);
  free_lists(l);
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    client_view *c = &l->clients[i];
    changes = changes || c->resume_at_ns;
    if (c->child != CHILD_KILLED || c->plan->restart == RESTART_NEVER) continue;
    child_start(l, c);
    changes = true;
  }
  child_poll(l);
  engine_soon(l);
  return changes;
}

bool live_catch_up(live *l) {
  bool behind = false;
  for (uint32_t i = 0; i < l->plan->server_count; i++) {
    behind = behind || l->servers[i].frozen;
    l->servers[i].frozen = false;
  }
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    if (!ex->hold) continue;
    behind = true;
    ex->hold_until_ns = 1;
  }
  if (!behind) return false;
  engine_record(l, RECORD_STEP, CLIENT_SERVER, SLICE_LIT("catch-up"), SLICE_LIT("-"), 0, 0, "%s",
                "");
  engine_active(l, "the catching up by", CLIENT_SERVER, SLICE_NONE);
  engine_soon(l);
  return true;
}

/* ---- quiet ---- */

static bool exchange_busy(live *l, exchange *ex) {
  if (ex->client == CLIENT_SCENARIO || engine_ignores(l, ex->resource_name)) return false;
  if (!ex->streaming) return ex->held == HOLD_NONE && !ex->ended;
  if (http_stream_pending(ex->x) > 0) return true;
  if (!ex->first || ex->hold || ex->doomed) return false;
  bool stands = standing_for(l, ACT_SLOW_CONSUMER, ex) != NULL;
  return !stands && ex->first->revision <= engine_horizon(l, ex->client);
}

static bool busy(live *l) {
  for (exchange *ex = l->exchanges; ex; ex = ex->next) {
    if (!exchange_busy(l, ex)) continue;
    snprintf(l->busy, sizeof l->busy, "%.*s %.*s of %.*s", SLICE_ARG(ex->verb),
             SLICE_ARG(ex->resource_key), SLICE_ARG(live_client_name(l, ex->client)));
    return true;
  }
  for (uint32_t i = 0; i < l->plan->client_count; i++) {
    const client_view *c = &l->clients[i];
    bool silent = c->child == CHILD_RUNS && !c->asked;
    if (!c->resume_at_ns && !silent) continue;
    snprintf(l->busy, sizeof l->busy, "client %.*s %s", SLICE_ARG(live_client_name(l, (int)i)),
             silent ? "has not asked for anything yet" : "is paused");
    return true;
  }
  if (l->due) snprintf(l->busy, sizeof l->busy, "an action of a fault is due");
  return l->due != NULL;
}

bool live_quiet_for(const live *cl, int64_t quiet_ns) {
  live *l = (live *)(uintptr_t)cl;
  if (quiet_ns < 0) quiet_ns = l->plan->quiesce.quiet_ns;
  if (busy(l)) return false;
  int64_t since = real_ns() - l->last_activity_ns;
  for (uint32_t i = 0; since >= quiet_ns && i < l->plan->client_count; i++) {
    if (!child_works(&l->clients[i])) continue;
    snprintf(l->busy, sizeof l->busy, "client %.*s computes",
             SLICE_ARG(live_client_name(l, (int)i)));
    return false;
  }
  if (since >= quiet_ns) return true;
  snprintf(l->busy, sizeof l->busy, "%s, %lld ms ago", l->activity, (long long)since / 1000000);
  return false;
}

bool live_is_quiet(const live *l) { return live_quiet_for(l, -1); }
const char *live_busy_with(const live *l) { return l->busy; }

bool live_advance(live *l, int64_t ns) {
  if (world_virtual_ns(l->serving->world) == 0) return false;
  engine_active(l, "an advance by", CLIENT_SERVER, SLICE_NONE);
  timer_clear(&l->server->timers, &l->tick); /* it would come a hundred times a second */
  world_skip(l->serving->world, ns);
  timer_set(&l->server->timers, &l->tick, l->server->env->mono_ns + TICK_NS, on_tick, l);
  return true;
}

/* ---- faults at run time ---- */

uint32_t live_fault_count(const live *l) { return l->fault_count; }

const live_fault *live_fault_at(const live *l, uint32_t i, uint64_t *fired, bool *active) {
  const fault_state *s = &l->faults[i];
  *fired = s->fired;
  *active = !s->cleared && !l->healed &&
            !(s->fault->times && s->fired >= (uint64_t)s->fault->times);
  return s->fault;
}

bool live_fault_add(live *l, slice text, slice *problem) {
  live_fault *f = ARENA_NEW(l->arena, live_fault);
  uint32_t next = l->next_trigger;
  slice kept = arena_copy(l->arena, text);
  *problem = SLICE_NONE;
  if (!live_fault_read(l->arena, l->plan, kept, &next, f, problem)) return false;
  if (l->elsewhere && !live_fault_fits_elsewhere(l->arena, "fault", f, problem)) return false;
  if (next > l->trigger_count) {
    *problem = SLICE_LIT("too many faults were added");
    return false;
  }
  l->next_trigger = next;
  l->healed = false;
  add_fault(l, f);
  return true;
}

uint32_t live_fault_clear(live *l, slice name) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < l->fault_count; i++) {
    fault_state *s = &l->faults[i];
    if (s->cleared || (name.len && !slice_eq(s->fault->name, name))) continue;
    s->cleared = true;
    n++;
    for (standing **at = &l->standings; *at;) {
      standing *d = *at;
      bool of_it = slice_eq(d->fault, s->fault->name);
      if (of_it) *at = d->next;
      if (of_it) heap_free(d);
      else at = &d->next;
    }
    for (exchange *ex = l->exchanges; ex; ex = ex->next) {
      for (uint32_t k = 0; ex->hold && k < s->fault->action_count; k++) {
        if (ex->hold == &s->fault->actions[k]) ex->hold_until_ns = 1;
      }
    }
  }
  engine_soon(l);
  return n;
}
