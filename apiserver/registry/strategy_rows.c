/* What is particular to each resource, a row each. Kinds without a row have nothing particular.
 * Sources: pkg/registry/<group>/<kind>/strategy.go and storage.go of the real server. */
#include "registry/strategy.h"

#include "registry/strategy_hooks.h"

#include <stdlib.h>
#include <string.h>

#define GEN .generation = GENERATION_SPEC
#define STATUS .has_status = true, .create_drops_status = true
#define RETURNS .returns_deleted = true
#define CREATES .create_on_update = true
#define CONDITIONAL .no_unconditional_update = true

/* Sorted by group, then resource. */
static const strategy rows[] = {
    {"", "configmaps"},
    {"", "endpoints", CREATES},
    {"", "events", CREATES, .gc = GC_UNSUPPORTED},
    {"", "limitranges", CREATES, .prepare_create = limit_range_prepare_create},
    {"", "namespaces", .has_status = true, .prepare_create = namespace_prepare_create,
     .prepare_update = namespace_prepare_update, RETURNS},
    {"", "nodes", .has_status = true},
    {"", "persistentvolumeclaims", STATUS, .prepare_create = claim_prepare, .prepare_update = claim_prepare, RETURNS},
    {"", "persistentvolumes", STATUS, .prepare_create = volume_prepare_create,
     .prepare_status = volume_prepare_status, RETURNS},
    {"", "pods", .has_status = true, .graceful = true, .generation = GENERATION_SPEC,
     .prepare_create = pod_prepare_create, .prepare_update = pod_prepare_update,
     .prepare_status = pod_prepare_status, RETURNS},
    {"", "podtemplates", .generation = GENERATION_ALL_BUT_META_STATUS, RETURNS},
    {"", "replicationcontrollers", GEN, STATUS},
    {"", "resourcequotas", STATUS, RETURNS},
    {"", "secrets", .prepare_update = secret_prepare_update},
    {"", "serviceaccounts", .prepare_create = service_account_prepare, .prepare_update = service_account_prepare, RETURNS},
    {"", "services", CREATES, STATUS, .prepare_create = service_prepare_create,
     .prepare_update = service_prepare_update, RETURNS},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies", GEN, CONDITIONAL},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings", GEN, CONDITIONAL},
    {"admissionregistration.k8s.io", "mutatingwebhookconfigurations", .generation = GENERATION_ALL_BUT_META_STATUS, CONDITIONAL},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies", GEN, STATUS, CONDITIONAL},
    {"admissionregistration.k8s.io", "validatingadmissionpolicybindings", GEN, CONDITIONAL},
    {"admissionregistration.k8s.io", "validatingwebhookconfigurations", .generation = GENERATION_ALL_BUT_META_STATUS, CONDITIONAL},
    {"apiextensions.k8s.io", "customresourcedefinitions", GEN, STATUS, CONDITIONAL, .prepare_create = crd_prepare_create},
    {"apiregistration.k8s.io", "apiservices", STATUS, CONDITIONAL, .prepare_create = apiservice_prepare_create},
    {"apps", "controllerrevisions"},
    {"apps", "daemonsets", GEN, STATUS, .prepare_create = daemonset_prepare_create, .prepare_update = daemonset_prepare_update},
    {"apps", "deployments", STATUS, .generation = GENERATION_HOOK, .prepare_update = deployment_prepare_update,
     .prepare_status = deployment_prepare_status},
    {"apps", "replicasets", GEN, STATUS},
    {"apps", "statefulsets", GEN, STATUS},
    {"autoscaling", "horizontalpodautoscalers", STATUS},
    {"batch", "cronjobs", GEN, STATUS},
    {"batch", "jobs", GEN, STATUS, .prepare_create = job_prepare_create},
    {"certificates.k8s.io", "certificatesigningrequests", STATUS, .prepare_create = csr_prepare_create,
     .prepare_update = csr_prepare_update, .prepare_status = csr_prepare_status},
    {"coordination.k8s.io", "leases", CREATES, CONDITIONAL},
    {"discovery.k8s.io", "endpointslices", .generation = GENERATION_HOOK, .prepare_update = endpointslice_prepare_update},
    {"events.k8s.io", "events", CREATES, .gc = GC_UNSUPPORTED},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", GEN, STATUS, .prepare_status = status_only_keep_meta},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", GEN, STATUS, .prepare_status = status_only_keep_meta},
    {"networking.k8s.io", "ingressclasses", GEN},
    {"networking.k8s.io", "ingresses", GEN, STATUS},
    {"networking.k8s.io", "ipaddresses"},
    {"networking.k8s.io", "networkpolicies", GEN},
    {"networking.k8s.io", "servicecidrs", STATUS, .prepare_status = status_reset_meta},
    {"node.k8s.io", "runtimeclasses", CREATES, CONDITIONAL},
    {"policy", "poddisruptionbudgets", GEN, STATUS, CONDITIONAL},
    {"rbac.authorization.k8s.io", "clusterrolebindings", CREATES},
    {"rbac.authorization.k8s.io", "clusterroles", CREATES},
    {"rbac.authorization.k8s.io", "rolebindings", CREATES},
    {"rbac.authorization.k8s.io", "roles", CREATES},
    {"resource.k8s.io", "deviceclasses", GEN, RETURNS},
    {"resource.k8s.io", "devicetaintrules", GEN, STATUS, .prepare_status = status_reset_meta, RETURNS},
    {"resource.k8s.io", "resourceclaims", STATUS, .prepare_status = status_reset_meta, RETURNS},
    {"resource.k8s.io", "resourceclaimtemplates", RETURNS},
    {"resource.k8s.io", "resourceslices", GEN, RETURNS},
    {"scheduling.k8s.io", "priorityclasses", .generation = GENERATION_HOOK},
    {"storage.k8s.io", "csidrivers", GEN, CONDITIONAL, RETURNS},
    {"storage.k8s.io", "csinodes", CONDITIONAL, RETURNS},
    {"storage.k8s.io", "csistoragecapacities", CONDITIONAL},
    {"storage.k8s.io", "storageclasses", RETURNS},
    {"storage.k8s.io", "volumeattachments", STATUS, CONDITIONAL, .prepare_create = NULL, RETURNS},
    {"storage.k8s.io", "volumeattributesclasses", RETURNS},
};

