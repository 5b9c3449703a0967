/* apisim sim live: a real controller under a fault plan. */
#include "sim/commands.h"
#include "sim/live/session.h"

#include "codec/codec.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_FOR_NS ((int64_t)600 * 1000000000)

static const char usage[] =
    "usage: apisim sim live --plan FILE [OPTIONS] [-- COMMAND...]\n"
    "\n"
    "Starts a server, runs COMMAND (the plan's first client; KUBECONFIG is set) and the plan's\n"
    "scenario, first without faults, then with them, and compares (sim/live/README.md).\n"
    "\n"
    "  --seed N          instead of the plan's\n"
    "  --seeds A..B      one run a seed; a plan with `swarm` draws its faults from it\n"
    "  --sweep writes    one run for each write of the client: it is killed behind it, restarted\n"
    "  --reference       only the run without faults: what was written, created and deleted\n"
    "  --out DIR         where failing plans and logs go (reports/live)\n"
    "  --keep-going      do not stop at the first failure\n"
    "  --no-shrink       keep a failing plan as it is\n"
    "  --shrink-for D    how long to make a failing plan smaller (10m; 0s: no bound)\n"
    "  --junit FILE      the runs as cases for CI; a failure's text has the repeat line\n"
    "  --classes A,B     what the swarm draws from, in place of the plan's (hold*,lag)\n"
    "  --tries N         a smaller plan is kept if it fails in most of so many runs (3)\n"
    "  --verbose         a line a fault\n"
    "\n"
    "Exit code: 0 passed, 1 unusable, 2 fails without faults, 3 wrong result, 4 not quiet in\n"
    "time, 5 a client ended by itself, 6 lint, 7 failed, and then mostly did not.\n";

static bool number(const char *text, uint64_t *out, const char **rest) {
  char *end;
  if (*text < '0' || *text > '9') return false;
  *out = strtoull(text, &end, 10);
  *rest = end;
  return true;
}

static bool seeds(const char *text, session_options *o, bool range) {
  const char *rest;
  o->seeds_set = true;
  if (!number(text, &o->seed_first, &rest)) return false;
  o->seed_last = o->seed_first;
  if (*rest == '\0') return true;
  if (!range || strncmp(rest, "..", 2) != 0) return false;
  return number(rest + 2, &o->seed_last, &rest) && *rest == '\0' &&
         o->seed_last >= o->seed_first;
}

static const struct option options[] = {
    {"plan", required_argument, NULL, 'p'},    {"seed", required_argument, NULL, 's'},
    {"seeds", required_argument, NULL, 'S'},   {"sweep", required_argument, NULL, 'w'},
    {"reference", no_argument, NULL, 'r'},     {"out", required_argument, NULL, 'o'},
    {"keep-going", no_argument, NULL, 'k'},    {"no-shrink", no_argument, NULL, 'n'},
    {"tries", required_argument, NULL, 't'},   {"verbose", no_argument, NULL, 'v'},
    {"shrink-for", required_argument, NULL, 'f'}, {"junit", required_argument, NULL, 'j'},
    {"classes", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

/* False: a wrong value. */
static bool take(int c, session_options *o) {
  uint64_t n;
  const char *rest;
  switch (c) {
  case 'p': o->file = optarg; return true;
  case 's': return seeds(optarg, o, false);
  case 'S': return seeds(optarg, o, true);
  case 'w': o->sweep_writes = true; return strcmp(optarg, "writes") == 0;
  case 'r': o->only_reference = true; return true;
  case 'o': o->out = optarg; return true;
  case 'k': o->keep_going = true; return true;
  case 'n': o->no_shrink = true; return true;
  case 't':
    if (!number(optarg, &n, &rest) || *rest || n < 1 || n > 100) return false;
    o->tries = (int64_t)n;
    return true;
  case 'f':
    return duration_parse(slice_cstr(optarg), &o->shrink_for_ns) && o->shrink_for_ns >= 0;
  case 'j': o->junit = optarg; return true;
  case 'c': o->classes = optarg; return *optarg != '\0';
  case 'v': o->verbosity = 1; return true;
  default: return false;
  }
}

int cmd_sim_live(int argc, char **argv) {
  session_options o = {.out = "reports/live", .tries = 3, .shrink_for_ns = SHRINK_FOR_NS};
  optind = 1;
  for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
    if (c == 'h') {
      fputs(usage, stdout);
      return 0;
    }
    if (take(c, &o)) continue;
    if (c != '?') fprintf(stderr, "apisim sim live: wrong value: %s\n", optarg);
    return 1;
  }
  if (!o.file) {
    fputs(usage, stderr);
    return 1;
  }
  if (optind < argc) o.command = argv + optind;
  return session_run(&o);
}
