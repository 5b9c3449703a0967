/* A run is a little machine that is looked at every few milliseconds: start, the steps, quiet,
 * heal, quiet, judge. It lives in the server's own loop; the world ends when it is done. */
#include "sim/live/run.h"

#include "base/heap.h"
#include "sim/live/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE_NS ((int64_t)250 * 1000000)
#define LOOK_NS ((int64_t)5 * 1000000)

typedef enum run_phase {
  PHASE_START,
  PHASE_STEP,
  PHASE_SETTLE,
  PHASE_FAULTY,
  PHASE_HEALED,
} run_phase;

typedef struct runner {
  live *l;
  const live_plan *plan;
  const run_options *options;
  run_result *result;
  serving *serving;
  timer timer;
  run_phase phase;
  uint32_t step;
  bool begun; /* the step under way */
  int64_t since_ns; /* when the phase began */
  /* Quiet, but not as the reference: for how long, when it was last seen so, last compared. */
  int64_t waited_ns, quiet_at_ns, compared_ns;
  bool diverged; /* a step's state never became the reference's: later steps do not wait */
  uint64_t waits_from; /* the record that was next when the waiting began */
  int64_t spent_ns; /* waited behind the last step for what the healing can't change either */
  bool done;
} runner;

void run_fail(run_result *r, int oracle, const char *format, ...) {
  run_failure *f = heap_zalloc(sizeof *f), **end = &r->failures;
  va_list args;
  f->oracle = oracle;
  va_start(args, format);
  vsnprintf(f->text, sizeof f->text, format, args);
  va_end(args);
  while (*end) end = &(*end)->next;
  *end = f;
}

bool run_failed_by(const run_result *r, int oracle) {
  for (const run_failure *f = r->failures; f; f = f->next) {
    if (f->oracle == oracle) return true;
  }
  return false;
}

void run_result_free(run_result *r) {
  for (run_failure *f; (f = r->failures);) {
    r->failures = f->next;
    heap_free(f);
  }
  live_state_free(&r->state);
  for (uint32_t i = 0; i < r->step_count; i++) live_state_free(&r->step_states[i]);
  heap_free(r->step_states);
  if (r->tally.counts) tally_dispose(&r->tally);
  heap_free(r->calls);
  free(r->log);
  free(r->lint);
  *r = (run_result){0};
}

static void enter(runner *r, run_phase phase) {
  r->phase = phase;
  r->since_ns = real_ns();
  r->waited_ns = r->quiet_at_ns = r->compared_ns = 0;
  r->begun = false;
}

static void note_late(runner *r) {
  char *late = r->result->late;
  if (*late || live_is_quiet(r->l)) return;
  snprintf(late, sizeof r->result->late, "not quiet within %lld s %s %u: %s",
           (long long)r->plan->quiesce.within_ns / 1000000000,
           r->phase == PHASE_START ? "before step" : "behind step",
           r->phase == PHASE_START ? 1 : r->step, live_busy_with(r->l));
}

static int64_t in_phase_ns(const runner *r) { return real_ns() - r->since_ns; }

static void finish(runner *r) {
  live *l = r->l;
  r->done = true;
  r->result->quiet_ns = in_phase_ns(r);
  live_stop_clients(l);
  live_judge(l, r->options, r->result);
  world_stop(r->serving->world);
}

/* Faults may keep a client busy for ever: then the healing comes all the same. */
static bool settled(const runner *r) {
  return live_is_quiet(r->l) || in_phase_ns(r) > r->plan->quiesce.within_ns;
}

/* It is quiet. Clients back off after failures, for seconds, and are quiet meanwhile: what is not
 * as in the reference yet gets its time, of which only the quiet counts. What no waiting makes good
 * ends it. */
