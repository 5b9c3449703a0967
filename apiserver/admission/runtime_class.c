/* RuntimeClass (overhead, node selector, tolerations) and PodResizeValidator (a resize has to fit
 * the node). Sources: plugin/pkg/admission/runtimeclass, podresize. */
#include "admission/plugin.h"

#include "base/quote.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/validation/text_rules.h"
#include "version/pod_resources.h"

/* False with the error for a class that is missing; *class stays NULL when none is named. */
static bool class_find(const admission_args *args, const val **class) {
  const val *name = val_path(args->obj, "spec.runtimeClassName");
  *class = NULL;
  if (!name) return true;
  slice text = val_str(name);
  if (!text.len) { /* the lister's own client refuses that before it asks */
    return status_plain(&args->rq->error, args->rq->arena, "resource name may not be empty");
  }
  slice shown = go_quote(args->rq->arena, text),
        why = text_problems_joined(args->rq->arena, TEXT_PATH_SEGMENT, text, " ");
  if (why.len) {
    return status_plain(&args->rq->error, args->rq->arena, "invalid resource name %.*s: [%.*s]",
                        SLICE_ARG(shown), SLICE_ARG(why));
  }
  *class = plugin_get(args, "node.k8s.io", "v1", "runtimeclasses", SLICE_NONE, text);
  return *class ||
         plugin_forbid(args, "pod rejected: RuntimeClass %.*s not found", SLICE_ARG(shown));
}

static bool quantities_equal(const val *x, const val *y) {
  if (val_len(x) != val_len(y)) return false;
  VAL_EACH(e, x) {
    const val *other = val_get(y, e->key);
    if (!other || quantity_cmp(val_str(e->value), val_str(other)) != 0) return false;
  }
  return true;
}

static bool overhead_set(const admission_args *args, const val *class) {
  arena *a = args->rq->arena;
  val *spec = val_getc(args->obj, "spec");
  const val *fixed = val_path(class, "overhead.podFixed"), *own = val_getc(spec, "overhead");
  if (!val_getc(class, "overhead")) return true;
  if (val_len(own) && !quantities_equal(fixed, own)) {
    return plugin_forbid(args,
                         "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined "
                         "Overhead");
  }
  if (val_len(fixed)) val_setc(a, spec, "overhead", val_copy(a, fixed));
  return true;
}

/* Does `wide` tolerate all that `t` does? */
static bool toleration_covers(const val *wide, const val *t) {
  if (val_equal(wide, t)) return true;
  slice operator = val_get_str(wide, "operator"), effect = val_get_str(wide, "effect");
  slice key = val_get_str(wide, "key");
  bool exists = slice_is(operator, "Exists");
  if (!slice_eq(val_get_str(t, "key"), key) && (key.len || !exists)) return false;
  if (effect.len && !slice_eq(val_get_str(t, "effect"), effect)) return false;
  const val *limit = val_getc(wide, "tolerationSeconds"), *mine = val_getc(t, "tolerationSeconds");
  if (slice_is(effect, "NoExecute") && limit && (!mine || val_i64(mine) > val_i64(limit))) {
    return false;
  }
  if (exists) return true;
  return slice_is(val_get_str(t, "operator"), "Equal") &&
         slice_eq(val_get_str(t, "value"), val_get_str(wide, "value"));
}

static bool covered(const val *all, const val *merged, uint32_t i) {
  const val *t = val_at(all, i);
  for (uint32_t m = 0; m < val_len(merged); m++) {
    if (toleration_covers(val_at(merged, m), t)) return true;
  }
  for (uint32_t n = i + 1; n < val_len(all); n++) {
    if (!val_equal(val_at(all, n), t) && toleration_covers(val_at(all, n), t)) return true;
  }
  return false;
}

static val *tolerations_merge(arena *a, const val *first, const val *second) {
  val *all = val_list(a), *merged = val_list(a);
  for (uint32_t i = 0; i < val_len(first); i++) val_append(a, all, val_at(first, i));
  for (uint32_t i = 0; i < val_len(second); i++) val_append(a, all, val_at(second, i));
  for (uint32_t i = 0; i < val_len(all); i++) {
    if (!covered(all, merged, i)) val_append(a, merged, val_at(all, i));
  }
  return merged;
}

