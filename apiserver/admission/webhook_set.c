/* The webhooks of all configurations: by the configurations' names, then in their order. */
#include "admission/webhook_internal.h"
#include "base/heap.h"
#include "registry/object.h"
#include "server.h"
#include "verb/registry.h"

static const resource_info *configurations(bool mutating) {
  return schema_resource(SLICE_LIT("admissionregistration.k8s.io"), SLICE_LIT("v1"),
                         mutating ? SLICE_LIT("mutatingwebhookconfigurations")
                                  : SLICE_LIT("validatingwebhookconfigurations"));
}

webhooks *webhooks_create(server *s) {
  webhooks *w = heap_zalloc(sizeof *w);
  w->server = s;
  w->client = http_client_create(s->env, &s->timers);
  return w;
}

void webhooks_forget(webhooks *w) {
  for (int i = 0; i < 2; i++) {
    webhook_set_drop(w->sets[i]);
    w->sets[i] = NULL;
  }
}

void webhooks_destroy(webhooks *w) {
  if (!w) return;
  webhooks_forget(w);
  http_client_destroy(w->client);
  heap_free(w);
}

void webhook_set_drop(webhook_set *set) {
  if (!set || --set->refs > 0) return;
  arena_destroy(set->arena);
  heap_free(set);
}

typedef struct fill_run {
  webhook_set *set;
  uint32_t cap;
  bool mutating;
} fill_run;

static void add(fill_run *f, slice configuration, const val *spec, uint32_t index) {
  webhook_set *set = f->set;
  slice effects = val_get_str(spec, "sideEffects");
  const val *timeout = val_getc(spec, "timeoutSeconds");
  set->items = arena_more(set->arena, set->items, set->count, &f->cap, sizeof *set->items);
  set->items[set->count++] = (webhook){
      .configuration = configuration, .name = val_get_str(spec, "name"), .index = index,
      .spec = spec, .mutating = f->mutating,
      .ignores_failure = slice_is(val_get_str(spec, "failurePolicy"), "Ignore"),
      .equivalent = slice_is(val_get_str(spec, "matchPolicy"), "Equivalent"),
      .reinvocable = slice_is(val_get_str(spec, "reinvocationPolicy"), "IfNeeded"),
      .runs_dry = slice_is(effects, "None") || slice_is(effects, "NoneOnDryRun"),
      .timeout_s = timeout ? (int32_t)val_i64(timeout) : 10};
}

static bool visit(void *ctx, val *obj) {
  fill_run *f = ctx;
  const val *hooks = val_getc(obj, "webhooks");
  for (uint32_t i = 0; i < val_len(hooks); i++) add(f, object_name(obj), val_at(hooks, i), i);
  return true;
}

static webhook_set *read_set(server *s, bool mutating) {
  webhook_set *set = heap_zalloc(sizeof *set);
  set->refs = 1;
  set->arena = arena_create();
  set->revision = registry_revision(s, configurations(mutating));
  fill_run f = {.set = set, .mutating = mutating};
  registry_each(s, set->arena, configurations(mutating), SLICE_NONE, visit, &f);
  return set;
}

static webhook_set *current(server *s, bool mutating) {
  webhook_set **kept = &s->webhooks->sets[mutating];
  if (*kept && (*kept)->revision == registry_revision(s, configurations(mutating))) return *kept;
  webhook_set_drop(*kept);
  *kept = read_set(s, mutating);
  return *kept;
}

webhook_set *webhook_set_take(server *s, bool mutating) {
  webhook_set *set = current(s, mutating);
  set->refs++;
  return set;
}

bool webhooks_may_wait(request *rq) {
  static const char *const connects[] = {"exec", "attach", "portforward", "proxy"};
  slice m = rq->http->method;
  bool writes = !slice_is(m, "GET") && !slice_is(m, "HEAD") && !slice_is(m, "OPTIONS");
  for (size_t i = 0; i < sizeof connects / sizeof *connects; i++) {
    writes = writes || slice_is(rq->info.subresource, connects[i]);
  }
  if (!writes || !rq->server->ready || !rq->info.is_resource) return false;
  return current(rq->server, true)->count || current(rq->server, false)->count;
}

void webhooks_warn(request *rq, const val *configuration) {
  const val *hooks = val_getc(configuration, "webhooks");
  for (uint32_t i = 0; i < val_len(hooks); i++) {
    if (!val_len(val_getc(val_at(hooks, i), "matchConditions"))) continue;
    request_warn(rq, arena_printf(rq->arena,
                                  "webhooks[%u].matchConditions: apisim does not evaluate CEL: "
                                  "the webhook is called whatever they say", i));
  }
}
