/* Trials run in processes of their own, so that a crash can be shrunk like anything else. */
#include "sim/shrink/shrink.h"

#include "base/heap.h"
#include "sim/shrink/repro.h"
#include "sim/workload/client.h"
#include "sim/workload/op.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct verdict { /* of a trial; through a pipe */
  int code;
  uint8_t check;
  uint32_t clients; /* how many there were */
  uint32_t writer_ops[CLIENTS_PER_KIND]; /* operations that each began */
} verdict;

typedef struct shrinker {
  sim_options o; /* the smallest so far */
  fault *faults; /* its plan, with `dropped` */
  uint32_t *ops; /* cut ones */
  uint32_t op_count, op_cap;
  verdict wanted;
  uint32_t trials;
  FILE *out;
  arena *arena;
} shrinker;

static void trial_child(const sim_options *o, int fd) {
  int quiet = open("/dev/null", O_WRONLY);
  if (quiet >= 0) dup2(quiet, 2);
  world *w = sim_create(o);
  sim_run(w);
  verdict v = {.code = run_code_of(w), .check = w->violation.check, .clients = w->client_count};
  for (uint32_t i = 0; i < w->op_count; i++) {
    uint32_t by = w->ops[i]->by->who.index;
    if (w->ops[i]->number + 1 > v.writer_ops[by]) v.writer_ops[by] = w->ops[i]->number + 1;
  }
  ssize_t n = write(fd, &v, sizeof v);
  _exit(n == sizeof v ? 0 : 1);
}

static verdict trial(shrinker *s, const sim_options *o) {
  verdict v = {.code = RUN_CRASH};
  int fds[2];
  s->trials++;
  fflush(NULL);
  if (pipe(fds) != 0) return v;
  pid_t pid = fork();
  if (pid == 0) {
    close(fds[0]);
    trial_child(o, fds[1]);
  }
  close(fds[1]);
  verdict got;
  ssize_t n = read(fds[0], &got, sizeof got);
  if (n == sizeof got) v = got;
  close(fds[0]);
  waitpid(pid, NULL, 0);
  return v;
}

static bool fails_alike(shrinker *s, const sim_options *o) {
  verdict v = trial(s, o);
  return v.code == s->wanted.code && (v.code == RUN_CRASH || v.check == s->wanted.check);
}

/* ---- delta debugging over `n` things, each there or not ---- */

typedef struct delta {
  shrinker *s;
  uint32_t n;
  bool *gone;
  /* Puts the set into the options. */
  void (*apply)(struct delta *d, const bool *gone, sim_options *o);
} delta;

static uint32_t left(const delta *d) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < d->n; i++) n += !d->gone[i];
  return n;
}

/* Tries to leave out those of the living whose rank is in [from, to). */
static bool try_without(delta *d, uint32_t from, uint32_t to) {
  bool *gone = malloc(d->n + 1);
  uint32_t rank = 0;
  for (uint32_t i = 0; i < d->n; i++) {
    gone[i] = d->gone[i];
    if (d->gone[i]) continue;
    if (rank >= from && rank < to) gone[i] = true;
    rank++;
  }
  sim_options o = d->s->o;
  d->apply(d, gone, &o);
  bool ok = fails_alike(d->s, &o);
  if (ok) memcpy(d->gone, gone, d->n);
  free(gone);
  return ok;
}

static void minimize(delta *d) {
  uint32_t size = left(d);
  while (size > 0) {
    bool any = false;
    for (uint32_t from = 0; from < left(d);) {
      uint32_t to = from + size;
      if (try_without(d, from, to)) any = true; /* the next ones have moved here */
      else from = to;
    }
    if (size == 1 && !any) break;
    if (!any || size > left(d)) size = size > 1 ? size / 2 : 1;
    if (left(d) == 0) break;
  }
  d->apply(d, d->gone, &d->s->o);
}

static void apply_faults(delta *d, const bool *gone, sim_options *o) {
  for (uint32_t i = 0; i < d->n; i++) d->s->faults[i].dropped = gone[i];
  o->faults = d->s->faults;
}

