/* A tick a retry period: look at the lease, or renew it. One request at a time. */
#include "sim/workload/elector.h"

#include "base/mutant.h"
#include "sim/check/check_actors.h"
#include "sim/model/json_scan.h"

#define LEASE_NAMESPACE SLICE_LIT("kube-system")
#define LEASE_NAME SLICE_LIT("sim-leader")
#define STEPS_DOWN 40 /* one renewal in so many gives the lease back */

enum step { IDLE, LOOKS, MAKES, RENEWS, TAKES, RELEASES };

static int64_t local_now(const elector *e) {
  int64_t now = e->base.world->now_ns;
  return now + now / 1000 * e->drift;
}

static int64_t deadline_ns(const elector *e) { return e->duration_s * SECOND * 2 / 3; }
static int64_t retry_ns(const elector *e) { return e->duration_s * SECOND * 2 / 15; }

slice elector_identity(const elector *e) {
  return arena_printf(e->base.world->arena, "elector%u-%u", e->base.who.index, e->life);
}

static bool leads(const elector *e) {
  const world *w = e->base.world;
  return !e->base.gone && e->leads_until_ns > w->now_ns && e->epoch == w->epoch;
}

const elector *elector_leading(const world *w, const elector *but) {
  for (uint32_t i = 0; i < w->client_count; i++) {
    const elector *e = (const elector *)w->clients[i];
    if (w->clients[i]->row == &elector_row && e != but && leads(e)) return e;
  }
  return NULL;
}

/* ---- requests ---- */

/* "2026-01-01T00:00:07.000000Z" by its own clock; the run's first day is enough of a calendar. */
static slice micro_time(const elector *e) {
  int64_t us = local_now(e) / 1000, s = us / 1000000;
  return arena_printf(e->base.world->arena, "2026-01-%02lldT%02lld:%02lld:%02lld.%06lldZ",
                      (long long)(1 + s / 86400 % 28), (long long)(s / 3600 % 24),
                      (long long)(s / 60 % 60), (long long)(s % 60), (long long)(us % 1000000));
}

slice elector_holder(slice record) {
  return json_text_of(record, SLICE_LIT("\"holderIdentity\":\""));
}

static slice record_of(elector *e, bool gives_back, int64_t transitions) {
  arena *a = e->base.world->arena;
  slice now = micro_time(e);
  slice version = json_text_of(e->seen, SLICE_LIT("\"resourceVersion\":\""));
  slice guard = version.len ? arena_printf(a, ",\"resourceVersion\":\"%.*s\"", SLICE_ARG(version))
                            : SLICE_NONE;
  slice holder = gives_back ? SLICE_NONE
                            : arena_printf(a, "\"holderIdentity\":\"%.*s\",",
                                           SLICE_ARG(elector_identity(e)));
  return arena_printf(a, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
                      "\"metadata\":{\"name\":\"%.*s\"%.*s},\"spec\":{%.*s\"leaseDurationSeconds\":"
                      "%lld,\"renewTime\":\"%.*s\",\"leaseTransitions\":%lld}}",
                      SLICE_ARG(LEASE_NAME), SLICE_ARG(guard), SLICE_ARG(holder),
                      (long long)(gives_back ? 1 : e->duration_s), SLICE_ARG(now),
                      (long long)transitions);
}

static void send(elector *e, uint8_t step, const char *method, slice body) {
  client *c = &e->base;
  arena *a = c->world->arena;
  slice name = step == MAKES ? SLICE_NONE : LEASE_NAME;
  call_request q = {.method = method, .body = body, .op = -1, .timeout_ns = deadline_ns(e)};
  q.target = kind_path(a, &kind_rows[KIND_LEASES], LEASE_NAMESPACE, name);
  e->step = step;
  e->begun_ns = c->world->now_ns;
  call_start(c, &q);
}

static void write_it(elector *e, uint8_t step) {
  int64_t n = json_number_of(e->seen, SLICE_LIT("\"leaseTransitions\":"));
  if (n < 0) n = 0;
  if (step == RELEASES) e->leads_until_ns = 0; /* first it stops, then it says so */
  send(e, step, "PUT", record_of(e, step == RELEASES, step == TAKES ? n + 1 : n));
}

static void next_tick(elector *e) {
  e->step = IDLE;
  int64_t jitter = (int64_t)rng_below(&e->base.rng, (uint64_t)(200 * MILLI));
  client_later(&e->base, retry_ns(e) + jitter, 0);
}

/* ---- what it does ---- */

