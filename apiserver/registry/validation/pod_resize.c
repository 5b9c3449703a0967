/* The resize subresource: only cpu and memory of containers may change, and the QoS class stays. */
#include "registry/pod_qos.h"
#include "registry/validation/pod.h"

static bool ordering_check(const validate_args *v) {
  static const char *const lists[] = {"containers", "initContainers"};
  uint32_t before = v->errs->count;
  path spec = path_root("spec");
  for (size_t k = 0; k < 2; k++) {
    const val *now = val_getc(val_getc(v->obj, "spec"), lists[k]),
              *was = val_getc(val_getc(v->old, "spec"), lists[k]);
    path p = path_child(&spec, lists[k]);
    if (val_len(now) != val_len(was)) {
      slice why = arena_printf(v->errs->a, "%s may not be added or removed on resize", lists[k]);
      forbid(v->errs, &p, NULL, why.ptr);
      continue;
    }
    EACH_ITEM(i, was) {
      path at = path_index(&p, i);
      if (slice_eq(val_get_str(val_at(now, i), "name"), val_get_str(val_at(was, i), "name")))
        continue;
      slice why =
          arena_printf(v->errs->a, "%s may not be renamed or reordered on resize", lists[k]);
      forbid(v->errs, &at, "name", why.ptr);
    }
  }
  return v->errs->count == before;
}

static bool amounts_removed(const val *now, const val *was) {
  if (val_len(was) > val_len(now)) return true;
  VAL_EACH(entry, was) {
    if (!val_get(now, entry->key)) return true;
  }
  return false;
}

static void removed_check(const validate_args *v, const char *key) {
  const val *now = val_getc(val_getc(v->obj, "spec"), key),
            *was = val_getc(val_getc(v->old, "spec"), key);
  path spec = path_root("spec"), p = path_child(&spec, key);
  EACH_ITEM(i, was) {
    const val *n = val_getc(val_at(now, i), "resources"),
              *o = val_getc(val_at(was, i), "resources");
    path at = path_index(&p, i), res = path_child(&at, "resources");
    if (amounts_removed(val_getc(n, "requests"), val_getc(o, "requests"))) {
      forbid(v->errs, &res, "requests", "resource requests cannot be removed");
    }
    if (amounts_removed(val_getc(n, "limits"), val_getc(o, "limits"))) {
      forbid(v->errs, &res, "limits", "resource limits cannot be removed");
    }
  }
}

/* c with the old cpu and memory. */
static val *with_old_amounts(arena *a, const val *c, const val *old) {
  static const char *const kinds[] = {"limits", "requests"};
  val *out = val_copy(a, c), *resources = val_ensure_map(a, out, "resources");
  val_delc(resources, "claims");
  for (size_t k = 0; k < 2; k++) {
    const val *was = val_getc(val_getc(old, "resources"), kinds[k]);
    val *now = val_ensure_map(a, resources, kinds[k]);
    val_delc(now, "cpu");
    val_delc(now, "memory");
    if (val_getc(was, "cpu")) val_setc(a, now, "cpu", val_getc(was, "cpu"));
    if (val_getc(was, "memory")) val_setc(a, now, "memory", val_getc(was, "memory"));
    if (!val_len(now)) val_delc(resources, kinds[k]);
  }
  if (!val_len(resources) && !val_getc(old, "resources")) val_delc(out, "resources");
  return out;
}

static void container_changes(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.containers"), *was = val_path(v->old, "spec.containers");
  path spec = path_root("spec");
  EACH_ITEM(i, was) {
    val *kept = with_old_amounts(v->errs->a, val_at(now, i), val_at(was, i));
    if (!val_equal(kept, val_at(was, i)))
      forbid(v->errs, &spec, NULL, "only cpu and memory resources are mutable");
  }
}

static void init_changes(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.initContainers"),
            *was = val_path(v->old, "spec.initContainers");
  path spec = path_root("spec"), p = path_child(&spec, "initContainers");
  EACH_ITEM(i, was) {
    const val *c = val_at(now, i), *policies = val_getc(c, "resizePolicy");
    path at = path_index(&p, i);
    bool sidecar = slice_is(val_get_str(c, "restartPolicy"), "Always");
    if (val_equal(c, val_at(was, i))) continue;
    if (!val_equal(with_old_amounts(v->errs->a, c, val_at(was, i)), val_at(was, i))) {
      forbid(v->errs, &at, NULL,
             "only cpu and memory resources for init or sidecar containers are mutable");
    }
    EACH_ITEM(k, policies) {
      if (sidecar ||
          !slice_is(val_get_str(val_at(policies, k), "restartPolicy"), "RestartContainer"))
        continue;
      forbid(
          v->errs, &at, NULL,
          "non-sidecar init containers with a resize policy of RestartContainer cannot be resized");
    }
  }
}

/* A running container whose kubelet does not tell its resources can't be resized. */
static bool resize_supported(const val *pod) {
  const val *list = val_path(pod, "status.containerStatuses");
  EACH_ITEM(i, list) {
    if (val_path(val_at(list, i), "state.running"))
      return val_getc(val_at(list, i), "resources") != NULL;
  }
  return true;
}

void pod_resize_check_all(const validate_args *v) {
  field_errors *e = v->errs;
  uint32_t before = e->count;
  path none = path_root(""), spec = path_root("spec");
  slice qos = val_get_str(val_getc(v->old, "status"), "qosClass");
  core_meta_update(e, v->obj, v->old);
  pod_whole_validate(v);
  const char *refused = NULL;
  if (val_getc(val_path(v->old, "metadata.annotations"), "kubernetes.io/config.mirror"))
    refused = "static pods cannot be resized";
  else if (slice_is(val_get_str(val_path(v->old, "spec.os"), "name"), "windows"))
    refused = "windows pods cannot be resized";
  if (refused) {
    e->count = before;
    forbid(e, &none, NULL, refused);
    return;
  }
  if (!slice_is(qos, pod_qos(v->obj))) {
    refuse_str(e, &spec, NULL, val_get_str(val_getc(v->obj, "status"), "qosClass"),
               "Pod QOS Class may not change as a result of resizing");
  }
  if (!resize_supported(v->old))
    forbid(e, &spec, NULL, "Pod running on node without support for resize");
  if (!ordering_check(v)) return;
  removed_check(v, "initContainers");
  removed_check(v, "containers");
  container_changes(v);
  init_changes(v);
}
