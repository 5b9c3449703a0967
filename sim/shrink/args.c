/* One getopt table for all of them: an option that a command has no use for is refused there. */
#include "sim/shrink/args.h"

#include "base/mutant.h"
#include "sim/shrink/repro.h"
#include "sim/workload/player.h"
#include "sim/world/html.h"

#include <getopt.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { OPT_SEED = 256, OPT_SEEDS, OPT_JOBS, OPT_PROFILE, OPT_SERVERS, OPT_OPERATIONS, OPT_CLIENTS,
       OPT_BACKEND, OPT_FAULTS, OPT_MUTANT, OPT_CONTROLLER, OPT_UNTIL, OPT_EVENTS,
       OPT_TRACE, OPT_HTML, OPT_HASHES, OPT_TWICE, OPT_BUDGET, OPT_FIGURES, OPT_STOP,
       OPT_CANARY, OPT_TAPE };

static const struct option options[] = {
    {"seed", required_argument, NULL, OPT_SEED},
    {"seeds", required_argument, NULL, OPT_SEEDS},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"profile", required_argument, NULL, OPT_PROFILE},
    {"servers", required_argument, NULL, OPT_SERVERS},
    {"operations", required_argument, NULL, OPT_OPERATIONS},
    {"clients", required_argument, NULL, OPT_CLIENTS},
    {"backend", required_argument, NULL, OPT_BACKEND},
    {"faults", required_argument, NULL, OPT_FAULTS},
    {"mutant", required_argument, NULL, OPT_MUTANT},
    {"controller", required_argument, NULL, OPT_CONTROLLER},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"events-max", required_argument, NULL, OPT_EVENTS},
    {"trace", required_argument, NULL, OPT_TRACE},
    {"html", required_argument, NULL, OPT_HTML},
    {"hashes", no_argument, NULL, OPT_HASHES},
    {"check-determinism", required_argument, NULL, OPT_TWICE},
    {"budget", required_argument, NULL, OPT_BUDGET},
    {"figures", no_argument, NULL, OPT_FIGURES},
    {"stop", no_argument, NULL, OPT_STOP},
    {"tape", required_argument, NULL, OPT_TAPE},
    {"canary", optional_argument, NULL, OPT_CANARY},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static bool bad(const char *option, const char *text, const char *wants) {
  fprintf(stderr, "apisim sim: --%s %s: wants %s\n", option, text, wants);
  return false;
}

static bool number(const char *option, const char *text, uint64_t low, uint64_t high,
                   uint64_t *out) {
  uint64_t n = 0;
  if (!u64_parse(slice_cstr(text), &n) && n >= low && n <= high) {
    *out = n;
    return true;
  }
  fprintf(stderr, "apisim sim: --%s %s: wants a number from %llu to %llu\n", option, text,
          (unsigned long long)low, (unsigned long long)high);
  return false;
}

static bool seeds(const char *text, fleet_options *f) {
  slice all = slice_cstr(text), first, last;
  ptrdiff_t at = slice_find(all, SLICE_LIT(".."));
  if (at < 0) return bad("seeds", text, "A..B");
  first = slice_upto(all, (size_t)at);
  last = slice_from(all, (size_t)at + 2);
  bool ok = !u64_parse(first, &f->first) && !u64_parse(last, &f->last) && f->first <= f->last &&
            f->last - f->first < (uint64_t)100000000;
  return ok || bad("seeds", text, "A..B, at most 100,000,000 of them");
}

static bool duration(const char *option, const char *text, int64_t *out) {
  char unit[3] = "s";
  double n;
  if (sscanf(text, "%lf%2s", &n, unit) >= 1 && n > 0 && n < 1e7) {
    double scale = !strcmp(unit, "ms") ? 1e6 : !strcmp(unit, "s") ? 1e9
                 : !strcmp(unit, "m") ? 60e9 : !strcmp(unit, "h") ? 3600e9 : 0;
    *out = (int64_t)(n * scale);
    if (*out > 0) return true;
  }
  return bad(option, text, "a duration such as 30s or 5m");
}

