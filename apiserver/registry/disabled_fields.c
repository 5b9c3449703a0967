/* A row a field of a gate that can be off. A path's steps: "a" a field, "a[]" each item of a list
 * or value of a map, "@Containers" and "@ContainerStatuses" the three lists of a pod. */
#include "registry/disabled_fields.h"

#include "server.h"

#define ALWAYS_OFF (-1) /* the field's gate is gone, or never was */

typedef struct field_row {
  int feature; /* feature, or ALWAYS_OFF; while one field of it is in use, all of it stays */
  const char *path;
  bool with_parent; /* what holds it goes too, once that is empty */
  const char *stays; /* the value that needs no gate, or NULL */
} field_row;

#define ROW(feature, path) {(feature), (path), false, NULL}
#define END {0, NULL, false, NULL}

static const field_row pod_spec_rows[] = {
    ROW(FEATURE_GENERIC_WORKLOAD, "schedulingGroup"),
    ROW(FEATURE_CLUSTER_TRUST_BUNDLE_PROJECTION,
        "volumes[].projected.sources[].clusterTrustBundle"),
    ROW(FEATURE_POD_CERTIFICATE_REQUEST, "volumes[].projected.sources[].podCertificate"),
    {FEATURE_CONTAINER_STOP_SIGNALS, "@Containers.lifecycle.stopSignal", true, NULL},
    ROW(FEATURE_POD_LEVEL_RESOURCES, "resources"),
    ROW(FEATURE_MATCH_LABEL_KEYS_IN_POD_TOPOLOGY_SPREAD,
        "topologySpreadConstraints[].matchLabelKeys"),
    {FEATURE_CONTAINER_RESTART_RULES, "initContainers[].restartPolicy", false, "Always"},
    ROW(FEATURE_CONTAINER_RESTART_RULES, "containers[].restartPolicy"),
    ROW(FEATURE_CONTAINER_RESTART_RULES, "ephemeralContainers[].restartPolicy"),
    ROW(FEATURE_CONTAINER_RESTART_RULES, "@Containers.restartPolicyRules"),
    ROW(FEATURE_HOSTNAME_OVERRIDE, "hostnameOverride"),
    ROW(FEATURE_ENV_FILES, "@Containers.env[].valueFrom.fileKeyRef"),
    END,
};

static const field_row pod_rows[] = {
    ROW(FEATURE_IN_PLACE_POD_LEVEL_RESOURCES_VERTICAL_SCALING, "status.resources"),
    ROW(FEATURE_IN_PLACE_POD_LEVEL_RESOURCES_VERTICAL_SCALING, "status.allocatedResources"),
    ROW(FEATURE_DRA_EXTENDED_RESOURCE, "status.extendedResourceClaimStatus"),
    ROW(FEATURE_RESOURCE_HEALTH_STATUS, "status.@ContainerStatuses.allocatedResourcesStatus"),
    ROW(FEATURE_RESOURCE_HEALTH_STATUS_MESSAGE,
        "status.@ContainerStatuses.allocatedResourcesStatus[].resources[].message"),
    ROW(FEATURE_IMAGE_VOLUME_WITH_DIGEST, "status.@ContainerStatuses.volumeMounts[].volumeStatus"),
    ROW(FEATURE_DRA_NODE_ALLOCATABLE_RESOURCES, "status.nodeAllocatableResourceClaimStatuses"),
    END,
};

static const field_row node_rows[] = {
    ROW(ALWAYS_OFF, "spec.configSource"),
    ROW(ALWAYS_OFF, "status.config"),
    ROW(FEATURE_NODE_DECLARED_FEATURES, "status.declaredFeatures"),
    END,
};

static const field_row stateful_set_rows[] = {
    ROW(FEATURE_MAX_UNAVAILABLE_STATEFUL_SET, "spec.updateStrategy.rollingUpdate.maxUnavailable"),
    END,
};

static const field_row terminating_rows[] = {
    ROW(FEATURE_DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS, "status.terminatingReplicas"),
    END,
};

static const field_row autoscaler_rows[] = {
    ROW(FEATURE_HPA_CONFIGURABLE_TOLERANCE, "spec.behavior.scaleDown.tolerance"),
    ROW(FEATURE_HPA_CONFIGURABLE_TOLERANCE, "spec.behavior.scaleUp.tolerance"),
    END,
};

