/* HorizontalPodAutoscalers, as v2 keeps them. Source:
 * pkg/apis/autoscaling/validation/validation.go. */
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/rows.h"

#include "codec/codec.h"

#define PERIOD_MAX 1800
#define WINDOW_MAX 3600

static const char *const metric_types[] = {"ContainerResource", "External", "Object", "Pods",
                                           "Resource",          NULL};
static const char *const select_policies[] = {"Disabled", "Max", "Min", NULL};
static const char *const policy_types[] = {"Percent", "Pods", NULL};
static const char *const target_types[] = {"Utilization", "Value", "AverageValue", NULL};

typedef struct version_rule {
  bool any, may_be_core;
} version_rule;

/* Why an apiVersion can't be one, or SLICE_NONE. */
static slice version_problem(arena *a, slice text, version_rule rule) {
  slice head, tail;
  if (rule.any) return SLICE_NONE;
  bool cut = slice_cut(text, '/', &head, &tail);
  if (cut && slice_find_char(tail, '/') >= 0) {
    return arena_printf(a, "unexpected GroupVersion string: %.*s", SLICE_ARG(text));
  }
  bool core = !cut || (head.len == 0 && tail.len != 0) || slice_is(text, "/");
  return core && !rule.may_be_core ? SLICE_LIT("apiVersion must specify API group") : SLICE_NONE;
}

static void target_ref_check(field_errors *errs, const path *p, const val *ref, version_rule rule) {
  static const char *const parts[] = {"kind", "name"};
  path version = path_child(p, "apiVersion");
  for (size_t i = 0; i < 2; i++) {
    path at = path_child(p, parts[i]);
    slice text = val_get_str(ref, parts[i]);
    if (required_str(errs, &at, text)) text_check(errs, &at, TEXT_PATH_SEGMENT, text);
  }
  slice text = val_get_str(ref, "apiVersion"), why = version_problem(errs->a, text, rule);
  if (why.len)
    field_invalid_str(errs, &version, text.ptr ? text : SLICE_LIT(""), "%.*s", SLICE_ARG(why));
}

static void target_check(field_errors *errs, const path *p, const val *target) {
  static const char *const amounts[] = {"value", "averageValue"};
  path type = path_child(p, "type"), share = path_child(p, "averageUtilization");
  slice t = val_get_str(target, "type");
  const val *n = val_getc(target, "averageUtilization");
  if (t.len == 0) field_required(errs, &type, "must specify a metric target type");
  if (!str_in(t, target_types)) {
    field_invalid_named(errs, &type, t.ptr ? t : SLICE_LIT(""),
                      "must be either Utilization, Value, or AverageValue");
  }
  for (size_t i = 0; i < 2; i++) {
    path at = path_child(p, amounts[i]);
    const val *amount = val_getc(target, amounts[i]);
    if (amount && quantity_cmp(val_str(amount), SLICE_LIT("0")) <= 0)
      field_invalid(errs, &at, amount, "must be positive");
  }
  if (n && val_i64(n) < 1) field_invalid(errs, &share, n, "must be greater than 0");
}

/* What a source names, and which of the target's ways it knows. */
typedef struct source_row {
  const char *type, *field;
  bool described, metric, resource, container;
  const char *first, *second; /* one of these must be there */
  const char *missing;        /* words when none is; the path is `blame` */
  const char *blame;
  const char *both_blame, *both; /* NULL: both may be there */
} source_row;

static const source_row sources[] = {
    {"Object", "object", true, true, false, false, "value", "averageValue",
     "must set either a target value or averageValue", "averageValue", NULL, NULL},
    {"External", "external", false, true, false, false, "value", "averageValue",
     "must set either a target value for metric or a per-pod target", "averageValue", "value",
     "may not set both a target value for metric and a per-pod target"},
    {"Pods", "pods", false, true, false, false, "averageValue", "averageValue",
     "must specify a positive target averageValue", "averageValue", NULL, NULL},
    {"Resource", "resource", false, false, true, false, "averageUtilization", "averageValue",
     "must set either a target raw value or a target utilization", "averageUtilization",
     "averageValue", "may not set both a target raw value and a target utilization"},
    {"ContainerResource", "containerResource", false, false, true, true, "averageUtilization",
     "averageValue", "must set either a target raw value or a target utilization",
     "averageUtilization", "averageValue",
     "may not set both a target raw value and a target utilization"},
};
#define SOURCES (sizeof sources / sizeof *sources)