static void apply_clients(delta *d, const bool *gone, sim_options *o) {
  (void)d;
  o->cuts.clients = 0;
  for (uint32_t i = 0; i < d->n; i++) o->cuts.clients |= (uint64_t)gone[i] << i;
}

/* The operations are numbered through, writer by writer. */
static void apply_ops(delta *d, const bool *gone, sim_options *o) {
  uint32_t at = 0, count = 0;
  for (uint32_t by = 0; by < CLIENTS_PER_KIND; by++) {
    for (uint32_t n = 0; n < d->s->wanted.writer_ops[by]; n++, at++) {
      if (gone[at]) d->s->ops[count++] = by << 16 | n;
    }
  }
  o->cuts.ops = d->s->ops;
  o->cuts.op_count = count;
}

static void stage(shrinker *s, const char *what, uint32_t n,
                  void (*apply)(delta *d, const bool *gone, sim_options *o)) {
  delta d = {.s = s, .n = n, .gone = calloc(n + 1, 1), .apply = apply};
  if (apply == apply_faults) {
    for (uint32_t i = 0; i < n; i++) d.gone[i] = s->faults[i].dropped;
  }
  minimize(&d);
  fprintf(s->out, "%-10s %u of %u are needed (%u runs)\n", what, left(&d), n, s->trials);
  fflush(s->out);
  free(d.gone);
}

static void shrink(shrinker *s) {
  uint32_t ops = 0;
  for (int i = 0; i < CLIENTS_PER_KIND; i++) ops += s->wanted.writer_ops[i];
  s->ops = ARENA_ARRAY(s->arena, uint32_t, ops + 1);
  stage(s, "faults", s->o.fault_count, apply_faults);
  stage(s, "clients", s->wanted.clients, apply_clients);
  stage(s, "operations", ops, apply_ops);
  if (ops) stage(s, "faults", s->o.fault_count, apply_faults); /* fewer operations need fewer */
}

static bool conclude(shrinker *s, const char *path, const char *argv0) {
  run_result r = {.code = s->wanted.code, .check = s->wanted.check};
  snprintf(r.text, sizeof r.text, "shrunk");
  if (!repro_write(path, &s->o, &r)) {
    fprintf(s->out, "apisim sim shrink: %s can't be written\n", path);
    return false;
  }
  fprintf(s->out, "%u runs; the smallest: %s sim repro %s\n", s->trials, argv0, path);
  return true;
}

int shrink_file(const char *path, const char *out_path, const char *argv0, FILE *out) {
  char problem[400], beside[600];
  repro *r = repro_read(path, problem, sizeof problem);
  if (!r) {
    fprintf(out, "apisim sim shrink: %s\n", problem);
    return RUN_USAGE;
  }
  shrinker s = {.o = r->options, .out = out, .arena = r->arena};
  s.faults = ARENA_ARRAY(r->arena, fault, s.o.fault_count + 1);
  if (s.o.fault_count) memcpy(s.faults, s.o.faults, s.o.fault_count * sizeof(fault));
  s.o.faults = s.faults;
  s.wanted = trial(&s, &s.o);
  int code = RUN_USAGE;
  if (s.wanted.code == RUN_OK) {
    fprintf(out, "apisim sim shrink: %s does not fail\n", path);
  } else {
    fprintf(out, "%s %s\n", run_code_name(s.wanted.code),
            s.wanted.code == RUN_CRASH ? "" : check_rows[s.wanted.check].name);
    if (s.wanted.code == RUN_CRASH) { /* a dead process says nothing of its size */
      s.wanted.clients = 32;
      for (int i = 0; i < CLIENTS_PER_KIND; i++) {
        s.wanted.writer_ops[i] = s.o.draw.operations / s.o.draw.writers + 1;
      }
    }
    shrink(&s);
    snprintf(beside, sizeof beside, "%s.min", path);
    code = conclude(&s, out_path ? out_path : beside, argv0) ? 0 : RUN_USAGE;
  }
  repro_free(r);
  return code;
}
