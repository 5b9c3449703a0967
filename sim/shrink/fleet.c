/* Workers are processes that share a table with the parent: a seed's result stands in its place,
 * and a worker that dies leaves behind which seed it was at. */
#include "sim/shrink/fleet.h"

#include "sim/shrink/repro.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define STUCK_S 300 /* of wall time at one seed: the worker itself looks at its processor's time */
#define FAILURES_TOLD 20

typedef struct seed_result {
  uint64_t hash;
  uint8_t code; /* + 1; 0: not run */
  uint8_t check;
  bool differed;
  char text[198];
} seed_result;

typedef struct worker_state { /* shared */
  uint64_t at; /* index of the seed under way */
  bool done;
  run_counts counts;
  uint64_t turns, lines, revisions, seeds, server_ns, start_ns, run_ns, twice;
  int64_t virtual_ns;
} worker_state;

typedef struct fleet {
  const fleet_options *o;
  uint64_t count;
  seed_result *results;
  worker_state *workers;
  pid_t pids[JOBS_MAX];
  uint64_t seen_at[JOBS_MAX]; /* of the watchdog */
  int64_t seen_s[JOBS_MAX];
  int64_t began_ns;
} fleet;

static int64_t cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static sim_options options_of(const fleet *f, uint64_t i) {
  return (sim_options){.draw = draw_make(f->o->first + i, &f->o->wish), .measure = f->o->figures,
                       .tape = f->o->tape, .tape_text = f->o->tape_text};
}

/* Evenly spread, and never fewer than that share. */
static bool runs_twice(uint64_t per_mille, uint64_t i) {
  return (i * per_mille + 999) / 1000 != ((i + 1) * per_mille + 999) / 1000;
}

static void run_seed(fleet *f, worker_state *me, uint64_t i) {
  sim_options o = options_of(f, i);
  int64_t began = cpu_ns();
  run_result r = run_once(&o, &me->counts);
  me->run_ns += (uint64_t)(cpu_ns() - began);
  seed_result *s = &f->results[i];
  s->hash = r.hash;
  s->check = r.check;
  snprintf(s->text, sizeof s->text, "%.190s", r.text);
  bool twice = runs_twice(f->o->twice_per_mille, i);
  me->twice += twice;
  if (twice && r.code == RUN_OK && run_once(&o, NULL).hash != r.hash) r.code = RUN_DIFFERS;
  me->turns += r.turns;
  me->lines += r.lines;
  me->revisions += (uint64_t)r.revisions;
  me->virtual_ns += r.virtual_ns;
  me->server_ns += r.server_ns;
  me->start_ns += r.start_ns;
  me->seeds++;
  s->code = (uint8_t)(r.code + 1);
}

static void work(fleet *f, uint32_t job, uint64_t from) {
  worker_state *me = &f->workers[job];
  for (uint64_t i = from; i < f->count; i += f->o->jobs) {
    me->at = i;
    if (f->o->budget_s && run_wall_ns() - f->began_ns > f->o->budget_s * 1000000000) break;
    run_seed(f, me, i);
    if (f->o->stop_at_failure && f->results[i].code != RUN_OK + 1) break;
  }
  me->done = true;
  _exit(0);
}

static void start_worker(fleet *f, uint32_t job, uint64_t from) {
  fflush(NULL);
  f->seen_at[job] = UINT64_MAX;
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody reads what it finds any more */
    if (getppid() != parent) _exit(0);
    int fd = open("/dev/null", O_WRONLY);
    if (fd >= 0) dup2(fd, 2); /* an assertion's words: the repeat line shows them again */
    run_stuck_guard();
    work(f, job, from);
  }
  f->pids[job] = pid;
}

/* A worker ended: at its end, or in the middle of a seed. */
static bool reap(fleet *f, uint32_t job, int status) {
  worker_state *me = &f->workers[job];
  f->pids[job] = 0;
  if (me->done) return false;
  seed_result *s = &f->results[me->at];
  bool stuck = WIFEXITED(status) && WEXITSTATUS(status) == RUN_LIVENESS;
  s->code = (stuck ? RUN_LIVENESS : RUN_CRASH) + 1;
  snprintf(s->text, sizeof s->text, WIFSIGNALED(status) ? "signal %d" : "exit %d",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  if (stuck) {
    s->check = CHECK_LIVENESS;
    snprintf(s->text, sizeof s->text, "a turn does not end");
  }
  if (f->o->stop_at_failure || me->at + f->o->jobs >= f->count) return false;
  start_worker(f, job, me->at + f->o->jobs);
  return true;
}

static void watch_over(fleet *f) {
  int64_t now = run_wall_ns() / 1000000000;
  for (uint32_t j = 0; j < f->o->jobs; j++) {
    if (!f->pids[j]) continue;
    if (f->seen_at[j] != f->workers[j].at) {
      f->seen_at[j] = f->workers[j].at;
      f->seen_s[j] = now;
    } else if (now - f->seen_s[j] > STUCK_S) {
      kill(f->pids[j], SIGABRT);
    }
  }
}

static void wait_for_all(fleet *f) {
  uint32_t running = f->o->jobs;
  while (running) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) {
      watch_over(f);
      usleep(2000);
      continue;
    }
    for (uint32_t j = 0; j < f->o->jobs; j++) {
      if (f->pids[j] == pid && !reap(f, j, status)) running--;
    }
    if (pid < 0) break;
  }
}

