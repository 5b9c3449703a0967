/* admission: runs the plugins that are on, in the real server's order. */
#include "admission/admission.h"

#include "admission/plugin.h"
#include "admission/webhook.h"
#include "server.h"

#include <assert.h>
#include <string.h>

typedef struct plugin {
  const char *name;
  bool on_by_default;
  uint8_t ops;
  plugin_fn mutate, validate;
} plugin;

static const plugin plugins[] = {
#define X(name, on, ops, mutate, validate) {name, on, ops, mutate, validate},
    ADMISSION_PLUGINS(X)
#undef X
};
enum { PLUGIN_COUNT = sizeof(plugins) / sizeof(plugins[0]) };
_Static_assert(PLUGIN_COUNT <= 64, "a bit a plugin");

static bool run(const admission_args *args, bool mutating) {
  uint64_t off = args->rq->server->disabled_admission;
  for (int i = 0; i < PLUGIN_COUNT; i++) {
    const plugin *p = &plugins[i];
    plugin_fn call = mutating ? p->mutate : p->validate;
    if (!call || !(p->ops & args->op) || (off >> i & 1)) continue;
    if (!call(args)) return false;
  }
  return true;
}

/* What a webhook changed the plugins look at once more, and the webhooks that want to. */
bool admission_mutate(const admission_args *args) {
  webhook_round round = {0};
  admission_args own = *args;
  own.round = &round;
  if (!run(&own, true)) return false;
  if (!round.again) return true;
  round.second = true;
  return run(&own, true);
}

bool admission_validate(const admission_args *args) { return run(args, false); }

static bool is_off(const server *s, const char *name) {
  for (int i = 0; i < PLUGIN_COUNT; i++) {
    if (strcmp(plugins[i].name, name) == 0) return s->disabled_admission >> i & 1;
  }
  return true;
}

bool admission_webhooks(const admission_args *args) {
  const server *s = args->rq->server;
  webhook_round round = {0};
  admission_args own = *args;
  own.round = &round;
  if (!is_off(s, "MutatingAdmissionWebhook")) {
    if (!webhooks_mutate(&own)) return false;
    round.second = round.again;
    if (round.again && !webhooks_mutate(&own)) return false;
  }
  return is_off(s, "ValidatingAdmissionWebhook") || webhooks_validate(&own);
}

bool admission_create_at(request *rq, val *body) {
  admission_args args = {.rq = rq, .op = ADMIT_CREATE, .resource = rq->resource,
                         .subresource = rq->subresource ? rq->subresource->name : SLICE_NONE,
                         .namespace = rq->info.namespace, .name = rq->info.name, .obj = body,
                         .dry_run = rq->dry_run};
  return admission_mutate(&args) && admission_validate(&args);
}

/* Sets or clears the bits of the names in csv. */
static bool apply_names(uint64_t *off, slice csv, bool disable, slice *unknown) {
  for (bool more = csv.len > 0; more;) {
    slice name;
    more = slice_cut(csv, ',', &name, &csv);
    name = slice_trim(name);
    int found = -1;
    for (int i = 0; i < PLUGIN_COUNT; i++) {
      if (slice_is(name, plugins[i].name)) found = i;
    }
    if (found < 0) {
      *unknown = name;
      return false;
    }
    uint64_t bit = (uint64_t)1 << found;
    *off = disable ? *off | bit : *off & ~bit;
  }
  return true;
}

bool admission_configure(server *s, slice enable_csv, slice disable_csv, slice *unknown) {
  uint64_t off = 0;
  for (int i = 0; i < PLUGIN_COUNT; i++) {
    if (!plugins[i].on_by_default) off |= (uint64_t)1 << i;
  }
  bool ok = apply_names(&off, enable_csv, false, unknown) &&
            apply_names(&off, disable_csv, true, unknown);
  if (ok) s->disabled_admission = off;
  return ok;
}
