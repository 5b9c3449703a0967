/* Workloads and PodGroups, which are off by default. Sources: pkg/apis/scheduling/validation,
 * pkg/apis/scheduling/v1alpha2/zz_generated.validations.go; fields of closed gates were dropped
 * before (strategy_beta.c). */
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"
#include "registry/validation/rows.h"

#define TEMPLATES_MAX 8

/* Exactly one of basic and gang. */
static void policy_check(field_errors *e, const path *p, const val *policy) {
  const val *gang = val_getc(policy, "gang"), *basic = val_getc(policy, "basic");
  path at = path_child(p, "gang"), count = path_child(&at, "minCount");
  if (!gang && !basic) {
    field_invalid_str(e, p, SLICE_LIT(""), "must specify one of: `basic`, `gang`");
  }
  if (gang && basic) {
    field_invalid_str(e, p, SLICE_LIT("{basic, gang}"),
                      "must specify exactly one of: `basic`, `gang`");
  }
  if (!gang) return;
  const val *n = val_getc(gang, "minCount");
  if (val_i64(n) == 0) field_required(e, &count, "%s", "");
  else if (val_i64(n) < 1) field_invalid(e, &count, n, "must be greater than or equal to 1");
}

static void controller_check(field_errors *e, const path *p, const val *ref) {
  text_if_set(e, p, ref, "apiGroup", TEXT_DNS1123_SUBDOMAIN);
  text_needed(e, p, ref, "kind", TEXT_PATH_SEGMENT);
  text_needed(e, p, ref, "name", TEXT_PATH_SEGMENT);
}

static void templates_check(const validate_args *v, const path *p, const val *list) {
  field_errors *e = v->errs;
  val *seen = val_map(e->a);
  if (val_len(list) == 0) field_required(e, p, "%s", "");
  if (!list_fits(e, p, list, TEMPLATES_MAX)) return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    if (!seen_before(e->a, seen, val_get_str(val_at(list, i), "name"))) continue;
    val *shown = val_copy(e->a, val_at(list, i));
    val_setc(e->a, shown, "schedulingConstraints", val_null(e->a)); /* has no omitempty there */
    val *gang = val_path(shown, "schedulingPolicy.gang");
    if (val_is_map(gang) && !val_getc(gang, "minCount")) {
      val_setc(e->a, gang, "minCount", val_int(e->a, 0));
    }
    field_duplicate(e, &at, shown);
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i), policy = path_child(&at, "schedulingPolicy");
    text_needed(e, &at, val_at(list, i), "name", TEXT_DNS1123_LABEL);
    policy_check(e, &policy, val_getc(val_at(list, i), "schedulingPolicy"));
  }
}

/* "field is immutable", without the value; nothing more is looked at then. */
static bool is_kept(const validate_args *v, const path *p, const char *dotted) {
  if (!v->old || val_same(val_path(v->obj, dotted), val_path(v->old, dotted))) return true;
  field_invalid(v->errs, p, NULL, "field is immutable");
  return false;
}

void validate_workload(const validate_args *v) {
  path spec = path_root("spec"), controller = path_child(&spec, "controllerRef"),
       templates = path_child(&spec, "podGroupTemplates");
  const val *ref = val_path(v->obj, "spec.controllerRef");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  bool set_now = v->old && !val_path(v->old, "spec.controllerRef");
  bool kept = set_now || is_kept(v, &controller, "spec.controllerRef");
  if (ref && kept && (!v->old || set_now)) controller_check(v->errs, &controller, ref);
  if (is_kept(v, &templates, "spec.podGroupTemplates") && !v->old) {
    templates_check(v, &templates, val_path(v->obj, "spec.podGroupTemplates"));
  }
}

static void template_ref_check(field_errors *e, const path *p, const val *ref) {
  path at = path_child(p, "workload");
  const val *workload = val_getc(ref, "workload");
  if (!workload) {
    field_invalid_str(e, p, SLICE_LIT(""), "must specify one of: `workload`");
    return;
  }
  text_needed(e, &at, workload, "workloadName", TEXT_DNS1123_SUBDOMAIN);
  text_needed(e, &at, workload, "podGroupTemplateName", TEXT_DNS1123_LABEL);
}

static void group_status_check(const validate_args *v) {
  path status = path_root("status"), conditions = path_child(&status, "conditions"),
       claims = path_child(&status, "resourceClaimStatuses");
  const val *list = val_path(v->obj, "status.resourceClaimStatuses");
  const val *known = val_path(v->obj, "spec.resourceClaims");
  conditions_validate(v->errs, &conditions, val_path(v->obj, "status.conditions"));
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&claims, i), name = path_child(&at, "name");
    slice wanted = val_get_str(val_at(list, i), "name");
    bool found = false;
    for (uint32_t k = 0; k < val_len(known); k++) {
      found = found || slice_eq(val_get_str(val_at(known, k), "name"), wanted);
    }
    if (found) continue;
    field_invalid_str(v->errs, &name, wanted,
                      "must match the name of an entry in `spec.resourceClaims`");
  }
}

void validate_pod_group(const validate_args *v) {
  path spec = path_root("spec"), ref_at = path_child(&spec, "podGroupTemplateRef"),
       policy = path_child(&spec, "schedulingPolicy");
  const val *ref = val_path(v->obj, "spec.podGroupTemplateRef");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_is(v->subresource, "status")) {
    group_status_check(v);
    return;
  }
  if (is_kept(v, &ref_at, "spec.podGroupTemplateRef") && ref && !v->old) {
    template_ref_check(v->errs, &ref_at, ref);
  }
  if (is_kept(v, &policy, "spec.schedulingPolicy") && !v->old) {
    policy_check(v->errs, &policy, val_path(v->obj, "spec.schedulingPolicy"));
  }
}
