/* Asking the webhooks: the mutating ones one after the other, each over what the one before left;
 * the validating ones all at once. */
#include "admission/webhook.h"

#include "admission/webhook_internal.h"
#include "server.h"

#include <assert.h>

/* Never sent to a webhook: it could lock everybody out. */
static const char *const exempt[] = {
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
};

static bool is_exempt(const admission_args *args) {
  if (args->rq->no_webhooks || !args->rq->server->webhooks) return true;
  if (!slice_is(args->resource->group, "admissionregistration.k8s.io")) return false;
  for (size_t i = 0; i < sizeof exempt / sizeof *exempt; i++) {
    if (slice_is(args->resource->kind, exempt[i])) return true;
  }
  return false;
}

/* What a call means for the request; false with rq->error. */
static bool settle(request *rq, const webhook_call *c) {
  switch (c->outcome) {
    case WEBHOOK_ALLOWED: return true;
    case WEBHOOK_DENIED:
    case WEBHOOK_REFUSED: rq->error = c->rejection; return false;
    case WEBHOOK_FAILED: break;
  }
  if (c->hook->ignores_failure) {
    if (!rq->gone) return true;
    return status_set(&rq->error, rq->arena, STATUS_TIMEOUT,
                      "Timeout: request did not complete within requested timeout");
  }
  slice name = c->hook->name;
  slice why = arena_printf(rq->arena, "failed calling webhook \"%.*s\": %.*s", SLICE_ARG(name),
                           SLICE_ARG(c->why));
  return status_internal(&rq->error, rq->arena, why);
}

static void refuse_dry_run(request *rq, webhook_call *c) {
  c->outcome = WEBHOOK_REFUSED;
  c->rejection = (status_error){0};
  status_set(&c->rejection, rq->arena, STATUS_BAD_REQUEST,
             "admission webhook \"%.*s\" does not support dry run", SLICE_ARG(c->hook->name));
}

static void ask(const admission_args *args, webhook_call *calls, uint32_t count) {
  request *rq = args->rq;
  webhook_wait w = {.server = rq->server, .rq = rq, .count = count, .calls = calls};
  for (uint32_t i = 0; i < count; i++) {
    if (args->dry_run && !calls[i].hook->runs_dry) refuse_dry_run(rq, calls + i);
    else webhook_begin(args, calls + i, &w);
  }
  webhook_wait_all(args, &w);
}

/* ---- validating ---- */

static bool validate(const admission_args *args, const webhook_set *set) {
  request *rq = args->rq;
  webhook_call *calls = ARENA_ARRAY(rq->arena, webhook_call, set->count);
  uint32_t count = 0;
  for (uint32_t i = 0; i < set->count; i++) {
    webhook_call c = {.hook = set->items + i};
    if (webhook_matches(args, c.hook, &c.match)) calls[count++] = c;
    else if (rq->error.set) return false;
  }
  if (!count) return true;
  ask(args, calls, count);
  for (uint32_t i = 0; i < count; i++) {
    if (!settle(rq, calls + i)) return false;
  }
  return true;
}

bool webhooks_validate(const admission_args *args) {
  if (is_exempt(args)) return true;
  webhook_set *set = webhook_set_take(args->rq->server, false);
  bool ok = set->count == 0 || validate(args, set);
  webhook_set_drop(set);
  return ok;
}

/* ---- mutating ---- */

typedef struct webhook_memory {
  slice configuration;
  uint32_t index;
  bool invoked; /* and would be again after a change */
  bool due; /* in the second round */
} webhook_memory;

static webhook_memory *remembered(webhook_round *r, const webhook *w) {
  for (uint32_t i = 0; i < r->count; i++) {
    if (r->memory[i].index == w->index && slice_eq(r->memory[i].configuration, w->configuration)) {
      return r->memory + i;
    }
  }
  return NULL;
}

static void remember(const admission_args *args, webhook_round *r, const webhook *w) {
  webhook_memory *m = remembered(r, w);
  if (!m) {
    r->memory = arena_more(args->rq->arena, r->memory, r->count, &r->cap, sizeof *r->memory);
    m = r->memory + r->count++;
    *m = (webhook_memory){.configuration = arena_copy(args->rq->arena, w->configuration),
                          .index = w->index};
  }
  m->invoked = true;
}

static void require_earlier(webhook_round *r) {
  for (uint32_t i = 0; i < r->count; i++) {
    r->memory[i].due = r->memory[i].due || r->memory[i].invoked;
    r->memory[i].invoked = false;
  }
}

static bool call_one(const admission_args *args, webhook_round *r, webhook_call *c) {
  bool changed = false;
  ask(args, c, 1);
  bool ok = settle(args->rq, c);
  bool patched = ok && c->outcome == WEBHOOK_ALLOWED && c->patch.len;
  if (patched && !webhook_apply_patch(args, c, &changed)) return false;
  if (changed) {
    require_earlier(r);
    r->again = true;
  }
  if (c->hook->reinvocable) remember(args, r, c->hook);
  return ok;
}

static bool mutate(const admission_args *args, const webhook_set *set, webhook_round *r) {
  bool changed = r->second && !val_equal(r->last, args->obj);
  if (changed) require_earlier(r);
  for (uint32_t i = 0; i < set->count; i++) {
    webhook_call c = {.hook = set->items + i};
    const webhook_memory *m = remembered(r, c.hook);
    if (!webhook_matches(args, c.hook, &c.match)) {
      if (args->rq->error.set) return false;
      continue;
    }
    if (r->second && !(m && m->due)) continue;
    if (!call_one(args, r, &c)) return false;
  }
  if (args->obj && r->again) r->last = val_copy(args->rq->arena, args->obj);
  return true;
}

bool webhooks_mutate(const admission_args *args) {
  if (is_exempt(args)) return true;
  webhook_round none = {0};
  webhook_set *set = webhook_set_take(args->rq->server, true);
  bool ok = set->count == 0 || mutate(args, set, args->round ? args->round : &none);
  webhook_set_drop(set);
  return ok;
}