static int find(const char *text, const char *(*name)(int), int count) {
  for (int i = 0; i < count; i++) {
    if (!strcmp(text, name(i))) return i;
  }
  return -1;
}

static const char *profile_at(int i) { return profile_name((profile)i); }
static const char *controller_at(int i) { return controller_name((uint8_t)i); }
static const char *fault_at(int i) { return fault_rows[i].name; }

static bool fault_list(const char *text, draw_wish *w) {
  char copy[1024], *rest = copy, *word;
  snprintf(copy, sizeof copy, "%s", text);
  while ((word = strsep(&rest, ","))) {
    char sign = *word;
    int class = sign ? find(word + 1, fault_at, FAULT_CLASSES) : -1;
    if (!strcmp(word, "=none")) class = FAULT_CLASSES;
    if (class < 0 || !strchr("+-=", sign)) {
      return bad("faults", word, "+NAME, -NAME or =NAME; `apisim sim faults` lists the names");
    }
    uint64_t bit = class < FAULT_CLASSES ? (uint64_t)1 << class : 0;
    if (sign == '-') w->faults_off |= bit;
    else w->faults_on |= bit;
    w->faults_only |= sign == '=';
  }
  return true;
}

static bool names(int c, const char *text, sim_args *a) {
  int i = -1;
  if (c == OPT_PROFILE) {
    i = find(text, profile_at, PROFILES);
    if (i < 0) return bad("profile", text, "swarm, lite or quiet");
    a->wish.profile = (profile)i;
  } else if (c == OPT_CONTROLLER) {
    i = find(text, controller_at, CONTROLLERS);
    if (i < 0) {
      return bad("controller", text, "correct, stale, ignores-410, repeats-create or edges");
    }
    a->wish.controller = (uint8_t)i;
    a->wish.controllers = 1;
  } else if (c == OPT_BACKEND) {
    a->wish.backend = !strcmp(text, "memory") ? 1 : !strcmp(text, "etcd-model") ? 2 : 0;
    if (!a->wish.backend) return bad("backend", text, "memory or etcd-model");
  }
  return true;
}

static bool mutant(const char *text, sim_args *a) {
#ifdef APISIM_MUTANTS
  uint64_t n = 0;
  if (!number("mutant", text, 1, MUTANTS - 1, &n)) return false;
  a->wish.mutant = (uint32_t)n;
  return true;
#else
  (void)a;
  fprintf(stderr, "apisim sim: --mutant %s: this build has none; build with MODE=mutants\n", text);
  return false;
#endif
}

static bool numbers(int c, const char *text, sim_args *a) {
  uint64_t n = 0;
  switch (c) {
    case OPT_SEED: a->seed_set = true; return number("seed", text, 0, UINT64_MAX, &a->seed);
    case OPT_JOBS:
      if (!number("jobs", text, 1, 64, &n)) return false;
      a->fleet.jobs = (uint32_t)n;
      return true;
    case OPT_SERVERS:
      if (!number("servers", text, 1, SERVERS_MAX, &n)) return false;
      a->wish.servers = (int32_t)n;
      return true;
    case OPT_OPERATIONS:
      if (!number("operations", text, 1, 60000, &n)) return false;
      a->wish.operations = (int32_t)n;
      return true;
    case OPT_CLIENTS:
      if (!number("clients", text, 1, 2 * CLIENTS_PER_KIND, &n)) return false;
      a->wish.clients = (int32_t)n;
      return true;
    default: return number("events-max", text, 1, UINT64_MAX, &a->events_max);
  }
}

static bool share(const char *text, fleet_options *f) {
  double p;
  if (sscanf(text, "%lf", &p) != 1 || p < 0 || p > 1) {
    return bad("check-determinism", text, "a share from 0 to 1");
  }
  f->twice_per_mille = (uint32_t)(p * 1000 + 0.5);
  return true;
}

static bool budget(const char *text, fleet_options *f) {
  int64_t ns = 0;
  bool no_bound = strcmp(text, "0") == 0 || strcmp(text, "0s") == 0;
  if (!no_bound && !duration("budget", text, &ns)) return false;
  f->budget_s = ns > 0 && ns < SECOND ? 1 : ns / SECOND;
  f->budget_set = true;
  return true;
}

