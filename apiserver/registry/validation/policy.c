/* PodDisruptionBudgets and PriorityClasses. Source: pkg/apis/{policy,scheduling}/validation. */
#include "registry/validation/apps.h"
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#define HIGHEST_USER_PRIORITY 1000000000
#define SYSTEM_PRIORITY ((int64_t)2000000000)

static const char *const eviction_policies[] = {"AlwaysAllow", "IfHealthyBudget", NULL};
static const char *const preemptions[] = {"PreemptLowerPriority", "Never", NULL};

static void amount_check(field_errors *errs, const path *p, const val *v) {
  int_or_percent_check(errs, p, v);
  percent_most_check(errs, p, v);
}

static void budget_status_check(const validate_args *v) {
  static const char *const counts[] = {"disruptionsAllowed", "currentHealthy", "desiredHealthy",
                                       "expectedPods"};
  path status = path_root("status"), conditions = path_child(&status, "conditions");
  const val *s = val_getc(v->obj, "status");
  conditions_validate(v->errs, &conditions, val_getc(s, "conditions"));
  for (size_t i = 0; i < 4; i++) {
    path p = path_child(&status, counts[i]);
    nonnegative_check(v->errs, &p, val_i64(val_getc(s, counts[i])));
  }
}

/* Metadata is left to the rules of all kinds. */
void validate_disruption_budget(const validate_args *v) {
  path spec = path_root("spec"), min = path_child(&spec, "minAvailable"),
       max = path_child(&spec, "maxUnavailable"), selector = path_child(&spec, "selector"),
       eviction = path_child(&spec, "unhealthyPodEvictionPolicy");
  const val *s = val_getc(v->obj, "spec"), *low = val_getc(s, "minAvailable"),
            *high = val_getc(s, "maxUnavailable");
  if (slice_is(v->subresource, "status")) {
    budget_status_check(v);
    return;
  }
  if (low && high) {
    field_invalid_struct(v->errs, &spec, s, field_type(v, "spec"),
                         "minAvailable and maxUnavailable cannot be both set");
  }
  if (low) amount_check(v->errs, &min, low);
  if (high) amount_check(v->errs, &max, high);
  label_selector_validate(v->errs, &selector, val_getc(s, "selector"));
  const val *policy = val_getc(s, "unhealthyPodEvictionPolicy");
  if (policy) enum_check(v->errs, &eviction, val_str(policy), eviction_policies);
}

/* The two classes that the system has, and why this one is neither. */
static slice system_class_problem(arena *a, slice name, int64_t value, bool global) {
  static const struct {
    const char *name;
    int64_t value;
  } known[] = {{"system-node-critical", SYSTEM_PRIORITY + 1000},
               {"system-cluster-critical", SYSTEM_PRIORITY}};
  for (size_t i = 0; i < 2; i++) {
    if (!slice_is(name, known[i].name)) continue;
    if (value != known[i].value) {
      return arena_printf(a, "value of %s PriorityClass must be %lld", known[i].name,
                          (long long)known[i].value);
    }
    return global
               ? arena_printf(a, "globalDefault of %s PriorityClass must be false", known[i].name)
               : SLICE_NONE;
  }
  return arena_printf(a, "%.*s is not a known system priority class", SLICE_ARG(name));
}

void validate_priority_class(const validate_args *v) {
  path meta = path_root("metadata"), name_at = path_child(&meta, "name"),
       value_at = path_root("value"), policy_at = path_root("preemptionPolicy");
  const val *policy = val_getc(v->obj, "preemptionPolicy");
  int64_t value = val_i64(val_getc(v->obj, "value"));
  slice name = val_get_str(val_getc(v->obj, "metadata"), "name");
  if (v->old) {
    meta_change(v);
    if (value != val_i64(val_getc(v->old, "value")))
      field_forbidden(v->errs, &value_at, "may not be changed in an update.");
    immutable_check(v->errs, &policy_at, policy, val_getc(v->old, "preemptionPolicy"));
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_has_prefix(name, SLICE_LIT("system-"))) {
    slice why =
        system_class_problem(v->errs->a, name, value, val_true(val_getc(v->obj, "globalDefault")));
    if (why.len) {
      field_forbidden(v->errs, &name_at,
                      "priority class names with 'system-' prefix are reserved for system use "
                      "only. error: %.*s",
                      SLICE_ARG(why));
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    field_forbidden(v->errs, &value_at, "maximum allowed value of a user defined priority is %d",
                    HIGHEST_USER_PRIORITY);
  }
  if (policy && required_str(v->errs, &policy_at, val_str(policy)))
    enum_check(v->errs, &policy_at, val_str(policy), preemptions);
}
