/* PersistentVolumes. Updates check the object twice, as the real server does. */
#include "registry/validation/checks.h"
#include "registry/validation/pv.h"

#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"

const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                    "ReadWriteOncePod", NULL};
const char *const volume_modes[] = {"Block", "Filesystem", NULL};

void access_modes_check(field_errors *e, const path *p, const val *modes) {
  path at = path_child(p, "accessModes");
  bool alone = false, other = false;
  EACH_ITEM(i, modes) {
    slice mode = val_str(val_at(modes, i));
    if (!one_of(mode, access_modes))
      unsupported(e, &at, NULL, mode, access_modes);
    else if (slice_is(mode, "ReadWriteOncePod"))
      alone = true;
    else
      other = true;
  }
  if (alone && other) forbid(e, &at, NULL, "may not use ReadWriteOncePod with other access modes");
}

static void capacity_check(field_errors *e, const path *p, const val *spec) {
  const val *capacity = val_getc(spec, "capacity");
  path at = path_child(p, "capacity");
  if (!val_len(capacity)) require(e, p, "capacity", "");
  if (!val_getc(capacity, "storage") || val_len(capacity) > 1) {
    field_not_supported(e, &at, map_shown(e->a, spec, "capacity"), CHOICES("storage"));
  }
  VAL_EACH(entry, capacity) {
    path key = path_key(&at, entry->key);
    basic_resource_check(e, &key, val_str(entry->value));
    quantity_positive_check(e, &key, val_str(entry->value));
  }
}

/* The root directory, however it is written. */
static bool is_root(slice p) {
  slice head;
  if (!p.len || p.ptr[0] != '/') return false;
  for (bool more = true; more;) {
    more = slice_cut(p, '/', &head, &p);
    if (head.len && !slice_is(head, ".") && !slice_is(head, "..")) return false;
  }
  return true;
}

static void classes_check(field_errors *e, const path *p, const val *spec) {
  const val *attributes = val_getc(spec, "volumeAttributesClassName");
  text_if_set(e, p, spec, "storageClassName", TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(spec, "volumeMode")) choice_at(e, p, spec, "volumeMode", volume_modes, false);
  if (!attributes) return;
  if (need(e, p, spec, "volumeAttributesClassName", "an empty string is disallowed")) {
    text_at(e, p, spec, "volumeAttributesClassName", TEXT_DNS1123_SUBDOMAIN);
  }
  if (!val_getc(spec, "csi"))
    require(e, p, "csi", "has to be specified when using volumeAttributesClassName");
}

#define NOT_INLINE "may not be specified in the context of inline volumes"

static void inline_classes_check(field_errors *e, const path *p, const val *spec) {
  const val *mode = val_getc(spec, "volumeMode");
  if (val_get_str(spec, "storageClassName").len) forbid(e, p, "storageClassName", NOT_INLINE);
  if (mode && !slice_is(val_str(mode), "Filesystem"))
    forbid(e, p, "volumeMode",
           "may not specify volumeMode other than Filesystem in the context of inline volumes");
}

static void policy_check(field_errors *e, const path *p, slice policy, bool in_attachment) {
  if (!policy.len) return;
  if (!in_attachment) {
    static const char *const policies[] = {"Delete", "Recycle", "Retain", NULL};
    if (!one_of(policy, policies))
      unsupported(e, p, "persistentVolumeReclaimPolicy", policy, policies);
  } else if (!slice_is(policy, "Retain")) {
    forbid(e, p, "persistentVolumeReclaimPolicy",
           "may only be Retain in the context of inline volumes");
  }
}

