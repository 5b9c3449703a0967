/* apisim sim run, fleet, repro...: rows of a table; their options are in sim/shrink/args.c. */
#include "sim/commands.h"
#include "sim/shrink/args.h"
#include "sim/shrink/fleet.h"
#include "sim/shrink/repro.h"
#include "sim/shrink/shrink.h"

#include <stdlib.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: apisim sim run [--seed S] [OPTIONS]      one run, its draw printed first\n"
    "       apisim sim fleet --seeds A..B [OPTIONS]  many, over several processes\n"
    "       apisim sim repro FILE [OPTIONS]          a run that was written to a file\n"
    "       apisim sim shrink FILE [-o FILE]         the smallest run that fails the same check\n"
    "       apisim sim faults | checks | probes | mutants   the tables\n"
    "\n"
    "Deterministic simulation: servers, store, network and clients in one thread of virtual time.\n"
    "The same seed (and commit) is the same run, to the byte.\n"
    "\n"
    "What is drawn from the seed unless it is said here:\n"
    "  --profile swarm|lite|quiet   swarm: everything; lite: 500 operations, connection faults;\n"
    "                               quiet: no faults\n"
    "  --servers 1..3, --operations N, --clients N, --backend memory|etcd-model\n"
    "  --faults +NAME,-NAME,=NAME   more or fewer fault classes than drawn; = : only those\n"
    "  --controller NAME            a controller is there: correct, or with a known bug: stale,\n"
    "                               ignores-410, repeats-create, edges\n"
    "  --mutant N                   a known bug (of a build with MODE=mutants)\n"
    "  --canary[=KIND]              something wrong on purpose, which must be caught: event (the\n"
    "                               network loses one and says nothing), stall, crash, chance\n"
    "  --until DURATION             the safety phase's length in virtual time (30s, 5m)\n"
    "  --events-max N               turns at most\n"
    "  --tape FILE                  a recorded tape is played too, by one more client, at virtual\n"
    "                               times (run, fleet); `apisim record` makes them\n"
    "run, repro:\n"
    "  --trace FILE                 every event, one a line (- : standard output); columns: turn,\n"
    "                               time, actor, event, peer, numbers, detail\n"
    "  --html FILE                  the run drawn as lanes over virtual time\n"
    "  -o FILE                      where a failure is written (default reports/seed-S.sim)\n"
    "fleet:\n"
    "  --jobs N                     processes (default: as there are cores)\n"
    "  --hashes                     print one hash a seed, in the order of seeds\n"
    "  --check-determinism P        share of seeds that is run twice (default 0.05)\n"
    "  --budget 60s                 stop after that much wall time\n"
    "  --figures                    where the time goes\n"
    "  --stop                       stop at the first failure\n"
    "shrink:\n"
    "  --budget 50s                 write what has been reached by then (default 50s; 0s: until\n"
    "                               nothing more can go)\n"
    "\n"
    "Exit code: 0 good, 1 usage, 127 crash, 128 liveness, 129 correctness, 130 two runs of one\n"
    "seed differ.\n";

static void reproduce_line(char *out, size_t size, const sim_args *a, const char *path) {
  snprintf(out, size, "%s sim repro %s", a->argv0, path);
}

/* Runs it and tells how it went; a failure is written to a file. */
static int run_and_tell(sim_options *o, const sim_args *a) {
  char path[512], again[700];
  snprintf(path, sizeof path, "%s%sseed-%llu.sim", a->out ? a->out : "",
           a->out ? "" : "reports/", (unsigned long long)o->draw.seed);
  if (a->out) snprintf(path, sizeof path, "%s", a->out);
  reproduce_line(again, sizeof again, a, path);
  draw_print(&o->draw, stdout);
  fflush(stdout);
  if (!a->out) mkdir("reports", 0777);
  run_result dying = {.code = RUN_CRASH};
  repro_write(path, o, &dying); /* a crash finds it written */
  run_crash_guard(o, again);
  int code = args_run(o, a, path, again);
  if (code == RUN_OK) remove(path);
  return code;
}

static int cmd_run(sim_args *a) {
  sim_options o = args_options(a);
  return run_and_tell(&o, a);
}

