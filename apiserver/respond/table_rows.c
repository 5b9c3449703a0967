/* The rows of all kinds. The columns' names and types are in the schema (resource_info);
 * here stands what fills them, in the same order.
 * Source: pkg/printers/internalversion/printers.go. */
#include "respond/table_rows.h"

#define NAME {cell_name, NULL, NULL}
#define AGE {cell_age, NULL, NULL}
#define POD_SPEC "spec.template.spec."

static const cell by_default[] = {NAME, {cell_created, NULL, NULL}};
static const cell name_age[] = {NAME, AGE};

static const cell component_status[] = {
    NAME, {cell_component, "status", NULL}, {cell_component, "message", NULL},
    {cell_component, "error", NULL}};
static const cell config_map[] = {NAME, {cell_data_count, NULL, NULL}, AGE};
static const cell endpoints[] = {NAME, {cell_endpoints, NULL, NULL}, AGE};
static const cell event[] = {
    {cell_event_last, NULL, NULL}, {cell_text, "type", NULL}, {cell_text, "reason", NULL},
    {cell_event_object, "involvedObject", NULL}, {cell_text, "involvedObject.fieldPath", NULL},
    {cell_event_source, NULL, NULL}, {cell_event_message, "message", NULL},
    {cell_event_first, NULL, NULL}, {cell_event_count, NULL, NULL}, NAME};
static const cell namespace[] = {NAME, {cell_text, "status.phase", NULL}, AGE};
static const cell node[] = {
    NAME, {cell_node_status, NULL, NULL}, {cell_node_roles, NULL, NULL}, AGE,
    {cell_text, "status.nodeInfo.kubeletVersion", NULL},
    {cell_node_address, "InternalIP", NULL}, {cell_node_address, "ExternalIP", NULL},
    {cell_text, "status.nodeInfo.osImage", "<unknown>"}, {cell_node_kernel, NULL, NULL},
    {cell_text, "status.nodeInfo.containerRuntimeVersion", "<unknown>"}};
static const cell claim[] = {
    NAME, {cell_phase, "status.phase", NULL}, {cell_text, "spec.volumeName", NULL},
    {cell_claim_size, "status.capacity", NULL}, {cell_claim_modes, "status.accessModes", NULL},
    {cell_storage_class, "spec.storageClassName", NULL},
    {cell_text, "spec.volumeAttributesClassName", "<unset>"}, AGE,
    {cell_text, "spec.volumeMode", "<unset>"}};
static const cell volume[] = {
    NAME, {cell_storage_size, "spec.capacity", NULL},
    {cell_access_modes, "spec.accessModes", NULL},
    {cell_text, "spec.persistentVolumeReclaimPolicy", NULL}, {cell_phase, "status.phase", NULL},
    {cell_claim_ref, "spec.claimRef", NULL}, {cell_storage_class, "spec.storageClassName", NULL},
    {cell_text, "spec.volumeAttributesClassName", "<unset>"}, {cell_text, "status.reason", NULL},
    AGE, {cell_text, "spec.volumeMode", "<unset>"}};
static const cell pod[] = {
    NAME, {cell_pod_ready, NULL, NULL}, {cell_pod_status, NULL, NULL},
    {cell_pod_restarts, NULL, NULL}, AGE, {cell_pod_ip, NULL, NULL},
    {cell_text, "spec.nodeName", "<none>"}, {cell_text, "status.nominatedNodeName", "<none>"},
    {cell_pod_gates, NULL, NULL}};
static const cell pod_template[] = {
    NAME, {cell_names, "template.spec.containers", NULL},
    {cell_images, "template.spec.containers", NULL},
    {cell_labels, "template.metadata.labels", NULL}};
static const cell replication_controller[] = {
    NAME, {cell_int, "spec.replicas", NULL}, {cell_int, "status.replicas", NULL},
    {cell_int, "status.readyReplicas", NULL}, AGE, {cell_names, POD_SPEC "containers", NULL},
    {cell_images, POD_SPEC "containers", NULL}, {cell_labels, "spec.selector", NULL}};
static const cell quota[] = {NAME, {cell_quota, "", NULL}, {cell_quota, "limits", NULL}, AGE};
static const cell secret[] = {NAME, {cell_text, "type", NULL}, {cell_count, "data", NULL}, AGE};
static const cell service[] = {
    NAME, {cell_text, "spec.type", NULL}, {cell_cluster_ip, NULL, NULL},
    {cell_external_ip, NULL, NULL}, {cell_ports, "spec.ports", NULL}, AGE,
    {cell_labels, "spec.selector", NULL}};
