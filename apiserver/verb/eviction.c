/* A pod that runs may go when the one budget that covers it allows a disruption; the budget's count
 * goes down with it. Pods that are over, pending or going already need no budget. */
#include "verb/eviction.h"

#include "admission/admission.h"
#include "codec/codec.h"
#include "registry/field_error.h"
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

/* Why a budget allows no disruption: its controller's words, where it gave some. */
static slice why_none(arena *a, slice name, const val *status) {
  const val *c = condition_named(val_getc(status, "conditions"), "DisruptionAllowed");
  slice told = val_get_str(c, "message"), reason = val_get_str(c, "reason");
  bool tells = slice_is(val_get_str(c, "status"), "False") && told.len > 0;
  long long wanted = val_i64(val_getc(status, "desiredHealthy"));
  long long have = val_i64(val_getc(status, "currentHealthy"));
  if (tells && slice_is(reason, "SyncFailed")) {
    return arena_printf(a, "The disruption budget %.*s does not allow evicting pods currently "
                           "because it failed sync: %.*s", SLICE_ARG(name), SLICE_ARG(told));
  }
  if (have <= wanted) {
    return arena_printf(a, "The disruption budget %.*s needs %lld healthy pods and has %lld "
                           "currently", SLICE_ARG(name), wanted, have);
  }
  if (tells) {
    return arena_printf(a, "The disruption budget %.*s does not allow evicting pods currently "
                           "(%.*s): %.*s", SLICE_ARG(name), SLICE_ARG(reason), SLICE_ARG(told));
  }
  return arena_printf(a, "The disruption budget %.*s does not allow evicting pods currently",
                      SLICE_ARG(name));
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
    return status_forbidden(&rq->error, a, SLICE_LIT("policy"), SLICE_LIT("poddisruptionbudget"),
                            object_name(budget),
                            allowed < 0 ? SLICE_LIT("pdb disruptions allowed is negative")
                                        : SLICE_LIT("DisruptedPods map too big - too many "
                                                    "evictions not confirmed by PDB controller"));
  }
  if (allowed == 0) return too_many(rq, why_none(a, object_name(budget), status));
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

/* A pod that is not ready counts for nothing: it may go where its budget says so, or has enough
 * without it. */
static bool goes_uncounted(const val *pod, const val *budget) {
  if (condition_true(val_path(pod, "status.conditions"), "Ready")) return false;
  if (slice_is(val_str(val_path(budget, "spec.unhealthyPodEvictionPolicy")), "AlwaysAllow")) {
    return true;
  }
  int64_t wanted = val_i64(val_path(budget, "status.desiredHealthy"));
  return wanted > 0 && val_i64(val_path(budget, "status.currentHealthy")) >= wanted;
}

static bool budget_allows(request *rq, const val *pod) {
  search s = {.labels = val_path(pod, "metadata.labels")};
  const resource_info *r =
      schema_resource(SLICE_LIT("policy"), SLICE_LIT("v1"), SLICE_LIT("poddisruptionbudgets"));
  if (needs_no_budget(pod)) return true;
  registry_each(rq->server, rq->arena, r, rq->info.namespace, covers, &s);
  if (s.found == 0) return true;
  if (s.found > 1) {
    return status_plain(&rq->error, rq->arena,
                        "This pod has more than one PodDisruptionBudget, "
                        "which the eviction subresource does not support.");
  }
  if (goes_uncounted(pod, s.budget)) return true;
  return take_disruption(rq, s.budget, object_name(pod));
}

