/* convert_hpa: what v1 cannot say travels in annotations.
 *
 * v1 knows one metric, the CPU's utilization. The other metrics, the status of all, the
 * conditions and the behavior are JSON texts in annotations: metrics in a shape of v1's own
 * (the rows below), behavior with the field names of the real server's internal type. */
#include "version/convert_hpa.h"

#include "base/ascii.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "version/canonical.h"

#include <string.h>

#define PREFIX "autoscaling.alpha.kubernetes.io/"
static const char METRICS[] = PREFIX "metrics";
static const char CURRENT[] = PREFIX "current-metrics";
static const char CONDITIONS[] = PREFIX "conditions";
static const char BEHAVIOR[] = PREFIX "behavior";
static const char *const all_annotations[] = {
    METRICS, BEHAVIOR, PREFIX "scale-down-tolerance", PREFIX "scale-up-tolerance",
    CURRENT, CONDITIONS, NULL,
};

/* One field of one kind of metric: its name in v1 (in wire order), its place in v2. */
typedef struct metric_field {
  const char *source, *v1, *v2;
  bool quantity_always; /* Go has no pointer in v1: "0" when v2 has none */
  bool always; /* a text that is written even when empty */
} metric_field;

static const char *const sources[] = {"object", "pods", "resource", "containerResource",
                                      "external"};

static const metric_field spec_fields[] = {
    {"object", "target", "describedObject", false, false},
    {"object", "metricName", "metric.name", false, true},
    {"object", "targetValue", "target.value", true, false},
    {"object", "selector", "metric.selector", false, false},
    {"object", "averageValue", "target.averageValue", false, false},
    {"pods", "metricName", "metric.name", false, true},
    {"pods", "targetAverageValue", "target.averageValue", true, false},
    {"pods", "selector", "metric.selector", false, false},
    {"resource", "name", "name", false, true},
    {"resource", "targetAverageUtilization", "target.averageUtilization", false, false},
    {"resource", "targetAverageValue", "target.averageValue", false, false},
    {"containerResource", "name", "name", false, true},
    {"containerResource", "targetAverageUtilization", "target.averageUtilization", false, false},
    {"containerResource", "targetAverageValue", "target.averageValue", false, false},
    {"containerResource", "container", "container", false, true},
    {"external", "metricName", "metric.name", false, true},
    {"external", "metricSelector", "metric.selector", false, false},
    {"external", "targetValue", "target.value", false, false},
    {"external", "targetAverageValue", "target.averageValue", false, false},
    {NULL, NULL, NULL, false, false},
};

static const metric_field status_fields[] = {
    {"object", "target", "describedObject", false, false},
    {"object", "metricName", "metric.name", false, true},
    {"object", "currentValue", "current.value", true, false},
    {"object", "selector", "metric.selector", false, false},
    {"object", "averageValue", "current.averageValue", false, false},
    {"pods", "metricName", "metric.name", false, true},
    {"pods", "currentAverageValue", "current.averageValue", true, false},
    {"pods", "selector", "metric.selector", false, false},
    {"resource", "name", "name", false, true},
    {"resource", "currentAverageUtilization", "current.averageUtilization", false, false},
    {"resource", "currentAverageValue", "current.averageValue", true, false},
    {"containerResource", "name", "name", false, true},
    {"containerResource", "currentAverageUtilization", "current.averageUtilization", false, false},
    {"containerResource", "currentAverageValue", "current.averageValue", true, false},
    {"containerResource", "container", "container", false, true},
    {"external", "metricName", "metric.name", false, true},
    {"external", "metricSelector", "metric.selector", false, false},
    {"external", "currentValue", "current.value", true, false},
    {"external", "currentAverageValue", "current.averageValue", false, false},
    {NULL, NULL, NULL, false, false},
};

void canonical_hpa(val *v) { canonical_drop_annotations(val_getc(v, "metadata"), all_annotations); }

/* The parts of an object reference or a label selector in wire order, labels sorted. */
static val *ordered_copy(arena *a, const val *v) {
  static const char *const order[] = {"kind", "name", "apiVersion", "matchLabels",
                                      "matchExpressions", NULL};
  if (!val_is_map(v)) return val_copy(a, v);
  val *out = val_map(a);
  for (const char *const *name = order; *name; name++) {
    const val *part = val_getc(v, *name);
    if (!part || (val_is_empty(part) && strcmp(*name, "apiVersion") == 0)) continue;
    val *copy = val_copy(a, part);
    if (val_is_map(copy)) val_sort(copy);
    val_setc(a, out, *name, copy);
  }
  return out;
}