static bool converged(runner *r, const live_state *expected) {
  int64_t now = real_ns();
  if (!expected) return true;
  if (r->quiet_at_ns) r->waited_ns += now - r->quiet_at_ns;
  else if (r->waited_ns == 0) r->waits_from = live_record_end(r->l);
  r->quiet_at_ns = now;
  if (r->compared_ns && now - r->compared_ns < COMPARE_NS) return false;
  r->compared_ns = now;
  if (live_state_agrees(r->l, r->options, expected)) return true;
  if (live_violated(r->l, r->options, r->result)) {
    r->result->hurried = r->phase == PHASE_HEALED;
    return true;
  }
  return r->waited_ns + r->spent_ns >= r->plan->quiesce.converge_ns;
}

static void keep_step_state(runner *r) {
  run_result *out = r->result;
  if (r->options->reference) return;
  if (!out->step_states) {
    out->step_states = heap_zalloc((r->plan->step_count + 1) * sizeof *out->step_states);
  }
  while (out->step_count < r->step) live_read_state(r->l, &out->step_states[out->step_count++]);
}

/* Whether nothing has been stored, started or disturbed since the waiting began. */
static bool stood_still(const runner *r) {
  if (r->waits_from < live_first_record(r->l)) return false;
  for (uint64_t seq = r->waits_from; seq < live_record_end(r->l); seq++) {
    record_kind kind = live_record_at(r->l, seq)->kind;
    if (kind == RECORD_COMMIT || kind == RECORD_FAULT || kind == RECORD_CLIENT) return false;
  }
  return true;
}

/* What it has waited for behind the last step, it need not wait for again where the healing changes
 * nothing. */
static void heal(runner *r) {
  bool still = stood_still(r), changes = live_heal(r->l);
  if (!still || changes) r->spent_ns = 0;
  enter(r, PHASE_HEALED);
}

static void look_settle(runner *r) {
  const run_result *reference = r->options->reference;
  bool quiet = live_is_quiet(r->l), late = in_phase_ns(r) > r->plan->quiesce.within_ns;
  if (!quiet) r->quiet_at_ns = 0;
  if (!quiet && !late) return;
  if (late) note_late(r);
  if (!r->plan->quiesce.catch_up) {
    keep_step_state(r);
    enter(r, PHASE_STEP);
    return;
  }
  if (live_catch_up(r->l)) {
    enter(r, PHASE_SETTLE);
    return;
  }
  bool known = reference && r->step && r->step <= reference->step_count && !r->diverged;
  if (!late && !converged(r, known ? &reference->step_states[r->step - 1] : NULL)) return;
  bool given_up = r->waited_ns >= r->plan->quiesce.converge_ns;
  r->diverged = r->diverged || given_up || live_violated(r->l, r->options, r->result);
  r->spent_ns = given_up && r->step == r->plan->step_count ? r->waited_ns : 0;
  keep_step_state(r);
  enter(r, PHASE_STEP);
}

static void look_step(runner *r) {
  if (r->step == r->plan->step_count) {
    enter(r, PHASE_FAULTY);
    return;
  }
  const live_step *s = &r->plan->steps[r->step];
  char why[512] = "";
  if (!r->begun) {
    char text[160];
    snprintf(text, sizeof text, "%u %s %.*s", r->step + 1, live_step_name(s), SLICE_ARG(s->key));
    live_step_begins(r->l, (int64_t)r->step + 1, text);
  }
  step_state state = live_step_run(r->l, s, !r->begun, why, sizeof why);
  r->begun = true;
  bool enough = s->kind == STEP_WAIT && s->duration_ns && in_phase_ns(r) >= s->duration_ns;
  /* Without faults it has to come: the plan means something that does happen. */
  if (state == STEP_WAITS && enough && r->options->reference) state = STEP_DONE;
  if (state == STEP_WAITS && in_phase_ns(r) <= r->plan->quiesce.within_ns) return;
  if (state == STEP_FAILED) {
    run_fail(r->result, r->options->reference ? ORACLE_END_STATE : -1, "step %u (line %d): %s",
             r->step + 1, s->line, why);
  }
  if (state == STEP_WAITS) {
    run_fail(r->result, ORACLE_QUIESCE_WITHIN, "step %u (line %d): %s: not within %lld ms",
             r->step + 1, s->line, why, (long long)r->plan->quiesce.within_ns / 1000000);
  }
  r->step++;
  enter(r, s->settle ? PHASE_SETTLE : PHASE_STEP);
}