/* Whoever watches the pod learns why it goes: a status write before the deletion. */
static val *with_condition(void *ctx, request *rq, const val *live) {
  arena *a = rq->arena;
  if (!live) {
    status_not_found(&rq->error, a, SLICE_LIT(""), SLICE_LIT("pods"), rq->info.name);
    return NULL;
  }
  if (!generic_check_preconditions(rq, ctx, live)) return NULL;
  val *pod = object_fork(a, live), *status = val_copy(a, val_getc(live, "status"));
  if (!status) status = val_map(a);
  val *list = val_ensure_list(a, status, "conditions"), *c = val_map(a);
  const val *old = condition_named(list, "DisruptionTarget");
  val *time = slice_is(val_get_str(old, "status"), "True")
                  ? val_copy(a, val_getc(old, "lastTransitionTime")) : NULL;
  val_setc(a, c, "type", val_cstr(a, "DisruptionTarget"));
  val_setc(a, c, "status", val_cstr(a, "True"));
  val_setc(a, c, "lastTransitionTime", time ? time : request_timestamp(rq));
  val_setc(a, c, "reason", val_cstr(a, "EvictionByEvictionAPI"));
  val_setc(a, c, "message", val_cstr(a, "Eviction API: evicting"));
  const val *seen = val_getc(old, "observedGeneration");
  if (seen) val_setc(a, c, "observedGeneration", val_copy(a, seen));
  uint32_t at = 0;
  while (at < val_len(list) && val_at(list, at) != old) at++;
  if (old) list->u.items[at] = c;
  else val_append(a, list, c);
  val_setc(a, pod, "status", status);
  object_del(pod, "resourceVersion");
  return pod;
}

static void keep_made(request *rq, val *obj, const val *old) {
  (void)rq;
  (void)obj;
  (void)old; /* with_condition changes the status only */
}

/* A version that was asked for is the new one then. */
static bool add_condition(request *rq, delete_options *o) {
  write_result result = {0};
  update_source source = {.make = with_condition, .ctx = o, .prepare = keep_made};
  bool ok = generic_update(rq, rq->info.namespace, rq->info.name, &source, &result);
  if (result.entry) request_keep(rq, result.entry);
  if (ok && o->version_set) o->version = object_version(result.obj);
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

static slice dry_run_text(arena *a, const val *list) {
  slice text = SLICE_NONE;
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice one = val_str(val_at(list, i));
    text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), i ? " " : "", SLICE_ARG(one));
  }
  return text;
}

/* What the body asks of the deletion; its dryRun and the request's must be one, where both are
 * there. */
static bool check_delete_options(request *rq, const val *body) {
  arena *a = rq->arena;
  const val *d = val_getc(body, "deleteOptions"), *dry = val_getc(d, "dryRun");
  const val *ignore = val_getc(d, "ignoreStoreReadErrorWithClusterBreakingPotential");
  if (val_true(ignore)) {
    field_errors errs = {.a = a};
    path options = path_root("deleteOptions");
    path p = path_child(&options, "ignoreStoreReadErrorWithClusterBreakingPotential");
    field_invalid(&errs, &p, ignore, "can not be set for pod eviction, try after removing the "
                                     "option");
    return field_errors_to_status(&errs, SLICE_LIT("policy"), SLICE_LIT("Eviction"), rq->info.name,
                                  &rq->error);
  }
  bool all = val_len(dry) == 1 && slice_is(val_str(val_at(dry, 0)), "All");
  if (rq->dry_run && val_len(dry) && !all) {
    slice text = dry_run_text(a, dry);
    return status_plain(&rq->error, a,
                        "Non-matching dry-run options in request and content: [All] and [%.*s]",
                        SLICE_ARG(text));
  }
  if (val_len(dry)) rq->dry_run = true;
  return true;
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
  if (!body || !write_check_namespace(rq, body)) return false;
  write_manage_body(rq, "policy", "v1", "Eviction", body);
  if (!admission_create_at(rq, body)) return false;
  if (!slice_eq(object_name(body), rq->info.name)) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "name in URL does not match name in Eviction object");
  }
  if (!check_delete_options(rq, body)) return false;
  if (!generic_get(rq, rq->info.namespace, rq->info.name, true, &e)) return false;
  request_keep(rq, e);
  const val *pod = stored_decode(rq->arena, rq->resource, e);
  read_delete_options(body, &o);
  if (!budget_allows(rq, pod)) return false;
  const subresource_info *sub = rq->subresource;
  rq->subresource = NULL;
  rq->no_webhooks = true;
  bool ok = rq->dry_run || add_condition(rq, &o);
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