void pv_spec_validate(field_errors *e, const path *p, const val *spec, slice name,
                      bool in_attachment) {
  const val *affinity = val_getc(spec, "nodeAffinity"), *needed = val_getc(affinity, "required");
  path at = path_child(p, "nodeAffinity"), at_needed = path_child(&at, "required");
  slice policy = val_get_str(spec, "persistentVolumeReclaimPolicy");
  if (in_attachment) {
    if (val_getc(spec, "claimRef")) forbid(e, p, "claimRef", NOT_INLINE);
    if (val_len(val_getc(spec, "capacity"))) forbid(e, p, "capacity", NOT_INLINE);
    if (!val_getc(spec, "csi"))
      require(e, p, "csi", "has to be specified in the context of inline volumes");
  }
  need(e, p, spec, "accessModes", "");
  access_modes_check(e, p, val_getc(spec, "accessModes"));
  if (!in_attachment) capacity_check(e, p, spec);
  policy_check(e, p, policy, in_attachment);
  if (in_attachment && affinity)
    forbid(e, p, "nodeAffinity", NOT_INLINE);
  else if (needed)
    node_selector_validate(e, &at_needed, needed);
  else if (affinity)
    require(e, &at, "required", "must specify required node constraints");
  pv_sources_validate(e, p, spec, name);
  if (is_root(val_get_str(val_getc(spec, "hostPath"), "path")) && slice_is(policy, "Recycle")) {
    forbid(e, p, "persistentVolumeReclaimPolicy",
           "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (in_attachment) inline_classes_check(e, p, spec);
  else classes_check(e, p, spec);
}

static void whole_check(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec");
  path p = path_root("spec");
  core_meta_validate(v->errs, v->obj, false, TEXT_DNS1123_SUBDOMAIN);
  slice name = val_get_str(val_getc(v->obj, "metadata"), "name");
  pv_spec_validate(v->errs, &p, spec, name, false);
}

/* The older annotation for mount options is only for kinds that are mounted. */
static void mount_options_check(const validate_args *v) {
  static const char key[] = "volume.beta.kubernetes.io/mount-options";
  static const char *const mounted[] = {"gcePersistentDisk",
                                        "awsElasticBlockStore",
                                        "glusterfs",
                                        "nfs",
                                        "rbd",
                                        "quobyte",
                                        "iscsi",
                                        "cinder",
                                        "cephfs",
                                        "azureFile",
                                        "vsphereVolume",
                                        "azureDisk",
                                        "photonPersistentDisk"};
  path meta = path_root("metadata"), notes = path_child(&meta, "annotations");
  if (!val_getc(val_path(v->obj, "metadata.annotations"), key)) return;
  for (size_t i = 0; i < sizeof mounted / sizeof *mounted; i++) {
    if (val_getc(val_getc(v->obj, "spec"), mounted[i])) return;
  }
  forbid(v->errs, &notes, key, "may not specify mount options for this volume type");
}

/* Only the source of the spec. */
static val *source_of(arena *a, const val *spec, bool drop_expand) {
  static const char *const others[] = {"capacity",
                                       "accessModes",
                                       "claimRef",
                                       "persistentVolumeReclaimPolicy",
                                       "storageClassName",
                                       "mountOptions",
                                       "volumeMode",
                                       "nodeAffinity",
                                       "volumeAttributesClassName"};
  val *source = val_copy(a, spec);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) val_delc(source, others[i]);
  val *csi = val_getc(source, "csi");
  if (csi && drop_expand) val_delc(csi, "controllerExpandSecretRef");
  return source;
}

/* May a requirement's key become the stable name of the same label? */
static bool key_is_same(slice now, slice was) {
  static const char *const stable[][2] = {
      {"beta.kubernetes.io/arch", "kubernetes.io/arch"},
      {"beta.kubernetes.io/os", "kubernetes.io/os"},
      {"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"},
      {"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"},
      {"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"},
  };
  for (size_t i = 0; i < sizeof stable / sizeof *stable; i++) {
    if (slice_is(was, stable[i][0]) && slice_is(now, stable[i][1])) return true;
  }
  return slice_eq(now, was) || now.len == 0; /* the real table's answer for a label without one */
}

static bool requirements_same(const val *now, const val *was) {
  if (val_len(now) != val_len(was)) return false;
  EACH_ITEM(i, now) {
    const val *x = val_at(now, i), *y = val_at(was, i);
    if (!key_is_same(val_get_str(x, "key"), val_get_str(y, "key"))) return false;
    if (!slice_eq(val_get_str(x, "operator"), val_get_str(y, "operator"))) return false;
    if (!val_same(val_getc(x, "values"), val_getc(y, "values"))) return false;
  }
  return true;
}

/* A volume's place is fixed once it is known. */
static void affinity_change(const validate_args *v, const val *now, const val *was) {
  path p = path_root("nodeAffinity");
  const val *terms = val_path(now, "required.nodeSelectorTerms"),
            *before = val_path(was, "required.nodeSelectorTerms");
  if (!was) return;
  bool same = now && val_len(terms) == val_len(before) &&
              !val_getc(now, "required") == !val_getc(was, "required");
  for (uint32_t i = 0; same && i < val_len(terms); i++) {
    const val *x = val_at(terms, i), *y = val_at(before, i);
    same = requirements_same(val_getc(x, "matchExpressions"), val_getc(y, "matchExpressions")) &&
           requirements_same(val_getc(x, "matchFields"), val_getc(y, "matchFields"));
  }
  if (!same)
    refuse_go(v->errs, &p, NULL, "VolumeNodeAffinity", now,
              "field is immutable, except for updating from beta label to GA");
}

static void change_check(const validate_args *v) {
  arena *a = v->errs->a;
  const val *now = val_getc(v->obj, "spec"), *was = val_getc(v->old, "spec"),
            *old_csi = val_getc(was, "csi");
  path spec = path_root("spec"), mode = path_root("volumeMode");
  bool drop = old_csi && !val_getc(old_csi, "controllerExpandSecretRef");
  val *after = source_of(a, now, drop), *before = source_of(a, was, false);
  if (!val_equal(after, before)) {
    slice diff = internal_diff(a, "PersistentVolumeSource", before, after);
    path at = path_child(&spec, "persistentvolumesource");
    field_forbidden(v->errs, &at, "spec.persistentvolumesource is immutable after creation\n%.*s",
                    SLICE_ARG(diff));
  }
  immutable_check(v->errs, &mode, val_getc(now, "volumeMode"), val_getc(was, "volumeMode"));
  affinity_change(v, val_getc(now, "nodeAffinity"), val_getc(was, "nodeAffinity"));
  if (val_getc(was, "volumeAttributesClassName") && !val_getc(now, "volumeAttributesClassName")) {
    forbid(v->errs, &spec, "volumeAttributesClassName",
           "update from non-nil value to nil is forbidden");
  }
}

void validate_persistentvolume(const validate_args *v) {
  if (slice_is(v->subresource, "status")) {
    core_meta_update(v->errs, v->obj, v->old);
    return;
  }
  whole_check(v);
  mount_options_check(v);
  if (!v->old) return;
  whole_check(v);
  change_check(v);
}