static void look_healed(runner *r) {
  live_oracle standard = {.number = (int64_t)30 * 1000000000};
  const live_oracle *o = live_oracle_of(r->plan, ORACLE_QUIESCE_WITHIN, &standard);
  int64_t most = o ? o->number : standard.number;
  const run_result *reference = r->options->reference;
  bool quiet = live_is_quiet(r->l);
  if (!quiet) r->quiet_at_ns = 0;
  if (quiet) {
    if (converged(r, reference ? &reference->state : NULL)) finish(r);
  } else if (in_phase_ns(r) > most + r->plan->quiesce.quiet_ns) {
    if (o) {
      run_fail(r->result, ORACLE_QUIESCE_WITHIN, "not quiet %lld ms after the healing: %s",
               (long long)most / 1000000, live_busy_with(r->l));
    }
    finish(r);
  }
}

static void on_look(void *ctx, int64_t now_ns) {
  runner *r = ctx;
  switch (r->phase) {
  case PHASE_START:
    if (!settled(r)) break;
    note_late(r);
    enter(r, PHASE_STEP);
    break;
  case PHASE_STEP: look_step(r); break;
  case PHASE_SETTLE: look_settle(r); break;
  case PHASE_FAULTY:
    if (settled(r)) heal(r);
    break;
  case PHASE_HEALED: look_healed(r); break;
  }
  int64_t now = r->l->server->env->mono_ns;
  if (!r->done) timer_set(&r->l->server->timers, &r->timer, (now > now_ns ? now : now_ns) + LOOK_NS,
                          on_look, r);
}

/* ---- what is kept of it ---- */

static void keep_calls(live *l, run_result *r) {
  uint64_t first = live_first_record(l), end = live_record_end(l);
  r->calls = heap_zalloc((size_t)(end - first + 1) * sizeof *r->calls);
  for (uint64_t seq = first; seq < end; seq++) {
    const live_record *rec = live_record_at(l, seq);
    r->requests += rec->kind == RECORD_REQUEST && rec->client >= 0;
    r->deliveries += rec->kind == RECORD_DELIVER && rec->client >= 0;
    bool call = rec->kind == RECORD_REQUEST || rec->kind == RECORD_COMMIT ||
                rec->kind == RECORD_DELIVER;
    if (!call) continue;
    run_call *c = &r->calls[r->call_count++];
    slice resource, rest;
    slice_cut(slice_cstr(rec->key), '/', &resource, &rest);
    c->client = rec->client;
    c->kind = rec->kind;
    memcpy(c->verb, rec->verb, sizeof c->verb);
    snprintf(c->resource, sizeof c->resource, "%.*s", SLICE_ARG(resource));
  }
}

static void keep_log(live *l, run_result *r) {
  buf all;
  buf_init(&all, (size_t)256 << 20);
  for (uint64_t seq = live_first_record(l); seq < live_record_end(l); seq++) {
    const live_record *rec = live_record_at(l, seq);
    bool noise = rec->client == CLIENT_SCENARIO && rec->kind == RECORD_REQUEST;
    if (!noise) live_record_print(l, rec, &all);
  }
  r->log = strndup(all.len ? all.ptr : "", all.len);
  buf_dispose(&all);
}

static void keep(live *l, run_result *r) {
  for (uint32_t i = 0; i < l->plan->client_count; i++) r->writes += live_writes_of(l, (int)i);
  for (uint32_t i = 0; i < live_fault_count(l); i++) {
    uint64_t fired;
    bool active;
    live_fault_at(l, i, &fired, &active);
    r->faults_fired += fired > 0;
  }
  r->took_ns = live_now_ns(l);
  keep_calls(l, r);
  keep_log(l, r);
}