/* What failed there was that two runs were not the same. */
static int run_again(sim_options *o, const sim_args *a, const char *again) {
  int code = args_run(o, a, NULL, again);
  if (code != RUN_OK) return code;
  o->trace = NULL;
  if (run_tell_divergence(o, stdout)) return RUN_DIFFERS;
  printf("two runs were the same to the byte\n");
  return RUN_OK;
}

static int cmd_repro(sim_args *a) {
  char problem[400];
  if (a->rest_count != 1) {
    fputs("apisim sim repro: wants one FILE\n", stderr);
    return RUN_USAGE;
  }
  repro *r = repro_read(a->rest[0], problem, sizeof problem);
  if (!r) {
    fprintf(stderr, "apisim sim repro: %s\n", problem);
    return RUN_USAGE;
  }
  sim_options o = r->options;
  args_trace(a, &o);
  char again[700];
  reproduce_line(again, sizeof again, a, a->rest[0]);
  draw_print(&o.draw, stdout);
  fflush(stdout);
  run_crash_guard(&o, again);
  int code = r->code == RUN_DIFFERS ? run_again(&o, a, again) : args_run(&o, a, NULL, again);
  repro_free(r);
  return code;
}

static int cmd_shrink(sim_args *a) {
  if (a->rest_count != 1) {
    fputs("apisim sim shrink: wants one FILE\n", stderr);
    return RUN_USAGE;
  }
  int64_t budget_s = a->fleet.budget_set ? a->fleet.budget_s : SHRINK_BUDGET_S;
  return shrink_file(a->rest[0], a->out, a->argv0, budget_s, stdout);
}

static int cmd_fleet(sim_args *a) {
  fleet_options f = args_fleet(a);
  fleet_result r = fleet_run(&f, stdout);
  if (!f.hashes) {
    printf("%llu seeds, %llu failed%s\n", (unsigned long long)r.seeds,
           (unsigned long long)r.failed, r.failed ? "" : ": all good");
    if (r.failed) {
      printf("first: seed %llu, after %llu seeds\n", (unsigned long long)r.first_failed,
             (unsigned long long)r.seeds_to_first);
    }
  }
  return r.code;
}

static int cmd_faults(sim_args *a) {
  (void)a;
  for (int i = 0; i < FAULT_CLASSES; i++) {
    const fault_row *r = &fault_rows[i];
    printf("%2d %-17s allowed: %s; forbidden: %s\n   %-17s %s\n  ", i + 1, r->name, r->allowed,
           r->forbidden, "", r->note);
    for (const fault_variant_row *v = r->variants; v->name; v++) {
      printf(" %s(%s)", v->name, fault_site_name(v->site));
    }
    printf("\n");
  }
  return 0;
}

static int cmd_checks(sim_args *a) {
  (void)a;
  for (int i = 0; i < CHECKS; i++) {
    printf("%-4s %-11s %s\n", check_rows[i].number, check_rows[i].name, check_rows[i].text);
  }
  return 0;
}

static int cmd_probes(sim_args *a) {
  (void)a;
  for (int i = 0; i < PROBES; i++) printf("%s\n", probe_text((probe)i));
  return 0;
}

static int cmd_mutants(sim_args *a) {
  (void)a;
  args_print_mutants(stdout);
  return 0;
}

static const struct {
  const char *name;
  int (*run)(sim_args *a);
} commands[] = {{"run", cmd_run},       {"fleet", cmd_fleet},   {"repro", cmd_repro},
                {"shrink", cmd_shrink}, {"faults", cmd_faults}, {"checks", cmd_checks},
                {"probes", cmd_probes}, {"mutants", cmd_mutants}};

int cmd_sim_world(int argc, char **argv) {
  sim_args a = {.argv0 = "apisim"};
  if (argc < 1) {
    fputs(usage, stderr);
    return RUN_USAGE;
  }
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(argv[0], commands[i].name) != 0) continue;
    int wrong = args_parse(argc, argv, &a);
    if (wrong == 1) fputs(usage, stdout);
    return wrong ? wrong - 1 : commands[i].run(&a);
  }
  return RUN_USAGE;
}