static const cell api_service[] = {
    NAME, {cell_service_ref, "spec.service", NULL}, {cell_available, NULL, NULL}, AGE};

static const cell revision[] = {
    NAME, {cell_revision_owner, NULL, NULL}, {cell_int, "revision", NULL}, AGE};
static const cell daemon_set[] = {
    NAME, {cell_int, "status.desiredNumberScheduled", NULL},
    {cell_int, "status.currentNumberScheduled", NULL}, {cell_int, "status.numberReady", NULL},
    {cell_int, "status.updatedNumberScheduled", NULL}, {cell_int, "status.numberAvailable", NULL},
    {cell_labels, POD_SPEC "nodeSelector", NULL}, AGE, {cell_names, POD_SPEC "containers", NULL},
    {cell_images, POD_SPEC "containers", NULL}, {cell_selector, "spec.selector", "<none>"}};
static const cell deployment[] = {
    NAME, {cell_ratio, "status.readyReplicas,spec.replicas", NULL},
    {cell_int, "status.updatedReplicas", NULL}, {cell_int, "status.availableReplicas", NULL}, AGE,
    {cell_names, POD_SPEC "containers", NULL}, {cell_images, POD_SPEC "containers", NULL},
    {cell_selector, "spec.selector", NULL}};
static const cell replica_set[] = {
    NAME, {cell_int, "spec.replicas", NULL}, {cell_int, "status.replicas", NULL},
    {cell_int, "status.readyReplicas", NULL}, AGE, {cell_names, POD_SPEC "containers", NULL},
    {cell_images, POD_SPEC "containers", NULL}, {cell_selector, "spec.selector", "<none>"}};
static const cell stateful_set[] = {
    NAME, {cell_ratio, "status.readyReplicas,spec.replicas", NULL}, AGE,
    {cell_names, POD_SPEC "containers", NULL}, {cell_images, POD_SPEC "containers", NULL}};
static const cell autoscaler[] = {
    NAME, {cell_slash, "spec.scaleTargetRef.kind,spec.scaleTargetRef.name", NULL},
    {cell_hpa_targets, NULL, NULL}, {cell_text, "spec.minReplicas", "<unset>"},
    {cell_int, "spec.maxReplicas", NULL}, {cell_int, "status.currentReplicas", NULL}, AGE};
static const cell cron_job[] = {
    NAME, {cell_text, "spec.schedule", NULL}, {cell_text, "spec.timeZone", "<none>"},
    {cell_suspend, "spec.suspend", NULL}, {cell_count, "status.active", NULL},
    {cell_since, "status.lastScheduleTime", "<none>"}, AGE,
    {cell_names, "spec.jobTemplate." POD_SPEC "containers", NULL},
    {cell_images, "spec.jobTemplate." POD_SPEC "containers", NULL},
    {cell_selector, "spec.jobTemplate.spec.selector", "<none>"}};
static const cell job[] = {
    NAME, {cell_job_status, NULL, NULL}, {cell_job_completions, NULL, NULL},
    {cell_job_duration, NULL, NULL}, AGE, {cell_names, POD_SPEC "containers", NULL},
    {cell_images, POD_SPEC "containers", NULL}, {cell_selector, "spec.selector", "<none>"}};
static const cell scale[] = {
    NAME, {cell_int, "spec.replicas", NULL}, {cell_int, "status.replicas", NULL}, AGE};

static const cell signing_request[] = {
    NAME, AGE, {cell_text, "spec.signerName", "<none>"}, {cell_text, "spec.username", NULL},
    {cell_csr_duration, "spec.expirationSeconds", NULL}, {cell_csr_condition, NULL, NULL}};
static const cell ingress_class[] = {
    {cell_default_name, "ingressclass.kubernetes.io/is-default-class", NULL},
    {cell_text, "spec.controller", NULL}, {cell_class_parameters, "spec.parameters", NULL}, AGE};
static const cell ingress[] = {
    NAME, {cell_text, "spec.ingressClassName", "<none>"}, {cell_hosts, NULL, NULL},
    {cell_ingress_address, NULL, NULL}, {cell_ingress_ports, "spec.tls", NULL}, AGE};