static void names_check(field_errors *errs, const path *p, const val *s, const source_row *row) {
  path metric = path_child(p, "metric"), metric_name = path_child(&metric, "name"),
       name_at = path_child(p, "name"), container = path_child(p, "container");
  slice m = val_str(val_path(s, "metric.name")), name = val_get_str(s, "name"),
        c = val_get_str(s, "container");
  if (row->metric) {
    if (m.len)
      text_check(errs, &metric_name, TEXT_PATH_SEGMENT, m);
    else
      field_required(errs, &metric_name, "must specify a metric name");
  }
  if (row->resource && name.len == 0)
    field_required(errs, &name_at, "must specify a resource name");
  else if (row->resource && row->container)
    container_resource_name_check(errs, &name_at, name);
  if (row->container) {
    if (c.len)
      text_check(errs, &container, TEXT_DNS1123_LABEL, c);
    else
      field_required(errs, &container, "must specify a container");
  }
}

static void source_check(field_errors *errs, const path *metric, const val *s,
                         const source_row *row, version_rule rule) {
  path p = path_child(metric, row->field), object = path_child(&p, "describedObject"),
       target = path_child(&p, "target");
  const val *t = val_getc(s, "target");
  if (row->described) target_ref_check(errs, &object, val_getc(s, "describedObject"), rule);
  names_check(errs, &p, s, row);
  target_check(errs, &target, t);
  bool first = val_getc(t, row->first), second = val_getc(t, row->second);
  path blame = path_child(&target, row->blame);
  if (!first && !second) field_required(errs, &blame, "%s", row->missing);
  if (first && second && row->both) {
    path both = path_child(&target, row->both_blame);
    field_forbidden(errs, &both, "%s", row->both);
  }
}

static void metric_check(field_errors *errs, const path *p, const val *m, version_rule rule) {
  path type_at = path_child(p, "type");
  slice type = val_get_str(m, "type");
  uint32_t present = 0;
  const source_row *expected = NULL;
  if (type.len == 0) field_required(errs, &type_at, "must specify a metric source type");
  enum_check(errs, &type_at, type, metric_types);
  for (size_t i = 0; i < SOURCES; i++) {
    const val *s = val_getc(m, sources[i].field);
    if (s && ++present == 1) source_check(errs, p, s, sources + i, rule);
    if (slice_is(type, sources[i].type)) expected = sources + i;
  }
  if (!expected)
    enum_check(errs, &type_at, type, metric_types);
  else if (!val_getc(m, expected->field)) {
    path at = path_child(p, expected->field);
    field_required(errs, &at, "must populate information for the given metric source");
  }
  for (size_t i = 0; present != 1 && i < SOURCES; i++) {
    path at = path_child(p, sources[i].field);
    if (sources + i != expected && val_getc(m, sources[i].field)) {
      field_forbidden(errs, &at, "must populate the given metric source only");
    }
  }
}

static void scaling_policy_check(field_errors *errs, const path *p, const val *policy) {
  path type = path_child(p, "type"), value = path_child(p, "value"),
       period = path_child(p, "periodSeconds");
  int64_t n = val_i64(val_getc(policy, "value")),
          seconds = val_i64(val_getc(policy, "periodSeconds"));
  enum_check(errs, &type, val_get_str(policy, "type"), policy_types);
  if (n <= 0) field_invalid_int(errs, &value, n, "must be greater than zero");
  if (seconds <= 0) field_invalid_int(errs, &period, seconds, "must be greater than zero");
  if (seconds > PERIOD_MAX)
    field_invalid_int(errs, &period, seconds, "must be less than or equal to %d", PERIOD_MAX);
}

static void scaling_rules_check(field_errors *errs, const path *p, const val *rules) {
  path window = path_child(p, "stabilizationWindowSeconds"), select = path_child(p, "selectPolicy"),
       policies = path_child(p, "policies"), tolerance = path_child(p, "tolerance");
  const val *n = val_getc(rules, "stabilizationWindowSeconds"), *list = val_getc(rules, "policies");
  if (!rules) return;
  if (n && val_i64(n) < 0) field_invalid(errs, &window, n, "must be greater than or equal to zero");
  if (n && val_i64(n) > WINDOW_MAX)
    field_invalid(errs, &window, n, "must be less than or equal to %d", WINDOW_MAX);
  if (val_getc(rules, "selectPolicy"))
    enum_check(errs, &select, val_get_str(rules, "selectPolicy"), select_policies);
  if (val_len(list) == 0) field_required(errs, &policies, "must specify at least one Policy");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&policies, i);
    scaling_policy_check(errs, &at, val_at(list, i));
  }
  if (val_getc(rules, "tolerance"))
    quantity_nonnegative_check(errs, &tolerance, val_get_str(rules, "tolerance"));
}

