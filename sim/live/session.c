/* The session keeps the reference (two runs of it: what differs between the two is no finding), and
 * judges every other run against it. */
#include "sim/live/session.h"

#include "sim/live/swarm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_MAX ((size_t)16 << 20)
#define STORY_LINES 28
#define STORY_BEFORE 8

typedef struct session {
  const session_options *o;
  arena *a;
  live_plan plan;
  run_result reference;
  state_difference *unstable;
  char work[512];
  uint32_t runs, failed;
} session;

static int class_of(int oracle) {
  switch (oracle) {
  case ORACLE_QUIESCE_WITHIN: return SESSION_LIVENESS;
  case ORACLE_CLIENTS_ALIVE: return SESSION_CRASH;
  case ORACLE_LINT: return SESSION_LINT;
  case -1: return SESSION_UNUSABLE;
  default: return SESSION_CORRECTNESS;
  }
}

static const char *oracle_name(int oracle) { return oracle < 0 ? "run" : oracle_names[oracle]; }

static bool make_directory(const char *path) {
  char part[512];
  for (const char *p = path; *p; p++) {
    if (*p != '/' || p == path) continue;
    snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
    mkdir(part, 0777);
  }
  return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static void forget_outputs(session *s) {
  char path[700];
  for (uint32_t i = 0; i < s->plan.client_count; i++) {
    snprintf(path, sizeof path, "%s/%.*s.log", s->work, SLICE_ARG(s->plan.clients[i].name));
    unlink(path);
  }
}

/* The newest run's log stays in work/last.log. */
static bool write_file(const char *path, slice text) {
  FILE *f = fopen(path, "we");
  if (!f) return false;
  bool ok = fwrite(text.ptr, 1, text.len, f) == text.len;
  return fclose(f) == 0 && ok;
}

/* One run of a tree. False: it could not be made. */
static bool run_tree(session *s, node *tree, bool faults, run_result *out) {
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
  snprintf(log, sizeof log, "%s/last.log", s->work);
  write_file(log, slice_cstr(out->log ? out->log : ""));
  return true;
}

/* ---- the reference ---- */

static void print_failures(const run_result *r, FILE *to, const char *indent) {
  int shown = 0;
  for (const run_failure *f = r->failures; f; f = f->next) {
    if (shown++ < 12) fprintf(to, "%s%s: %s\n", indent, oracle_name(f->oracle), f->text);
  }
  if (shown > 12) fprintf(to, "%sand %d more\n", indent, shown - 12);
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
  if (!run_tree(s, tree, false, &s->reference)) return SESSION_UNUSABLE;
  if (s->reference.interrupted) return SESSION_INTERRUPTED;
  if (s->reference.failures) {
    printf("the run without faults fails already:\n");
    print_failures(&s->reference, stdout, "  ");
    fputs(s->reference.log, stderr);
    return SESSION_REFERENCE;
  }
  if (!run_tree(s, tree, false, &second)) return SESSION_UNUSABLE;
  strlist all = {0};
  s->unstable = live_state_compare(&s->reference.state, &second.state, &all, NULL);
  bool interrupted = second.interrupted, failed = second.failures != NULL;
  if (failed) print_failures(&second, stdout, "  ");
  run_result_free(&second);
  if (interrupted) return SESSION_INTERRUPTED;
  if (failed) return SESSION_REFERENCE;
  const run_result *r = &s->reference;
  printf("reference: %lld writes and %u requests of clients, %u events told, quiet after %.1f s\n",
         (long long)r->writes, r->requests, r->deliveries, (double)r->took_ns / 1e9);
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

/* ---- shrinking ---- */

/* Whether the tree fails by the oracle in most of some tries: real clients race, and a mistake that
 * shows by chance would make every smaller plan look guilty. `failed`: tries that have failed
 * already. */
static bool mostly_fails(session *s, node *tree, int oracle, int64_t failed, run_result *kept) {
  int64_t needed = s->o->tries / 2 + 1, passed = 0;
  while (failed < needed && passed <= s->o->tries - needed) {
    run_result r;
    if (!run_tree(s, tree, true, &r)) return false;
    bool fails = run_failed_by(&r, oracle) && !r.interrupted, interrupted = r.interrupted;
    if (fails) {
      run_result_free(kept);
      *kept = r;
      failed++;
    } else {
      run_result_free(&r);
      passed++;
    }
    if (interrupted) return false;
  }
  return failed >= needed;
}

static bool still_fails(session *s, node *tree, int oracle, run_result *kept) {
  return mostly_fails(s, tree, oracle, 0, kept);
}

static node *with_faults(session *s, const node *tree, node *faults) {
  node *copy = node_copy(s->a, tree);
  node_set(s->a, copy, "faults", faults);
  return copy;
}

static node *drop_faults(session *s, node *tree, int oracle, run_result *kept) {
  for (uint32_t i = 0; node_get(tree, "faults") && i < node_get(tree, "faults")->count;) {
    node *fewer = node_copy(s->a, node_get(tree, "faults"));
    node_remove(fewer, i);
    node *candidate = with_faults(s, tree, fewer);
    if (still_fails(s, candidate, oracle, kept)) tree = candidate;
    else i++;
  }
  return tree;
}

/* A fault of several actions may need only some of them. */
static node *drop_actions(session *s, node *tree, int oracle, run_result *kept) {
  node *faults = node_get(tree, "faults");
  for (uint32_t i = 0; faults && i < faults->count; i++) {
    for (uint32_t k = 0;;) {
      node *actions = node_get(faults->items[i], "do");
      bool list = actions && actions->kind == NODE_LIST;
      if (!list || actions->count < 2 || k >= actions->count) break;
      node *fewer = node_copy(s->a, actions), *fault = node_copy(s->a, faults->items[i]);
      node *changed = node_copy(s->a, faults);
      node_remove(fewer, k);
      node_set(s->a, fault, "do", fewer);
      changed->items[i] = fault;
      node *candidate = with_faults(s, tree, changed);
      if (still_fails(s, candidate, oracle, kept)) {
        tree = candidate;
        faults = changed;
      } else {
        k++;
      }
    }
  }
  return tree;
}

/* Lags and freezes of apiservers that it fails without. */
static node *drop_lags(session *s, node *tree, int oracle, run_result *kept) {
  node *servers = node_get(tree, "apiservers");
  for (uint32_t i = 0; servers && servers->kind == NODE_MAP && i < servers->count; i++) {
    if (servers->items[i]->kind != NODE_MAP || servers->items[i]->count == 0) continue;
    node *plain = node_copy(s->a, servers), *candidate = node_copy(s->a, tree);
    plain->items[i] = node_map(s->a);
    node_set(s->a, candidate, "apiservers", plain);
    if (!still_fails(s, candidate, oracle, kept)) continue;
    tree = candidate;
    servers = plain;
  }
  return tree;
}

static node *shrink(session *s, node *tree, int oracle, run_result *kept) {
  node *no_swarm = node_copy(s->a, tree);
  for (uint32_t i = 0; i < no_swarm->count;) {
    if (slice_is(no_swarm->keys[i], "swarm")) node_remove(no_swarm, i);
    else i++;
  }
  tree = no_swarm;
  if (s->o->no_shrink) return tree;
  tree = drop_faults(s, tree, oracle, kept);
  tree = drop_actions(s, tree, oracle, kept);
  return drop_lags(s, tree, oracle, kept);
}

/* ---- what failed ---- */

/* A word as a shell reads it. */
static void quote(const char *word) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "-_./=:,@%+";
  if (*word && strspn(word, safe) == strlen(word)) {
    printf("%s", word);
    return;
  }
  putchar('\'');
  for (; *word; word++) {
    if (*word == '\'') printf("'\\''");
    else putchar(*word);
  }
  putchar('\'');
}

static void print_repeat(const session *s, const char *plan) {
  printf("repeat: apisim sim live --plan ");
  quote(plan);
  if (s->o->command) {
    printf(" --");
    for (char **w = s->o->command; *w; w++) {
      putchar(' ');
      quote(*w);
    }
  }
  printf("\n");
}

/* The log around the first fault, where what went wrong begins; the end of it where none fired. */
static void print_story(const char *log) {
  size_t lines = 0, fault = 0, at = 0;
  for (const char *p = log; *p; p++) {
    if (*p != '\n') continue;
    lines++;
    bool marks = strncmp(p + 1 + strcspn(p + 1, "F\n"), "FAULT    ", 9) == 0;
    if (marks && !fault) fault = lines + 1;
  }
  size_t from = fault > STORY_BEFORE ? fault - STORY_BEFORE
                : lines > STORY_LINES ? lines - STORY_LINES
                                      : 0;
  for (const char *p = log; *p; p += strcspn(p, "\n") + 1) {
    if (at++ < from) continue;
    if (at > from + STORY_LINES) break;
    printf("    %.*s\n", (int)strcspn(p, "\n"), p);
  }
}

static void report(session *s, const char *label, node *tree, const run_result *r, int oracle) {
  char plan[700], log[700];
  snprintf(plan, sizeof plan, "%s/%s.plan.yaml", s->o->out, label);
  snprintf(log, sizeof log, "%s/%s.log", s->o->out, label);
  buf text;
  buf_init(&text, PLAN_MAX);
  node_write(&text, tree);
  bool ok = write_file(plan, buf_slice(&text)) && write_file(log, slice_cstr(r->log));
  buf_dispose(&text);
  const node *faults = node_get(tree, "faults");
  printf("FAILED %s: seed %llu: %s\n", label, (unsigned long long)s->plan.seed,
         oracle_name(oracle));
  print_failures(r, stdout, "  ");
  printf("  faults that it needs: %u\n", faults ? faults->count : 0);
  for (uint32_t i = 0; faults && i < faults->count; i++) {
    buf line;
    buf_init(&line, PLAN_MAX);
    node_write_flow(&line, faults->items[i]);
    printf("    %.*s\n", SLICE_ARG(buf_slice(&line)));
    buf_dispose(&line);
  }
  printf("  what clients did and saw, around the first fault:\n");
  print_story(r->log);
  if (!ok) fprintf(stderr, "apisim: can't write to %s\n", s->o->out);
  printf("plan: %s\nlog: %s\n", plan, log);
  print_repeat(s, plan);
  fflush(stdout);
}

/* The oracle that the run failed by; the first counts, but the run's own trouble comes last. */
static int first_oracle(const run_result *r) {
  for (const run_failure *f = r->failures; f; f = f->next) {
    if (f->oracle >= 0) return f->oracle;
  }
  return -1;
}

/* One run under faults, and what follows from it. */
static int run_faulty(session *s, const char *label, node *tree, const char *what) {
  run_result r;
  slice problem;
  if (!live_plan_read(s->a, s->o->file, tree, s->o->command, &s->plan, &problem)) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
    return SESSION_UNUSABLE;
  }
  if (!run_tree(s, tree, true, &r)) return SESSION_UNUSABLE;
  if (r.interrupted) {
    run_result_free(&r);
    return SESSION_INTERRUPTED;
  }
  printf("%-16s %s %u faults fired, %lld writes, %.1f s%s%s\n", label, r.failures ? "FAIL" : "ok  ",
         r.faults_fired, (long long)r.writes, (double)r.took_ns / 1e9, *what ? ": " : "", what);
  fflush(stdout);
  int code = SESSION_PASSED;
  if (r.failures) {
    s->failed++;
    int oracle = first_oracle(&r);
    bool steady = s->o->no_shrink || mostly_fails(s, tree, oracle, 1, &r);
    node *small = steady ? shrink(s, tree, oracle, &r) : tree;
    report(s, label, small, &r, oracle);
    if (!steady) printf("it did not fail again in most of %lld tries\n", (long long)s->o->tries);
    code = steady ? class_of(oracle) : SESSION_UNSTEADY;
  }
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
    if (code == SESSION_INTERRUPTED || code == SESSION_UNUSABLE) return code;
    if (code && !worst) worst = code;
    if (code && !s->o->keep_going) return code;
  }
  return worst;
}

