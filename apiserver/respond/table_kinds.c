/* Columns with a logic of their own: nodes, storage, events, access, policies, quotas. */
#include "respond/table_cell.h"

#include "codec/codec.h"
#include "registry/object.h"

#include <stdlib.h>

/* --- nodes --- */

val *cell_node_status(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *list = val_path(obj, "status.conditions"), *ready = NULL;
  for (uint32_t i = 0; i < val_len(list); i++) { /* the last of a type counts */
    if (slice_is(val_get_str(val_at(list, i), "type"), "Ready")) ready = val_at(list, i);
  }
  const char *text = !ready                                         ? "Unknown"
                     : slice_is(val_get_str(ready, "status"), "True") ? "Ready"
                                                                    : "NotReady";
  bool cordoned = val_true(val_path(obj, "spec.unschedulable"));
  return val_printf(e->arena, "%s%s", text, cordoned ? ",SchedulingDisabled" : "");
}

val *cell_node_roles(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  static const slice prefix = {"node-role.kubernetes.io/", 24};
  const val *labels = val_path(obj, "metadata.labels");
  slice *roles = ARENA_ARRAY(e->arena, slice, val_len(labels) + 1);
  uint32_t count = 0;
  VAL_EACH(entry, labels) {
    slice value = val_str(entry->value);
    if (slice_has_prefix(entry->key, prefix)) {
      slice role = slice_from(entry->key, prefix.len);
      if (role.len) roles[count++] = role;
    } else if (slice_is(entry->key, "kubernetes.io/role") && value.len) {
      roles[count++] = value;
    }
  }
  return count ? val_string(e->arena, join_set(e->arena, roles, count))
               : val_cstr(e->arena, "<none>");
}

val *cell_node_address(const cell_env *e, const val *obj, const cell *c) {
  const val *a = condition_named(val_path(obj, "status.addresses"), c->path);
  return a ? val_string(e->arena, val_get_str(a, "address")) : val_cstr(e->arena, "<none>");
}

val *cell_node_kernel(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *info = val_path(obj, "status.nodeInfo");
  slice kernel = val_get_str(info, "kernelVersion"), arch = val_get_str(info, "architecture");
  if (!kernel.len) kernel = SLICE_LIT("<unknown>");
  if (!arch.len) return val_string(e->arena, kernel);
  return val_printf(e->arena, "%.*s (%.*s)", SLICE_ARG(kernel), SLICE_ARG(arch));
}

/* --- volumes and claims --- */

static slice storage_of(const val *resources) {
  slice text = val_get_str(resources, "storage");
  return text.len ? text : SLICE_LIT("0");
}

val *cell_storage_size(const cell_env *e, const val *obj, const cell *c) {
  return val_string(e->arena, storage_of(val_path(obj, c->path)));
}

