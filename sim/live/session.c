/* The session keeps the reference (two runs of it: what differs between the two is no finding), and
 * judges every other run against it. */
#include "sim/live/session_state.h"

#include "sim/live/swarm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int class_of(int oracle) {
  switch (oracle) {
  case ORACLE_QUIESCE_WITHIN: return SESSION_LIVENESS;
  case ORACLE_CLIENTS_ALIVE: return SESSION_CRASH;
  case ORACLE_LINT: return SESSION_LINT;
  case -1: return SESSION_UNUSABLE;
  default: return SESSION_CORRECTNESS;
  }
}

static void forget_outputs(session *s) {
  char path[700];
  for (uint32_t i = 0; i < s->plan.client_count; i++) {
    snprintf(path, sizeof path, "%s/%.*s.log", s->work, SLICE_ARG(s->plan.clients[i].name));
    unlink(path);
  }
}

/* A signal between two runs; during one the server's loop takes it. */
static volatile sig_atomic_t told_to_stop;

static void on_signal(int number) {
  (void)number;
  told_to_stop = 1;
}

/* One run of a tree. False: it could not be made. */
bool session_run_tree(session *s, node *tree, bool faults, run_result *out) {
  char log[600];
  live_plan plan;
  slice problem;
  if (!live_plan_read(s->a, s->o->file, tree, s->o->command, &plan, &problem)) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
    return false;
  }
  run_options o = {.directory = s->work, .without_faults = !faults, .seed = plan.seed,
                   .verbosity = s->o->verbosity};
  if (faults) {
    o.reference = &s->reference;
    o.unstable = s->unstable;
  }
  forget_outputs(s);
  s->runs++;
  if (!live_run(&plan, &o, out)) return false;
  s->interrupted = s->interrupted || out->interrupted || told_to_stop;
  /* The newest run's log stays. */
  snprintf(log, sizeof log, "%s/last.log", s->work);
  report_write_file(log, slice_cstr(out->log ? out->log : ""));
  return true;
}

/* ---- the reference ---- */

static slice first_failure(const run_result *r) {
  return r->failures ? slice_cstr(r->failures->text) : SLICE_NONE;
}

static void late_lines(const run_result *r, buf *out) {
  if (!*r->late) return;
  buf_printf(out, "  %s\n  (a client that polls is quiet with `quiesce: {ignoreReads: true}`)\n",
             r->late);
}

static void reference_fails(session *s, const run_result *r) {
  buf text;
  buf_init(&text, SESSION_TEXT_MAX);
  buf_cstr(&text, "the run without faults fails already:\n");
  report_failures(r, &text, "  ");
  late_lines(r, &text);
  report_outputs(s, &s->plan, &text);
  printf("%.*s", SLICE_ARG(buf_slice(&text)));
  printf("log: %s/last.log\n", s->work);
  report_case(s, "without faults", (double)r->took_ns / 1e9, oracle_name(r->failures->oracle),
              first_failure(r), buf_slice(&text));
  buf_dispose(&text);
}

static void print_counts(const run_result *r) {
  const char *key;
  json_t *n;
  json_object_foreach(r->tally.counts, key, n) {
    printf("    %-56s %lld created, %lld deleted\n", key,
           (long long)json_integer_value(json_array_get(n, 0)),
           (long long)json_integer_value(json_array_get(n, 1)));
  }
}

static int make_reference(session *s) {
  run_result second;
  node *tree = (node *)(uintptr_t)s->plan.tree;
  if (!session_run_tree(s, tree, false, &s->reference)) return SESSION_UNUSABLE;
  if (s->reference.interrupted) return SESSION_INTERRUPTED;
  if (s->reference.failures) {
    reference_fails(s, &s->reference);
    return SESSION_REFERENCE;
  }
  if (!session_run_tree(s, tree, false, &second)) return SESSION_UNUSABLE;
  strlist all = {0};
  s->unstable = live_state_compare(&s->reference.state, &second.state, &all, NULL);
  bool interrupted = second.interrupted, failed = second.failures != NULL;
  if (failed) reference_fails(s, &second);
  run_result_free(&second);
  if (interrupted) return SESSION_INTERRUPTED;
  if (failed) return SESSION_REFERENCE;
  const run_result *r = &s->reference;
  report_case(s, "without faults", (double)r->took_ns / 1e9, "", SLICE_NONE, SLICE_NONE);
  printf("reference: %lld writes and %u requests of clients, %u events told, quiet after %.1f s\n",
         (long long)r->writes, r->requests, r->deliveries, (double)r->took_ns / 1e9);
  buf late;
  buf_init(&late, SESSION_TEXT_MAX);
  late_lines(r, &late);
  printf("%.*s", SLICE_ARG(buf_slice(&late)));
  buf_dispose(&late);
  for (const state_difference *d = s->unstable; d; d = d->next) {
    printf("  differs between two runs without faults, not judged: %s\n", d->mask);
  }
  if (*r->lint) {
    for (const char *line = r->lint, *end; (end = strchr(line, '\n')); line = end + 1) {
      printf("  lint: %.*s\n", (int)(end - line), line);
    }
  }
  return SESSION_PASSED;
}

/* The oracle that the run failed by; the first counts, but the run's own trouble comes last. */
static int first_oracle(const run_result *r) {
  for (const run_failure *f = r->failures; f; f = f->next) {
    if (f->oracle >= 0) return f->oracle;
  }
  return -1;
}

