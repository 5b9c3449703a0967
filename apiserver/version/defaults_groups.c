/* defaults_groups: the conditional defaults of every group but core.
 * Source: pkg/apis/<group>/<version>/defaults.go, apiextensions v1 defaults.go. */
#include "version/canonical.h"
#include "version/defaults_plan.h"

/* Sets a field that the object lacks. */
static void field_fill(arena *a, val *v, const char *field, val *value) {
  if (val_is_map(v) && !val_getc(v, field)) val_setc(a, v, field, value);
}

static void text_fill(arena *a, val *v, const char *field, const char *text) {
  if (!val_get_str(v, field).len) val_setc(a, v, field, val_cstr(a, text));
}

void default_deployment(arena *a, val *v) {
  canonical_deployment(v);
  val *strategy = val_ensure_map(a, val_getc(v, "spec"), "strategy");
  text_fill(a, strategy, "type", "RollingUpdate");
  if (!slice_is(val_get_str(strategy, "type"), "RollingUpdate")) return;
  val *rolling = val_ensure_map(a, strategy, "rollingUpdate");
  field_fill(a, rolling, "maxUnavailable", val_cstr(a, "25%"));
  field_fill(a, rolling, "maxSurge", val_cstr(a, "25%"));
}

void default_daemon_set(arena *a, val *v) {
  canonical_daemon_set(a, v);
  val *strategy = val_ensure_map(a, val_getc(v, "spec"), "updateStrategy");
  text_fill(a, strategy, "type", "RollingUpdate");
  if (!slice_is(val_get_str(strategy, "type"), "RollingUpdate")) return;
  val *rolling = val_ensure_map(a, strategy, "rollingUpdate");
  field_fill(a, rolling, "maxUnavailable", val_int(a, 1));
  field_fill(a, rolling, "maxSurge", val_int(a, 0));
}

/* The partition is filled in only where rollingUpdate is there, or no type was given. */
void default_stateful_set(arena *a, val *v) {
  canonical_stateful_set(a, v);
  val *spec = val_getc(v, "spec");
  val *strategy = val_ensure_map(a, spec, "updateStrategy");
  if (!val_get_str(strategy, "type").len) {
    val_setc(a, strategy, "type", val_cstr(a, "RollingUpdate"));
    val_ensure_map(a, strategy, "rollingUpdate");
  }
  val *rolling = val_getc(strategy, "rollingUpdate");
  if (slice_is(val_get_str(strategy, "type"), "RollingUpdate") && val_is_map(rolling)) {
    field_fill(a, rolling, "partition", val_int(a, 0));
  }
  val *retention = val_ensure_map(a, spec, "persistentVolumeClaimRetentionPolicy");
  text_fill(a, retention, "whenDeleted", "Retain");
  text_fill(a, retention, "whenScaled", "Retain");
}

void default_job(arena *a, val *v) {
  val *spec = val_getc(v, "spec");
  if (!val_getc(spec, "completions") && !val_getc(spec, "parallelism")) {
    val_setc(a, spec, "completions", val_int(a, 1));
  }
  field_fill(a, spec, "parallelism", val_int(a, 1));
  bool per_index = val_getc(spec, "backoffLimitPerIndex") != NULL;
  field_fill(a, spec, "backoffLimit", val_int(a, per_index ? INT32_MAX : 6));
  bool policy = val_getc(spec, "podFailurePolicy") != NULL;
  field_fill(a, spec, "podReplacementPolicy",
             val_cstr(a, policy ? "Failed" : "TerminatingOrFailed"));
  const val *labels = val_path(spec, "template.metadata.labels");
  if (!val_len(labels)) return;
  val *meta = val_ensure_map(a, v, "metadata");
  if (!val_len(val_getc(meta, "labels"))) val_setc(a, meta, "labels", val_copy(a, labels));
}

static val *scaling_policy(arena *a, const char *type, int64_t value) {
  val *policy = val_map(a);
  val_setc(a, policy, "type", val_cstr(a, type));
  val_setc(a, policy, "value", val_int(a, value));
  val_setc(a, policy, "periodSeconds", val_int(a, 15));
  return policy;
}

