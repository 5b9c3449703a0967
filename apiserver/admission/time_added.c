/* Device taints without a time get the present one. The real server's defaulting does that;
 * here defaulting has no clock, so it is done behind it, on the stored form.
 * Source: pkg/apis/resource/v1/defaults.go. */
#include "admission/time_added.h"

#include "codec/codec.h"

static void taint_default(request *rq, val *taint) {
  if (!val_is_map(taint) || val_getc(taint, "timeAdded")) return;
  val_setc(rq->arena, taint, "timeAdded", request_timestamp(rq));
}

void time_added_default(request *rq, const resource_info *r, val *obj) {
  if (!obj || !slice_is(r->group, "resource.k8s.io")) return;
  if (slice_is(r->resource, "devicetaintrules")) {
    taint_default(rq, val_path(obj, "spec.taint"));
  }
  if (!slice_is(r->resource, "resourceslices")) return;
  const val *devices = val_path(obj, "spec.devices");
  for (uint32_t d = 0; d < val_len(devices); d++) {
    const val *taints = val_getc(val_at(devices, d), "taints");
    for (uint32_t t = 0; t < val_len(taints); t++) {
      taint_default(rq, val_at(taints, t));
    }
  }
}
