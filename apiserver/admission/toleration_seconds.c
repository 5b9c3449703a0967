/* DefaultTolerationSeconds: a pod stays 300 seconds on a node that is not ready or not reachable.
 * Source: plugin/pkg/admission/defaulttolerationseconds. */
#include "admission/plugin.h"

static const char *const taints[] = {"node.kubernetes.io/not-ready",
                                     "node.kubernetes.io/unreachable"};

static bool tolerated(const val *list, const char *taint) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice key = val_get_str(val_at(list, i), "key");
    slice effect = val_get_str(val_at(list, i), "effect");
    if ((!key.len || slice_is(key, taint)) && (!effect.len || slice_is(effect, "NoExecute"))) {
      return true;
    }
  }
  return false;
}

bool toleration_seconds_mutate(const admission_args *args) {
  if (!plugin_is(args, "", "pods")) return true;
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  for (int i = 0; i < 2; i++) {
    if (tolerated(val_getc(spec, "tolerations"), taints[i])) continue;
    val *toleration = val_map(a);
    val_setc(a, toleration, "key", val_cstr(a, taints[i]));
    val_setc(a, toleration, "operator", val_cstr(a, "Exists"));
    val_setc(a, toleration, "effect", val_cstr(a, "NoExecute"));
    val_setc(a, toleration, "tolerationSeconds", val_int(a, 300));
    val_append(a, val_ensure_list(a, spec, "tolerations"), toleration);
  }
  return true;
}