static void scaling_rules_default(arena *a, val *behavior, const char *direction, bool up) {
  val *rules = val_ensure_map(a, behavior, direction);
  field_fill(a, rules, "selectPolicy", val_cstr(a, "Max"));
  if (up) field_fill(a, rules, "stabilizationWindowSeconds", val_int(a, 0));
  if (val_getc(rules, "policies") || val_had_empty(rules, "policies")) return;
  val *policies = val_ensure_list(a, rules, "policies");
  if (up) val_append(a, policies, scaling_policy(a, "Pods", 4));
  val_append(a, policies, scaling_policy(a, "Percent", 100));
}

void default_hpa_v2(arena *a, val *v) {
  canonical_hpa(v);
  val *spec = val_getc(v, "spec");
  if (!val_len(val_getc(spec, "metrics"))) {
    val *metric = val_map(a), *resource = val_map(a), *target = val_map(a), *list = val_list(a);
    val_setc(a, target, "type", val_cstr(a, "Utilization"));
    val_setc(a, target, "averageUtilization", val_int(a, 80));
    val_setc(a, resource, "name", val_cstr(a, "cpu"));
    val_setc(a, resource, "target", target);
    val_setc(a, metric, "type", val_cstr(a, "Resource"));
    val_setc(a, metric, "resource", resource);
    val_append(a, list, metric);
    val_setc(a, spec, "metrics", list);
  }
  val *behavior = val_getc(spec, "behavior");
  if (!val_is_map(behavior)) return;
  scaling_rules_default(a, behavior, "scaleUp", true);
  scaling_rules_default(a, behavior, "scaleDown", false);
}

void default_rbac_subject(arena *a, val *v) {
  slice kind = val_get_str(v, "kind");
  if (slice_is(kind, "User") || slice_is(kind, "Group")) {
    text_fill(a, v, "apiGroup", "rbac.authorization.k8s.io");
  }
}

void default_network_policy(arena *a, val *v) {
  val *spec = val_ensure_map(a, v, "spec");
  if (val_len(val_getc(spec, "policyTypes"))) return;
  val *types = val_list(a);
  val_append(a, types, val_cstr(a, "Ingress"));
  if (val_len(val_getc(spec, "egress"))) val_append(a, types, val_cstr(a, "Egress"));
  val_setc(a, spec, "policyTypes", types);
}

void default_device_request(arena *a, val *v) {
  bool exact = slice_is(val_get_str(v, "allocationMode"), "ExactCount");
  if (exact && val_is_empty(val_getc(v, "count"))) val_setc(a, v, "count", val_int(a, 1));
}

void default_device_sub_request(arena *a, val *v) { default_device_request(a, v); }

/* Taints' timeAdded needs the clock: admission/time_added.c does that. */
void default_device(arena *a, val *v) {
  VAL_EACH(e, val_getc(v, "nodeAllocatableResourceMappings")) {
    field_fill(a, e->value, "allocationMultiplier", val_cstr(a, "1"));
  }
}

void default_basic_device(arena *a, val *v) { default_device(a, v); }

/* Where there are subrequests instead, none of it may be set. */
void default_device_request_beta(arena *a, val *v) {
  if (!val_get_str(v, "deviceClassName").len) return;
  text_fill(a, v, "allocationMode", "ExactCount");
  default_device_request(a, v);
}

static val *lower_copy(arena *a, slice text) { return val_string(a, arena_lower(a, text)); }

static void stored_versions_default(arena *a, val *v, const val *spec) {
  if (val_len(val_path(v, "status.storedVersions"))) return;
  const val *versions = val_getc(spec, "versions");
  for (uint32_t i = 0; i < val_len(versions); i++) {
    const val *version = val_at(versions, i);
    if (!val_true(val_getc(version, "storage"))) continue;
    val *stored = val_ensure_list(a, val_ensure_map(a, v, "status"), "storedVersions");
    val_append(a, stored, val_string(a, val_get_str(version, "name")));
    return;
  }
}

void default_crd(arena *a, val *v) {
  val *spec = val_ensure_map(a, v, "spec");
  val *names = val_ensure_map(a, spec, "names");
  slice kind = val_get_str(names, "kind");
  if (kind.len && !val_get_str(names, "singular").len) {
    val_setc(a, names, "singular", lower_copy(a, kind));
  }
  if (kind.len && !val_get_str(names, "listKind").len) {
    val_setc(a, names, "listKind", val_printf(a, "%.*sList", SLICE_ARG(kind)));
  }
  if (!val_getc(spec, "conversion")) {
    val_setc(a, val_ensure_map(a, spec, "conversion"), "strategy", val_cstr(a, "None"));
  }
  stored_versions_default(a, v, spec);
}