static int explain(session *s, const char *label, node *tree, run_result *r) {
  buf text;
  int oracle = first_oracle(r);
  double seconds = (double)r->took_ns / 1e9;
  buf_init(&text, SESSION_TEXT_MAX);
  s->failed++;
  reduction small = session_reduce(s, tree, oracle, r);
  report_failed(s, label, &small, r, oracle, &text);
  report_case(s, label, seconds, oracle_name(oracle), first_failure(r), buf_slice(&text));
  buf_dispose(&text);
  if (s->interrupted) return SESSION_INTERRUPTED;
  return small.steady ? class_of(oracle) : SESSION_UNSTEADY;
}

/* One run under faults, and what follows from it. */
static int run_faulty(session *s, const char *label, node *tree, const char *what) {
  run_result r;
  slice problem;
  if (!live_plan_read(s->a, s->o->file, tree, s->o->command, &s->plan, &problem)) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
    return SESSION_UNUSABLE;
  }
  if (!session_run_tree(s, tree, true, &r)) return SESSION_UNUSABLE;
  if (r.interrupted) {
    run_result_free(&r);
    return SESSION_INTERRUPTED;
  }
  printf("%-16s %s %u faults fired, %lld writes, %.1f s%s%s\n", label, r.failures ? "FAIL" : "ok  ",
         r.faults_fired, (long long)r.writes, (double)r.took_ns / 1e9, *what ? ": " : "", what);
  fflush(stdout);
  int code = SESSION_PASSED;
  double seconds = (double)r.took_ns / 1e9;
  if (r.failures) code = explain(s, label, tree, &r);
  else report_case(s, label, seconds, "", SLICE_NONE, SLICE_NONE);
  run_result_free(&r);
  return code;
}

/* ---- modes ---- */

static int run_sweep(session *s) {
  int worst = SESSION_PASSED;
  node *tree = (node *)(uintptr_t)s->plan.tree;
  slice client = s->plan.clients[0].name;
  node *clients = node_get(tree, "clients");
  if (!clients) {
    clients = node_map(s->a);
    node_set(s->a, clients, arena_cstr(s->a, client), node_map(s->a));
    tree = node_copy(s->a, tree);
    node_set(s->a, tree, "clients", clients);
  }
  int64_t writes = 0;
  for (uint32_t i = 0; i < s->reference.call_count; i++) {
    writes += s->reference.calls[i].kind == RECORD_COMMIT && s->reference.calls[i].client == 0;
  }
  printf("sweep: %.*s is killed behind each of its %lld writes\n", SLICE_ARG(client),
         (long long)writes);
  for (int64_t n = 1; n <= writes; n++) {
    char label[64];
    snprintf(label, sizeof label, "write-%lld", (long long)n);
    int code = run_faulty(s, label, live_with_fault(s->a, tree, live_crash_fault(s->a, client, n)),
                          "");
    if (s->interrupted) return SESSION_INTERRUPTED;
    if (code == SESSION_UNUSABLE) return code;
    if (code && !worst) worst = code;
    if (code && !s->o->keep_going) return code;
  }
  return worst;
}

static node *tree_of_seed(session *s, const node *tree, uint64_t seed, buf *what) {
  if (s->plan.swarm.set) return live_swarm_draw(s->a, &s->plan, &s->reference, seed, what);
  node *copy = node_copy(s->a, tree);
  node_set(s->a, copy, "seed", node_int(s->a, (int64_t)seed));
  return copy;
}

static int run_seeds(session *s) {
  const live_plan base = s->plan;
  uint64_t first = s->o->seeds_set ? s->o->seed_first : base.seed;
  uint64_t last = s->o->seeds_set ? s->o->seed_last : base.seed;
  int worst = SESSION_PASSED;
  for (uint64_t seed = first;; seed++) {
    char label[64];
    buf what;
    buf_init(&what, 4096);
    s->plan = base;
    node *tree = tree_of_seed(s, base.tree, seed, &what);
    buf_char(&what, '\0');
    snprintf(label, sizeof label, "seed-%llu", (unsigned long long)seed);
    int code = run_faulty(s, label, tree, what.ptr);
    buf_dispose(&what);
    if (s->interrupted) return SESSION_INTERRUPTED;
    if (code == SESSION_UNUSABLE) return code;
    if (code && (!worst || worst == SESSION_UNSTEADY)) worst = code;
    /* What does not fail again is told, and the search goes on. */
    bool stop = code && code != SESSION_UNSTEADY && !s->o->keep_going;
    if (stop || seed == last) return worst;
  }
}

int session_run(const session_options *o) {
  session s = {.o = o, .a = arena_create()};
  buf_init(&s.cases, SESSION_TEXT_MAX);
  node *tree;
  slice problem = SLICE_NONE;
  int code = SESSION_UNUSABLE;
  if (!session_read_plan(&s, &tree, &problem)) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
  } else if (session_open_folder(&s)) {
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("seed %llu, plan %s\n", (unsigned long long)s.plan.seed, o->file);
    code = make_reference(&s);
    if (code == SESSION_PASSED && o->only_reference) print_counts(&s.reference);
    else if (code == SESSION_PASSED) code = o->sweep_writes ? run_sweep(&s) : run_seeds(&s);
    printf("%u runs, %u failed\n", s.runs, s.failed);
    if (!report_write_cases(&s) && code == SESSION_PASSED) code = SESSION_UNUSABLE;
  }
  buf_dispose(&s.cases);
  run_result_free(&s.reference);
  state_difference_free(s.unstable);
  arena_destroy(s.a);
  return code;
}
