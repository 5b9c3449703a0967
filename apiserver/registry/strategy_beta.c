/* Prepare hooks of kinds that are served only where --runtime-config asks for them.
 * Sources: pkg/registry/resource/devicetaintrule, pkg/registry/scheduling/{podgroup,workload}. */
#include "registry/object.h"
#include "registry/strategy_hooks.h"
#include "server.h"

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

/* Fields of gates that are off: they stay where they are set already. */
static void gated_drop(const request *rq, val *spec, const val *old) {
  static const struct {
    feature gate;
    const char *field;
  } rows[] = {
      {FEATURE_TOPOLOGY_AWARE_WORKLOAD_SCHEDULING, "schedulingConstraints"},
      {FEATURE_DRA_WORKLOAD_RESOURCE_CLAIMS, "resourceClaims"},
      {FEATURE_WORKLOAD_AWARE_PREEMPTION, "disruptionMode"},
      {FEATURE_WORKLOAD_AWARE_PREEMPTION, "priorityClassName"},
      {FEATURE_WORKLOAD_AWARE_PREEMPTION, "priority"},
  };
  if (!val_is_map(spec)) return;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool on = feature_on(&rq->server->options.features, rows[i].gate);
    if (!on && !val_getc(old, rows[i].field)) val_delc(spec, rows[i].field);
  }
}

void pod_group_prepare(request *rq, val *obj, const val *old) {
  val *spec = val_getc(obj, "spec");
  gated_drop(rq, spec, val_getc(old, "spec"));
  /* Dropped, and there again by default when it is read back. */
  if (val_is_map(spec) && !val_getc(spec, "disruptionMode")) {
    val_setc(rq->arena, spec, "disruptionMode", val_cstr(rq->arena, "Pod"));
  }
}

void pod_group_prepare_status(request *rq, val *obj, const val *old) {
  status_reset_meta(rq, obj, old);
  val *status = val_getc(obj, "status");
  bool used = feature_on(&rq->server->options.features, FEATURE_DRA_WORKLOAD_RESOURCE_CLAIMS) ||
              val_len(val_path(old, "spec.resourceClaims")) > 0;
  if (val_is_map(status) && !used) val_delc(status, "resourceClaimStatuses");
}

void workload_prepare(request *rq, val *obj, const val *old) {
  const val *list = val_path(obj, "spec.podGroupTemplates");
  const val *was = val_path(old, "spec.podGroupTemplates");
  for (uint32_t i = 0; i < val_len(list); i++) {
    gated_drop(rq, val_at(list, i), i < val_len(was) ? val_at(was, i) : NULL);
  }
}
