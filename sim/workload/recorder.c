/* One request at a time; whatever the answer is, it goes on with the next. */
#include "sim/workload/recorder.h"

#define PATIENCE_NS (75 * SECOND)

static slice event_body(recorder *r, const char *name) {
  return arena_printf(r->base.world->arena,
                      "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"%s\"},"
                      "\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                      "\"namespace\":\"default\",\"name\":\"counter\"},\"reason\":\"Seen\","
                      "\"message\":\"at %lld\",\"type\":\"Normal\",\"count\":1}", name,
                      (long long)r->base.world->now_ns);
}

static void send(recorder *r) {
  client *c = &r->base;
  arena *a = c->world->arena;
  slice namespace = SLICE_LIT("default");
  bool again = r->made > 0 && rng_chance(&c->rng, 1, 3);
  uint32_t number = again ? (uint32_t)rng_below(&c->rng, r->made) : r->made++;
  char name[48];
  int n = snprintf(name, sizeof name, "%s%u.%u", actor_word(c->who.kind), c->who.index, number);
  call_request q = {.method = again ? "PATCH" : "POST", .timeout_ns = PATIENCE_NS, .op = -1};
  if (again) {
    q.content_type = "application/merge-patch+json";
    uint32_t count = 2 + (uint32_t)rng_below(&c->rng, 1000);
    q.body = arena_printf(a, "{\"count\":%u,\"message\":\"at %lld\"}", count,
                          (long long)c->world->now_ns);
  } else {
    q.body = event_body(r, name);
  }
  slice whose = again ? slice_of(name, (size_t)n) : SLICE_NONE;
  q.target = kind_path(a, &kind_rows[KIND_EVENTS], namespace, whose);
  r->busy = true;
  r->waiting--;
  call_start(c, &q);
}

void recorder_note(recorder *r) {
  world *w = r->base.world;
  if (r->waiting >= RECORDER_ROOM || w->phase != PHASE_SAFETY) return;
  r->waiting++;
  if (!r->busy) send(r);
}

void recorder_restart(recorder *r) {
  r->busy = false;
  r->waiting = 0;
}

static void answered(client *c, call *k) {
  recorder *r = (recorder *)c;
  (void)k;
  r->busy = false;
  if (r->waiting && c->world->phase == PHASE_SAFETY) send(r);
}

const client_row recorder_row = {.size = sizeof(recorder), .answered = answered};
