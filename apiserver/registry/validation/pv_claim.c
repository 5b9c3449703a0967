/* PersistentVolumeClaims, and the claims inside ephemeral volumes and StatefulSets. */
#include "registry/validation/pod_internal.h"
#include "registry/validation/pv.h"
#include "registry/validation/rows.h"

#define BETA_CLASS "volume.beta.kubernetes.io/storage-class"

static void source_check(field_errors *e, const path *p, const val *source, bool old_groups) {
  slice group = val_get_str(source, "apiGroup"), kind = val_get_str(source, "kind");
  if (!source) return;
  need(e, p, source, "name", "");
  need(e, p, source, "kind", "");
  if (!group.len && !slice_is(kind, "PersistentVolumeClaim")) {
    refuse_str(e, p, NULL, kind,
               "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (group.len && !old_groups) text_at(e, p, source, "apiGroup", TEXT_DNS1123_SUBDOMAIN);
  text_if_set(e, p, source, "namespace", TEXT_DNS1123_LABEL);
}

static bool same_source(const val *a, const val *b) {
  static const char *const keys[] = {"apiGroup", "kind", "name"};
  for (size_t i = 0; i < 3; i++) {
    if (!slice_eq(val_get_str(a, keys[i]), val_get_str(b, keys[i]))) return false;
  }
  return (val_getc(a, "apiGroup") != NULL) == (val_getc(b, "apiGroup") != NULL);
}

/* The bad value of these two is a path, which has no JSON: {}. */
static void sources_check(field_errors *e, const path *p, const val *spec, const val *old) {
  const val *source = val_getc(spec, "dataSource"), *ref = val_getc(spec, "dataSourceRef");
  path at_source = path_child(p, "dataSource"), at_ref = path_child(p, "dataSourceRef");
  bool old_groups = val_getc(val_getc(old, "dataSource"), "apiGroup") ||
                    val_getc(val_getc(old, "dataSourceRef"), "apiGroup");
  const char *why = NULL;
  source_check(e, &at_source, source, old_groups);
  source_check(e, &at_ref, ref, old_groups);
  if (val_get_str(ref, "namespace").len) {
    if (source) why = "may not be specified when dataSourceRef.namespace is specified";
  } else if (source && ref && !same_source(source, ref)) {
    why = "must match dataSourceRef";
  }
  if (!why) return;
  refuse(e, p, NULL, val_map(e->a), why);
}

void claim_spec_validate(field_errors *e, const path *p, const val *spec, const val *old) {
  const val *size = val_path(spec, "resources.requests.storage");
  path selector = path_child(p, "selector"), resources = path_child(p, "resources"),
       storage = path_key(&resources, SLICE_LIT("storage"));
  need(e, p, spec, "accessModes", "at least 1 access mode is required");
  label_selector_validate(e, &selector, val_getc(spec, "selector"));
  access_modes_check(e, p, val_getc(spec, "accessModes"));
  if (!size)
    require(e, &storage, NULL, "");
  else
    quantity_positive_check(e, &storage, val_str(size));
  text_if_set(e, p, spec, "storageClassName", TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(spec, "volumeMode")) choice_at(e, p, spec, "volumeMode", volume_modes, false);
  sources_check(e, p, spec, old);
  text_if_set(e, p, spec, "volumeAttributesClassName", TEXT_DNS1123_SUBDOMAIN);
}

static void take(arena *a, val *to, const val *from, const char *key) {
  val *old = val_getc(from, key);
  if (old)
    val_setc(a, to, key, old);
  else
    val_delc(to, key);
}

/* The class may move from the old annotation into the field, or be set where there was none. */
static void class_change(const validate_args *v, val *now, const val *was) {
  const val *old_note = val_getc(val_path(v->old, "metadata.annotations"), BETA_CLASS);
  const val *new_note = val_getc(val_path(v->obj, "metadata.annotations"), BETA_CLASS);
  const val *old_class = val_getc(was, "storageClassName"),
            *new_class = val_getc(now, "storageClassName");
  slice old_text = val_str(old_note), new_text = val_str(new_note), text = val_str(new_class);
  path meta = path_root("metadata"), notes = path_child(&meta, "annotations"),
       at = path_child(&notes, BETA_CLASS);
  bool upgrade = old_note && !old_class && new_class && slice_eq(text, old_text) &&
                 (!new_note || slice_eq(new_text, old_text));
  if (upgrade) {
    val_delc(now, "storageClassName");
    return;
  }
  if (!slice_eq(old_text, new_text)) refuse_str(v->errs, &at, NULL, new_text, "field is immutable");
  if (new_class && !old_class && (!old_note || slice_eq(text, old_text)))
    take(v->errs->a, now, was, "storageClassName");
}

static void size_change(const validate_args *v) {
  slice zero = SLICE_LIT("0");
  const val *now = val_path(v->obj, "spec.resources.requests.storage"),
            *was = val_path(v->old, "spec.resources.requests.storage");
  const val *have = val_path(v->old, "status.capacity.storage");
  slice n = now ? val_str(now) : zero, o = was ? val_str(was) : zero,
        h = have ? val_str(have) : zero;
  path spec = path_root("spec"), resources = path_child(&spec, "resources"),
       requests = path_child(&resources, "requests");
  if (quantity_cmp(n, o) < 0 && quantity_cmp(n, h) <= 0) {
    forbid(v->errs, &requests, "storage", "field can not be less than status.capacity");
  }
}

static void attributes_change(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.volumeAttributesClassName"),
            *was = val_path(v->old, "spec.volumeAttributesClassName");
  path spec = path_root("spec");
  bool same = (now != NULL) == (was != NULL) && slice_eq(val_str(now), val_str(was));
  if (same || !val_path(v->old, "status.currentVolumeAttributesClassName")) return;
  if (!now) {
    forbid(v->errs, &spec, "volumeAttributesClassName",
           "update to nil is forbidden when status.currentVolumeAttributesClassName is not nil");
  } else if (!val_str(now).len) {
    forbid(v->errs, &spec, "volumeAttributesClassName",
           "update to empty string is forbidden when status.currentVolumeAttributesClassName is "
           "not nil");
  }
}

static void change_check(const validate_args *v) {
  arena *a = v->errs->a;
  val *now = val_copy(a, val_getc(v->obj, "spec")), *was = val_copy(a, val_getc(v->old, "spec"));
  bool bound = slice_is(val_get_str(val_getc(v->obj, "status"), "phase"), "Bound");
  path spec = path_root("spec"), mode = path_root("volumeMode");
  if (!val_get_str(was, "volumeName").len) take(a, was, now, "volumeName");
  class_change(v, now, was);
  val *requests = val_path(now, "resources.requests");
  if (bound && requests) take(a, requests, val_path(was, "resources.requests"), "storage");
  if (bound) take(a, now, was, "volumeAttributesClassName");
  if (!val_equal(now, was)) {
    slice diff = internal_diff(a, "PersistentVolumeClaimSpec", was, now);
    field_forbidden(v->errs, &spec,
                    "spec is immutable after creation except resources.requests and "
                    "volumeAttributesClassName for bound claims\n%.*s",
                    SLICE_ARG(diff));
  }
  size_change(v);
  immutable_check(v->errs, &mode, val_path(v->obj, "spec.volumeMode"),
                  val_path(v->old, "spec.volumeMode"));
  attributes_change(v);
}

static bool status_key_check(field_errors *e, const path *p, slice key) {
  if (!text_check(e, p, TEXT_LABEL_KEY, key)) return false;
  if (!resource_is_native(key) || slice_is(key, "storage")) return true;
  unsupported(e, p, NULL, key, CHOICES("storage"));
  return false;
}

static void status_check(const validate_args *v) {
  static const char *const states[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                                       "NodeResizeInProgress",       "NodeResizeInfeasible",
                                       "NodeResizePending",          NULL};
  field_errors *e = v->errs;
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status"), capacity = path_child(&p, "capacity"),
       resize = path_child(&p, "allocatedResourceStatuses"),
       allocated = path_child(&p, "allocatedResources");
  core_meta_update(e, v->obj, v->old);
  VAL_EACH(entry, val_getc(status, "capacity")) {
    path key = path_key(&capacity, entry->key);
    basic_resource_check(e, &key, val_str(entry->value));
  }
  VAL_EACH(entry, val_getc(status, "allocatedResourceStatuses")) {
    status_key_check(e, &resize, entry->key);
    if (!one_of(val_str(entry->value), states)) unsupported(e, &resize, NULL, entry->key, states);
  }
  VAL_EACH(entry, val_getc(status, "allocatedResources")) {
    path key = path_key(&allocated, entry->key);
    uint32_t before = e->count;
    if (!status_key_check(e, &allocated, entry->key)) continue;
    basic_resource_check(e, &key, val_str(entry->value));
    if (e->count == before)
      resource_quantity_check(e, &key, SLICE_LIT("storage"), val_str(entry->value));
  }
}

void validate_persistentvolumeclaim(const validate_args *v) {
  path p = path_root("spec");
  if (slice_is(v->subresource, "status")) {
    status_check(v);
    return;
  }
  core_meta_both(v, TEXT_DNS1123_SUBDOMAIN);
  claim_spec_validate(v->errs, &p, val_getc(v->obj, "spec"), val_getc(v->old, "spec"));
  if (v->old) change_check(v);
}
