/* Deployments, ReplicaSets, DaemonSets and ControllerRevisions. Source: pkg/apis/apps/validation.
 */
#include "registry/validation/apps.h"

#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"

static bool percent_ok(slice s) {
  if (s.len < 2 || s.ptr[s.len - 1] != '%') return false;
  for (size_t i = 0; i + 1 < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
  }
  return true;
}

void int_or_percent_check(field_errors *e, const path *p, const val *v) {
  if (!val_is_string(v))
    nonnegative_check(e, p, val_i64(v));
  else if (!percent_ok(val_str(v))) {
    field_invalid_named(e, p, val_str(v), "%s",
                        "a valid percent string must be a numeric string followed by an ending '%' "
                        "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
  }
}

int64_t int_or_percent_value(const val *v) {
  long long n = 0;
  if (!val_is_string(v)) return val_i64(v);
  slice s = val_str(v);
  if (percent_ok(s)) s.len--;
  return slice_to_i64_go(s, &n) ? n : 0;
}

void percent_most_check(field_errors *e, const path *p, const val *v) {
  if (!val_is_string(v) || !percent_ok(val_str(v)) || int_or_percent_value(v) <= 100) return;
  refuse(e, p, NULL, v, "must not be greater than 100%");
}

void selector_check(field_errors *e, const path *p, const val *selector, const char *kind) {
  path at = path_child(p, "selector");
  if (!selector) {
    require(e, p, "selector", "");
    return;
  }
  label_selector_validate(e, &at, selector);
  if (val_len(val_getc(selector, "matchLabels")) +
          val_len(val_getc(selector, "matchExpressions")) ==
      0) {
    slice why = arena_printf(e->a, "empty selector is invalid for %s", kind);
    refuse(e, p, "selector", selector, why.ptr);
  }
}

/* Go's LabelSelectorAsSelector: nil matches nothing, an unknown operator is an error. */
selector_answer selector_asks(arena *a, const val *selector, const val *labels) {
  const val *exprs = val_getc(selector, "matchExpressions");
  (void)a;
  if (!selector) return SELECTOR_NO;
  EACH_ITEM(i, exprs) {
    slice op = val_get_str(val_at(exprs, i), "operator"),
          key = val_get_str(val_at(exprs, i), "key"), texts[4];
    const val *values = val_getc(val_at(exprs, i), "values");
    bool listed = one_of(op, CHOICES("In", "NotIn"));
    if (!listed && !one_of(op, CHOICES("Exists", "DoesNotExist"))) return SELECTOR_BROKEN;
    if (listed != (val_len(values) > 0) || text_problems(a, TEXT_LABEL_KEY, key, false, texts))
      return SELECTOR_BROKEN;
    EACH_ITEM(k, values) {
      if (!text_is_valid(TEXT_LABEL_VALUE, val_str(val_at(values, k)))) return SELECTOR_BROKEN;
    }
  }
  VAL_EACH(entry, val_getc(selector, "matchLabels")) {
    slice texts[4];
    if (text_problems(a, TEXT_LABEL_KEY, entry->key, false, texts)) return SELECTOR_BROKEN;
    if (!text_is_valid(TEXT_LABEL_VALUE, val_str(entry->value))) return SELECTOR_BROKEN;
  }
  bool all = true;
  VAL_EACH(entry, val_getc(selector, "matchLabels")) {
    const val *have = val_get(labels, entry->key);
    all = all && have && slice_eq(val_str(have), val_str(entry->value));
  }
  EACH_ITEM(i, exprs) {
    slice op = val_get_str(val_at(exprs, i), "operator");
    const val *values = val_getc(val_at(exprs, i), "values"),
              *have = val_get(labels, val_get_str(val_at(exprs, i), "key"));
    bool in = false;
    EACH_ITEM(k, values) in = in || (have && slice_eq(val_str(have), val_str(val_at(values, k))));
    if (slice_is(op, "In"))
      all = all && in;
    else if (slice_is(op, "NotIn"))
      all = all && !in;
    else
      all = all && (have != NULL) == slice_is(op, "Exists");
  }
  return all ? SELECTOR_YES : SELECTOR_NO;
}

bool selector_asks_nothing(const val *selector) {
  return selector && val_len(val_getc(selector, "matchLabels")) +
                             val_len(val_getc(selector, "matchExpressions")) ==
                         0;
}

/* Selector and template of a Deployment or ReplicaSet. */
static void selected_template_check(const validate_args *v, const path *p) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *selector = val_getc(spec, "selector"),
            *template = val_getc(spec, "template");
  const val *labels = val_path(template, "metadata.labels");
  path at = path_child(p, "template");
  selector_answer answer = selector_asks(e->a, selector, labels);
  if (answer == SELECTOR_BROKEN) {
    refuse(e, p, "selector", label_selector_whole(e->a, selector), "invalid label selector");
    return;
  }
  if (answer == SELECTOR_NO) labels_mismatch(e, &at, template);
  template_validate(e, &at, template, val_path(v->old, "spec.template"));
  template_restart_check(e, &at, val_getc(template, "spec"), "ReplicaSet");
}

