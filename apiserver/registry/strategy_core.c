/* Prepare hooks of the core group. */
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/pod_create.h"
#include "registry/pod_qos.h"
#include "registry/strategy_hooks.h"
#include "server.h"

#include <assert.h>

/* A status write keeps everything of the old object but status and (most of) metadata. */
void status_only(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  for (uint32_t i = val_len(obj); i-- > 0;) {
    slice key = obj->u.entries[i].key;
    if (slice_is(key, "metadata") || slice_is(key, "status") || slice_is(key, "kind") ||
        slice_is(key, "apiVersion")) continue;
    if (!val_get(old, key)) val_del(obj, key);
  }
  VAL_EACH(e, old) {
    if (slice_is(e->key, "metadata") || slice_is(e->key, "status")) continue;
    val_set(a, obj, e->key, e->value);
  }
}

/* The same, and metadata stays but for managedFields. */
void status_only_keep_meta(request *rq, val *obj, const val *old) {
  val *managed = val_path(obj, "metadata.managedFields");
  status_only(rq, obj, old);
  val *meta = val_copy(rq->arena, val_getc(old, "metadata"));
  if (managed) val_setc(rq->arena, meta, "managedFields", managed);
  else val_delc(meta, "managedFields");
  val_setc(rq->arena, obj, "metadata", meta);
}

/* metav1.ResetObjectMetaForStatus: what the system or the spec's owner controls stays. */
void status_reset_meta(request *rq, val *obj, const val *old) {
  static const char *const keys[] = {"deletionTimestamp", "generation", "selfLink", "labels",
                                     "annotations", "finalizers", "ownerReferences"};
  status_only(rq, obj, old);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    object_meta_take(rq->arena, obj, old, keys[i]);
  }
}

void namespace_prepare_create(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  (void)old;
  val *status = val_map(a), *spec = val_ensure_map(a, obj, "spec");
  val_setc(a, status, "phase", val_cstr(a, "Active"));
  val_setc(a, obj, "status", status);
  val *labels = val_ensure_map(a, object_meta(a, obj), "labels"); /* of a generated name */
  val_setc(a, labels, "kubernetes.io/metadata.name", val_string(a, object_name(obj)));
  val *finalizers = val_ensure_list(a, spec, "finalizers");
  for (uint32_t i = 0; i < val_len(finalizers); i++) {
    if (slice_is(val_str(val_at(finalizers, i)), "kubernetes")) return;
  }
  val_append(a, finalizers, val_cstr(a, "kubernetes"));
}

void namespace_prepare_update(request *rq, val *obj, const val *old) {
  val *spec = val_copy(rq->arena, val_getc(obj, "spec"));
  val *kept = val_path(old, "spec.finalizers");
  if (!spec) spec = val_map(rq->arena);
  if (kept) val_setc(rq->arena, spec, "finalizers", kept);
  else val_delc(spec, "finalizers");
  if (val_len(spec)) val_setc(rq->arena, obj, "spec", spec);
}

void namespace_prepare_finalize(request *rq, val *obj, const val *old) {
  object_take(rq->arena, obj, old, "status");
}

void pod_prepare_create(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  (void)old;
  val *status = val_map(a);
  object_set_generation(a, obj, 1);
  val_setc(a, status, "phase", val_cstr(a, "Pending"));
  val_setc(a, status, "qosClass", val_cstr(a, pod_qos(obj)));
  pod_gates_condition(rq, obj, status);
  val_setc(a, obj, "status", status);
  pod_label_keys_merge(a, obj);
  pod_apparmor_sync(rq, obj);
}

void pod_prepare_update(request *rq, val *obj, const val *old) {
  object_take(rq->arena, obj, old, "status");
}

void pod_prepare_status(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  status_only(rq, obj, old);
  object_meta_take(a, obj, old, "deletionTimestamp");
  object_meta_take(a, obj, old, "ownerReferences");
  val *qos = val_path(old, "status.qosClass");
  val *status = val_copy(a, val_getc(obj, "status"));
  if (!status) status = val_map(a);
  if (qos && !val_getc(status, "qosClass")) val_setc(a, status, "qosClass", qos);
  val_setc(a, obj, "status", status);
}

/* Everything but spec.ephemeralContainers stays; the generation counts it. */
void pod_prepare_ephemeral(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  val *added = val_path(obj, "spec.ephemeralContainers");
  val *managed = val_path(obj, "metadata.managedFields");
  val *version = val_path(obj, "metadata.resourceVersion");
  val *spec = val_copy(a, val_getc(old, "spec"));
  if (added) val_setc(a, spec, "ephemeralContainers", added);
  else val_delc(spec, "ephemeralContainers");
  val *meta = val_copy(a, val_getc(old, "metadata"));
  if (managed) val_setc(a, meta, "managedFields", managed);
  if (version) val_setc(a, meta, "resourceVersion", version);
  val_setc(a, obj, "metadata", meta);
  val_setc(a, obj, "spec", spec);
  object_take(a, obj, old, "status");
  if (!val_equal(spec, val_getc(old, "spec"))) {
    object_set_generation(a, obj, object_generation(old) + 1);
  }
}

/* The old containers with the resources of the new ones; the new ones as they are when they were
 * renamed or moved, for validation to refuse. */
static val *resized(arena *a, const val *now, const val *old) {
  val *out = val_list(a);
  if (!now) return NULL;
  for (uint32_t i = 0; i < val_len(now); i++) {
    static const char *const keys[] = {"resources", "resizePolicy"};
    const val *n = val_at(now, i);
    val *c = val_copy(a, val_at(old, i));
    if (!slice_eq(val_get_str(n, "name"), val_get_str(c, "name"))) return val_copy(a, now);
    for (size_t k = 0; k < 2; k++) {
      val *v = val_getc(n, keys[k]);
      if (v) val_setc(a, c, keys[k], v);
      else val_delc(c, keys[k]);
    }
    val_append(a, out, c);
  }
  return out;
}