static val *metric_v1_from_v2(arena *a, const val *metric, const metric_field *fields) {
  val *out = val_map(a);
  val_setc(a, out, "type", val_string(a, val_get_str(metric, "type")));
  for (size_t s = 0; s < sizeof(sources) / sizeof(sources[0]); s++) {
    const val *from = val_getc(metric, sources[s]);
    if (!val_is_map(from)) continue;
    val *to = val_ensure_map(a, out, sources[s]);
    for (const metric_field *f = fields; f->source; f++) {
      if (strcmp(f->source, sources[s]) != 0) continue;
      const val *part = val_path(from, f->v2);
      if (part) val_setc(a, to, f->v1, ordered_copy(a, part));
      else if (f->quantity_always) val_setc(a, to, f->v1, val_cstr(a, "0"));
      else if (f->always) val_setc(a, to, f->v1, val_cstr(a, ""));
    }
  }
  return out;
}

static void path_set(arena *a, val *v, const char *dotted, val *value) {
  slice head, tail, path = slice_cstr(dotted);
  if (slice_cut(path, '.', &head, &tail)) {
    val *inner = val_get(v, head);
    if (!inner) {
      inner = val_map(a);
      val_set(a, v, head, inner);
    }
    val_set(a, inner, tail, value);
  } else {
    val_set(a, v, path, value);
  }
}

/* v1 does not say of which type a target is: it follows from what is given. */
static void target_type_set(arena *a, const char *source, const val *v1, val *v2) {
  val *target = val_ensure_map(a, v2, "target");
  const char *type = "AverageValue";
  if (strstr(source, "esource") && val_getc(v1, "targetAverageUtilization")) type = "Utilization";
  if (strcmp(source, "external") == 0 && val_getc(v1, "targetValue")) type = "Value";
  if (strcmp(source, "object") == 0) {
    if (!val_getc(v1, "averageValue")) type = "Value";
    else if (slice_is(val_get_str(target, "value"), "0")) val_delc(target, "value");
  }
  val_setc(a, target, "type", val_cstr(a, type));
}

static val *metric_v2_from_v1(arena *a, const val *metric, const metric_field *fields) {
  val *out = val_map(a);
  val_setc(a, out, "type", val_string(a, val_get_str(metric, "type")));
  for (size_t s = 0; s < sizeof(sources) / sizeof(sources[0]); s++) {
    const val *from = val_getc(metric, sources[s]);
    if (!val_is_map(from)) continue;
    val *to = val_ensure_map(a, out, sources[s]);
    for (const metric_field *f = fields; f->source; f++) {
      if (strcmp(f->source, sources[s]) != 0) continue;
      const val *part = val_getc(from, f->v1);
      if (part && !val_is_null(part)) path_set(a, to, f->v2, val_copy(a, part));
      else if (f->quantity_always) path_set(a, to, f->v2, val_cstr(a, "0"));
    }
    if (fields == spec_fields) target_type_set(a, sources[s], from, to);
  }
  return out;
}

static val *cpu_metric(arena *a, const char *place, val *utilization) {
  val *metric = val_map(a), *resource = val_map(a), *target = val_map(a);
  if (strcmp(place, "target") == 0) val_setc(a, target, "type", val_cstr(a, "Utilization"));
  val_setc(a, target, "averageUtilization", utilization);
  val_setc(a, resource, "name", val_cstr(a, "cpu"));
  val_setc(a, resource, place, target);
  val_setc(a, metric, "type", val_cstr(a, "Resource"));
  val_setc(a, metric, "resource", resource);
  return metric;
}

/* The utilization when this is a CPU metric with one, else NULL. */
static val *cpu_utilization(const val *metric, const char *path) {
  if (!slice_is(val_get_str(metric, "type"), "Resource")) return NULL;
  if (!slice_is(val_get_str(val_getc(metric, "resource"), "name"), "cpu")) return NULL;
  return val_path(metric, path);
}

static void annotation_set(arena *a, val *meta, const char *name, const val *tree) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  json_encode_any(&out, tree, false);
  val *text = val_string_copy(a, buf_slice(&out));
  buf_dispose(&out);
  val_setc(a, val_ensure_map(a, meta, "annotations"), name, text);
}

/* The JSON in an annotation, or NULL when there is none that can be read. */
static val *annotation_parse(arena *a, const val *meta, const char *name, val_type type) {
  slice error, text = val_get_str(val_getc(meta, "annotations"), name);
  val *tree = text.len ? json_parse(a, text, NULL, &error) : NULL;
  return tree && tree->type == type ? tree : NULL;
}

