/* Device taints without a time get the present one. The real server's defaulting does that;
 * here defaulting has no clock, so it is done first thing on the way in.
 * Source: pkg/apis/resource/v1/defaults.go. */
#include "admission/time_added.h"

#include "codec/codec.h"

static void taint_default(const admission_args *args, val *taint) {
  if (!val_is_map(taint) || val_getc(taint, "timeAdded")) return;
  val_setc(args->rq->arena, taint, "timeAdded", request_timestamp(args->rq));
}

void time_added_default(const admission_args *args) {
  if (!args->obj || !slice_is(args->resource->group, "resource.k8s.io")) return;
  if (slice_is(args->resource->resource, "devicetaintrules")) {
    taint_default(args, val_path(args->obj, "spec.taint"));
  }
  if (!slice_is(args->resource->resource, "resourceslices")) return;
  const val *devices = val_path(args->obj, "spec.devices");
  for (uint32_t d = 0; d < val_len(devices); d++) {
    const val *taints = val_getc(val_at(devices, d), "taints");
    for (uint32_t t = 0; t < val_len(taints); t++) {
      taint_default(args, val_at(taints, t));
    }
  }
}