static const cell ip_address[] = { /* one more than it has columns, as the real one's */
    NAME, {cell_parent_ref, "spec.parentRef", NULL}, AGE};
static const cell network_policy[] = {NAME, {cell_selector, "spec.podSelector", "<none>"}, AGE};
static const cell service_cidr[] = {NAME, {cell_join, "spec.cidrs", NULL}, AGE};
static const cell endpoint_slice[] = {
    NAME, {cell_text, "addressType", NULL}, {cell_slice_ports, NULL, NULL},
    {cell_slice_endpoints, NULL, NULL}, AGE};
static const cell disruption_budget[] = {
    NAME, {cell_text, "spec.minAvailable", "N/A"}, {cell_text, "spec.maxUnavailable", "N/A"},
    {cell_int, "status.disruptionsAllowed", NULL}, AGE};
static const cell role_binding[] = {
    NAME, {cell_slash, "roleRef.kind,roleRef.name", NULL}, AGE, {cell_subjects, "User", NULL},
    {cell_subjects, "Group", NULL}, {cell_subjects, "ServiceAccount", NULL}};

static const cell csi_driver[] = {
    NAME, {cell_bool, "spec.attachRequired", "true"}, {cell_bool, "spec.podInfoOnMount", NULL},
    {cell_bool, "spec.storageCapacity", NULL}, {cell_audiences, "spec.tokenRequests", NULL},
    {cell_bool, "spec.requiresRepublish", NULL},
    {cell_join, "spec.volumeLifecycleModes", "<none>"}, AGE};
static const cell csi_node[] = {NAME, {cell_count, "spec.drivers", NULL}, AGE};
static const cell storage_class[] = {
    {cell_default_name, "storageclass.kubernetes.io/is-default-class",
     "storageclass.beta.kubernetes.io/is-default-class"},
    {cell_text, "provisioner", NULL}, {cell_text, "reclaimPolicy", "Delete"},
    {cell_text, "volumeBindingMode", "Immediate"}, {cell_bool, "allowVolumeExpansion", NULL}, AGE};
static const cell attachment[] = {
    NAME, {cell_text, "spec.attacher", NULL}, {cell_text, "spec.source.persistentVolumeName", NULL},
    {cell_text, "spec.nodeName", NULL}, {cell_bool, "status.attached", NULL}, AGE};
static const cell attributes_class[] = {NAME, {cell_text, "driverName", NULL}, AGE};

static const cell mutating_policy[] = {
    NAME, {cell_count, "spec.mutations", NULL},
    {cell_slash, "spec.paramKind.apiVersion,spec.paramKind.kind", "<unset>"}, AGE};
static const cell validating_policy[] = {
    NAME, {cell_count, "spec.validations", NULL},
    {cell_slash, "spec.paramKind.apiVersion,spec.paramKind.kind", "<unset>"}, AGE};
static const cell policy_binding[] = {
    NAME, {cell_text, "spec.policyName", NULL}, {cell_param_ref, "spec.paramRef", NULL}, AGE};
static const cell webhooks[] = {NAME, {cell_count, "webhooks", NULL}, AGE};
static const cell priority_class[] = {
    NAME, {cell_int, "value", NULL}, {cell_bool, "globalDefault", NULL}, AGE,
    {cell_text, "preemptionPolicy", NULL}};
static const cell lease[] = {NAME, {cell_text, "spec.holderIdentity", NULL}, AGE};
static const cell runtime_class[] = {NAME, {cell_text, "handler", NULL}, AGE};
static const cell resource_claim[] = {NAME, {cell_claim_state, NULL, NULL}, AGE};
static const cell resource_slice[] = {
    NAME, {cell_text, "spec.nodeName", NULL}, {cell_text, "spec.driver", NULL},
    {cell_text, "spec.pool.name", NULL}, AGE};
static const cell flow_schema[] = {
    NAME, {cell_text, "spec.priorityLevelConfiguration.name", NULL},
    {cell_int, "spec.matchingPrecedence", NULL},
    {cell_text, "spec.distinguisherMethod.type", "<none>"}, AGE, {cell_dangling, NULL, NULL}};
static const cell priority_level[] = {
    NAME, {cell_text, "spec.type", NULL},
    {cell_number_or_none, "spec.limited.nominalConcurrencyShares", "spec.limited"},
    {cell_number_or_none, "spec.limited.limitResponse.queuing.queues",
     "spec.limited.limitResponse.queuing"},
    {cell_number_or_none, "spec.limited.limitResponse.queuing.handSize",
     "spec.limited.limitResponse.queuing"},
    {cell_number_or_none, "spec.limited.limitResponse.queuing.queueLengthLimit",
     "spec.limited.limitResponse.queuing"}, AGE};