/* The internal type has Go's field names, and every field is written. */
static val *policies_internal(arena *a, const val *policies) {
  val *out = val_list(a);
  for (uint32_t i = 0; i < val_len(policies); i++) {
    const val *policy = val_at(policies, i);
    val *item = val_map(a);
    val_setc(a, item, "Type", val_string(a, val_get_str(policy, "type")));
    val_setc(a, item, "Value", val_int(a, val_i64(val_getc(policy, "value"))));
    val_setc(a, item, "PeriodSeconds", val_int(a, val_i64(val_getc(policy, "periodSeconds"))));
    val_append(a, out, item);
  }
  return out;
}

static val *or_null(arena *a, val *v) { return v ? v : val_null(a); }

static val *rules_internal(arena *a, const val *rules) {
  if (!rules) return val_null(a);
  val *out = val_map(a), *policies = val_getc(rules, "policies");
  val_setc(a, out, "StabilizationWindowSeconds",
           or_null(a, val_getc(rules, "stabilizationWindowSeconds")));
  val_setc(a, out, "SelectPolicy", or_null(a, val_getc(rules, "selectPolicy")));
  val_setc(a, out, "Policies", policies ? policies_internal(a, policies) : val_null(a));
  val_setc(a, out, "Tolerance", or_null(a, val_getc(rules, "tolerance")));
  return out;
}

/* Back again: keys start in lower case, nulls go. Depth is that of the shape above. */
static val *internal_names_lower(arena *a, const val *v, int depth) {
  if (depth == 0) return val_null(a);
  if (val_is_list(v)) {
    val *list = val_list(a);
    for (uint32_t i = 0; i < val_len(v); i++) {
      val_append(a, list, internal_names_lower(a, val_at(v, i), depth - 1));
    }
    return list;
  }
  if (!val_is_map(v)) return val_copy(a, v);
  val *map = val_map(a);
  VAL_EACH(e, v) {
    if (val_is_null(e->value) || !e->key.len) continue;
    char *key = arena_cstr(a, e->key);
    key[0] = ascii_lower(key[0]);
    val_setc(a, map, key, internal_names_lower(a, e->value, depth - 1));
  }
  return map;
}

static val *condition_ordered(arena *a, const val *condition) {
  val *out = val_map(a);
  val_setc(a, out, "type", val_string(a, val_get_str(condition, "type")));
  val_setc(a, out, "status", val_string(a, val_get_str(condition, "status")));
  val_setc(a, out, "lastTransitionTime", or_null(a, val_getc(condition, "lastTransitionTime")));
  static const char *const rest[] = {"reason", "message"};
  for (int i = 0; i < 2; i++) {
    slice text = val_get_str(condition, rest[i]);
    if (text.len) val_setc(a, out, rest[i], val_string(a, text));
  }
  return out;
}

static void fields_copy(arena *a, val *to, const val *from, const char *const *names) {
  for (; *names; names++) {
    val *part = val_getc(from, *names);
    if (part) val_setc(a, to, *names, part);
  }
}

static const char *const spec_shared[] = {"scaleTargetRef", "minReplicas", "maxReplicas", NULL};
static const char *const status_shared[] = {"observedGeneration", "lastScaleTime",
                                            "currentReplicas", "desiredReplicas", NULL};

/* The map's entries in a new map, so that annotations may change. */
static val *meta_copy(arena *a, const val *meta) {
  val *out = val_map(a);
  VAL_EACH(e, meta) {
    bool mine = slice_is(e->key, "annotations");
    val_set(a, out, e->key, mine ? val_copy(a, e->value) : e->value);
  }
  canonical_drop_annotations(out, all_annotations);
  return out;
}

static void spec_v1_from_v2(arena *a, const val *v2, val *spec, val *meta) {
  const val *metrics = val_path(v2, "spec.metrics");
  val *others = val_list(a), *cpu = NULL;
  for (uint32_t i = 0; i < val_len(metrics); i++) {
    val *utilization = cpu_utilization(val_at(metrics, i), "resource.target.averageUtilization");
    if (utilization && !cpu) cpu = utilization;
    if (!utilization) val_append(a, others, metric_v1_from_v2(a, val_at(metrics, i), spec_fields));
  }
  if (cpu) val_setc(a, spec, "targetCPUUtilizationPercentage", cpu);
  if (val_len(others)) annotation_set(a, meta, METRICS, others);
}

