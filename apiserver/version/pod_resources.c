/* pod_resources: sums in the order in which containers run.
 *
 * An init container runs beside the sidecars declared before it and no others, so the pod
 * needs the larger of the final sum and each such moment. */
#include "version/pod_resources.h"

#include "codec/codec.h"

void resources_add(arena *a, val *into, const val *more) {
  VAL_EACH(e, more) {
    const val *now = val_get(into, e->key);
    slice sum = now ? quantity_add(a, val_str(now), val_str(e->value)) : val_str(e->value);
    val_set(a, into, e->key, val_string(a, sum));
  }
}

void resources_max(arena *a, val *into, const val *other) {
  VAL_EACH(e, other) {
    const val *now = val_get(into, e->key);
    if (now && quantity_cmp(val_str(now), val_str(e->value)) >= 0) continue;
    val_set(a, into, e->key, val_string(a, val_str(e->value)));
  }
}

static bool is_sidecar(const val *container) {
  return slice_is(val_get_str(container, "restartPolicy"), "Always");
}

static const val *container_list(const val *container, const char *what) {
  return val_getc(val_getc(container, "resources"), what);
}

val *pod_resources_sum(arena *a, const val *spec, const char *what) {
  val *total = val_map(a), *sidecars = val_map(a), *peak = val_map(a);
  const val *containers = val_getc(spec, "containers"), *inits = val_getc(spec, "initContainers");
  for (uint32_t i = 0; i < val_len(containers); i++) {
    resources_add(a, total, container_list(val_at(containers, i), what));
  }
  for (uint32_t i = 0; i < val_len(inits); i++) {
    const val *init = val_at(inits, i), *need = container_list(init, what);
    if (is_sidecar(init)) {
      resources_add(a, total, need);
      resources_add(a, sidecars, need);
      resources_max(a, peak, sidecars);
      continue;
    }
    val *moment = val_map(a);
    resources_add(a, moment, need);
    resources_add(a, moment, sidecars);
    resources_max(a, peak, moment);
  }
  resources_max(a, total, peak);
  return total;
}

static bool pod_level(slice name) {
  return slice_is(name, "cpu") || slice_is(name, "memory") ||
         slice_has_prefix(name, SLICE_LIT("hugepages-"));
}

val *pod_resources_total(arena *a, const val *spec, const char *what) {
  val *total = pod_resources_sum(a, spec, what);
  const val *whole = val_getc(val_getc(spec, "resources"), what);
  VAL_EACH(e, whole) {
    if (pod_level(e->key)) val_set(a, total, e->key, val_string(a, val_str(e->value)));
  }
  const val *overhead = val_getc(spec, "overhead");
  VAL_EACH(e, overhead) {
    const val *now = val_get(total, e->key);
    if (!now && slice_is(slice_cstr(what), "limits")) continue;
    slice sum = now ? quantity_add(a, val_str(now), val_str(e->value)) : val_str(e->value);
    val_set(a, total, e->key, val_string(a, sum));
  }
  return total;
}