static const field_row csi_driver_rows[] = {
    ROW(FEATURE_VOLUME_LIMIT_SCALING, "spec.preventPodSchedulingIfMissing"),
    END,
};

static const field_row device_class_rows[] = {
    ROW(FEATURE_DRA_EXTENDED_RESOURCE, "spec.extendedResourceName"),
    END,
};

static const field_row slice_rows[] = {
    ROW(FEATURE_DRA_DEVICE_TAINTS, "spec.devices[].taints"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.sharedCounters"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.perDeviceNodeSelection"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.devices[].consumesCounters"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.devices[].nodeName"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.devices[].nodeSelector"),
    ROW(FEATURE_DRA_PARTITIONABLE_DEVICES, "spec.devices[].allNodes"),
    ROW(FEATURE_DRA_DEVICE_BINDING_CONDITIONS, "spec.devices[].bindingConditions"),
    ROW(FEATURE_DRA_DEVICE_BINDING_CONDITIONS, "spec.devices[].bindingFailureConditions"),
    ROW(FEATURE_DRA_DEVICE_BINDING_CONDITIONS, "spec.devices[].bindsToNode"),
    ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, "spec.devices[].allowMultipleAllocations"),
    ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, "spec.devices[].capacity[].requestPolicy"),
    ROW(FEATURE_DRA_NODE_ALLOCATABLE_RESOURCES, "spec.devices[].nodeAllocatableResourceMappings"),
    ROW(FEATURE_DRA_LIST_TYPE_ATTRIBUTES, "spec.devices[].attributes[].bools"),
    ROW(FEATURE_DRA_LIST_TYPE_ATTRIBUTES, "spec.devices[].attributes[].ints"),
    ROW(FEATURE_DRA_LIST_TYPE_ATTRIBUTES, "spec.devices[].attributes[].strings"),
    ROW(FEATURE_DRA_LIST_TYPE_ATTRIBUTES, "spec.devices[].attributes[].versions"),
    END,
};

/* Of a claim, or of a template's spec. */
#define CLAIM_SPEC(at)                                                                         \
  ROW(FEATURE_DRA_PRIORITIZED_LIST, at "spec.devices.requests[].firstAvailable"),              \
  ROW(FEATURE_DRA_DEVICE_TAINTS, at "spec.devices.requests[].exactly.tolerations"),            \
  ROW(FEATURE_DRA_DEVICE_TAINTS, at "spec.devices.requests[].firstAvailable[].tolerations"),   \
  ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, at "spec.devices.constraints[].distinctAttribute"),     \
  ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, at "spec.devices.requests[].exactly.capacity"),         \
  ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, at "spec.devices.requests[].firstAvailable[].capacity")

static const field_row claim_rows[] = {
    CLAIM_SPEC(""),
    ROW(FEATURE_DRA_RESOURCE_CLAIM_DEVICE_STATUS, "status.devices"),
    ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, "status.allocation.devices.results[].shareID"),
    ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, "status.allocation.devices.results[].consumedCapacity"),
    ROW(FEATURE_DRA_CONSUMABLE_CAPACITY, "status.devices[].shareID"),
    ROW(FEATURE_DRA_DEVICE_BINDING_CONDITIONS,
        "status.allocation.devices.results[].bindingConditions"),
    ROW(FEATURE_DRA_DEVICE_BINDING_CONDITIONS,
        "status.allocation.devices.results[].bindingFailureConditions"),
    END,
};

static const field_row claim_template_rows[] = {CLAIM_SPEC("spec."), END};

