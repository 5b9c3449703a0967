/* DefaultStorageClass and DefaultIngressClass: the newest class that is annotated as default.
 * Sources: plugin/pkg/admission/storage/storageclass/setdefault, network/defaultingressclass. */
#include "admission/plugin.h"

#include "registry/object.h"

typedef struct class_search {
  const char *const *annotations; /* two, the second may be NULL */
  const val *best;
} class_search;

/* Timestamps are RFC 3339 in UTC: their texts sort as they do. */
static bool newer(void *ctx, val *class) {
  class_search *search = ctx;
  const val *meta = val_getc(class, "metadata"), *annotations = val_getc(meta, "annotations");
  bool marked = false;
  for (int i = 0; i < 2 && search->annotations[i]; i++) {
    marked = marked || slice_is(val_get_str(annotations, search->annotations[i]), "true");
  }
  if (!marked) return true;
  slice made = val_get_str(meta, "creationTimestamp");
  slice best = val_get_str(val_getc(search->best, "metadata"), "creationTimestamp");
  if (!search->best || slice_cmp(made, best) > 0) search->best = class; /* ties: by name */
  return true;
}

bool default_storage_class_mutate(const admission_args *args) {
  static const char *const marks[] = {"storageclass.kubernetes.io/is-default-class",
                                      "storageclass.beta.kubernetes.io/is-default-class"};
  if (!plugin_is(args, "", "persistentvolumeclaims")) return true;
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  const val *annotations = val_path(args->obj, "metadata.annotations");
  if (val_getc(spec, "storageClassName")) return true;
  if (val_getc(annotations, "volume.beta.kubernetes.io/storage-class")) return true;
  class_search search = {.annotations = marks};
  plugin_each(args, "storage.k8s.io", "v1", "storageclasses", SLICE_NONE,
              SLICE_LIT("is-default-class"), newer, &search);
  if (search.best) {
    val_setc(a, spec, "storageClassName", val_string(a, object_name(search.best)));
  }
  return true;
}

bool default_ingress_class_mutate(const admission_args *args) {
  static const char *const marks[] = {"ingressclass.kubernetes.io/is-default-class", NULL};
  if (!plugin_is(args, "networking.k8s.io", "ingresses")) return true;
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  const val *annotations = val_path(args->obj, "metadata.annotations");
  if (val_getc(spec, "ingressClassName")) return true;
  if (val_getc(annotations, "kubernetes.io/ingress.class")) return true;
  class_search search = {.annotations = marks};
  plugin_each(args, "networking.k8s.io", "v1", "ingressclasses", SLICE_NONE,
              SLICE_LIT("is-default-class"), newer, &search);
  if (search.best) {
    val_setc(a, spec, "ingressClassName", val_string(a, object_name(search.best)));
  }
  return true;
}
