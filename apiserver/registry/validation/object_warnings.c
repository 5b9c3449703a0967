/* What the real server warns about in objects that hold no pod: volumes, claims, nodes, quotas,
 * service accounts. Sources: pkg/api/{persistentvolume,persistentvolumeclaim}/util.go and the
 * strategies of pkg/registry/core. */
#include "registry/validation/pod_warnings.h"

#include "codec/codec.h"

typedef struct words {
  const char *key, *text;
} words;

static void notes_warn(request *rq, const val *obj, const words *rows, size_t count) {
  path meta = path_root("metadata"), notes = path_child(&meta, "annotations");
  for (size_t i = 0; i < count; i++) {
    path at = path_key(&notes, slice_cstr(rows[i].key));
    if (val_getc(val_path(obj, "metadata.annotations"), rows[i].key))
      pod_warn_at(rq, &at, NULL, rows[i].text);
  }
}

#define STORAGE_CLASS_NOTE                        \
  {"volume.beta.kubernetes.io/storage-class",     \
   "deprecated since v1.8; use \"storageClassName\" attribute instead"}

void volume_warn(request *rq, val *obj, const val *old) {
  static const words notes[] = {
      STORAGE_CLASS_NOTE,
      {"volume.beta.kubernetes.io/mount-options",
       "deprecated since v1.31; use \"mountOptions\" attribute instead"},
  };
  static const words sources[] = {
      {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
      {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
      {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
      {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
      {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
      {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
  };
  (void)old;
  const val *spec = val_getc(obj, "spec");
  path p = path_root("spec"), node = path_child(&p, "nodeAffinity"),
       required = path_child(&node, "required"), terms = path_child(&required, "nodeSelectorTerms");
  notes_warn(rq, obj, notes, sizeof notes / sizeof *notes);
  if (slice_is(val_get_str(spec, "persistentVolumeReclaimPolicy"), "Recycle")) {
    pod_warn_at(rq, &p, "persistentVolumeReclaimPolicy",
                "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to "
                "use dynamic provisioning.");
  }
  const val *list = val_path(spec, "nodeAffinity.required.nodeSelectorTerms");
  EACH_ITEM(i, list) {
    path at = path_index(&terms, i);
    pod_warn_node_term(rq, &at, val_at(list, i), false);
  }
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    const char *key = sources[i].key;
    if (val_getc(spec, key))
      pod_warn_at(rq, &p, strcmp(key, "storageos") == 0 ? "storageOS" : key, sources[i].text);
  }
}

void claim_warn(request *rq, val *obj, const val *old) {
  static const words notes[] = {STORAGE_CLASS_NOTE};
  (void)old;
  path p = path_root("spec");
  notes_warn(rq, obj, notes, 1);
  pod_warn_claim(rq, &p, val_getc(obj, "spec"));
}

void node_warn(request *rq, val *obj, const val *old) {
  (void)old;
  path p = path_root("spec");
  if (val_str(val_path(obj, "spec.externalID")).len) {
    pod_warn_at(rq, &p, "externalID", "this field is deprecated, and is unused by Kubernetes");
  }
}

static slice amount(arena *a, const val *hard, const char *prefix, const char *name, slice *key) {
  *key = arena_printf(a, "%s%s", prefix, name);
  return val_str(val_get(hard, *key));
}

void quota_warn(request *rq, val *obj, const val *old) {
  static const char *const names[] = {"cpu", "memory", "storage", "ephemeral-storage"};
  const val *hard = val_path(obj, "spec.hard");
  if (old) return;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    slice request_key, limit_key;
    slice asked = amount(rq->arena, hard, "requests.", names[i], &request_key);
    if (!asked.len && i < 2) asked = amount(rq->arena, hard, "", names[i], &request_key);
    slice limit = amount(rq->arena, hard, "limits.", names[i], &limit_key);
    if (!asked.len || !limit.len || quantity_cmp(asked, limit) <= 0) continue;
    request_warn(rq, arena_printf(rq->arena,
                                  "ResourceQuota %.*s (%.*s) should be less than %.*s (%.*s)",
                                  SLICE_ARG(request_key), SLICE_ARG(asked), SLICE_ARG(limit_key),
                                  SLICE_ARG(limit)));
  }
}

void service_account_warn(request *rq, val *obj, const val *old) {
  static const words notes[] = {
      {"kubernetes.io/enforce-mountable-secrets",
       "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"}};
  if (val_getc(val_path(old, "metadata.annotations"), notes[0].key)) return;
  notes_warn(rq, obj, notes, 1);
}
