/* Trials run in processes of their own, so that a crash can be shrunk like anything else. */
#include "sim/shrink/shrink.h"

#include "base/heap.h"
#include "sim/shrink/repro.h"
#include "sim/workload/client.h"
#include "sim/workload/op.h"
#include "sim/workload/player.h"
#include "sim/workload/writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURNS_BESIDE 5000

typedef struct verdict { /* of a trial; through a pipe */
  int code;
  uint8_t check;
  uint32_t clients; /* how many there were */
  uint32_t writer_ops[CLIENTS_PER_KIND]; /* operations that each began */
  uint32_t exchanges; /* of the tape that were sent */
  uint64_t turns;
} verdict;

typedef struct shrinker {
  sim_options o; /* the smallest so far */
  fault *faults; /* its plan, with `dropped` */
  uint32_t *ops; /* cut ones, in order */
  bool *gone_ops; /* the same as a set, numbered through */
  verdict wanted;
  uint32_t exchanges; /* of the tape */
  uint32_t trials;
  int64_t ends_ns; /* of the wall clock; 0: no bound */
  bool cut_short;
  FILE *out;
  arena *arena;
} shrinker;

static void trial_child(const sim_options *o, int fd) {
  int quiet = open("/dev/null", O_WRONLY);
  if (quiet >= 0) dup2(quiet, 2);
  world *w = sim_create(o);
  run_set_current(w);
  run_stuck_guard();
  sim_run(w);
  verdict v = {.code = run_code_of(w), .check = w->violation.check, .clients = w->client_count,
               .turns = w->turn};
  for (uint32_t i = 0; i < w->op_count; i++) {
    uint32_t by = w->ops[i]->by->who.index;
    if (w->ops[i]->number + 1 > v.writer_ops[by]) v.writer_ops[by] = w->ops[i]->number + 1;
  }
  if (player_of(w)) v.exchanges = player_of(w)->next;
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

/* What was cut may have made the run end early: without it a run may go on for a hundred times as
 * long. One that fails only then is not smaller. What has no end is found at the bound itself. */
static uint64_t turns_enough(const shrinker *s, const sim_options *o) {
  bool ends = s->wanted.code == RUN_WRONG && s->wanted.turns;
  uint64_t enough = 3 * s->wanted.turns + TURNS_BESIDE;
  return !ends || (o->events_max && o->events_max < enough) ? o->events_max : enough;
}

static bool fails_alike(shrinker *s, const sim_options *o) {
  sim_options bounded = *o;
  bounded.events_max = turns_enough(s, o);
  verdict v = trial(s, &bounded);
  return v.code == s->wanted.code && (v.code == RUN_CRASH || v.check == s->wanted.check);
}

static bool late(shrinker *s) {
  s->cut_short = s->cut_short || (s->ends_ns && run_wall_ns() >= s->ends_ns);
  return s->cut_short;
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

/* Halves, quarters, ... single ones, each once: shrink() comes again as long as something goes. */
static void minimize(delta *d) {
  for (uint32_t size = left(d); size > 0; size /= 2) {
    for (uint32_t from = 0; from < left(d) && !late(d->s);) {
      /* Behind a cut the next ones have moved here. */
      if (!try_without(d, from, from + size)) from += size;
    }
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

/* The operations are numbered through, writer by writer, the tape's exchanges last. */
static void apply_ops(delta *d, const bool *gone, sim_options *o) {
  uint32_t at = 0, count = 0;
  for (uint32_t by = 0; by < CLIENTS_PER_KIND; by++) {
    for (uint32_t n = 0; n < writer_share(&o->draw, by); n++, at++) {
      if (gone[at]) d->s->ops[count++] = by << 16 | n;
    }
  }
  for (uint32_t n = 0; n < d->s->exchanges; n++, at++) {
    if (gone[at]) d->s->ops[count++] = PLAYER_WRITER << 16 | n;
  }
  o->cuts.ops = d->s->ops;
  o->cuts.op_count = count;
}

/* Gives whether something more could go. */
static bool stage(shrinker *s, const char *what, uint32_t n, bool *gone,
                  void (*apply)(delta *d, const bool *gone, sim_options *o)) {
  delta d = {.s = s, .n = n, .gone = gone, .apply = apply};
  uint32_t before = left(&d);
  minimize(&d);
  fprintf(s->out, "%-10s %u of %u are needed (%u runs)\n", what, left(&d), n, s->trials);
  fflush(s->out);
  return left(&d) < before;
}

/* What the file that is read has left out already stays so, and what the failing run never came
 * to is left out at once (unless it is wanted after all: a run of which more is cut may go on for
 * longer). */
static void begin_with_cuts(shrinker *s, uint32_t ops, bool *clients, bool *faults) {
  for (uint32_t i = 0; i < s->wanted.clients; i++) clients[i] = s->o.cuts.clients >> i & 1;
  for (uint32_t i = 0; i < s->o.fault_count; i++) faults[i] = s->faults[i].dropped;
  sim_options o = s->o;
  delta d = {.s = s, .n = ops, .gone = s->gone_ops};
  bool *unseen = ARENA_ARRAY(s->arena, bool, ops + 1);
  uint32_t at = 0;
  for (uint32_t by = 0; by <= CLIENTS_PER_KIND; by++) {
    bool is_tape = by == CLIENTS_PER_KIND;
    uint32_t who = is_tape ? PLAYER_WRITER : by;
    uint32_t seen = is_tape ? s->wanted.exchanges : s->wanted.writer_ops[by];
    for (uint32_t n = 0; n < (is_tape ? s->exchanges : writer_share(&o.draw, by)); n++, at++) {
      s->gone_ops[at] = cuts_have(&o.cuts, who, n);
      unseen[at] = s->gone_ops[at] || n >= seen;
    }
  }
  apply_ops(&d, unseen, &o);
  if (fails_alike(s, &o)) memcpy(s->gone_ops, unseen, ops);
  apply_ops(&d, s->gone_ops, &s->o);
}

/* Again from the front as long as something goes: fewer operations need fewer faults. */
static void shrink(shrinker *s) {
  arena *a = s->arena;
  s->exchanges = s->o.tape ? s->o.tape->count : 0;
  uint32_t ops = s->o.draw.operations + s->exchanges;
  s->gone_ops = ARENA_ARRAY(a, bool, ops + 1);
  bool *clients = ARENA_ARRAY(a, bool, s->wanted.clients + 1);
  bool *faults = ARENA_ARRAY(a, bool, s->o.fault_count + 1);
  s->ops = ARENA_ARRAY(a, uint32_t, ops + 1);
  begin_with_cuts(s, ops, clients, faults);
  for (bool more = true; more && !s->cut_short;) {
    more = stage(s, "faults", s->o.fault_count, faults, apply_faults);
    more |= stage(s, "clients", s->wanted.clients, clients, apply_clients);
    more |= stage(s, "operations", ops, s->gone_ops, apply_ops);
  }
}

/* What was written is read again and must fail as it did. */
static bool repeats(shrinker *s, const char *path) {
  char problem[400];
  repro *r = repro_read(path, problem, sizeof problem);
  bool ok = r && fails_alike(s, &r->options);
  if (!ok) fprintf(s->out, "apisim sim shrink: %s does not fail alike: a bug here\n", path);
  repro_free(r);
  return ok;
}

static bool conclude(shrinker *s, const char *path, const char *argv0) {
  run_result r = {.code = s->wanted.code, .check = s->wanted.check};
  snprintf(r.text, sizeof r.text, "shrunk");
  if (!repro_write(path, &s->o, &r)) {
    fprintf(s->out, "apisim sim shrink: %s can't be written\n", path);
    return false;
  }
  if (!repeats(s, path)) return false;
  fprintf(s->out, "%u runs; %s: %s sim repro %s\n", s->trials,
          s->cut_short ? "the time of --budget is over, the smallest so far" : "the smallest",
          argv0, path);
  return true;
}

int shrink_file(const char *path, const char *out_path, const char *argv0, int64_t budget_s,
                FILE *out) {
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
  if (budget_s) s.ends_ns = run_wall_ns() + budget_s * SECOND;
  s.wanted = trial(&s, &s.o);
  int code = RUN_USAGE;
  if (s.wanted.code == RUN_OK) {
    fprintf(out, "apisim sim shrink: %s does not fail\n", path);
  } else {
    fprintf(out, "%s %s\n", run_code_name(s.wanted.code),
            s.wanted.code == RUN_CRASH ? "" : check_rows[s.wanted.check].name);
    if (s.wanted.code == RUN_CRASH) { /* a dead process says nothing of its size */
      s.wanted.clients = CLIENTS_MAX;
      for (uint32_t i = 0; i < CLIENTS_PER_KIND; i++) {
        s.wanted.writer_ops[i] = writer_share(&s.o.draw, i);
      }
      if (s.o.tape) s.wanted.exchanges = s.o.tape->count;
    }
    shrink(&s);
    snprintf(beside, sizeof beside, "%s.min", path);
    code = conclude(&s, out_path ? out_path : beside, argv0) ? 0 : RUN_USAGE;
  }
  repro_free(r);
  return code;
}
