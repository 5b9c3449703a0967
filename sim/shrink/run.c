/* Runs, and what is said of one that dies. */
#include "sim/shrink/run.h"

#include "sim/shrink/repro.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static world *current;
static const sim_options *guarded;
static const char *guarded_line;

world *run_current(void) { return current; }
void run_set_current(world *w) { current = w; }

int64_t run_wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

int run_code_of(const world *w) {
  if (!w->violation.set) return RUN_OK;
  bool stuck = w->violation.check == CHECK_LIVENESS || w->violation.check == CHECK_DEADLINE;
  return stuck ? RUN_LIVENESS : RUN_WRONG;
}

const char *run_code_name(int code) {
  switch (code) {
    case RUN_OK: return "ok";
    case RUN_CRASH: return "crash";
    case RUN_LIVENESS: return "liveness";
    case RUN_WRONG: return "correctness";
    case RUN_DIFFERS: return "non-determinism";
    default: return "usage";
  }
}

const char *run_check_name(int code, uint8_t check) {
  return code == RUN_WRONG || code == RUN_LIVENESS ? check_rows[check].name : "-";
}

static void add(run_counts *sum, const world *w) {
  for (int i = 0; i < CHECKS; i++) sum->checks[i] += w->check_counts[i];
  for (int i = 0; i < PROBES; i++) sum->probes[i] += w->probe_counts[i];
  for (int i = 0; i < FAULT_CLASSES; i++) sum->faults[i] += w->fault_counts[i];
}

run_result run_once(const sim_options *o, run_counts *counts) {
  world *w = sim_create(o);
  current = w;
  sim_run(w);
  current = NULL;
  run_result r = {.code = run_code_of(w), .check = w->violation.check, .hash = w->log.hash,
                  .turns = w->turn, .lines = w->log.count, .virtual_ns = w->now_ns,
                  .revisions = w->model->count,
                  .server_ns = w->server_wall_ns, .start_ns = w->start_wall_ns};
  if (w->violation.set) snprintf(r.text, sizeof r.text, "%.390s", w->violation.text);
  if (counts) add(counts, w);
  sim_destroy(w);
  return r;
}

static void tell_line(FILE *out, const char *who, const line *l) {
  char text[400];
  size_t len = line_format(l, text, sizeof text);
  fprintf(out, "  %s: %.*s\n", who, (int)len, text);
}

/* The first place where the two part: a line, the bytes before it, or one run's end. */
static void tell_first(const transcript *a, const transcript *b, uint64_t at, FILE *out) {
  bool both = at < a->count && at < b->count;
  fprintf(out, "two runs of one seed part %s line %llu:\n",
          both && !line_same(&a->all[at], &b->all[at]) ? "at" : "in what was sent before",
          (unsigned long long)at + 1);
  if (at > 0) tell_line(out, "both ", &a->all[at - 1]);
  if (at < a->count) tell_line(out, "run 1", &a->all[at]);
  else fprintf(out, "  run 1 has ended\n");
  if (at < b->count) tell_line(out, "run 2", &b->all[at]);
  else fprintf(out, "  run 2 has ended\n");
}

bool run_tell_divergence(const sim_options *o, FILE *out) {
  sim_options recorded = *o;
  recorded.record = true;
  world *a = sim_create(&recorded);
  sim_run(a);
  world *b = sim_create(&recorded);
  sim_run(b);
  uint64_t n = a->log.count < b->log.count ? a->log.count : b->log.count, i = 0;
  while (i < n && line_same(&a->log.all[i], &b->log.all[i]) &&
         a->log.all[i].hash == b->log.all[i].hash) {
    i++;
  }
  bool differs = a->log.hash != b->log.hash;
  if (differs) tell_first(&a->log, &b->log, i, out);
  sim_destroy(a);
  sim_destroy(b);
  return differs;
}

static void on_crash(int sig) {
  signal(sig, SIG_DFL);
  if (guarded) {
    printf("\ncrash: signal %d (%s)\n", sig, strsignal(sig));
    repro_tell_failure(stdout, guarded, current, NULL, guarded_line);
    fflush(stdout);
  }
  _exit(RUN_CRASH);
}

#define STUCK_CPU_S 30 /* of the processor's time in one turn */

/* The clock only decides when to look; that a turn does not end is the run's own doing. */
static void on_stuck_look(int sig) {
  static const world *seen;
  static uint64_t seen_turn;
  (void)sig;
  bool stuck = current && current == seen && current->turn == seen_turn;
  seen = current;
  seen_turn = current ? current->turn : 0;
  if (!stuck) return;
  if (guarded) {
    printf("\nliveness: turn %llu does not end (%d s of the processor's time)\n",
           (unsigned long long)seen_turn, STUCK_CPU_S);
    repro_tell_failure(stdout, guarded, current, NULL, guarded_line);
    fflush(stdout);
  }
  _exit(RUN_LIVENESS);
}

void run_stuck_guard(void) {
  struct itimerval every = {{STUCK_CPU_S, 0}, {STUCK_CPU_S, 0}};
  signal(SIGPROF, on_stuck_look);
  setitimer(ITIMER_PROF, &every, NULL);
}

void run_crash_guard(const sim_options *o, const char *reproduce) {
  static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  guarded = o;
  guarded_line = reproduce;
  run_stuck_guard();
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], on_crash);
}
