/* Prepare hooks of kinds that are served only where --runtime-config asks for them.
 * Sources: pkg/registry/resource/devicetaintrule, pkg/registry/scheduling/{podgroup,workload}. */
#include "registry/object.h"
#include "registry/strategy_hooks.h"

/* A taint that becomes another counts from now, unless the client says since when. */
void taint_rule_prepare_update(request *rq, val *obj, const val *old) {
  val *taint = val_path(obj, "spec.taint");
  const val *was = val_path(old, "spec.taint");
  bool other = !slice_eq(val_get_str(taint, "effect"), val_get_str(was, "effect"));
  bool same_time = val_equal(val_getc(taint, "timeAdded"), val_getc(was, "timeAdded"));
  if (val_is_map(taint) && other && same_time) {
    val_setc(rq->arena, taint, "timeAdded", request_timestamp(rq));
  }
}

/* Fields of alpha gates that are off: they stay where they are set already. */
static void gated_drop(val *spec, const val *old) {
  static const char *const fields[] = {"schedulingConstraints", "resourceClaims", "disruptionMode",
                                       "priorityClassName", "priority"};
  if (!val_is_map(spec)) return;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (!val_getc(old, fields[i])) val_delc(spec, fields[i]);
  }
}

void pod_group_prepare(request *rq, val *obj, const val *old) {
  val *spec = val_getc(obj, "spec");
  gated_drop(spec, val_getc(old, "spec"));
  /* Dropped, and there again by default when it is read back. */
  if (val_is_map(spec) && !val_getc(spec, "disruptionMode")) {
    val_setc(rq->arena, spec, "disruptionMode", val_cstr(rq->arena, "Pod"));
  }
}

void pod_group_prepare_status(request *rq, val *obj, const val *old) {
  status_reset_meta(rq, obj, old);
  val *status = val_getc(obj, "status");
  bool used = val_len(val_path(old, "spec.resourceClaims")) > 0;
  if (val_is_map(status) && !used) val_delc(status, "resourceClaimStatuses");
}

void workload_prepare(request *rq, val *obj, const val *old) {
  const val *list = val_path(obj, "spec.podGroupTemplates");
  const val *was = val_path(old, "spec.podGroupTemplates");
  (void)rq;
  for (uint32_t i = 0; i < val_len(list); i++) {
    gated_drop(val_at(list, i), i < val_len(was) ? val_at(was, i) : NULL);
  }
}