static void deployment_strategy_check(field_errors *e, const path *p, const val *rules) {
  const val *rolling = val_getc(rules, "rollingUpdate"), *off = val_getc(rolling, "maxUnavailable"),
            *surge = val_getc(rolling, "maxSurge");
  slice type = val_get_str(rules, "type");
  path at = path_child(p, "rollingUpdate"), at_off = path_child(&at, "maxUnavailable"),
       at_surge = path_child(&at, "maxSurge");
  if (slice_is(type, "Recreate")) {
    if (rolling)
      forbid(e, p, "rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
  } else if (!slice_is(type, "RollingUpdate")) {
    unsupported_go(e, p, "DeploymentStrategy", rules, CHOICES("Recreate", "RollingUpdate"));
  } else if (!rolling) {
    require(e, p, "rollingUpdate", "this should be defaulted and never be nil");
  } else {
    int_or_percent_check(e, &at_off, off);
    int_or_percent_check(e, &at_surge, surge);
    if (int_or_percent_value(off) == 0 && int_or_percent_value(surge) == 0) {
      refuse(e, &at_off, NULL, off ? off : val_int(e->a, 0), "may not be 0 when `maxSurge` is 0");
    }
    percent_most_check(e, &at_off, off);
  }
}

static void deployment_spec(const validate_args *v) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *deadline = val_getc(spec, "progressDeadlineSeconds");
  path p = path_root("spec"), at_rules = path_child(&p, "strategy");
  nonnegative_at(e, &p, spec, "replicas");
  selector_check(e, &p, val_getc(spec, "selector"), "deployment");
  selected_template_check(v, &p);
  deployment_strategy_check(e, &at_rules, val_getc(spec, "strategy"));
  nonnegative_all(e, &p, spec, CHOICES("minReadySeconds", "revisionHistoryLimit"));
  if (!deadline) return;
  nonnegative_at(e, &p, spec, "progressDeadlineSeconds");
  if (val_i64(deadline) <= val_i64(val_getc(spec, "minReadySeconds"))) {
    refuse(e, &p, "progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  }
}

static void selector_update(const validate_args *v) {
  path spec = path_root("spec"), p = path_child(&spec, "selector");
  arena *a = v->errs->a;
  if (v->old)
    immutable_check(v->errs, &p, label_selector_whole(a, val_path(v->obj, "spec.selector")),
                    label_selector_whole(a, val_path(v->old, "spec.selector")));
}

void collisions_check(const validate_args *v) {
  const val *now = val_path(v->obj, "status.collisionCount"),
            *was = val_path(v->old, "status.collisionCount");
  path p = path_root("status");
  if (was && (!now || val_i64(now) < val_i64(was)))
    refuse_int(v->errs, &p, "collisionCount", val_i64(now), "cannot be decremented");
}

static void deployment_status(const validate_args *v) {
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status");
  core_meta_update(v->errs, v->obj, v->old);
  nonnegative_all(
      v->errs, &p, status,
      CHOICES("observedGeneration", "replicas", "updatedReplicas", "readyReplicas",
              "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"));
  counts_at_most(v->errs, &p, status,
                 CHOICES("updatedReplicas", "readyReplicas", "availableReplicas"), "replicas",
                 "cannot be greater than status.replicas");
  counts_at_most(v->errs, &p, status, CHOICES("availableReplicas"), "readyReplicas",
                 "cannot be greater than readyReplicas");
  collisions_check(v);
}

void validate_deployment(const validate_args *v) {
  if (slice_is(v->subresource, "status")) {
    deployment_status(v);
    return;
  }
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  deployment_spec(v);
  selector_update(v);
}

static void replicaset_status(const validate_args *v) {
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status");
  core_meta_update(v->errs, v->obj, v->old);
  nonnegative_all(v->errs, &p, status,
                  CHOICES("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
                          "observedGeneration", "terminatingReplicas"));
  counts_at_most(v->errs, &p, status,
                 CHOICES("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "replicas",
                 "cannot be greater than status.replicas");
  counts_at_most(v->errs, &p, status, CHOICES("availableReplicas"), "readyReplicas",
                 "cannot be greater than readyReplicas");
}

void validate_replicaset(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec");
  path p = path_root("spec");
  if (slice_is(v->subresource, "status")) {
    replicaset_status(v);
    return;
  }
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  nonnegative_all(v->errs, &p, spec, CHOICES("replicas", "minReadySeconds"));
  selector_check(v->errs, &p, val_getc(spec, "selector"), "deployment");
  selected_template_check(v, &p);
  selector_update(v);
}

static void daemon_strategy_check(field_errors *e, const path *p, const val *rules) {
  const val *rolling = val_getc(rules, "rollingUpdate"), *off = val_getc(rolling, "maxUnavailable"),
            *surge = val_getc(rolling, "maxSurge");
  slice type = val_get_str(rules, "type");
  path at = path_child(p, "rollingUpdate"), at_off = path_child(&at, "maxUnavailable"),
       at_surge = path_child(&at, "maxSurge");
  if (slice_is(type, "OnDelete")) return;
  if (!slice_is(type, "RollingUpdate")) {
    unsupported_go(e, p, "DaemonSetUpdateStrategy", rules, CHOICES("RollingUpdate", "OnDelete"));
    return;
  }
  if (!rolling) {
    require(e, p, "rollingUpdate", "");
    return;
  }
  int_or_percent_check(e, &at_off, off);
  int_or_percent_check(e, &at_surge, surge);
  percent_most_check(e, &at_off, off);
  percent_most_check(e, &at_surge, surge);
  bool has_off = int_or_percent_value(off) != 0, has_surge = int_or_percent_value(surge) != 0;
  if (has_off && has_surge)
    refuse(e, &at_surge, NULL, surge, "may not be set when maxUnavailable is non-zero");
  else if (!has_off && !has_surge)
    require(e, &at_off, NULL, "cannot be 0 when maxSurge is 0");
}

static void daemon_spec(const validate_args *v) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *selector = val_getc(spec, "selector"),
            *template = val_getc(spec, "template");
  const val *labels = val_path(template, "metadata.labels");
  path p = path_root("spec"), at = path_child(&p, "template"),
       at_selector = path_child(&p, "selector"), at_rules = path_child(&p, "updateStrategy");
  label_selector_validate(e, &at_selector, selector);
  if (selector_asks(e->a, selector, labels) == SELECTOR_NO) labels_mismatch(e, &at, template);
  if (selector_asks_nothing(selector))
    refuse(e, &p, "selector", selector, "empty selector is invalid for daemonset");
  template_validate(e, &at, template, val_path(v->old, "spec.template"));
  template_restart_check(e, &at, val_getc(template, "spec"), "DaemonSet");
  nonnegative_at(e, &p, spec, "minReadySeconds");
  daemon_strategy_check(e, &at_rules, val_getc(spec, "updateStrategy"));
  nonnegative_at(e, &p, spec, "revisionHistoryLimit");
}

void validate_daemonset(const validate_args *v) {
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status");
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  if (!slice_is(v->subresource, "status")) {
    selector_update(v);
    daemon_spec(v);
    return;
  }
  nonnegative_all(v->errs, &p, status,
                  CHOICES("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
                          "numberReady", "observedGeneration", "updatedNumberScheduled",
                          "numberAvailable", "numberUnavailable", "collisionCount"));
  collisions_check(v);
}

void validate_controllerrevision(const validate_args *v) {
  path root = path_root("revision"), data = path_root("data");
  const val *now = val_getc(v->obj, "data");
  if (v->old) core_meta_update(v->errs, v->obj, v->old);
  core_meta_validate(v->errs, v->obj, true, TEXT_DNS1123_SUBDOMAIN);
  nonnegative_check(v->errs, &root, val_i64(val_getc(v->obj, "revision")));
  if (v->old)
    immutable_check(v->errs, &data, now, val_getc(v->old, "data"));
  else if (!now || val_is_null(now))
    require(v->errs, &data, NULL, "data is mandatory");
  else if (!val_is_map(now))
    require(v->errs, &data, NULL, "data must be a valid JSON object");
}