#define TAPE_EXCHANGES 65535u

static bool read_tape(const char *path, sim_args *a) {
  char problem[400];
  FILE *f = fopen(path, "rb");
  if (!f) return bad("tape", path, "a recorded tape that can be read");
  FILE *to = open_memstream(&a->tape_text, &a->tape_len);
  char part[4096];
  for (size_t n; to && (n = fread(part, 1, sizeof part, f)) > 0;) fwrite(part, 1, n, to);
  fclose(f);
  if (!to || fclose(to) != 0) return bad("tape", path, "more memory");
  slice text = slice_of(a->tape_text, a->tape_len);
  a->tape = tape_parse(text, path, problem, sizeof problem);
  if (!a->tape) {
    fprintf(stderr, "apisim sim: --tape: %s\n", problem);
    return false;
  }
  return a->tape->count <= TAPE_EXCHANGES || bad("tape", path, "at most 65535 exchanges");
}

static const char *canary_at(int i) { return canary_name((uint8_t)i); }

static bool canary_wish(const char *text, sim_args *a) {
  int i = text ? find(text, canary_at, CANARIES) : CANARY_EVENT;
  if (i <= 0) return bad("canary", text, "event, stall, crash or chance");
  a->wish.canary = (uint8_t)i;
  return true;
}

static bool take(int c, const char *text, sim_args *a) {
  switch (c) {
    case OPT_SEEDS: a->seeds_set = true; return seeds(text, &a->fleet);
    case OPT_PROFILE:
    case OPT_CONTROLLER:
    case OPT_BACKEND: return names(c, text, a);
    case OPT_FAULTS: return fault_list(text, &a->wish);
    case OPT_MUTANT: return mutant(text, a);
    case OPT_UNTIL: return duration("until", text, &a->until_ns);
    case OPT_TRACE: a->trace = text; return true;
    case OPT_HTML: a->html = text; return true;
    case 'o': a->out = text; return true;
    case OPT_HASHES: a->fleet.hashes = true; return true;
    case OPT_TWICE: return share(text, &a->fleet);
    case OPT_BUDGET: return budget(text, &a->fleet);
    case OPT_FIGURES: a->fleet.figures = true; return true;
    case OPT_TAPE: return read_tape(text, a);
    case OPT_CANARY: return canary_wish(text, a);
    case OPT_STOP: a->fleet.stop_at_failure = true; return true;
    default: return numbers(c, text, a);
  }
}

/* What each command has a use for; anything else is refused. */
#define DRAWN " profile servers operations clients backend faults mutant controller canary tape "
static const struct {
  const char *command, *takes;
} uses[] = {
    {"run", DRAWN "seed until events-max trace html o "},
    {"fleet", DRAWN "seeds jobs hashes check-determinism budget figures stop o "},
    {"repro", " until events-max trace html "},
    {"shrink", " budget o "},
};

static bool has_use(const char *command, const char *option) {
  char word[40];
  snprintf(word, sizeof word, " %s ", option);
  for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
    if (!strcmp(uses[i].command, command)) {
      if (strstr(uses[i].takes, word)) return true;
      break;
    }
  }
  fprintf(stderr, "apisim sim %s: has no use for %s%s\n", command, option[1] ? "--" : "-",
          option);
  return false;
}

int args_parse(int argc, char **argv, sim_args *a) {
  int c, at = 0;
  a->fleet.twice_per_mille = 50;
  optind = 1;
  while ((c = getopt_long(argc, argv, "ho:", options, &at)) != -1) {
    if (c == 'h') return 1;
    if (c == '?' || !has_use(argv[0], c == 'o' ? "o" : options[at].name)) return RUN_USAGE + 1;
    if (!take(c, optarg, a)) return RUN_USAGE + 1;
  }
  a->rest = argv + optind;
  a->rest_count = argc - optind;
  bool is_fleet = !strcmp(argv[0], "fleet");
  if (is_fleet && !a->seeds_set) {
    fputs("apisim sim fleet: wants --seeds A..B\n", stderr);
    return RUN_USAGE + 1;
  }
  bool wants_file = !strcmp(argv[0], "repro") || !strcmp(argv[0], "shrink");
  if (a->rest_count && !wants_file) {
    fprintf(stderr, "apisim sim %s: what is \"%s\"?\n", argv[0], a->rest[0]);
    return RUN_USAGE + 1;
  }
  if (!a->seed_set && getrandom(&a->seed, sizeof a->seed, 0) > 0) a->seed %= 1000000000;
  return 0;
}

