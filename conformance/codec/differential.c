/* differential: generated objects through apisim's codecs and through apimachinery's, side by side.
 *
 * Workers (processes) share the numbers; each has an oracle of its own and asks it in batches. What
 * differs is made small and written down with the line that shows it again; explained.txt says
 * which differences are wanted, and why. */
#include "base/limits.h"
#include "conformance/codec/cases.h"
#include "conformance/codec/report.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 200u

static const char usage[] =
    "usage: differential --oracle PROGRAM [--count N] [--seed S] [--jobs N] [--only N] [--kind NAME]\n"
    "                    [--out FILE] [--explained FILE] [--whole] [--cases FILE]\n"
    "\n"
    "Asks PROGRAM (conformance/oracle) and apisim's codecs about N generated objects (default 1000000)\n"
    "of all kinds, in all formats, and compares bytes, refusals and the texts of both. --only shows the\n"
    "one object of that number; --kind keeps to kinds of that name, --whole shows\n"
    "bodies as generated instead of the smallest that differ. --cases asks about those of FILE instead,\n"
    "a line each: FORMAT KIND HEX, as \"yaml/strict apps/v1/Deployment 61\". Differences go to FILE (default:\n"
    "reports/differential.txt). Exit code: 0 none unexplained, 1 some, 2 usage.\n";

typedef struct options {
  const char *oracle, *out, *explained, *kind, *cases;
  uint64_t count, seed, only;
  unsigned jobs;
  bool one, whole;
} options;

typedef struct worker {
  const options *o;
  oracle oracle;
  tally *tally; /* shared */
  report_file *file;
  uint16_t kinds[4096];
  uint32_t kind_count;
} worker;

/* ---- one difference ---- */

typedef struct probe {
  worker *w;
  oracle_case c;
  const char *what;
} probe;

static bool still_differs(void *context, slice body) {
  probe *p = context;
  arena *a = arena_create();
  oracle_case c = p->c;
  c.body = arena_copy(a, body);
  oracle_answer theirs, ours = oracle_ours(a, &c);
  bool asked = oracle_ask(&p->w->oracle, a, &c, 1, &theirs);
  const char *what = asked ? oracle_difference(&ours, &theirs) : NULL;
  bool same = what && strcmp(what, p->what) == 0;
  arena_destroy(a);
  return same;
}

static void show(worker *w, uint64_t number, const oracle_case *c, const char *what) {
  arena *a = arena_create();
  probe p = {w, *c, what};
  oracle_case small = *c;
  if (!w->o->whole) small.body = minimise(a, c->format, c->body, still_differs, &p);
  oracle_answer theirs, ours = oracle_ours(a, &small);
  if (oracle_ask(&w->oracle, a, &small, 1, &theirs)) {
    report_difference(w->file, w->o->seed, number, &small, what, &ours, &theirs);
  }
  arena_destroy(a);
}

static void compare(worker *w, uint64_t number, const oracle_case *c, const oracle_answer *theirs,
                    arena *a) {
  oracle_answer ours = oracle_ours(a, c);
  const char *what = oracle_difference(&ours, theirs);
  tally_row *row = &w->tally->rows[c->kind];
  __atomic_fetch_add(&row->cases[c->format], 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&row->refused, theirs->status == ORACLE_REFUSED, __ATOMIC_RELAXED);
  __atomic_fetch_add(&row->not_strict, theirs->status == ORACLE_NOT_STRICT, __ATOMIC_RELAXED);
  if (!what) return;
  const char *reason = report_explained(w->file, c, what, &ours, theirs);
  unsigned *count = reason ? &w->tally->explained : &row->different[c->format];
  __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
  if (reason) report_count(w->file, reason);
  else if (report_is_new(w->file, c, what, &ours, theirs)) show(w, number, c, what);
}

/* ---- the batches ---- */

static bool run_batch(worker *w, uint64_t from, uint64_t to, uint64_t step) {
  static oracle_case cases[BATCH * CASES_MAX];
  static oracle_answer theirs[BATCH * CASES_MAX];
  static uint64_t numbers[BATCH * CASES_MAX];
  uint32_t n = 0;
  arena *a = arena_create(), *mine = arena_create();
  for (uint64_t i = from; i < to; i += step) {
    uint16_t kind = w->kinds[i % w->kind_count];
    uint32_t made = cases_make(a, w->o->seed, i, kind, cases + n);
    for (uint32_t k = 0; k < made; k++) numbers[n++] = i;
    __atomic_fetch_add(&w->tally->rows[kind].objects, 1, __ATOMIC_RELAXED);
  }
  bool good = oracle_ask(&w->oracle, a, cases, n, theirs);
  for (uint32_t i = 0; good && i < n; i++) {
    compare(w, numbers[i], &cases[i], &theirs[i], mine);
    arena_reset(mine);
  }
  arena_destroy(mine);
  arena_destroy(a);
  return good;
}

