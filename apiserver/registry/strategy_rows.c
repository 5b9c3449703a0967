/* What is particular to each resource, a row each. Kinds without a row have nothing particular.
 * Sources: pkg/registry/<group>/<kind>/strategy.go and storage.go of the real server. */
#include "registry/strategy.h"

#include "crd/crd_strategy.h"
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
    {.group = "", .resource = "configmaps"},
    {.group = "", .resource = "endpoints", CREATES, .warn = endpoints_warn},
    {.group = "", .resource = "events", CREATES, .gc = GC_UNSUPPORTED},
    {.group = "", .resource = "limitranges", CREATES, .prepare_create = limit_range_prepare_create},
    {.group = "", .resource = "namespaces", .has_status = true,
     .prepare_create = namespace_prepare_create,
     .prepare_update = namespace_prepare_update, RETURNS},
    {.group = "", .resource = "nodes", .has_status = true, .warn = node_warn},
    {.group = "", .resource = "persistentvolumeclaims", STATUS, .prepare_create = claim_prepare,
     .prepare_update = claim_prepare, .warn = claim_warn, RETURNS},
    {.group = "", .resource = "persistentvolumes", STATUS, .prepare_create = volume_prepare_create,
     .prepare_status = volume_prepare_status, .warn = volume_warn, RETURNS},
    {.group = "", .resource = "pods", .warn = pod_warn, .has_status = true, .graceful = true,
     .generation = GENERATION_SPEC,
     .prepare_create = pod_prepare_create, .prepare_update = pod_prepare_update,
     .prepare_status = pod_prepare_status, RETURNS},
    {.group = "", .resource = "podtemplates", .warn = podtemplate_warn,
     .generation = GENERATION_ALL_BUT_META_STATUS,
     RETURNS},
    {.group = "", .resource = "replicationcontrollers", .warn = rc_warn, GEN, STATUS,
     .gc = GC_ORPHAN},
    {.group = "", .resource = "resourcequotas", STATUS, .warn = quota_warn, RETURNS},
    {.group = "", .resource = "secrets", .prepare_update = secret_prepare_update,
     .warn = secret_warn},
    {.group = "", .resource = "serviceaccounts", .prepare_create = service_account_prepare,
     .prepare_update = service_account_prepare, .warn = service_account_warn, RETURNS},
    {.group = "", .resource = "services", CREATES, STATUS, .prepare_create = service_prepare_create,
     .prepare_update = service_prepare_update, .warn = service_warn,
     .warn_status = balancer_status_warn, RETURNS},
    {.group = "admissionregistration.k8s.io", .resource = "mutatingadmissionpolicies", GEN,
     CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "admissionregistration.k8s.io", .resource = "mutatingadmissionpolicybindings", GEN,
     CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "admissionregistration.k8s.io", .resource = "mutatingwebhookconfigurations",
     .generation = GENERATION_ALL_BUT_META_STATUS, CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "admissionregistration.k8s.io", .resource = "validatingadmissionpolicies", GEN,
     STATUS, .prepare_status = status_reset_meta, CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "admissionregistration.k8s.io", .resource = "validatingadmissionpolicybindings", GEN,
     CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "admissionregistration.k8s.io", .resource = "validatingwebhookconfigurations",
     .generation = GENERATION_ALL_BUT_META_STATUS, CONDITIONAL,
     .warn = admission_config_warn},
    {.group = "apiextensions.k8s.io", .resource = "customresourcedefinitions", GEN, STATUS,
     CONDITIONAL, .prepare_status = status_reset_meta, .prepare_create = crd_prepare_create,
     .prepare_update = crd_prepare_update, .warn = crd_formats_warn},
    {.group = "apiregistration.k8s.io", .resource = "apiservices", STATUS, CONDITIONAL,
     .prepare_create = apiservice_prepare_create},
    {.group = "apps", .resource = "controllerrevisions"},
    {.group = "apps", .resource = "daemonsets", .warn = daemonset_warn, GEN, STATUS,
     .prepare_create = daemonset_prepare_create, .prepare_update = daemonset_prepare_update},
    {.group = "apps", .resource = "deployments", .warn = workload_warn, STATUS,
     .generation = GENERATION_HOOK,
     .prepare_update = deployment_prepare_update,
     .prepare_status = deployment_prepare_status},
    {.group = "apps", .resource = "replicasets", .warn = workload_warn, GEN, STATUS},
    {.group = "apps", .resource = "statefulsets", .warn = statefulset_warn, GEN, STATUS},
    {.group = "autoscaling", .resource = "horizontalpodautoscalers", STATUS},
    {.group = "batch", .resource = "cronjobs", .warn = cronjob_warn, GEN, STATUS},
    {.group = "batch", .resource = "jobs", .warn = workload_warn, GEN, STATUS, .gc = GC_ORPHAN,
     .prepare_create = job_prepare_create},
    {.group = "certificates.k8s.io", .resource = "certificatesigningrequests", STATUS,
     .prepare_create = csr_prepare_create,
     .prepare_update = csr_prepare_update, .prepare_status = csr_prepare_status},
    {.group = "certificates.k8s.io", .resource = "clustertrustbundles", CONDITIONAL},
    {.group = "certificates.k8s.io", .resource = "podcertificaterequests", STATUS, CONDITIONAL,
     .prepare_status = status_reset_meta},
    {.group = "coordination.k8s.io", .resource = "leasecandidates", CREATES, CONDITIONAL},
    {.group = "coordination.k8s.io", .resource = "leases", CREATES, CONDITIONAL,
     .prepare_create = lease_prepare, .prepare_update = lease_prepare},
    {.group = "discovery.k8s.io", .resource = "endpointslices", .generation = GENERATION_HOOK,
     .prepare_create = endpointslice_prepare_create,
     .prepare_update = endpointslice_prepare_update, .warn = endpoint_slice_warn},
    {.group = "events.k8s.io", .resource = "events", CREATES, .gc = GC_UNSUPPORTED},
    {.group = "flowcontrol.apiserver.k8s.io", .resource = "flowschemas", GEN, STATUS,
     .prepare_status = status_only_keep_meta},
    {.group = "flowcontrol.apiserver.k8s.io", .resource = "prioritylevelconfigurations", GEN,
     STATUS, .prepare_status = status_only_keep_meta},
    {.group = "internal.apiserver.k8s.io", .resource = "storageversions", STATUS, CONDITIONAL,
     .prepare_status = status_reset_meta},
    {.group = "networking.k8s.io", .resource = "ingressclasses", GEN},
    {.group = "networking.k8s.io", .resource = "ingresses", GEN, STATUS, .warn = ingress_warn,
     .warn_status = balancer_status_warn},
    {.group = "networking.k8s.io", .resource = "ipaddresses"},
    {.group = "networking.k8s.io", .resource = "networkpolicies", GEN, .empties_count = true,
     .warn = network_policy_warn},
    {.group = "networking.k8s.io", .resource = "servicecidrs", STATUS,
     .prepare_status = status_reset_meta},
    {.group = "node.k8s.io", .resource = "runtimeclasses", CREATES, CONDITIONAL,
     .warn = runtime_class_warn},
    {.group = "policy", .resource = "poddisruptionbudgets", GEN, STATUS, CONDITIONAL},
    {.group = "rbac.authorization.k8s.io", .resource = "clusterrolebindings", CREATES},
    {.group = "rbac.authorization.k8s.io", .resource = "clusterroles", CREATES},
    {.group = "rbac.authorization.k8s.io", .resource = "rolebindings", CREATES},
    {.group = "rbac.authorization.k8s.io", .resource = "roles", CREATES},
    {.group = "resource.k8s.io", .resource = "deviceclasses", GEN, RETURNS},
    {.group = "resource.k8s.io", .resource = "devicetaintrules", GEN, STATUS,
     .prepare_update = taint_rule_prepare_update, .prepare_status = status_reset_meta, RETURNS},
    {.group = "resource.k8s.io", .resource = "resourceclaims", STATUS,
     .prepare_status = status_reset_meta, RETURNS},
    {.group = "resource.k8s.io", .resource = "resourceclaimtemplates", RETURNS},
    {.group = "resource.k8s.io", .resource = "resourcepoolstatusrequests", STATUS, CONDITIONAL,
     .prepare_status = status_reset_meta, RETURNS},
    {.group = "resource.k8s.io", .resource = "resourceslices",
     .generation = GENERATION_SPEC_SENT, RETURNS, .warn = resource_slice_warn},
    {.group = "scheduling.k8s.io", .resource = "podgroups", STATUS,
     .prepare_create = pod_group_prepare, .prepare_update = pod_group_prepare,
     .prepare_status = pod_group_prepare_status},
    {.group = "scheduling.k8s.io", .resource = "priorityclasses", .generation = GENERATION_HOOK},
    {.group = "scheduling.k8s.io", .resource = "workloads", .prepare_create = workload_prepare,
     .prepare_update = workload_prepare},
    {.group = "storage.k8s.io", .resource = "csidrivers", .generation = GENERATION_SPEC_UPDATES,
     CONDITIONAL, .warn = csi_driver_warn, RETURNS},
    {.group = "storage.k8s.io", .resource = "csinodes", CONDITIONAL, RETURNS},
    {.group = "storage.k8s.io", .resource = "csistoragecapacities", CONDITIONAL,
     .warn = csi_storage_capacity_warn},
    {.group = "storage.k8s.io", .resource = "storageclasses", .warn = storage_class_warn, RETURNS},
    {.group = "storage.k8s.io", .resource = "volumeattachments", STATUS, CONDITIONAL,
     .prepare_status = status_reset_meta, RETURNS},
    {.group = "storage.k8s.io", .resource = "volumeattributesclasses", RETURNS},
    {.group = "storagemigration.k8s.io", .resource = "storageversionmigrations", STATUS,
     CONDITIONAL, .prepare_status = status_reset_meta},
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
  if (r->custom) return crd_strategy_of(r->custom);
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