/* ---- a server for it ---- */

static bool start_serving(const live_plan *p, const run_options *o, arena *a, serving *s) {
  char seed[40];
  char **argv = calloc(p->serve_flags.count + 8, sizeof *argv);
  if (!argv) abort();
  int n = 0;
  buf tokens;
  buf_init(&tokens, (size_t)1 << 20);
  live_tokens(p, &tokens);
  slice lines = arena_copy(a, buf_slice(&tokens));
  buf_dispose(&tokens);
  snprintf(seed, sizeof seed, "--seed=%llu", (unsigned long long)o->seed);
  argv[n++] = arena_cstr(a, SLICE_LIT("live"));
  argv[n++] = arena_cstr(a, SLICE_LIT("--bind-address=127.0.0.1"));
  argv[n++] = arena_cstr(a, SLICE_LIT("--secure-port=0"));
  argv[n++] = arena_cstr(a, SLICE_LIT("--disable-admission-plugins=ServiceAccount"));
  argv[n++] = arena_cstr(a, slice_cstr(seed));
  if (p->virtual_clock) argv[n++] = arena_cstr(a, SLICE_LIT("--clock=virtual"));
  for (uint32_t i = 0; i < p->serve_flags.count; i++) {
    argv[n++] = arena_cstr(a, p->serve_flags.items[i]);
  }
  flags *f;
  int rest;
  const char *problem;
  bool ok = flags_parse(n, argv, &f, &rest, &problem) == FLAGS_OK;
  if (!ok) {
    fprintf(stderr, "apisim: serve flags of the plan: %s\n", problem);
    flags_free(f);
  } else {
    ok = serving_start_with(s, f, true, lines);
    if (ok && !store_is_memory(s->server->store)) {
      fprintf(stderr, "apisim: serve flags of the plan: a run needs the embedded store, for each "
                      "begins with a fresh one\n");
      ok = false;
    }
    if (!ok) serving_stop(s);
  }
  free(argv);
  return ok;
}

static live_plan faultless(const live_plan *p, live_server *servers) {
  live_plan copy = *p;
  copy.fault_count = 0;
  for (uint32_t i = 0; i < p->server_count; i++) {
    servers[i] = (live_server){.name = p->servers[i].name};
  }
  copy.servers = servers;
  return copy;
}

bool live_run(const live_plan *given, const run_options *o, run_result *out) {
  live_server *servers = heap_zalloc(given->server_count * sizeof *servers);
  live_plan plan = o->without_faults ? faultless(given, servers) : *given;
  plan.seed = o->seed;
  serving s;
  *out = (run_result){0};
  arena *a = arena_create();
  bool ok = start_serving(&plan, o, a, &s);
  if (!ok) {
    arena_destroy(a);
    heap_free(servers);
    return false;
  }
  live_options lo = {o->directory, o->verbosity};
  live *l = live_open(&s, &plan, &lo);
  runner r = {.l = l, .plan = &plan, .options = o, .result = out, .serving = &s};
  char problem[256];
  tally_init(&out->tally);
  live_observe(l, tally_commit, &out->tally);
  ok = live_start_clients(l, problem, sizeof problem);
  if (ok) {
    enter(&r, PHASE_START);
    timer_set(&s.server->timers, &r.timer, s.server->env->mono_ns + LOOK_NS, on_look, &r);
    world_run(s.world);
    out->interrupted = !r.done;
    timer_clear(&s.server->timers, &r.timer);
    keep(l, out);
  } else {
    fprintf(stderr, "apisim: %s\n", problem);
  }
  live_close(l);
  serving_stop(&s);
  arena_destroy(a);
  heap_free(servers);
  return ok;
}
