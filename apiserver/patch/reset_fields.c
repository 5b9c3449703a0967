/* The real server's GetResetFields of each strategy, as rows. Most resources with a status reset
 * status on the main endpoint and spec on status; the rows say what each adds or lacks. */
#include "crd/crd.h"
#include "patch/reset_fields.h"

typedef struct reset_row {
  const char *group, *resource;
  const char *main, *status; /* paths, separated by spaces */
} reset_row;

#define STATUS_AND_SPEC "status", "spec"
#define STATUS_AND_MORE "status", "spec metadata"

static const reset_row rows[] = {
    {"", "namespaces", STATUS_AND_SPEC},
    {"", "nodes", STATUS_AND_SPEC},
    {"", "persistentvolumeclaims", STATUS_AND_SPEC},
    {"", "persistentvolumes", STATUS_AND_SPEC},
    {"", "pods", "status", "spec metadata.deletionTimestamp metadata.ownerReferences"},
    {"", "replicationcontrollers", STATUS_AND_SPEC},
    {"", "resourcequotas", STATUS_AND_SPEC},
    {"", "services", STATUS_AND_SPEC},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies", STATUS_AND_MORE},
    {"apiextensions.k8s.io", "customresourcedefinitions", STATUS_AND_MORE},
    {"apiregistration.k8s.io", "apiservices", STATUS_AND_MORE},
    {"apps", "daemonsets", STATUS_AND_SPEC},
    {"apps", "deployments", "status", "spec metadata.labels"},
    {"apps", "replicasets", STATUS_AND_SPEC},
    {"apps", "statefulsets", STATUS_AND_SPEC},
    {"autoscaling", "horizontalpodautoscalers", STATUS_AND_SPEC},
    {"batch", "cronjobs", STATUS_AND_SPEC},
    {"batch", "jobs", STATUS_AND_SPEC},
    {"certificates.k8s.io", "certificatesigningrequests", "spec status", "spec status.conditions"},
    {"certificates.k8s.io", "podcertificaterequests", "", "spec"},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", STATUS_AND_MORE},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", STATUS_AND_MORE},
    {"internal.apiserver.k8s.io", "storageversions", STATUS_AND_MORE},
    {"networking.k8s.io", "ingresses", STATUS_AND_SPEC},
    {"networking.k8s.io", "servicecidrs", STATUS_AND_MORE},
    {"policy", "poddisruptionbudgets", STATUS_AND_SPEC},
    {"resource.k8s.io", "devicetaintrules", STATUS_AND_MORE},
    {"resource.k8s.io", "resourceclaims", STATUS_AND_MORE},
    {"resource.k8s.io", "resourcepoolstatusrequests", STATUS_AND_MORE},
    {"scheduling.k8s.io", "podgroups", STATUS_AND_MORE},
    {"storage.k8s.io", "volumeattachments", STATUS_AND_MORE},
    {"storagemigration.k8s.io", "storageversionmigrations", STATUS_AND_MORE},
};

/* Subresources other than status that reset something. */
static const struct {
  const char *resource, *subresource, *paths;
} others[] = {
    {"namespaces", "finalize", "status"},
    {"certificatesigningrequests", "approval", "spec status.certificate"},
};

static const char *paths_of(const resource_info *r, slice subresource) {
  if (r->custom && slice_is(subresource, "status")) return "metadata spec";
  if (r->custom) return r->custom->status && subresource.len == 0 ? "status" : "";
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (!slice_is(r->resource, rows[i].resource) || !slice_is(r->group, rows[i].group)) continue;
    if (subresource.len == 0) return rows[i].main;
    if (slice_is(subresource, "status")) return rows[i].status;
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    bool here = slice_is(r->resource, others[i].resource) &&
                slice_is(subresource, others[i].subresource);
    if (here) return others[i].paths;
  }
  return "";
}

/* Is there anything at or below the path's first field? Most often not. */
static bool touches(const val *x, slice path) {
  slice name, rest;
  slice_cut(path, '.', &name, &rest);
  for (uint32_t i = 0; i < field_node_count(x); i++) {
    slice key = x->u.entries[i].key;
    if (key.len == name.len + 2 && slice_eq(slice_from(key, 2), name)) return true;
  }
  return false;
}

val *reset_fields_remove(const field_sets *f, const val *x, const resource_info *r,
                         slice subresource) {
  slice paths = slice_cstr(paths_of(r, subresource)), path;
  while (x && paths.len) {
    slice_cut(paths, ' ', &path, &paths);
    if (touches(x, path)) x = field_set_without(f, x, path);
  }
  return val_shared(x);
}
