/* Swarm: most options are drawn as "is it there at all" before "how much". */
#include "sim/world/draw.h"

#include "sim/workload/kinds.h"
#include "sim/world/fault.h"
#include "sim/world/transcript.h"

#define US ((int64_t)1000)
#define MS ((int64_t)1000000)

static const char *const profiles[PROFILES] = {"swarm", "lite", "quiet"};
static const char *const controllers[CONTROLLERS] = {"correct", "stale", "ignores-410",
                                                     "repeats-create", "edges"};

const char *profile_name(profile p) { return profiles[p]; }
const char *controller_name(uint8_t c) { return controllers[c]; }

static uint32_t pick_kinds(rng *r, uint32_t n) {
  uint32_t bits = 0;
  while ((uint32_t)__builtin_popcount(bits) < n) bits |= 1u << rng_below(r, KINDS_DRAWN);
  return bits;
}

/* Classes that came later: each is drawn from a stream of its own. */
#define CLASS(n) ((uint64_t)1 << ((n) - 1))
#define LATER_CLASSES (CLASS(6) | CLASS(8) | CLASS(11) | CLASS(14) | CLASS(23) | CLASS(29))

static uint64_t draw_later_classes(const draw *d) {
  rng root;
  uint64_t bits = 0;
  rng_init(&root, d->seed);
  for (uint32_t i = 0; i < FAULT_CLASSES; i++) {
    if (!(LATER_CLASSES >> i & 1)) continue;
    rng r = rng_split(&root, 6000 + i);
    if (rng_chance(&r, 1, 8)) bits |= (uint64_t)1 << i;
  }
  return bits;
}

static void draw_faults(draw *d, rng *r, const draw_wish *wish) {
  uint64_t chance = 5 + rng_below(r, 45); /* of a hundred, a class */
  for (uint32_t i = 0; i < FAULT_CLASSES; i++) {
    if (rng_chance(r, chance, 100)) d->faults |= (uint64_t)1 << i;
  }
  d->faults = (d->faults & ~LATER_CLASSES) | draw_later_classes(d);
  /* a process that dies takes the embedded store with it: rarely, or nothing else is seen */
  uint64_t deadly = (uint64_t)1 << 34 | (uint64_t)1 << 35 | (uint64_t)1 << 36;
  if (!d->etcd_model && rng_chance(r, 4, 5)) d->faults &= ~deadly;
  if (d->profile == PROFILE_QUIET) d->faults = 0;
  if (d->profile == PROFILE_LITE) { /* connections and history only */
    d->faults = (uint64_t)1 << 24 | (uint64_t)1 << 6 | (uint64_t)1 << 18 | (uint64_t)1 << 23 |
                (uint64_t)1 << 30;
  }
  if (wish->faults_only) d->faults = wish->faults_on;
  d->faults = (d->faults | wish->faults_on) & ~wish->faults_off;
  for (uint8_t class = 1; class <= FAULT_CLASSES; class++) {
    if (!fault_possible(d, class)) d->faults &= ~((uint64_t)1 << (class - 1));
  }
}

static void draw_sizes(draw *d, rng *r) {
  d->writers = 1 + (uint32_t)rng_below(r, 4);
  d->informers = 1 + (uint32_t)rng_below(r, 5);
  rng_below(r, 3); /* three draws that stand for nothing any more: old seeds keep their runs */
  rng_chance(r, 1, 3);
  if (rng_chance(r, 1, 3)) rng_below(r, 2);
  d->operations = 60 + (uint32_t)rng_below(r, 340);
  d->namespaces = 1 + (uint32_t)rng_below(r, 3);
  d->names = 2 + (uint32_t)rng_below(r, 7);
  d->gap_ns = (20 + (int64_t)rng_below(r, 300)) * MS;
  d->latency_ns = (50 + (int64_t)rng_below(r, 3000)) * US;
  d->jitter_ns = rng_chance(r, 1, 2) ? d->latency_ns * (int64_t)rng_below(r, 8) : 0;
}

/* What came later has a stream of its own, so that it moves nothing that was drawn before. */
static void draw_more_clients(draw *d, rng *r) {
  bool some = rng_chance(r, 2, 5);
  uint32_t pagers = (uint32_t)rng_below(r, 3);
  bool controller = rng_chance(r, 1, 2), electors = rng_chance(r, 1, 2);
  static const int64_t ttls[] = {2, 5, 20};
  uint32_t candidates = 2 + (uint32_t)rng_below(r, 2);
  int64_t ttl = ttls[rng_below(r, 3)];
  if (!some || d->profile == PROFILE_LITE) return;
  d->pagers = pagers;
  d->controllers = controller;
  d->electors = electors ? candidates : 0;
  d->event_ttl_s = ttl;
}