/* Only the containers' resources (and resize policies) and the pod's own count. */
void pod_prepare_resize(request *rq, val *obj, const val *old) {
  static const char *const lists[] = {"containers", "initContainers"};
  arena *a = rq->arena;
  const val *now = val_getc(obj, "spec"), *was = val_getc(old, "spec");
  bool same = true;
  for (size_t i = 0; i < 2; i++) {
    same = same && val_len(val_getc(now, lists[i])) == val_len(val_getc(was, lists[i]));
  }
  if (same) {
    val *spec = val_copy(a, was), *resources = val_getc(now, "resources");
    for (size_t i = 0; i < 2; i++) {
      val *list = resized(a, val_getc(now, lists[i]), val_getc(was, lists[i]));
      if (list) val_setc(a, spec, lists[i], list);
    }
    if (resources) val_setc(a, spec, "resources", resources);
    else val_delc(spec, "resources");
    status_reset_meta(rq, obj, old);
    val_setc(a, obj, "spec", spec);
    object_take(a, obj, old, "status");
  }
  if (!val_equal(val_getc(obj, "spec"), was)) {
    object_set_generation(a, obj, object_generation(old) + 1);
  }
}

void limit_range_prepare_create(request *rq, val *obj, const val *old) {
  char uuid[37];
  (void)old;
  if (object_name(obj).len) return;
  rng_uuid(&rq->server->name_rng, uuid);
  object_set_str(rq->arena, obj, "name", arena_copy(rq->arena, slice_of(uuid, 36)));
}

static void set_phase(request *rq, val *obj, const char *phase) {
  val *status = val_map(rq->arena);
  val_setc(rq->arena, status, "phase", val_cstr(rq->arena, phase));
  val_setc(rq->arena, obj, "status", status);
}

static bool is_old_source(const val *source) {
  slice group = val_get_str(source, "apiGroup"), kind = val_get_str(source, "kind");
  if (slice_is(kind, "PersistentVolumeClaim") && group.len == 0) return true;
  return slice_is(kind, "VolumeSnapshot") && slice_is(group, "snapshot.storage.k8s.io");
}

/* Of the sources only those of the old kinds stay, and a reference into another namespace needs a
 * feature of its own, unless the claim had them. */
static void claim_drop_sources(const request *rq, val *spec, const val *old) {
  const val *was = val_getc(old, "spec");
  bool had = val_getc(was, "dataSource") || val_getc(was, "dataSourceRef");
  const val *ref = val_getc(spec, "dataSourceRef");
  if (had || !val_is_map(spec)) return;
  const feature_set *features = &rq->server->options.features;
  bool across = feature_on(features, FEATURE_CROSS_NAMESPACE_VOLUME_DATA_SOURCE);
  if (!across && val_get_str(ref, "namespace").len) {
    val_delc(spec, "dataSourceRef");
    ref = NULL;
  }
  if (!ref && !is_old_source(val_getc(spec, "dataSource"))) val_delc(spec, "dataSource");
}

/* dataSource and dataSourceRef tell the same while both are of the old kinds. */
void claim_prepare(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  val *spec = val_getc(obj, "spec");
  claim_drop_sources(rq, spec, old);
  val *source = val_getc(spec, "dataSource"), *ref = val_getc(spec, "dataSourceRef");
  if (source && !ref) val_setc(a, spec, "dataSourceRef", val_copy(a, source));
  else if (ref && !source && val_get_str(ref, "namespace").len == 0) {
    val *copy = val_copy(a, ref);
    val_delc(copy, "namespace");
    val_setc(a, spec, "dataSource", copy);
  }
  if (!old) set_phase(rq, obj, "Pending");
}

static val *now_text(request *rq) {
  return request_timestamp(rq);
}

void volume_prepare_create(request *rq, val *obj, const val *old) {
  (void)old;
  set_phase(rq, obj, "Pending");
  val_setc(rq->arena, val_getc(obj, "status"), "lastPhaseTransitionTime", now_text(rq));
}

void volume_prepare_status(request *rq, val *obj, const val *old) {
  status_only(rq, obj, old);
  val *status = val_getc(obj, "status");
  if (!status) return;
  const val *was = val_path(old, "status.lastPhaseTransitionTime");
  val *is = val_getc(status, "lastPhaseTransitionTime");
  bool same = slice_eq(val_get_str(status, "phase"), val_str(val_path(old, "status.phase")));
  if (same && !is && was) {
    val_setc(rq->arena, status, "lastPhaseTransitionTime", val_copy(rq->arena, was));
  }
  if (!same && (!is || val_equal(is, was))) {
    val_setc(rq->arena, status, "lastPhaseTransitionTime", now_text(rq));
  }
}

void secret_prepare_update(request *rq, val *obj, const val *old) {
  if (val_get_str(obj, "type").len == 0) object_take(rq->arena, obj, old, "type");
}

/* Of secret references only the name is kept. */
void service_account_prepare(request *rq, val *obj, const val *old) {
  val *secrets = val_getc(obj, "secrets");
  (void)old;
  for (uint32_t i = 0; i < val_len(secrets); i++) {
    val *only = val_map(rq->arena);
    val *name = val_getc(val_at(secrets, i), "name");
    if (name) val_setc(rq->arena, only, "name", name);
    secrets->u.items[i] = only;
  }
}