val *cell_access_modes(const cell_env *e, const val *obj, const cell *c) {
  static const char *const names[][2] = {{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"},
                                         {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  const val *modes = val_path(obj, c->path);
  slice found[4];
  uint32_t count = 0;
  for (size_t n = 0; n < 4; n++) {
    for (uint32_t i = 0; i < val_len(modes); i++) {
      if (!slice_is(val_str(val_at(modes, i)), names[n][0])) continue;
      found[count++] = slice_cstr(names[n][1]);
      break;
    }
  }
  return val_string(e->arena, arena_join_with(e->arena, found, count, ","));
}

static bool is_bound(const val *claim) {
  return val_str(val_path(claim, "spec.volumeName")).len > 0;
}

val *cell_claim_size(const cell_env *e, const val *obj, const cell *c) {
  return is_bound(obj) ? cell_storage_size(e, obj, c) : val_cstr(e->arena, "");
}

val *cell_claim_modes(const cell_env *e, const val *obj, const cell *c) {
  return is_bound(obj) ? cell_access_modes(e, obj, c) : val_cstr(e->arena, "");
}

val *cell_claim_ref(const cell_env *e, const val *obj, const cell *c) {
  const val *ref = val_path(obj, c->path);
  slice namespace = val_get_str(ref, "namespace"), name = val_get_str(ref, "name");
  if (!ref) return val_cstr(e->arena, "");
  return val_printf(e->arena, "%.*s/%.*s", SLICE_ARG(namespace), SLICE_ARG(name));
}

val *cell_storage_class(const cell_env *e, const val *obj, const cell *c) {
  const val *beta = val_getc(val_path(obj, "metadata.annotations"),
                             "volume.beta.kubernetes.io/storage-class");
  return beta ? val_string(e->arena, val_str(beta)) : cell_text(e, obj, c);
}

/* path: the annotation that makes a class the default; none: an older one, or NULL. */
val *cell_default_name(const cell_env *e, const val *obj, const cell *c) {
  const val *annotations = val_path(obj, "metadata.annotations");
  slice name = val_str(val_path(obj, "metadata.name"));
  bool is_default = slice_is(val_get_str(annotations, c->path), "true") ||
                    (c->none && slice_is(val_get_str(annotations, c->none), "true"));
  return val_printf(e->arena, "%.*s%s", SLICE_ARG(name), is_default ? " (default)" : "");
}

val *cell_audiences(const cell_env *e, const val *obj, const cell *c) {
  const val *list = val_path(obj, c->path);
  slice *items = ARENA_ARRAY(e->arena, slice, val_len(list) + 1);
  for (uint32_t i = 0; i < val_len(list); i++) items[i] = val_get_str(val_at(list, i), "audience");
  if (!list) return val_cstr(e->arena, "<unset>");
  return val_string(e->arena, arena_join_with(e->arena, items, val_len(list), ","));
}

/* --- events --- */

static slice since_or(const cell_env *e, const val *v, const val *other) {
  int64_t at;
  return human_since(e, time_of(v, &at) ? v : other);
}

val *cell_event_first(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_string(e->arena,
                    since_or(e, val_getc(obj, "firstTimestamp"), val_getc(obj, "eventTime")));
}

val *cell_event_last(const cell_env *e, const val *obj, const cell *c) {
  const val *last = val_getc(obj, "lastTimestamp"), *series = val_getc(obj, "series");
  int64_t at;
  if (series) return val_string(e->arena, human_since(e, val_getc(series, "lastObservedTime")));
  if (time_of(last, &at)) return val_string(e->arena, human_since(e, last));
  return cell_event_first(e, obj, c);
}

val *cell_event_object(const cell_env *e, const val *obj, const cell *c) {
  const val *ref = val_getc(obj, c->path);
  slice kind = arena_lower(e->arena, val_get_str(ref, "kind")), name = val_get_str(ref, "name");
  if (!name.len) return val_string(e->arena, kind);
  return val_printf(e->arena, "%.*s/%.*s", SLICE_ARG(kind), SLICE_ARG(name));
}

val *cell_event_source(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *source = val_getc(obj, "source");
  slice component = val_get_str(source, "component"), host = val_get_str(source, "host");
  if (!component.len) component = val_get_str(obj, "reportingComponent");
  if (!host.len) host = val_get_str(obj, "reportingInstance");
  if (!host.len) return val_string(e->arena, component);
  return val_printf(e->arena, "%.*s, %.*s", SLICE_ARG(component), SLICE_ARG(host));
}

val *cell_event_message(const cell_env *e, const val *obj, const cell *c) {
  return val_string(e->arena, slice_trim(val_get_str(obj, c->path)));
}

val *cell_event_count(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *series = val_getc(obj, "series");
  if (series) return val_int(e->arena, val_i64(val_getc(series, "count")));
  int64_t count = val_i64(val_getc(obj, "count"));
  return val_int(e->arena, count ? count : 1);
}

/* --- access --- */

/* path: the subjects' kind. */
val *cell_subjects(const cell_env *e, const val *obj, const cell *c) {
  const val *list = val_getc(obj, "subjects");
  slice *items = ARENA_ARRAY(e->arena, slice, val_len(list) + 1);
  uint32_t count = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *s = val_at(list, i);
    slice name = val_get_str(s, "name"), namespace = val_get_str(s, "namespace");
    if (!slice_is(val_get_str(s, "kind"), c->path)) continue;
    bool account = slice_is(val_get_str(s, "kind"), "ServiceAccount");
    items[count++] = account ? arena_printf(e->arena, "%.*s/%.*s", SLICE_ARG(namespace),
                                            SLICE_ARG(name))
                             : name;
  }
  return val_string(e->arena, arena_join_with(e->arena, items, count, ", "));
}

val *cell_csr_duration(const cell_env *e, const val *obj, const cell *c) {
  const val *v = val_path(obj, c->path);
  if (!v) return val_cstr(e->arena, "<none>");
  return val_string(e->arena, human_duration(e->arena, val_i64(v)));
}

val *cell_csr_condition(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *list = val_path(obj, "status.conditions");
  const char *text = condition_named(list, "Denied")     ? "Denied"
                     : condition_named(list, "Approved") ? "Approved"
                                                      : "Pending";
  bool issued = val_str(val_path(obj, "status.certificate")).len > 0;
  return val_printf(e->arena, "%s%s%s", text, condition_named(list, "Failed") ? ",Failed" : "",
                    issued ? ",Issued" : "");
}

val *cell_component(const cell_env *e, const val *obj, const cell *c) {
  const val *healthy = condition_named(val_getc(obj, "conditions"), "Healthy");
  if (!slice_is(slice_cstr(c->path), "status")) {
    return val_string(e->arena, val_get_str(healthy, c->path));
  }
  if (!healthy) return val_cstr(e->arena, "Unknown");
  bool good = slice_is(val_get_str(healthy, "status"), "True");
  return val_cstr(e->arena, good ? "Healthy" : "Unhealthy");
}

/* --- configuration, quotas, policies --- */

val *cell_data_count(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_int(e->arena, (int64_t)val_len(val_getc(obj, "data")) +
                               val_len(val_getc(obj, "binaryData")));
}

/* path: "limits" for what is called limits.*, "" for the rest. */
val *cell_quota(const cell_env *e, const val *obj, const cell *c) {
  val *hard = val_path(obj, "status.hard");
  const val *used = val_path(obj, "status.used");
  slice *items = ARENA_ARRAY(e->arena, slice, val_len(hard) + 1);
  uint32_t count = 0;
  VAL_EACH(entry, hard) { /* a canonical map is sorted */
    bool is_limit = slice_has_prefix(entry->key, SLICE_LIT("limits."));
    if (is_limit != (c->path[0] != '\0')) continue;
    slice have = val_str(val_get(used, entry->key)), most = val_str(entry->value);
    if (!have.len) have = SLICE_LIT("0");
    items[count++] = arena_printf(e->arena, "%.*s: %.*s/%.*s", SLICE_ARG(entry->key),
                                  SLICE_ARG(have), SLICE_ARG(most));
  }
  return val_string(e->arena, arena_join_with(e->arena, items, count, ", "));
}

/* Go's %v of a list of strings, and of a map as gogo prints it. */
static slice spaced(arena *a, const val *list) {
  slice *items = ARENA_ARRAY(a, slice, val_len(list) + 1);
  for (uint32_t i = 0; i < val_len(list); i++) items[i] = val_str(val_at(list, i));
  return arena_join_with(a, items, val_len(list), " ");
}

static slice selector_dump(arena *a, const val *selector) {
  const val *labels = val_getc(selector, "matchLabels");
  const val *exprs = val_getc(selector, "matchExpressions");
  slice *parts = ARENA_ARRAY(a, slice, val_len(labels) + val_len(exprs) + 3);
  uint32_t count = 0;
  parts[count++] = SLICE_LIT("&LabelSelector{MatchLabels:map[string]string{");
  VAL_EACH(entry, labels) {
    slice value = val_str(entry->value);
    parts[count++] = arena_printf(a, "%.*s: %.*s,", SLICE_ARG(entry->key), SLICE_ARG(value));
  }
  parts[count++] = SLICE_LIT("},MatchExpressions:[]LabelSelectorRequirement{");
  for (uint32_t i = 0; i < val_len(exprs); i++) {
    const val *x = val_at(exprs, i);
    slice key = val_get_str(x, "key"), op = val_get_str(x, "operator");
    slice values = spaced(a, val_getc(x, "values"));
    parts[count++] = arena_printf(
        a, "LabelSelectorRequirement{Key:%.*s,Operator:%.*s,Values:[%.*s],},", SLICE_ARG(key),
        SLICE_ARG(op), SLICE_ARG(values));
  }
  parts[count++] = SLICE_LIT("},}");
  return arena_join(a, parts, count);
}

val *cell_param_ref(const cell_env *e, const val *obj, const cell *c) {
  const val *ref = val_path(obj, c->path), *selector = val_getc(ref, "selector");
  slice name = val_get_str(ref, "name"), namespace = val_get_str(ref, "namespace");
  if (name.len) {
    if (!namespace.len) namespace = SLICE_LIT("*");
    return val_printf(e->arena, "%.*s/%.*s", SLICE_ARG(namespace), SLICE_ARG(name));
  }
  return selector ? val_string(e->arena, selector_dump(e->arena, selector))
                  : val_cstr(e->arena, "<unset>");
}

val *cell_dangling(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *found = condition_named(val_path(obj, "status.conditions"), "Dangling");
  return found ? val_string(e->arena, val_get_str(found, "status")) : val_cstr(e->arena, "?");
}

/* none: the path of the struct that must be there for the number to count. */
val *cell_number_or_none(const cell_env *e, const val *obj, const cell *c) {
  if (!val_path(obj, c->none)) return val_cstr(e->arena, "<none>");
  return cell_int(e, obj, c);
}

val *cell_claim_state(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  bool deleted = val_path(obj, "metadata.deletionTimestamp") != NULL;
  if (!val_path(obj, "status.allocation")) {
    return val_cstr(e->arena, deleted ? "deleted" : "pending");
  }
  bool reserved = val_len(val_path(obj, "status.reservedFor")) > 0;
  return val_printf(e->arena, "%sallocated%s", deleted ? "deleted," : "",
                    reserved ? ",reserved" : "");
}

val *cell_service_ref(const cell_env *e, const val *obj, const cell *c) {
  return val_path(obj, c->path) ? cell_claim_ref(e, obj, c) : val_cstr(e->arena, "Local");
}

val *cell_available(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *found = condition_named(val_path(obj, "status.conditions"), "Available");
  slice status = val_get_str(found, "status"), reason = val_get_str(found, "reason");
  if (!found) return val_cstr(e->arena, "Unknown");
  if (slice_is(status, "True") || !reason.len) return val_string(e->arena, status);
  return val_printf(e->arena, "%.*s (%.*s)", SLICE_ARG(status), SLICE_ARG(reason));
}

val *cell_suspend(const cell_env *e, const val *obj, const cell *c) {
  const val *v = val_path(obj, c->path);
  return val_cstr(e->arena, !v ? "<unset>" : val_true(v) ? "True" : "False");
}