static const strategy plain = {.group = "", .resource = ""};

typedef struct row_key {
  slice group, resource;
} row_key;

static int row_order(const void *key, const void *row) {
  const row_key *k = key;
  const strategy *s = row;
  int order = slice_cmp(k->group, slice_cstr(s->group));
  return order ? order : slice_cmp(k->resource, slice_cstr(s->resource));
}

const strategy *strategy_of(const resource_info *r) {
  row_key key = {r->group, r->resource};
  const strategy *s = bsearch(&key, rows, sizeof rows / sizeof *rows, sizeof *rows, row_order);
  return s ? s : &plain;
}

/* Bodies of the parent's kind under another path. */
static const subresource_rule rules[] = {
    {"", "namespaces", "finalize", namespace_prepare_finalize},
    {"", "pods", "ephemeralcontainers", pod_prepare_ephemeral},
    {"", "pods", "resize", pod_prepare_resize},
    {"certificates.k8s.io", "certificatesigningrequests", "approval", csr_prepare_approval},
};

prepare_fn subresource_prepare(const resource_info *r, slice subresource) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    const subresource_rule *u = rules + i;
    if (slice_is(r->group, u->group) && slice_is(r->resource, u->resource) &&
        slice_is(subresource, u->subresource)) return u->prepare;
  }
  const strategy *s = strategy_of(r);
  return s->prepare_status ? s->prepare_status : status_only;
}