static void wish_sizes(draw *d, const draw_wish *wish) {
  if (d->profile == PROFILE_LITE) {
    d->operations = 500;
    d->writers = 1;
    d->informers = 2;
    d->pagers = d->controllers = d->electors = 0;
  }
  if (wish->controllers > d->controllers) d->controllers = wish->controllers;
  if (wish->operations > 0) d->operations = (uint32_t)wish->operations;
  if (wish->clients > 0) {
    d->writers = ((uint32_t)wish->clients + 1) / 2;
    d->informers = (uint32_t)wish->clients - d->writers;
  }
  if (d->writers > CLIENTS_PER_KIND) d->writers = CLIENTS_PER_KIND;
  if (d->informers > CLIENTS_PER_KIND) d->informers = CLIENTS_PER_KIND;
}

static void draw_store(draw *d, rng *r, const draw_wish *wish) {
  static const int64_t firsts[] = {1000000000, 2147483640, 9007199254740980,
                                   4611686018427387900};
  bool several = rng_chance(r, 2, 3);
  uint64_t servers = 1 + rng_below(r, SERVERS_MAX);
  bool etcd = several || rng_chance(r, 1, 2);
  d->stored_protobuf = rng_chance(r, 1, 2);
  int64_t jump = firsts[rng_below(r, 4)];
  uint64_t history = rng_chance(r, 1, 2) ? 1 + rng_below(r, 8) : 10 + rng_below(r, 200);
  bool short_history = rng_chance(r, 1, 3);
  d->etcd_model = wish->backend == 2 || (wish->backend == 0 && etcd) || wish->servers > 1;
  d->servers = d->etcd_model ? (uint32_t)(wish->servers > 0 ? (uint64_t)wish->servers : servers)
                             : 1;
  if (d->servers > SERVERS_MAX) d->servers = SERVERS_MAX;
  d->first_revision = jump;
  d->history = short_history ? history : 0;
}

const char *canary_name(uint8_t c) {
  static const char *const names[CANARIES] = {"none", "event", "stall", "crash", "chance"};
  return c < CANARIES ? names[c] : "?";
}

draw draw_make(uint64_t seed, const draw_wish *wish) {
  draw d = {.seed = seed, .profile = wish->profile, .controller = wish->controller,
            .mutant = wish->mutant, .canary = wish->canary};
  rng root;
  rng_init(&root, seed);
  rng sizes = rng_split(&root, 10), store = rng_split(&root, 11), faults = rng_split(&root, 12);
  rng more = rng_split(&root, 13);
  draw_sizes(&d, &sizes);
  draw_more_clients(&d, &more);
  d.kinds = pick_kinds(&sizes, 1 + (uint32_t)rng_below(&sizes, 4));
  wish_sizes(&d, wish);
  draw_store(&d, &store, wish);
  draw_faults(&d, &faults, wish);
  rng compare = rng_split(&root, 15);
  d.compare = rng_chance(&compare, 1, 10) && d.profile == PROFILE_SWARM;
  rng window = rng_split(&root, 16);
  d.watch_window = rng_chance(&window, 1, 2);
  if (!(d.faults >> 11 & 1)) d.first_revision = 1;
  if (!(d.faults >> 17 & 1)) d.history = 0;
  return d;
}

void draw_print(const draw *d, FILE *out) {
  fprintf(out, "draw     seed=%llu profile=%s backend=%s%s servers=%u first-revision=%lld history="
          "%llu watch-window=%d\n", (unsigned long long)d->seed, profiles[d->profile],
          d->etcd_model ? "etcd-model" : "memory",
          d->etcd_model ? d->stored_protobuf ? "/protobuf" : "/json" : "", d->servers,
          (long long)d->first_revision, (unsigned long long)d->history, d->watch_window);
  fprintf(out, "draw     operations=%u writers=%u informers=%u pagers=%u controllers=%u(%s) "
          "electors=%u namespaces=%u names=%u\n", d->operations, d->writers, d->informers,
          d->pagers, d->controllers, controllers[d->controller], d->electors, d->namespaces,
          d->names);
  fprintf(out, "draw     latency=%lldus jitter=%lldus gap=%lldms kinds=",
          (long long)(d->latency_ns / US), (long long)(d->jitter_ns / US),
          (long long)(d->gap_ns / MS));
  const char *comma = "";
  for (uint32_t i = 0; i < kind_row_count; i++) {
    if (!(d->kinds >> i & 1)) continue;
    fprintf(out, "%s%s", comma, kind_rows[i].resource);
    comma = ",";
  }
  fprintf(out, "\ndraw     faults=");
  comma = "";
  for (uint32_t i = 0; i < FAULT_CLASSES; i++) {
    if (!(d->faults >> i & 1)) continue;
    fprintf(out, "%s%s", comma, fault_rows[i].name);
    comma = ",";
  }
  fprintf(out, "\n");
}