static void woken(client *c, uint64_t tag) {
  elector *e = (elector *)c;
  (void)tag;
  if (e->step != IDLE) return;
  if (!leads(e) || !e->seen.len) send(e, LOOKS, "GET", SLICE_NONE);
  else if (c->world->phase == PHASE_SAFETY && rng_chance(&c->rng, 1, STEPS_DOWN)) {
    write_it(e, RELEASES);
  } else {
    write_it(e, RENEWS);
  }
}

static void looked(elector *e, slice record) {
  if (!slice_eq(record, e->seen)) {
    e->seen = arena_copy(e->base.world->arena, record);
    e->seen_local_ns = local_now(e);
  }
  slice holder = elector_holder(e->seen);
  if (!slice_eq(holder, elector_identity(e))) e->leads_until_ns = 0;
  int64_t lasts = json_number_of(e->seen, SLICE_LIT("\"leaseDurationSeconds\":")) * SECOND;
  if (MUTANT(ELECTOR_EARLY)) lasts /= 3;
  bool over = local_now(e) - e->seen_local_ns > lasts;
  if (slice_eq(holder, elector_identity(e))) write_it(e, RENEWS);
  else if (!holder.len || over || MUTANT(ELECTOR_BLIND)) write_it(e, TAKES);
  else next_tick(e);
}

static void got_it(elector *e, slice record) {
  world *w = e->base.world;
  if (e->step == TAKES && elector_holder(e->seen).len) SOMETIMES(w, TOOK_OVER);
  if (e->step == TAKES || e->step == MAKES) recorder_note(&e->events);
  else if (rng_chance(&e->base.rng, 1, 3)) recorder_note(&e->events);
  e->seen = arena_copy(w->arena, record);
  e->seen_local_ns = local_now(e);
  e->leads_until_ns = e->begun_ns + deadline_ns(e) / (1000 + e->drift) * 1000;
  e->epoch = w->epoch;
  if (leads(e)) check_leader(w, e);
  world_line(w, e->base.who, EV_NOTE, NOBODY, e->leads_until_ns, 0, 0, SLICE_LIT("leads"));
}

static void answered(client *c, call *k) {
  elector *e = (elector *)c;
  world *w = c->world;
  bool good = k->how == CALL_ANSWERED && !k->replaced && k->in.status < 300;
  bool lost = k->server->life != k->server_life || w->epoch != k->epoch;
  slice body = slice_trim(call_body(k));
  if (lost) e->seen = SLICE_NONE;
  if (good && !lost && e->step == LOOKS) {
    looked(e, body);
    return;
  }
  if (k->how == CALL_ANSWERED && k->in.status == 404 && e->step == LOOKS) {
    e->seen = SLICE_NONE;
    send(e, MAKES, "POST", record_of(e, false, 0));
    return;
  }
  if (good && !lost && e->step == RELEASES) e->seen = SLICE_NONE;
  else if (good && !lost) got_it(e, body);
  bool refused = k->how == CALL_ANSWERED && k->in.status == 409;
  if (refused && leads(e)) {
    /* somebody wrote it, perhaps this very one, whose answer was lost: look before the next try */
    send(e, LOOKS, "GET", SLICE_NONE);
    return;
  }
  next_tick(e);
}

static void begin(elector *e) {
  e->step = IDLE;
  e->seen = SLICE_NONE;
  e->leads_until_ns = 0;
  e->life++;
  client_later(&e->base, (int64_t)rng_below(&e->base.rng, (uint64_t)SECOND), 0);
}

static void start(client *c) {
  static const int64_t durations[] = {3, 6, 15};
  elector *e = (elector *)c;
  rng root;
  rng_init(&root, c->world->draw->seed);
  rng shared = rng_split(&root, 20);
  e->duration_s = durations[rng_below(&shared, 3)];
  e->drift = (int32_t)rng_below(&c->rng, 101) - 50;
  client_part(c, &e->events.base, &recorder_row, 1);
  begin(e);
}

static void restart(client *c) {
  elector *e = (elector *)c;
  recorder_restart(&e->events);
  begin(e);
}

/* Somebody must lead, in the end. */
static bool settled(client *c, char *why, size_t size) {
  if (elector_leading(c->world, NULL)) return true;
  snprintf(why, size, "nobody leads");
  return false;
}

const client_row elector_row = {.actor = ACTOR_ELECTOR, .size = sizeof(elector), .start = start,
                                .woken = woken, .answered = answered, .settled = settled,
                                .restart = restart};