static node *tree_of_seed(session *s, const node *tree, uint64_t seed, buf *what,
                          slice *problem) {
  if (s->plan.swarm.set) return live_swarm_draw(s->a, &s->plan, &s->reference, seed, what, problem);
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
    slice problem = SLICE_NONE;
    buf what;
    buf_init(&what, 4096);
    s->plan = base;
    node *tree = tree_of_seed(s, base.tree, seed, &what, &problem);
    buf_char(&what, '\0');
    snprintf(label, sizeof label, "seed-%llu", (unsigned long long)seed);
    if (!tree) fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
    int code = tree ? run_faulty(s, label, tree, what.ptr) : SESSION_UNUSABLE;
    buf_dispose(&what);
    if (code == SESSION_INTERRUPTED || code == SESSION_UNUSABLE) return code;
    if (code && (!worst || worst == SESSION_UNSTEADY)) worst = code;
    /* What does not fail again is told, and the search goes on. */
    bool stop = code && code != SESSION_UNSTEADY && !s->o->keep_going;
    if (stop || seed == last) return worst;
  }
}

int session_run(const session_options *o) {
  session s = {.o = o, .a = arena_create()};
  node *tree;
  slice problem = SLICE_NONE;
  int code = SESSION_UNUSABLE;
  bool ok = live_plan_load(s.a, o->file, &tree, &problem);
  if (ok && o->seeds_set) node_set(s.a, tree, "seed", node_int(s.a, (int64_t)o->seed_first));
  ok = ok && live_plan_read(s.a, o->file, tree, o->command, &s.plan, &problem);
  snprintf(s.work, sizeof s.work, "%s/work", o->out);
  if (!ok) {
    fprintf(stderr, "apisim: %.*s\n", SLICE_ARG(problem));
  } else if (!make_directory(s.work)) {
    fprintf(stderr, "apisim: can't make %s: %s\n", s.work, strerror(errno));
  } else {
    printf("seed %llu, plan %s\n", (unsigned long long)s.plan.seed, o->file);
    code = make_reference(&s);
    if (code == SESSION_PASSED && o->only_reference) print_counts(&s.reference);
    else if (code == SESSION_PASSED) code = o->sweep_writes ? run_sweep(&s) : run_seeds(&s);
    printf("%u runs, %u failed\n", s.runs, s.failed);
  }
  run_result_free(&s.reference);
  state_difference_free(s.unstable);
  arena_destroy(s.a);
  return code;
}
