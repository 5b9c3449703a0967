/* A pod that runs may go when the one budget that covers it allows a disruption; the budget's count
 * goes down with it. Pods that are over, pending or going already need no budget. */
#include "verb/eviction.h"

#include "admission/admission.h"
#include "codec/codec.h"
#include "registry/generic.h"
#include "registry/object.h"
#include "registry/selector.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/registry.h"
#include "verb/verbs.h"
#include "verb/write.h"

#define DISRUPTED_PODS_MAX 2000
#define RETRY_AFTER_S 10

typedef struct search {
  const val *labels;
  val *budget;
  uint32_t found;
} search;

static bool covers(void *ctx, val *budget) {
  search *s = ctx;
  if (!label_selector_match(val_path(budget, "spec.selector"), s->labels)) return true;
  s->budget = budget;
  s->found++;
  return true;
}

static bool needs_no_budget(const val *pod) {
  slice phase = val_str(val_path(pod, "status.phase"));
  return slice_is(phase, "Succeeded") || slice_is(phase, "Failed") || slice_is(phase, "Pending") ||
         object_deleting(pod);
}

static bool too_many(request *rq, slice why) {
  status_set(&rq->error, rq->arena, STATUS_TOO_MANY,
             "Cannot evict pod as it would violate the pod's disruption budget.");
  status_cause *c = ARENA_NEW(rq->arena, status_cause);
  *c = (status_cause){SLICE_LIT("DisruptionBudget"), why, SLICE_NONE};
  rq->error.cause_count = 1;
  rq->error.causes = c;
  return false;
}

/* The last disruption is spent: the condition says so. Its time is that of the change. */
static void disallow(request *rq, val *status) {
  arena *a = rq->arena;
  val *list = val_ensure_list(a, status, "conditions"), *old = NULL, *c = val_map(a);
  uint32_t at = 0;
  for (; at < val_len(list) && !old; at++) {
    val *item = val_at(list, at);
    if (slice_is(val_get_str(item, "type"), "DisruptionAllowed")) old = item;
  }
  bool same = slice_is(val_get_str(old, "status"), "False");
  const val *generation = val_getc(status, "observedGeneration");
  val_setc(a, c, "type", val_cstr(a, "DisruptionAllowed"));
  val_setc(a, c, "status", val_cstr(a, "False"));
  if (generation) val_setc(a, c, "observedGeneration", val_copy(a, generation));
  val *time = same ? val_getc(old, "lastTransitionTime") : NULL;
  val_setc(a, c, "lastTransitionTime", time ? time : request_timestamp(rq));
  val_setc(a, c, "reason", val_cstr(a, "InsufficientPods"));
  val_setc(a, c, "message", val_cstr(a, ""));
  if (old) list->u.items[at - 1] = c;
  else val_append(a, list, c);
}

/* Takes one disruption off the budget. */
static bool take_disruption(request *rq, val *budget, slice pod_name) {
  arena *a = rq->arena;
  val *status = val_copy(a, val_getc(budget, "status"));
  if (!status) status = val_map(a);
  int64_t observed = val_i64(val_getc(status, "observedGeneration"));
  if (observed < object_generation(budget)) {
    slice name = object_name(budget);
    too_many(rq, arena_printf(a, "The disruption budget %.*s is still being processed by the "
                                 "server.", SLICE_ARG(name)));
    rq->error.retry_after_seconds = RETRY_AFTER_S;
    return false;
  }
  int64_t allowed = val_i64(val_getc(status, "disruptionsAllowed"));
  val *disrupted = val_ensure_map(a, status, "disruptedPods");
  if (allowed < 0 || val_len(disrupted) > DISRUPTED_PODS_MAX) {
    return status_forbidden(&rq->error, a, SLICE_LIT("policy"), SLICE_LIT("poddisruptionbudgets"),
                            object_name(budget),
                            allowed < 0 ? SLICE_LIT("pdb disruptions allowed is negative")
                                        : SLICE_LIT("DisruptedPods map too big - too many "
                                                    "evictions not confirmed by PDB controller"));
  }
  if (allowed == 0) {
    slice name = object_name(budget);
    long long wanted = val_i64(val_getc(status, "desiredHealthy"));
    long long have = val_i64(val_getc(status, "currentHealthy"));
    return too_many(rq, arena_printf(a, "The disruption budget %.*s needs %lld healthy pods and "
                                        "has %lld currently", SLICE_ARG(name), wanted, have));
  }
  if (rq->dry_run) return true;
  val_setc(a, status, "disruptionsAllowed", val_int(a, allowed - 1));
  if (allowed == 1) disallow(rq, status);
  val_set(a, disrupted, pod_name, request_timestamp(rq));
  val_setc(a, budget, "status", status);
  const resource_info *r =
      schema_resource(SLICE_LIT("policy"), SLICE_LIT("v1"), SLICE_LIT("poddisruptionbudgets"));
  registry_update_status(rq->server, a, r, budget, SLICE_LIT("kube-apiserver"));
  return true;
}

