/* Cells of kinds that are served only where --runtime-config asks for them.
 * Source: pkg/printers/internalversion/printers.go. */
#include "respond/table_cell.h"

#include "registry/object.h"

#define VERSIONS_SHOWN 3

/* The last of its conditions that says more than Pending. */
val *cell_pod_certificate_state(const cell_env *e, const val *obj, const cell *c) {
  static const char *const states[] = {"Issued", "Denied", "Failed"};
  const val *list = val_path(obj, c->path);
  const char *state = "Pending";
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice type = val_get_str(val_at(list, i), "type");
    for (size_t s = 0; s < 3; s++) if (slice_is(type, states[s])) state = states[s];
  }
  return val_cstr(e->arena, state);
}

val *cell_group_policy(const cell_env *e, const val *obj, const cell *c) {
  return val_cstr(e->arena, val_path(obj, c->path) ? "Gang" : "Basic");
}

val *cell_group_status(const cell_env *e, const val *obj, const cell *c) {
  const val *list = val_path(obj, c->path), *target = condition_named(list, "DisruptionTarget");
  if (target) return val_string(e->arena, val_get_str(target, "reason"));
  if (!condition_named(list, "PodGroupScheduled")) return val_cstr(e->arena, "Pending");
  bool done = condition_true(list, "PodGroupScheduled");
  return val_cstr(e->arena, done ? "Scheduled" : "Unschedulable");
}

val *cell_storage_versions(const cell_env *e, const val *obj, const cell *c) {
  const val *list = val_path(obj, c->path);
  slice text = SLICE_LIT("");
  uint32_t count = val_len(list);
  for (uint32_t i = 0; i < count && i < VERSIONS_SHOWN; i++) {
    slice id = val_get_str(val_at(list, i), "apiServerID");
    slice version = val_get_str(val_at(list, i), "encodingVersion");
    text = arena_printf(e->arena, "%.*s%s%.*s=%.*s", SLICE_ARG(text), i ? "," : "", SLICE_ARG(id),
                        SLICE_ARG(version));
  }
  if (count <= VERSIONS_SHOWN) return val_string(e->arena, text);
  return val_printf(e->arena, "%.*s + %u more...", SLICE_ARG(text), count - VERSIONS_SHOWN);
}

/* "pods", or "deployments.apps". */
val *cell_group_resource(const cell_env *e, const val *obj, const cell *c) {
  const val *r = val_path(obj, c->path);
  slice group = val_get_str(r, "group"), resource = val_get_str(r, "resource");
  return val_printf(e->arena, "%.*s%s%.*s", SLICE_ARG(resource), group.len ? "." : "",
                    SLICE_ARG(group));
}

val *cell_migration_status(const cell_env *e, const val *obj, const cell *c) {
  static const char *const states[] = {"Running", "Succeeded", "Failed"};
  const val *list = val_path(obj, c->path);
  const char *state = "Unknown";
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (!slice_is(val_get_str(val_at(list, i), "status"), "True")) continue;
    slice type = val_get_str(val_at(list, i), "type");
    for (size_t s = 0; s < 3; s++) if (slice_is(type, states[s])) state = states[s];
  }
  return val_cstr(e->arena, state);
}

/* Complete or Failed, whichever comes first; NULL for neither. */
static const val *pool_outcome(const val *obj) {
  const val *list = val_path(obj, "status.conditions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice type = val_get_str(val_at(list, i), "type");
    bool named = slice_is(type, "Complete") || slice_is(type, "Failed");
    if (named && slice_is(val_get_str(val_at(list, i), "status"), "True")) return val_at(list, i);
  }
  return NULL;
}

/* path: what to add up of all pools; "validationError" is counted. */
val *cell_pool_sum(const cell_env *e, const val *obj, const cell *c) {
  const val *outcome = pool_outcome(obj), *pools = val_path(obj, "status.pools");
  bool failed = slice_is(val_get_str(outcome, "type"), "Failed");
  if (failed || !val_getc(obj, "status")) return val_cstr(e->arena, "-");
  int64_t sum = 0;
  for (uint32_t i = 0; i < val_len(pools); i++) {
    const val *v = val_getc(val_at(pools, i), c->path);
    bool counted = slice_is(slice_cstr(c->path), "validationError");
    if (v) sum += counted ? 1 : val_i64(v);
  }
  return val_printf(e->arena, "%lld", (long long)sum);
}

val *cell_pool_status(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  slice type = val_get_str(pool_outcome(obj), "type");
  if (type.len == 0) return val_cstr(e->arena, "Pending");
  int64_t count = val_i64(val_path(obj, "status.poolCount"));
  uint32_t shown = val_len(val_path(obj, "status.pools"));
  if (!slice_is(type, "Complete") || count <= shown) return val_string(e->arena, type);
  return val_printf(e->arena, "Complete (%u/%lld pools)", shown, (long long)count);
}

val *cell_pool_completed(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *outcome = pool_outcome(obj);
  bool done = slice_is(val_get_str(outcome, "type"), "Complete");
  if (!done) return val_cstr(e->arena, "<none>");
  return val_string(e->arena, human_since(e, val_getc(outcome, "lastTransitionTime")));
}