static const cell trust_bundle[] = {NAME, {cell_text, "spec.signerName", "<none>"}};
static const cell pod_certificate[] = {
    NAME, {cell_text, "spec.podName", NULL}, {cell_text, "spec.serviceAccountName", NULL},
    {cell_text, "spec.nodeName", NULL}, {cell_text, "spec.signerName", NULL},
    {cell_pod_certificate_state, "status.conditions", NULL},
    {cell_labels, "spec.unverifiedUserAnnotations", NULL}};
static const cell lease_candidate[] = {
    NAME, {cell_text, "spec.leaseName", NULL}, {cell_text, "spec.binaryVersion", NULL},
    {cell_text, "spec.emulationVersion", NULL}, AGE};
static const cell storage_version[] = {
    NAME, {cell_text, "status.commonEncodingVersion", "<unset>"},
    {cell_storage_versions, "status.storageVersions", NULL}, AGE};
static const cell taint_rule[] = {
    NAME, {cell_text, "spec.taint.key", NULL}, {cell_text, "spec.taint.value", NULL},
    {cell_text, "spec.taint.effect", NULL}, {cell_since, "spec.taint.timeAdded", ""}, AGE};
static const cell pool_status[] = {
    NAME, {cell_text, "spec.driver", NULL}, {cell_pool_sum, "totalDevices", NULL},
    {cell_pool_sum, "availableDevices", NULL}, {cell_pool_sum, "allocatedDevices", NULL},
    {cell_pool_sum, "unavailableDevices", NULL}, {cell_pool_sum, "validationError", NULL},
    {cell_int, "status.poolCount", NULL}, {cell_pool_status, NULL, NULL},
    {cell_pool_completed, NULL, NULL}};
static const cell pod_group[] = {
    NAME, {cell_group_policy, "spec.schedulingPolicy.gang", NULL},
    {cell_text, "spec.podGroupTemplateRef.workload.workloadName", "<none>"},
    {cell_group_status, "status.conditions", NULL}, AGE};
static const cell migration[] = {
    NAME, {cell_group_resource, "spec.resource", NULL},
    {cell_migration_status, "status.conditions", NULL}};

#define ROW(group, kind, cells) {group, kind, cells, sizeof cells / sizeof *cells}