static bool scheduling_set(const admission_args *args, const val *class) {
  arena *a = args->rq->arena;
  val *spec = val_getc(args->obj, "spec");
  const val *scheduling = val_getc(class, "scheduling");
  if (!scheduling) return true;
  VAL_EACH(e, val_getc(scheduling, "nodeSelector")) {
    val *selector = val_ensure_map(a, spec, "nodeSelector");
    const val *own = val_get(selector, e->key);
    slice want = val_str(e->value), have = val_str(own);
    if (own && !slice_eq(want, have)) {
      return plugin_forbid(args,
                           "conflict: runtimeClass.scheduling.nodeSelector[%.*s] = %.*s; "
                           "pod.spec.nodeSelector[%.*s] = %.*s",
                           SLICE_ARG(e->key), SLICE_ARG(want), SLICE_ARG(e->key), SLICE_ARG(have));
    }
    val_set(a, selector, e->key, val_string(a, want));
  }
  val *merged = tolerations_merge(a, val_getc(spec, "tolerations"),
                                  val_getc(scheduling, "tolerations"));
  if (val_len(merged)) val_setc(a, spec, "tolerations", merged);
  return true;
}

bool runtime_class_mutate(const admission_args *args) {
  const val *class;
  if (!plugin_is(args, "", "pods")) return true;
  if (!class_find(args, &class)) return false;
  return !class || (overhead_set(args, class) && scheduling_set(args, class));
}

bool runtime_class_validate(const admission_args *args) {
  const val *class;
  if (!plugin_is(args, "", "pods")) return true;
  if (!class_find(args, &class)) return false;
  const val *own = val_path(args->obj, "spec.overhead");
  if (class && val_getc(class, "overhead")) {
    if (quantities_equal(val_path(class, "overhead.podFixed"), own)) return true;
    return plugin_forbid(args,
                         "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined "
                         "Overhead");
  }
  if (!val_len(own) && !val_had_empty(val_getc(args->obj, "spec"), "overhead")) return true;
  return plugin_forbid(args,
                       "pod rejected: Pod Overhead set without corresponding RuntimeClass defined "
                       "Overhead");
}

static slice over_allocatable(const admission_args *args, const val *node) {
  arena *a = args->rq->arena;
  const val *total = pod_resources_total(a, val_getc(args->obj, "spec"), "requests");
  const val *have = val_path(node, "status.allocatable");
  slice text = SLICE_NONE;
  for (int i = 0; i < 2; i++) {
    const char *name = i ? "memory" : "cpu";
    slice want = val_get_str(total, name), can = val_get_str(have, name);
    if (!can.len) can = SLICE_LIT("0");
    if (!want.len || quantity_cmp(want, can) <= 0) continue;
    int64_t want_n = i ? quantity_value(want) : quantity_milli(want);
    int64_t can_n = i ? quantity_value(can) : quantity_milli(can);
    text = arena_printf(a, "%.*s%s%s, requested: %lld, allocatable: %lld", SLICE_ARG(text),
                        text.len ? "; " : "", name, (long long)want_n, (long long)can_n);
  }
  return text;
}

bool pod_resize_validate(const admission_args *args) {
  if (!plugin_is_sub(args, "", "pods", "resize")) return true;
  slice name = val_str(val_path(args->obj, "spec.nodeName"));
  if (!name.len || object_generation(args->obj) == object_generation(args->old)) return true;
  const val *node = plugin_get(args, "", "v1", "nodes", SLICE_NONE, name);
  if (!node) return plugin_forbid(args, "node \"%.*s\" not found", SLICE_ARG(name));
  slice os = val_get_str(val_path(node, "metadata.labels"), "kubernetes.io/os");
  if (os.len && !slice_is(os, "linux")) {
    plugin_forbid(args, "pod resize is only supported on linux nodes, node \"%.*s\" is \"%.*s\"",
                  SLICE_ARG(name), SLICE_ARG(os));
    plugin_add_cause(args, "UnsupportedPlatform", SLICE_NONE, "");
    return false;
  }
  slice over = over_allocatable(args, node);
  if (!over.len) return true;
  plugin_forbid(args, "node didn't have enough allocatable resources: %.*s", SLICE_ARG(over));
  plugin_add_cause(args, "NodeCapacity", SLICE_NONE, "");
  return false;
}
