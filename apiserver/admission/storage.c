/* StorageObjectInUseProtection (finalizers) and PersistentVolumeClaimResize.
 * Source: plugin/pkg/admission/storage. */
#include "admission/plugin.h"

#include "codec/codec.h"

static const struct {
  const char *group, *resource, *finalizer;
} protected_rows[] = {
    {"", "persistentvolumes", "kubernetes.io/pv-protection"},
    {"", "persistentvolumeclaims", "kubernetes.io/pvc-protection"},
    {"storage.k8s.io", "volumeattributesclasses", "kubernetes.io/vac-protection"},
};

bool storage_protection_mutate(const admission_args *args) {
  for (size_t i = 0; i < sizeof(protected_rows) / sizeof(protected_rows[0]); i++) {
    if (!plugin_is(args, protected_rows[i].group, protected_rows[i].resource)) continue;
    plugin_add_finalizer(args, slice_cstr(protected_rows[i].finalizer));
  }
  return true;
}

static slice claim_class(const val *claim) {
  const val *annotations = val_path(claim, "metadata.annotations");
  const val *beta = val_getc(annotations, "volume.beta.kubernetes.io/storage-class");
  return beta ? val_str(beta) : val_str(val_path(claim, "spec.storageClassName"));
}

bool claim_resize_validate(const admission_args *args) {
  if (!plugin_is(args, "", "persistentvolumeclaims")) return true;
  slice now = val_str(val_path(args->obj, "spec.resources.requests.storage"));
  slice old = val_str(val_path(args->old, "spec.resources.requests.storage"));
  if (!now.len) return true;
  if (quantity_cmp(now, old.len ? old : SLICE_LIT("0")) <= 0) return true;
  if (!slice_is(val_str(val_path(args->old, "status.phase")), "Bound")) {
    return plugin_forbid(args, "Only bound persistent volume claims can be expanded");
  }
  slice class = claim_class(args->obj);
  if (class.len && slice_eq(class, claim_class(args->old))) {
    const val *found =
        plugin_get(args, "storage.k8s.io", "v1", "storageclasses", SLICE_NONE, class);
    if (val_true(val_getc(found, "allowVolumeExpansion"))) return true;
  }
  return plugin_forbid(args,
                       "only dynamically provisioned pvc can be resized and the storageclass that "
                       "provisions the pvc must support resize");
}
