/* ResourceQuotas. */
#include "registry/validation/checks.h"
#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"
#include "registry/validation/pod_checks.h"

static const char *const scopes[] = {"Terminating",
                                     "NotTerminating",
                                     "BestEffort",
                                     "NotBestEffort",
                                     "PriorityClass",
                                     "VolumeAttributesClass",
                                     "CrossNamespacePodAffinity",
                                     NULL};
static const char *const pod_resources[] = {
    "pods",          "cpu",          "memory",          "limits.cpu",
    "limits.memory", "requests.cpu", "requests.memory", NULL};

static bool scope_covers(slice scope, slice name) {
  if (slice_is(scope, "BestEffort")) return slice_is(name, "pods");
  if (slice_is(scope, "VolumeAttributesClass"))
    return one_of(name, CHOICES("persistentvolumeclaims", "requests.storage"));
  return !one_of(scope, scopes) || one_of(name, pod_resources);
}

static void amounts_check(field_errors *e, const path *p, const val *amounts) {
  VAL_EACH(entry, amounts) {
    path at = path_key(p, entry->key);
    quota_resource_name_check(e, &at, entry->key);
    resource_quantity_check(e, &at, entry->key, val_str(entry->value));
  }
}

static void conflicts_check(field_errors *e, const path *p, const val *set, const val *shown) {
  static const char *const pairs[][2] = {{"BestEffort", "NotBestEffort"},
                                         {"Terminating", "NotTerminating"}};
  for (size_t i = 0; i < 2; i++) {
    if (val_getc(set, pairs[i][0]) && val_getc(set, pairs[i][1]))
      refuse(e, p, NULL, shown, "conflicting scopes");
  }
}

static void scopes_check(field_errors *e, const path *p, const val *spec) {
  const val *list = val_getc(spec, "scopes");
  val *set = val_map(e->a);
  path at = path_child(p, "scopes");
  EACH_ITEM(i, list) {
    slice scope = val_str(val_at(list, i));
    if (!one_of(scope, scopes)) refuse(e, &at, NULL, list, "unsupported scope");
    VAL_EACH(entry, val_getc(spec, "hard")) {
      if (!resource_is_standard_quota(entry->key) || scope_covers(scope, entry->key)) continue;
      refuse(e, &at, NULL, list, "unsupported scope applied to resource");
    }
    val_set(e->a, set, scope, val_null(e->a));
  }
  conflicts_check(e, &at, set, list);
}

static void requirement_check(field_errors *e, const path *at, const val *spec, const val *r) {
  slice scope = val_get_str(r, "scopeName"), op = val_get_str(r, "operator");
  const val *values = val_getc(r, "values");
  if (!one_of(scope, scopes)) refuse_str(e, at, "scopeName", scope, "unsupported scope");
  VAL_EACH(entry, val_getc(spec, "hard")) {
    if (!resource_is_standard_quota(entry->key) || scope_covers(scope, entry->key)) continue;
    refuse_go(e, at, NULL, "ScopeSelector", val_getc(spec, "scopeSelector"),
              "unsupported scope applied to resource");
  }
  if (one_of(scope, CHOICES("BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
                            "CrossNamespacePodAffinity")) &&
      !slice_is(op, "Exists")) {
    refuse_str(e, at, "operator", op,
               "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
               "ResourceQuotaScopeNotTerminating, "
               "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
               "ResourceQuotaScopeCrossNamespacePodAffinity");
  }
  if (one_of(op, CHOICES("In", "NotIn"))) {
    if (!val_len(values))
      require(e, at, "values",
              "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
  } else if (one_of(op, CHOICES("Exists", "DoesNotExist"))) {
    if (val_len(values))
      refuse(e, at, "values", values,
             "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
  } else {
    invalid_operator(e, at, op);
  }
}

static void selector_check(field_errors *e, const path *p, const val *spec) {
  const val *list = val_path(spec, "scopeSelector.matchExpressions");
  val *set = val_map(e->a);
  path selector = path_child(p, "scopeSelector"), at = path_child(&selector, "matchExpressions");
  EACH_ITEM(i, list) {
    requirement_check(e, &at, spec, val_at(list, i));
    val_set(e->a, set, val_get_str(val_at(list, i), "scopeName"), val_null(e->a));
  }
  conflicts_check(e, &at, set, val_getc(spec, "scopes"));
}

static void spec_check(field_errors *e, const val *spec) {
  path p = path_root("spec"), hard = path_child(&p, "hard");
  amounts_check(e, &hard, val_getc(spec, "hard"));
  scopes_check(e, &p, spec);
  selector_check(e, &p, spec);
}

static void status_check(field_errors *e, const val *status) {
  path p = path_root("status"), hard = path_child(&p, "hard"), used = path_child(&p, "used");
  amounts_check(e, &hard, val_getc(status, "hard"));
  amounts_check(e, &used, val_getc(status, "used"));
}

static bool scopes_within(const val *a, const val *b) {
  EACH_ITEM(i, a) {
    bool found = false;
    EACH_ITEM(k, b) found = found || val_equal(val_at(a, i), val_at(b, k));
    if (!found) return false;
  }
  return true;
}

void validate_resourcequota(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec"), *now = val_getc(spec, "scopes"),
            *was = val_path(v->old, "spec.scopes");
  path p = path_root("spec");
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_is(v->subresource, "status")) {
    status_check(v->errs, val_getc(v->obj, "status"));
    return;
  }
  spec_check(v->errs, spec);
  if (!v->old)
    status_check(v->errs, val_getc(v->obj, "status"));
  else if (!scopes_within(now, was) || !scopes_within(was, now))
    refuse(v->errs, &p, "scopes", list_shown(v->errs->a, spec, "scopes"), "field is immutable");
}