static bool run_listed(worker *w) {
  arena *a = arena_create(), *mine = arena_create();
  uint32_t count;
  oracle_case *cases = listed_read(a, w->o->cases, &count);
  oracle_answer *theirs = arena_alloc(a, sizeof *theirs * (count + 1));
  bool good = cases != NULL;
  for (uint32_t from = 0; good && from < count; from += BATCH) {
    uint32_t n = count - from < BATCH ? count - from : BATCH;
    good = oracle_ask(&w->oracle, a, cases + from, n, theirs + from);
    for (uint32_t i = from; good && i < from + n; i++) {
      w->tally->rows[cases[i].kind].objects++;
      compare(w, i + 1, &cases[i], &theirs[i], mine);
      arena_reset(mine);
    }
  }
  arena_destroy(mine);
  arena_destroy(a);
  return good;
}

static bool collect_kinds(worker *w) {
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    bool wanted = !w->o->kind || slice_is(schema_kinds[i].kind, w->o->kind);
    if (!w->oracle.known[i]) w->tally->unknown++;
    else if (wanted) w->kinds[w->kind_count++] = i;
  }
  if (!w->kind_count) fprintf(stderr, "no such kind: %s\n", w->o->kind ? w->o->kind : "");
  return w->kind_count > 0;
}

static int work(const options *o, tally *t, unsigned job) {
  arena *a = arena_create();
  worker w = {.o = o, .tally = t};
  bool good = oracle_open(&w.oracle, o->oracle, a);
  w.file = good ? report_open(o->out, o->explained) : NULL;
  good = w.file && collect_kinds(&w);
  if (job) t->unknown = 0;
  uint64_t step = o->jobs, stretch = (uint64_t)BATCH * step;
  if (good && o->cases) good = run_listed(&w);
  else if (good && o->one) good = run_batch(&w, o->only, o->only + 1, 1);
  for (uint64_t at = job; good && !o->one && !o->cases && at < o->count; at += stretch) {
    uint64_t end = at + stretch < o->count ? at + stretch : o->count;
    good = run_batch(&w, at, end, step);
  }
  if (w.file) report_close(w.file);
  if (w.oracle.pid > 0) oracle_close(&w.oracle);
  arena_destroy(a);
  return good ? 0 : 2;
}

/* ---- all ---- */

static bool parse_options(int argc, char **argv, options *o) {
  static const struct option names[] = {
      {"oracle", required_argument, NULL, 'o'}, {"count", required_argument, NULL, 'c'},
      {"seed", required_argument, NULL, 's'},   {"jobs", required_argument, NULL, 'j'},
      {"only", required_argument, NULL, 'n'},   {"out", required_argument, NULL, 'f'},
      {"explained", required_argument, NULL, 'e'}, {"kind", required_argument, NULL, 'k'},
      {"whole", no_argument, NULL, 'w'},        {"cases", required_argument, NULL, 'l'},
      {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
  for (int c; (c = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
    switch (c) {
      case 'o': o->oracle = optarg; break;
      case 'c': o->count = strtoull(optarg, NULL, 10); break;
      case 's': o->seed = strtoull(optarg, NULL, 10); break;
      case 'j': o->jobs = (unsigned)strtoul(optarg, NULL, 10); break;
      case 'n': o->only = strtoull(optarg, NULL, 10), o->one = true; break;
      case 'f': o->out = optarg; break;
      case 'e': o->explained = optarg; break;
      case 'k': o->kind = optarg; break;
      case 'l': o->cases = optarg; break;
      case 'w': o->whole = true; break;
      default: return false;
    }
  }
  if (o->one || o->cases) o->jobs = 1;
  return o->oracle && o->jobs > 0 && o->jobs <= 64 && optind == argc;
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  options o = {.count = 1000000, .seed = 1, .jobs = 2, .out = "reports/differential.txt"};
  if (!parse_options(argc, argv, &o)) {
    fputs(usage, stderr);
    return 2;
  }
  fclose(fopen(o.out, "w") ?: stderr);
  size_t size = sizeof(tally) + schema_kind_count * sizeof(tally_row);
  tally *t = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (t == MAP_FAILED) return 2;
  double start = now_s();
  int code = 0, status;
  for (unsigned job = 0; job < o.jobs; job++) {
    if (fork() == 0) _exit(work(&o, t, job));
  }
  while (wait(&status) > 0) {
    if (status) code = 2;
  }
  if (code) fprintf(stderr, "differential: a worker ended early\n");
  else code = tally_print(stdout, t, now_s() - start, o.out) ? 1 : 0;
  return code;
}