static bool budget_allows(request *rq, const val *pod) {
  search s = {.labels = val_path(pod, "metadata.labels")};
  const resource_info *r =
      schema_resource(SLICE_LIT("policy"), SLICE_LIT("v1"), SLICE_LIT("poddisruptionbudgets"));
  if (needs_no_budget(pod)) return true;
  registry_each(rq->server, rq->arena, r, rq->info.namespace, covers, &s);
  if (s.found == 0) return true;
  if (s.found > 1) {
    return status_set(&rq->error, rq->arena, STATUS_INTERNAL,
                      "Internal error occurred: This pod has more than one PodDisruptionBudget, "
                      "which the eviction subresource does not support.");
  }
  return take_disruption(rq, s.budget, object_name(pod));
}

/* Whoever watches the pod learns why it goes: a status write before the deletion. */
static val *with_condition(void *ctx, request *rq, const val *live) {
  arena *a = rq->arena;
  (void)ctx;
  if (!live) {
    status_not_found(&rq->error, a, SLICE_LIT(""), SLICE_LIT("pods"), rq->info.name);
    return NULL;
  }
  val *pod = object_fork(a, live), *status = val_copy(a, val_getc(live, "status"));
  if (!status) status = val_map(a);
  val *list = val_ensure_list(a, status, "conditions"), *c = NULL;
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_is(val_get_str(val_at(list, i), "type"), "DisruptionTarget")) c = val_at(list, i);
  }
  bool was_true = c && slice_is(val_get_str(c, "status"), "True");
  if (!c) val_append(a, list, c = val_map(a));
  val_setc(a, c, "type", val_cstr(a, "DisruptionTarget"));
  val_setc(a, c, "status", val_cstr(a, "True"));
  if (!was_true) val_setc(a, c, "lastTransitionTime", request_timestamp(rq));
  val_setc(a, c, "reason", val_cstr(a, "EvictionByEvictionAPI"));
  val_setc(a, c, "message", val_cstr(a, "Eviction API: evicting"));
  val_setc(a, pod, "status", status);
  object_del(pod, "resourceVersion");
  return pod;
}

static void keep_made(request *rq, val *obj, const val *old) {
  (void)rq;
  (void)obj;
  (void)old; /* with_condition changes the status only */
}

static bool add_condition(request *rq) {
  write_result result = {0};
  update_source source = {.make = with_condition, .prepare = keep_made};
  bool ok = generic_update(rq, rq->info.namespace, rq->info.name, &source, &result);
  if (result.entry) request_keep(rq, result.entry);
  return ok;
}

static void read_delete_options(const val *eviction, delete_options *o) {
  const val *d = val_getc(eviction, "deleteOptions"), *pre = val_getc(d, "preconditions");
  *o = (delete_options){.grace_set = val_getc(d, "gracePeriodSeconds") != NULL,
                        .grace_s = val_i64(val_getc(d, "gracePeriodSeconds")),
                        .propagation = val_get_str(d, "propagationPolicy"),
                        .uid_set = val_getc(pre, "uid") != NULL, .uid = val_get_str(pre, "uid"),
                        .version_set = val_getc(pre, "resourceVersion") != NULL,
                        .version = val_get_str(pre, "resourceVersion")};
}

static bool evict(request *rq, output_form *form) {
  write_options wo;
  delete_options o;
  store_entry *e = NULL;
  write_result gone = {0};
  if (!negotiate_output(rq, false, form) || !options_read_write(rq, "CreateOptions", false, &wo)) {
    return false;
  }
  val *body =
      negotiate_decode(rq, SLICE_LIT("policy"), SLICE_LIT("v1"), SLICE_LIT("Eviction"), NULL);
  if (!body || !write_check_namespace(rq, body) || !admission_create_at(rq, body)) return false;
  if (!slice_eq(object_name(body), rq->info.name)) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "name in URL does not match name in Eviction object");
  }
  if (!generic_get(rq, rq->info.namespace, rq->info.name, true, &e)) return false;
  request_keep(rq, e);
  const val *pod = stored_decode(rq->arena, rq->resource, e);
  read_delete_options(body, &o);
  const val *dry = val_path(body, "deleteOptions.dryRun");
  if (val_len(dry)) rq->dry_run = true;
  if (!budget_allows(rq, pod)) return false;
  const subresource_info *sub = rq->subresource;
  rq->subresource = NULL;
  bool ok = rq->dry_run || add_condition(rq);
  ok = ok && generic_delete(rq, rq->info.namespace, rq->info.name, &o, &gone);
  rq->subresource = sub;
  store_entry_unref(gone.entry);
  return ok;
}

void eviction_serve(request *rq) {
  output_form form;
  if (!evict(rq, &form)) respond_error(rq);
  else respond_success(rq, 201, &form);
}