static bool old_metric_broken(const validate_args *v) {
  const val *list = val_path(v->old, "spec.metrics");
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *object = val_getc(val_at(list, i), "object");
    slice version = val_str(val_path(object, "describedObject.apiVersion"));
    bool is_object = slice_is(val_get_str(val_at(list, i), "type"), "Object") && object;
    if (is_object && version_problem(v->errs->a, version, (version_rule){.may_be_core = true}).len)
      return true;
  }
  return false;
}

static void metrics_check(const validate_args *v, const path *spec, const val *s) {
  path metrics = path_child(spec, "metrics");
  const val *list = val_getc(s, "metrics"), *min = val_getc(s, "minReplicas");
  version_rule rule = {.any = old_metric_broken(v), .may_be_core = true};
  bool outside = false;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&metrics, i);
    slice type = val_get_str(val_at(list, i), "type");
    metric_check(v->errs, &p, val_at(list, i), rule);
    outside = outside || slice_is(type, "Object") || slice_is(type, "External");
  }
  if (min && val_i64(min) == 0 && !outside) {
    field_forbidden(
        v->errs, &metrics,
        "must specify at least one Object or External metric to support scaling to zero replicas");
  }
}

static void replicas_check(const validate_args *v, const path *spec, const val *s) {
  path min_at = path_child(spec, "minReplicas"), max_at = path_child(spec, "maxReplicas");
  const val *min = val_getc(s, "minReplicas"), *was = val_path(v->old, "spec.minReplicas");
  int64_t max = val_i64(val_getc(s, "maxReplicas")), low = 1;
  if (allowed_by(v->errs, FEATURE_HPA_SCALE_TO_ZERO) || (was && val_i64(was) == 0)) low = 0;
  if (min && val_i64(min) < low) {
    field_invalid(v->errs, &min_at, min, "must be greater than or equal to %d", (int)low);
  }
  if (max == 0) field_required(v->errs, &max_at, "must be set and greater than 0");
  if (max < 0) field_invalid_int(v->errs, &max_at, max, "must be greater than or equal to 1");
  if (min && max < val_i64(min))
    field_invalid_int(v->errs, &max_at, max, "must be greater than or equal to `minReplicas`");
}

static void autoscaler_status_check(const validate_args *v) {
  static const char *const counts[] = {"currentReplicas", "desiredReplicas"};
  path status = path_root("status");
  for (size_t i = 0; i < 2; i++) {
    path p = path_child(&status, counts[i]);
    nonnegative_check(v->errs, &p, val_i64(val_getc(val_getc(v->obj, "status"), counts[i])));
  }
}

void validate_autoscaler(const validate_args *v) {
  path spec = path_root("spec"), target = path_child(&spec, "scaleTargetRef"),
       behavior = path_child(&spec, "behavior"), up = path_child(&behavior, "scaleUp"),
       down = path_child(&behavior, "scaleDown");
  const val *s = val_getc(v->obj, "spec"), *ref = val_getc(s, "scaleTargetRef"),
            *was = val_path(v->old, "spec.scaleTargetRef");
  if (v->old)
    meta_change(v);
  else
    meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_is(v->subresource, "status")) {
    autoscaler_status_check(v);
    return;
  }
  bool kept = v->old && slice_eq(val_get_str(ref, "apiVersion"), val_get_str(was, "apiVersion")) &&
              slice_eq(val_get_str(ref, "kind"), val_get_str(was, "kind"));
  version_rule rule = {.any = kept,
                       .may_be_core = slice_is(val_get_str(ref, "kind"), "ReplicationController")};
  replicas_check(v, &spec, s);
  target_ref_check(v->errs, &target, ref, rule);
  metrics_check(v, &spec, s);
  scaling_rules_check(v->errs, &up, val_path(s, "behavior.scaleUp"));
  scaling_rules_check(v->errs, &down, val_path(s, "behavior.scaleDown"));
}