static void tell_counts(FILE *out, const run_counts *c) {
  fprintf(out, "checks (looks)\n");
  for (int i = 0; i < CHECKS; i++) {
    fprintf(out, "  %-4s %-11s %12llu  %s\n", check_rows[i].number, check_rows[i].name,
            (unsigned long long)c->checks[i], check_rows[i].text);
  }
  fprintf(out, "fault classes (strikes)\n");
  for (int i = 0; i < FAULT_CLASSES; i++) {
    bool none = fault_rows[i].variants[0].site == SITE_NONE;
    fprintf(out, "  %2d %-17s %12llu%s%s\n", i + 1, fault_rows[i].name,
            (unsigned long long)c->faults[i], none ? "  " : "", none ? fault_rows[i].note : "");
  }
  int reached = 0;
  for (int i = 0; i < PROBES; i++) reached += c->probes[i] > 0;
  fprintf(out, "probes: %d of %d reached\n", reached, PROBES);
  for (int i = 0; i < PROBES; i++) {
    if (!c->probes[i]) fprintf(out, "  never: %s\n", probe_text((probe)i));
  }
}

static void tell_figures(const fleet *f, const worker_state *sum, FILE *out) {
  double wall = (double)(run_wall_ns() - f->began_ns) / 1e9;
  double cpu = (double)sum->run_ns / 1e9, n = (double)sum->seeds;
  fprintf(out, "%.1f seeds/s, %.1f seeds a core-second; virtual to wall %.0f:1; "
          "%.0f turns, %.0f revisions, %.0f lines a seed\n", n / wall, n / cpu,
          (double)sum->virtual_ns / 1e9 / cpu, (double)sum->turns / n,
          (double)sum->revisions / n, (double)sum->lines / n);
  fprintf(out, "%llu of %llu seeds ran twice, each to be the same to the byte\n",
          (unsigned long long)sum->twice, (unsigned long long)sum->seeds);
  if (!f->o->figures) return;
  double inside = (double)sum->server_ns / 1e9;
  double start = (double)sum->start_ns / 1e9;
  fprintf(out, "where the time goes: servers %.0f %% (of it making them %.0f %%), network, "
          "clients, model and checks %.0f %%; %.2f ms a seed\n", 100 * inside / cpu,
          100 * start / cpu, 100 * (cpu - inside) / cpu, 1000 * cpu / n);
}

static void tell_failure(const fleet *f, uint64_t i, FILE *out) {
  const seed_result *s = &f->results[i];
  sim_options o = options_of(f, i);
  run_result r = {.code = s->code - 1, .check = s->check};
  snprintf(r.text, sizeof r.text, "%s", s->text);
  char path[512];
  snprintf(path, sizeof path, "%s/seed-%llu.sim", f->o->out,
           (unsigned long long)(f->o->first + i));
  mkdir(f->o->out, 0777);
  bool written = repro_write(path, &o, &r);
  fprintf(out, "seed %llu: %s %s: %s\n  repeat: %s sim repro %s\n",
          (unsigned long long)(f->o->first + i), run_code_name(r.code),
          run_check_name(r.code, r.check), r.text, f->o->argv0,
          written ? path : "(the file can't be written)");
  if (r.code == RUN_DIFFERS) run_tell_divergence(&o, out);
}

static fleet_result conclude(fleet *f, FILE *out) {
  fleet_result r = {.first_failed = UINT64_MAX};
  for (uint64_t i = 0; i < f->count; i++) {
    const seed_result *s = &f->results[i];
    if (!s->code) continue;
    r.seeds++;
    if (f->o->hashes) {
      fprintf(out, "%llu %016llx\n", (unsigned long long)(f->o->first + i),
              (unsigned long long)s->hash);
    }
    if (s->code == RUN_OK + 1) continue;
    if (r.failed++ == 0) {
      r.first_failed = f->o->first + i;
      r.seeds_to_first = r.seeds;
    }
    if (s->code - 1 > r.code) r.code = s->code - 1;
    if (r.failed <= FAILURES_TOLD && f->o->out) tell_failure(f, i, out);
  }
  return r;
}

fleet_result fleet_run(const fleet_options *o, FILE *out) {
  fleet f = {.o = o, .count = o->last - o->first + 1, .began_ns = run_wall_ns()};
  size_t table = f.count * sizeof(seed_result), states = o->jobs * sizeof(worker_state);
  int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
  f.results = mmap(NULL, table, protection, flags, -1, 0);
  f.workers = mmap(NULL, states, protection, flags, -1, 0);
  if (f.results == MAP_FAILED || f.workers == MAP_FAILED) {
    fprintf(out, "apisim sim fleet: not enough memory for %llu seeds\n",
            (unsigned long long)f.count);
    return (fleet_result){.code = RUN_USAGE};
  }
  for (uint32_t j = 0; j < o->jobs; j++) start_worker(&f, j, j);
  wait_for_all(&f);
  worker_state sum = {0};
  for (uint32_t j = 0; j < o->jobs; j++) {
    const worker_state *s = &f.workers[j];
    for (int i = 0; i < CHECKS; i++) sum.counts.checks[i] += s->counts.checks[i];
    for (int i = 0; i < PROBES; i++) sum.counts.probes[i] += s->counts.probes[i];
    for (int i = 0; i < FAULT_CLASSES; i++) sum.counts.faults[i] += s->counts.faults[i];
    sum.turns += s->turns;
    sum.lines += s->lines;
    sum.revisions += s->revisions;
    sum.seeds += s->seeds;
    sum.twice += s->twice;
    sum.server_ns += s->server_ns;
    sum.start_ns += s->start_ns;
    sum.run_ns += s->run_ns;
    sum.virtual_ns += s->virtual_ns;
  }
  fleet_result r = conclude(&f, out);
  if (!o->hashes && o->out) {
    tell_counts(out, &sum.counts);
    tell_figures(&f, &sum, out);
  }
  munmap(f.results, table);
  munmap(f.workers, states);
  return r;
}