static void status_v1_from_v2(arena *a, const val *v2, val *status, val *meta) {
  const val *metrics = val_path(v2, "status.currentMetrics");
  val *texts = val_list(a);
  for (uint32_t i = 0; i < val_len(metrics); i++) {
    val *cpu = cpu_utilization(val_at(metrics, i), "resource.current.averageUtilization");
    if (cpu) val_setc(a, status, "currentCPUUtilizationPercentage", cpu);
    val_append(a, texts, metric_v1_from_v2(a, val_at(metrics, i), status_fields));
  }
  if (val_len(texts)) annotation_set(a, meta, CURRENT, texts);
}

val *hpa_v1_from_v2(arena *a, const val *v2) {
  val *out = val_map(a), *spec = val_map(a), *status = val_map(a);
  val *meta = meta_copy(a, val_getc(v2, "metadata"));
  fields_copy(a, spec, val_getc(v2, "spec"), spec_shared);
  fields_copy(a, status, val_getc(v2, "status"), status_shared);
  spec_v1_from_v2(a, v2, spec, meta);
  status_v1_from_v2(a, v2, status, meta);
  const val *behavior = val_path(v2, "spec.behavior");
  if (val_is_map(behavior)) {
    val *internal = val_map(a);
    val_setc(a, internal, "ScaleUp", rules_internal(a, val_getc(behavior, "scaleUp")));
    val_setc(a, internal, "ScaleDown", rules_internal(a, val_getc(behavior, "scaleDown")));
    annotation_set(a, meta, BEHAVIOR, internal);
  }
  const val *conditions = val_path(v2, "status.conditions");
  if (val_len(conditions)) {
    val *list = val_list(a);
    for (uint32_t i = 0; i < val_len(conditions); i++) {
      val_append(a, list, condition_ordered(a, val_at(conditions, i)));
    }
    annotation_set(a, meta, CONDITIONS, list);
  }
  val_setc(a, out, "metadata", meta);
  val_setc(a, out, "spec", spec);
  if (val_len(status)) val_setc(a, out, "status", status);
  return out;
}

static val *metrics_v2_from_v1(arena *a, const val *old, const metric_field *fields) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < val_len(old); i++) {
    val_append(a, list, metric_v2_from_v1(a, val_at(old, i), fields));
  }
  return list;
}

static void spec_v2_from_v1(arena *a, const val *v1, val *spec) {
  const val *meta = val_getc(v1, "metadata");
  const val *others = annotation_parse(a, meta, METRICS, VAL_LIST);
  val *metrics = metrics_v2_from_v1(a, others, spec_fields);
  val *cpu = val_path(v1, "spec.targetCPUUtilizationPercentage");
  if (!cpu && !val_len(metrics)) cpu = val_int(a, 80);
  if (cpu) val_append(a, metrics, cpu_metric(a, "target", cpu));
  val_setc(a, spec, "metrics", metrics);
  const val *internal = annotation_parse(a, meta, BEHAVIOR, VAL_MAP);
  val *behavior = internal ? internal_names_lower(a, internal, 8) : NULL;
  if (val_len(behavior)) val_setc(a, spec, "behavior", behavior);
}

static void status_v2_from_v1(arena *a, const val *v1, val *status) {
  const val *meta = val_getc(v1, "metadata");
  const val *current = annotation_parse(a, meta, CURRENT, VAL_LIST);
  val *cpu = val_path(v1, "status.currentCPUUtilizationPercentage");
  if (current) {
    val_setc(a, status, "currentMetrics", metrics_v2_from_v1(a, current, status_fields));
  } else if (cpu) {
    val_append(a, val_ensure_list(a, status, "currentMetrics"), cpu_metric(a, "current", cpu));
  }
  const val *conditions = annotation_parse(a, meta, CONDITIONS, VAL_LIST);
  if (val_len(conditions)) {
    val_setc(a, status, "conditions", internal_names_lower(a, conditions, 8));
  }
}

val *hpa_v2_from_v1(arena *a, const val *v1) {
  val *out = val_map(a), *spec = val_map(a), *status = val_map(a);
  fields_copy(a, spec, val_getc(v1, "spec"), spec_shared);
  fields_copy(a, status, val_getc(v1, "status"), status_shared);
  spec_v2_from_v1(a, v1, spec);
  status_v2_from_v1(a, v1, status);
  val_setc(a, out, "metadata", meta_copy(a, val_getc(v1, "metadata")));
  val_setc(a, out, "spec", spec);
  if (val_len(status)) val_setc(a, out, "status", status);
  return out;
}