static const struct kind_row {
  const char *group, *resource;
  const char *pod_spec; /* where the kind has one, or NULL */
  const field_row *rows;
} kind_rows[] = {
    {"", "nodes", NULL, node_rows},
    {"", "pods", "spec", pod_rows},
    {"", "podtemplates", "template.spec", NULL},
    {"", "replicationcontrollers", "spec.template.spec", NULL},
    {"apps", "daemonsets", "spec.template.spec", NULL},
    {"apps", "deployments", "spec.template.spec", terminating_rows},
    {"apps", "replicasets", "spec.template.spec", terminating_rows},
    {"apps", "statefulsets", "spec.template.spec", stateful_set_rows},
    {"autoscaling", "horizontalpodautoscalers", NULL, autoscaler_rows},
    {"batch", "cronjobs", "spec.jobTemplate.spec.template.spec", NULL},
    {"batch", "jobs", "spec.template.spec", NULL},
    {"resource.k8s.io", "deviceclasses", NULL, device_class_rows},
    {"resource.k8s.io", "resourceclaims", NULL, claim_rows},
    {"resource.k8s.io", "resourceclaimtemplates", NULL, claim_template_rows},
    {"resource.k8s.io", "resourceslices", NULL, slice_rows},
    {"storage.k8s.io", "csidrivers", NULL, csi_driver_rows},
};

/* ---- paths ---- */

static const char *const containers[] = {"initContainers", "containers", "ephemeralContainers"};
static const char *const statuses[] = {"initContainerStatuses", "containerStatuses",
                                       "ephemeralContainerStatuses"};

static bool walk(val *v, slice path, const field_row *row, bool drop);

static bool walk_items(val *v, slice path, const field_row *row, bool drop) {
  bool found = false;
  for (uint32_t i = 0; i < val_len(v) && (drop || !found); i++) {
    val *item = val_is_map(v) ? v->u.entries[i].value : v->u.items[i];
    found |= walk(item, path, row, drop);
  }
  return found;
}

static bool take(val *v, slice name, const val *child, const field_row *row, bool drop) {
  if (!child || (row->stays && slice_is(val_str(child), row->stays))) return false;
  return !drop || val_del(v, name);
}

/* Is something there, of what is left of the row's path? With `drop` it is taken out. */
static bool walk(val *v, slice path, const field_row *row, bool drop) {
  slice step, rest;
  if (!val_is_map(v)) return false;
  bool inner = slice_cut(path, '.', &step, &rest);
  if (step.ptr[0] == '@') {
    const char *const *lists = slice_is(step, "@Containers") ? containers : statuses;
    bool found = false;
    for (size_t i = 0; i < 3; i++) found |= walk_items(val_getc(v, lists[i]), rest, row, drop);
    return found;
  }
  bool each = slice_has_suffix(step, SLICE_LIT("[]"));
  if (each) step = slice_upto(step, step.len - 2);
  val *child = val_get(v, step);
  if (each) return walk_items(child, rest, row, drop);
  if (!inner) return take(v, step, child, row, drop);
  bool found = walk(child, rest, row, drop);
  bool empty = found && drop && row->with_parent && val_len(child) == 0;
  if (empty) val_del(v, step);
  return found;
}

static bool in_use(const field_row *rows, int gate, const val *old) {
  bool found = false;
  for (const field_row *r = rows; old && r->path && !found; r++) {
    bool mine = r->feature == gate;
    found = mine && walk(val_shared(old), slice_cstr(r->path), r, false);
  }
  return found;
}

static bool is_off(const request *rq, int f) {
  const feature_set *s = &rq->server->options.features;
  if (f == ALWAYS_OFF) return true;
  return !feature_on(s, (feature)f);
}

static void rows_drop(request *rq, const field_row *rows, val *obj, const val *old) {
  for (const field_row *r = rows; r->path; r++) {
    if (!is_off(rq, r->feature)) continue;
    /* Two fields without a gate have nothing to do with one another. */
    const field_row alone[] = {*r, END};
    if (in_use(r->feature == ALWAYS_OFF ? alone : rows, r->feature, old)) continue;
    walk(obj, slice_cstr(r->path), r, true);
  }
}

void disabled_fields_drop(request *rq, val *obj, const val *old) {
  const resource_info *r = rq->resource;
  for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++) {
    const struct kind_row *k = &kind_rows[i];
    if (!slice_is(r->resource, k->resource) || !slice_is(r->group, k->group)) continue;
    if (k->rows) rows_drop(rq, k->rows, obj, old);
    val *spec = k->pod_spec ? val_path(obj, k->pod_spec) : NULL;
    if (spec) rows_drop(rq, pod_spec_rows, spec, val_path(old, k->pod_spec));
    return;
  }
}