static const table_row rows[] = {
    ROW("", "ComponentStatus", component_status),
    ROW("", "ConfigMap", config_map),
    ROW("", "Endpoints", endpoints),
    ROW("", "Event", event),
    ROW("", "Namespace", namespace),
    ROW("", "Node", node),
    ROW("", "PersistentVolume", volume),
    ROW("", "PersistentVolumeClaim", claim),
    ROW("", "Pod", pod),
    ROW("", "PodTemplate", pod_template),
    ROW("", "ReplicationController", replication_controller),
    ROW("", "ResourceQuota", quota),
    ROW("", "Secret", secret),
    ROW("", "Service", service),
    ROW("", "ServiceAccount", name_age),
    ROW("admissionregistration.k8s.io", "MutatingAdmissionPolicy", mutating_policy),
    ROW("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", policy_binding),
    ROW("admissionregistration.k8s.io", "MutatingWebhookConfiguration", webhooks),
    ROW("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", validating_policy),
    ROW("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", policy_binding),
    ROW("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", webhooks),
    ROW("apiregistration.k8s.io", "APIService", api_service),
    ROW("apps", "ControllerRevision", revision),
    ROW("apps", "DaemonSet", daemon_set),
    ROW("apps", "Deployment", deployment),
    ROW("apps", "ReplicaSet", replica_set),
    ROW("apps", "StatefulSet", stateful_set),
    ROW("autoscaling", "HorizontalPodAutoscaler", autoscaler),
    ROW("autoscaling", "Scale", scale),
    ROW("batch", "CronJob", cron_job),
    ROW("batch", "Job", job),
    ROW("certificates.k8s.io", "CertificateSigningRequest", signing_request),
    ROW("certificates.k8s.io", "ClusterTrustBundle", trust_bundle),
    ROW("certificates.k8s.io", "PodCertificateRequest", pod_certificate),
    ROW("coordination.k8s.io", "Lease", lease),
    ROW("coordination.k8s.io", "LeaseCandidate", lease_candidate),
    ROW("discovery.k8s.io", "EndpointSlice", endpoint_slice),
    ROW("events.k8s.io", "Event", event),
    ROW("flowcontrol.apiserver.k8s.io", "FlowSchema", flow_schema),
    ROW("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", priority_level),
    ROW("internal.apiserver.k8s.io", "StorageVersion", storage_version),
    ROW("networking.k8s.io", "IPAddress", ip_address),
    ROW("networking.k8s.io", "Ingress", ingress),
    ROW("networking.k8s.io", "IngressClass", ingress_class),
    ROW("networking.k8s.io", "NetworkPolicy", network_policy),
    ROW("networking.k8s.io", "ServiceCIDR", service_cidr),
    ROW("node.k8s.io", "RuntimeClass", runtime_class),
    ROW("policy", "PodDisruptionBudget", disruption_budget),
    ROW("rbac.authorization.k8s.io", "ClusterRoleBinding", role_binding),
    ROW("rbac.authorization.k8s.io", "RoleBinding", role_binding),
    ROW("resource.k8s.io", "DeviceClass", name_age),
    ROW("resource.k8s.io", "DeviceTaintRule", taint_rule),
    ROW("resource.k8s.io", "ResourceClaim", resource_claim),
    ROW("resource.k8s.io", "ResourceClaimTemplate", name_age),
    ROW("resource.k8s.io", "ResourcePoolStatusRequest", pool_status),
    ROW("resource.k8s.io", "ResourceSlice", resource_slice),
    ROW("scheduling.k8s.io", "PodGroup", pod_group),
    ROW("scheduling.k8s.io", "PriorityClass", priority_class),
    ROW("scheduling.k8s.io", "Workload", name_age),
    ROW("storage.k8s.io", "CSIDriver", csi_driver),
    ROW("storage.k8s.io", "CSINode", csi_node),
    ROW("storage.k8s.io", "StorageClass", storage_class),
    ROW("storage.k8s.io", "VolumeAttachment", attachment),
    ROW("storage.k8s.io", "VolumeAttributesClass", attributes_class),
    ROW("storagemigration.k8s.io", "StorageVersionMigration", migration),
};

static const table_row default_row = ROW(NULL, NULL, by_default);
static const table_row custom_row = ROW(NULL, NULL, name_age);

const table_row *table_row_of(slice group, slice kind, bool created_column) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (slice_is(kind, rows[i].kind) && slice_is(group, rows[i].group)) return &rows[i];
  }
  return created_column ? &default_row : &custom_row;
}

const table_column table_scale_columns[] = {
    {{"Name", 4}, {"string", 6}, {"", 0}, 0},
    {{"Desired", 7}, {"integer", 7}, {"", 0}, 0},
    {{"Available", 9}, {"integer", 7}, {"", 0}, 0},
    {{"Age", 3}, {"string", 6}, {"", 0}, 0},
};
const uint8_t table_scale_column_count =
    sizeof table_scale_columns / sizeof *table_scale_columns;

static const char *const texts[][2] = {
    {"Name", "What the object is called."},
    {"Age", "Time since it was created."},
    {"Created At", "When it was created."},
    {"Status", "The state it is in."},
    {"Ready", "How much of it is ready."},
    {"Restarts", "How often its containers were started again, and when last."},
    {"Containers", "Names of the containers of its pods."},
    {"Images", "Images of the containers of its pods."},
    {"Selector", "Which pods belong to it."},
    {"Desired", "How many are wanted."},
    {"Current", "How many there are."},
    {"Up-to-date", "How many follow the newest template."},
    {"Available", "How many can be used, or whether it can."},
    {"Type", "Its type."},
    {"Data", "Number of entries."},
    {"Reason", "Why."},
    {"Message", "What happened, or what is the matter."},
    {"Last Seen", "Time since it happened last."},
    {"First Seen", "Time since it happened first."},
    {"Object", "What it is about."},
    {"Count", "How often it happened."},
    {"Node", "The node it is on."},
    {"IP", "Its address."},
    {"Role", "The role that is given."},
    {"Webhooks", "Number of webhooks."},
};

slice table_column_text(slice column) {
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (slice_is(column, texts[i][0])) return slice_cstr(texts[i][1]);
  }
  return SLICE_LIT("");
}
