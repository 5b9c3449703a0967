/* Where a container's volumes go: mounts and block devices must not collide. */
#include "registry/validation/pod_checks.h"

/* name -> path of the last entry of that name, and the set of those paths. */
static void index_of(arena *a, const val *list, const char *path_key_name, val **names,
                     val **paths) {
  *names = val_map(a);
  *paths = val_map(a);
  EACH_ITEM(i, list) {
    const val *item = val_at(list, i);
    val_set(a, *names, val_get_str(item, "name"), val_string(a, val_get_str(item, path_key_name)));
  }
  VAL_EACH(entry, *names) val_set(a, *paths, val_str(entry->value), val_null(a));
}

static void propagation_check(field_errors *e, const path *p, const val *mount,
                              const val *container) {
  slice how = val_get_str(mount, "mountPropagation");
  const val *privileged = val_getc(val_getc(container, "securityContext"), "privileged");
  if (!val_getc(mount, "mountPropagation")) return;
  choice_at(e, p, mount, "mountPropagation", CHOICES("Bidirectional", "HostToContainer", "None"),
            false);
  if (slice_is(how, "Bidirectional") && !val_true(privileged)) {
    forbid(e, p, "mountPropagation",
           "Bidirectional mount propagation is available only to privileged containers");
  }
}

static void recursive_check(field_errors *e, const path *p, const val *mount) {
  static const char key[] = "recursiveReadOnly";
  slice how = val_get_str(mount, key), propagation = val_get_str(mount, "mountPropagation");
  if (!val_getc(mount, key) || slice_is(how, "Disabled")) return;
  if (!one_of(how, CHOICES("Enabled", "IfPossible"))) {
    unsupported(e, p, key, how, CHOICES("Disabled", "Enabled", "IfPossible"));
    return;
  }
  if (!val_true(val_getc(mount, "readOnly")))
    forbid(e, p, key, "may only be specified when readOnly is true");
  if (val_getc(mount, "mountPropagation") && !slice_is(propagation, "None")) {
    forbid(e, p, key, "may only be specified when mountPropagation is None or not specified");
  }
}

static void sub_path_check(field_errors *e, const path *list, const path *at, const val *mount) {
  slice sub = val_get_str(mount, "subPath"), expr = val_get_str(mount, "subPathExpr");
  path p_sub = path_child(list, "subPath"), p_expr = path_child(list, "subPathExpr");
  if (sub.len) path_local_descending(e, &p_sub, sub);
  if (!expr.len) return;
  if (sub.len)
    refuse_str(e, at, "subPathExpr", expr, "subPathExpr and subPath are mutually exclusive");
  path_local_descending(e, &p_expr, expr);
}

static void mounts_check(pod_view *w, const path *p, const val *c, const val *names,
                         const val *paths) {
  field_errors *e = w->errs;
  val *seen = val_map(e->a);
  const val *list = val_getc(c, "volumeMounts");
  EACH_ITEM(i, list) {
    const val *m = val_at(list, i);
    slice name = val_get_str(m, "name"), where = val_get_str(m, "mountPath");
    path at = path_index(p, i), at_name = path_child(&at, "name");
    need(e, &at, m, "name", "");
    if (!val_get(w->volumes, name)) field_not_found(e, &at_name, val_string(e->a, name));
    need(e, &at, m, "mountPath", "");
    if (val_get(seen, where)) refuse_str(e, &at, "mountPath", where, "must be unique");
    val_set(e->a, seen, where, val_null(e->a));
    if (val_get(names, name))
      refuse_str(e, &at, "name", name, "must not already exist in volumeDevices");
    if (val_get(paths, where))
      refuse_str(e, &at, "mountPath", where, "must not already exist as a path in volumeDevices");
    sub_path_check(e, p, &at, m);
    propagation_check(e, p, m, c);
    recursive_check(e, p, m);
  }
}

static bool has_backsteps(slice text) {
  slice head;
  for (bool more = true; more;) {
    more = slice_cut(text, '/', &head, &text);
    if (slice_is(head, "..")) return true;
  }
  return false;
}

typedef struct device_sets {
  const val *names, *paths; /* of the mounts */
  val *seen_names, *seen_paths;
} device_sets;

static void device_check(pod_view *w, const path *at, const val *d, device_sets *s) {
  field_errors *e = w->errs;
  slice name = val_get_str(d, "name"), where = val_get_str(d, "devicePath");
  const val *volume = val_get(w->volumes, name);
  bool claim = val_getc(volume, "persistentVolumeClaim") || val_getc(volume, "ephemeral");
  path at_name = path_child(at, "name");
  need(e, at, d, "name", "");
  if (val_get(s->seen_names, name)) refuse_str(e, at, "name", name, "must be unique");
  if (volume && !claim) {
    refuse_str(
        e, at, "name", name,
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
  }
  if (!volume) field_not_found(e, &at_name, val_string(e->a, name));
  need(e, at, d, "devicePath", "");
  if (val_get(s->seen_paths, where)) refuse_str(e, at, "devicePath", where, "must be unique");
  if (where.len && has_backsteps(where))
    refuse_str(e, at, "devicePath", where, "can not contain backsteps ('..')");
  else
    val_set(e->a, s->seen_paths, where, val_null(e->a));
  if (val_get(s->names, name))
    refuse_str(e, at, "name", name, "must not already exist in volumeMounts");
  if (val_get(s->paths, where))
    refuse_str(e, at, "devicePath", where, "must not already exist as a path in volumeMounts");
  if (name.len) val_set(e->a, s->seen_names, name, val_null(e->a));
}

void container_mounts_validate(pod_view *w, const path *p, const val *c) {
  arena *a = w->errs->a;
  const val *devices = val_getc(c, "volumeDevices");
  path mounts = path_child(p, "volumeMounts"), list = path_child(p, "volumeDevices");
  val *device_names, *device_paths, *mount_names, *mount_paths;
  index_of(a, devices, "devicePath", &device_names, &device_paths);
  index_of(a, val_getc(c, "volumeMounts"), "mountPath", &mount_names, &mount_paths);
  mounts_check(w, &mounts, c, device_names, device_paths);
  device_sets s = {mount_names, mount_paths, val_map(a), val_map(a)};
  EACH_ITEM(i, devices) {
    path at = path_index(&list, i);
    device_check(w, &at, val_at(devices, i), &s);
  }
}