void args_trace(const sim_args *a, sim_options *o) {
  if (a->trace) o->trace = !strcmp(a->trace, "-") ? stdout : fopen(a->trace, "w");
  if (a->trace && !o->trace) fprintf(stderr, "apisim sim: %s can't be written\n", a->trace);
  o->record = a->html != NULL;
  if (a->until_ns) o->until_ns = a->until_ns;
  if (a->events_max) o->events_max = a->events_max;
}

sim_options args_options(const sim_args *a) {
  sim_options o = {.draw = draw_make(a->seed, &a->wish), .tape = a->tape,
                   .tape_text = slice_of(a->tape_text, a->tape_len)};
  args_trace(a, &o);
  return o;
}

fleet_options args_fleet(const sim_args *a) {
  fleet_options f = a->fleet;
  f.wish = a->wish;
  f.tape = a->tape;
  f.tape_text = slice_of(a->tape_text, a->tape_len);
  f.argv0 = a->argv0;
  f.out = a->out ? a->out : "reports";
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (!f.jobs) f.jobs = cores > 0 && cores < 64 ? (uint32_t)cores : 1;
  return f;
}

static void tell_tape(const world *w) {
  const player *p = player_of(w);
  if (!p) return;
  const uint32_t *n = p->fates;
  printf("tape %.*s: %u requests; answers as on the tape %u, another body %u, another status %u, "
         "none %u; not compared %u\n", SLICE_ARG(w->tape->session), w->tape->count, n[TAPED_SAME],
         n[TAPED_STATUS], n[TAPED_OTHER], n[TAPED_LOST], n[TAPED_UNSCORED]);
}

/* A failure is in a file; a good run is its seed. */
static bool html_of(const char *path, const world *w, int code, const char *again) {
  char text[128];
  snprintf(text, sizeof text, "apisim sim run --seed %llu, with the same options",
           (unsigned long long)w->draw->seed);
  return html_write(path, w, sim_commit, code == RUN_OK ? text : again);
}

int args_run(sim_options *o, const sim_args *a, const char *path, const char *again) {
  world *w = sim_create(o);
  run_set_current(w);
  sim_run(w);
  run_set_current(NULL);
  run_result r = {.code = run_code_of(w), .check = w->violation.check, .hash = w->log.hash};
  snprintf(r.text, sizeof r.text, "%.390s", w->violation.text);
  if (a->html && !html_of(a->html, w, r.code, again)) {
    fprintf(stderr, "apisim sim: %s can't be written\n", a->html);
  }
  if (r.code == RUN_OK) {
    tell_tape(w);
    printf("seed %llu: ok, hash %016llx, %llu turns, %.3f virtual seconds, %lld revisions\n",
           (unsigned long long)o->draw.seed, (unsigned long long)r.hash,
           (unsigned long long)w->turn, (double)w->now_ns / 1e9,
           (long long)w->model->count);
  } else {
    if (path) repro_write(path, o, &r);
    repro_tell_failure(stdout, o, w, &r, again);
  }
  sim_destroy(w);
  if (o->trace && o->trace != stdout) fclose(o->trace);
  return r.code;
}

void args_print_mutants(FILE *out) {
#define MUTANT_LINE(name, text) fprintf(out, "%2d %-22s %s\n", MUTANT_##name, #name, text);
  MUTANT_LIST(MUTANT_LINE)
#undef MUTANT_LINE
#ifndef APISIM_MUTANTS
  fprintf(out, "(this build has none of them; make MODE=mutants)\n");
#endif
}
