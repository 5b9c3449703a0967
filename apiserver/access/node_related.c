/* Relations of nodes, read from the stored pods. The real server keeps a graph of them up to
 * date; here they are looked for when a kubelet asks, which needs no state to keep true. */
#include "access/node_related.h"

#include "access/config.h"
#include "server.h"

/* Where a pod's spec names other objects: any map under `key` (or items of a list there). */
typedef struct reference_row {
  const char *resource, *key, *field;
} reference_row;

static const reference_row reference_rows[] = {
    {"secrets", "secretKeyRef", "name"},
    {"secrets", "secretRef", "name"},
    {"secrets", "secret", "secretName"},
    {"secrets", "secret", "name"},
    {"secrets", "azureFile", "secretName"},
    {"secrets", "nodePublishSecretRef", "name"},
    {"secrets", "imagePullSecrets", "name"},
    {"configmaps", "configMapKeyRef", "name"},
    {"configmaps", "configMapRef", "name"},
    {"configmaps", "configMap", "name"},
    {"persistentvolumeclaims", "persistentVolumeClaim", "claimName"},
    {"resourceclaims", "resourceClaims", "resourceClaimName"},
};

typedef struct search {
  slice node, resource, name;
  bool found;
} search;

static bool names_it(const search *f, slice key, const val *v) {
  for (size_t i = 0; i < sizeof reference_rows / sizeof reference_rows[0]; i++) {
    const reference_row *row = &reference_rows[i];
    if (slice_is(f->resource, row->resource) && slice_is(key, row->key) &&
        slice_eq(val_get_str(v, row->field), f->name)) {
      return true;
    }
  }
  return false;
}

/* Typed trees are as deep as their schema. */
static bool refers(const search *f, const val *v) {
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
    if (refers(f, v->u.items[i])) return true;
  }
  VAL_EACH(e, v) {
    if (val_is_map(e->value) && names_it(f, e->key, e->value)) return true;
    for (uint32_t i = 0; val_is_list(e->value) && i < e->value->count; i++) {
      if (names_it(f, e->key, e->value->u.items[i])) return true;
    }
    if ((val_is_map(e->value) || val_is_list(e->value)) && refers(f, e->value)) return true;
  }
  return false;
}

static bool claims_by_status(const search *f, const val *pod) {
  const val *list = val_path(pod, "status.resourceClaimStatuses");
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_eq(val_get_str(val_at(list, i), "resourceClaimName"), f->name)) return true;
  }
  return false;
}

static bool pod_visit(void *ctx, val *pod) {
  search *f = ctx;
  const val *spec = val_getc(pod, "spec");
  if (!slice_eq(val_get_str(spec, "nodeName"), f->node)) return true;
  const val *notes = val_path(pod, "metadata.annotations");
  if (val_getc(notes, "kubernetes.io/config.mirror")) return true; /* the node's own word */
  if (slice_is(f->resource, "serviceaccounts")) {
    f->found = slice_eq(val_get_str(spec, "serviceAccountName"), f->name);
  } else {
    f->found = refers(f, spec) || (slice_is(f->resource, "resourceclaims") &&
                                   claims_by_status(f, pod));
  }
  return !f->found;
}

static const resource_info *resource_of(const char *group, const char *resource) {
  return schema_resource(slice_cstr(group), SLICE_LIT("v1"), slice_cstr(resource));
}

/* Objects that say themselves to which node they belong. */
static const struct {
  const char *group, *resource;
} own_rows[] = {
    {"", "pods"},
    {"storage.k8s.io", "volumeattachments"},
    {"resource.k8s.io", "resourceslices"},
    {"certificates.k8s.io", "podcertificaterequests"},
};

bool node_is_related(server *s, arena *a, slice node, slice resource, slice namespace, slice name) {
  const access_source *from = s->access->source;
  for (size_t i = 0; i < sizeof own_rows / sizeof own_rows[0]; i++) {
    if (!slice_is(resource, own_rows[i].resource)) continue;
    const resource_info *r = resource_of(own_rows[i].group, own_rows[i].resource);
    const val *obj = r ? from->get(s, a, r, r->namespaced ? namespace : SLICE_NONE, name) : NULL;
    return obj && slice_eq(val_str(val_path(obj, "spec.nodeName")), node);
  }
  if (slice_is(resource, "persistentvolumes")) { /* by way of the claim that it is bound to */
    const val *pv = from->get(s, a, resource_of("", "persistentvolumes"), SLICE_NONE, name);
    const val *claim = val_path(pv, "spec.claimRef");
    return claim && node_is_related(s, a, node, SLICE_LIT("persistentvolumeclaims"),
                                    val_get_str(claim, "namespace"), val_get_str(claim, "name"));
  }
  search f = {.node = node, .resource = resource, .name = name};
  if (namespace.len && name.len) {
    from->each(s, a, resource_of("", "pods"), namespace, pod_visit, &f);
  }
  return f.found;
}
