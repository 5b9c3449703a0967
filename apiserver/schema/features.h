/* features: the feature gates that have an effect on objects, beside those that open resources
 * (schema/served.h): which fields are kept, filled in and allowed. Names and defaults are v1.36's.
 * What each does stands where it is asked: registry/disabled_fields.c has a row a field. */
#ifndef APISIM_SCHEMA_FEATURES_H
#define APISIM_SCHEMA_FEATURES_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define FEATURES(X) \
  X(ALLOW_UNSAFE_MALFORMED_OBJECT_DELETION, "AllowUnsafeMalformedObjectDeletion", false) \
  X(CLUSTER_TRUST_BUNDLE_PROJECTION, "ClusterTrustBundleProjection", false) \
  X(CONTAINER_RESTART_RULES, "ContainerRestartRules", true) \
  X(CONTAINER_STOP_SIGNALS, "ContainerStopSignals", false) \
  X(CROSS_NAMESPACE_VOLUME_DATA_SOURCE, "CrossNamespaceVolumeDataSource", false) \
  X(DRA_CONSUMABLE_CAPACITY, "DRAConsumableCapacity", true) \
  X(DRA_DEVICE_BINDING_CONDITIONS, "DRADeviceBindingConditions", true) \
  X(DRA_DEVICE_TAINTS, "DRADeviceTaints", true) \
  X(DRA_EXTENDED_RESOURCE, "DRAExtendedResource", true) \
  X(DRA_LIST_TYPE_ATTRIBUTES, "DRAListTypeAttributes", false) \
  X(DRA_NODE_ALLOCATABLE_RESOURCES, "DRANodeAllocatableResources", false) \
  X(DRA_PARTITIONABLE_DEVICES, "DRAPartitionableDevices", true) \
  X(DRA_PRIORITIZED_LIST, "DRAPrioritizedList", true) \
  X(DRA_RESOURCE_CLAIM_DEVICE_STATUS, "DRAResourceClaimDeviceStatus", true) \
  X(DRA_WORKLOAD_RESOURCE_CLAIMS, "DRAWorkloadResourceClaims", false) \
  X(DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS, "DeploymentReplicaSetTerminatingReplicas", true) \
  X(ENV_FILES, "EnvFiles", true) \
  X(GENERIC_WORKLOAD, "GenericWorkload", false) \
  X(HPA_CONFIGURABLE_TOLERANCE, "HPAConfigurableTolerance", true) \
  X(HPA_SCALE_TO_ZERO, "HPAScaleToZero", false) \
  X(HOSTNAME_OVERRIDE, "HostnameOverride", true) \
  X(IMAGE_VOLUME_WITH_DIGEST, "ImageVolumeWithDigest", false) \
  X(IN_PLACE_POD_LEVEL_RESOURCES_VERTICAL_SCALING, "InPlacePodLevelResourcesVerticalScaling", \
    true) \
  X(MATCH_LABEL_KEYS_IN_POD_TOPOLOGY_SPREAD, "MatchLabelKeysInPodTopologySpread", true) \
  X(MAX_UNAVAILABLE_STATEFUL_SET, "MaxUnavailableStatefulSet", false) \
  X(NODE_DECLARED_FEATURES, "NodeDeclaredFeatures", true) \
  X(POD_CERTIFICATE_REQUEST, "PodCertificateRequest", false) \
  X(POD_LEVEL_RESOURCES, "PodLevelResources", true) \
  X(RESOURCE_HEALTH_STATUS, "ResourceHealthStatus", true) \
  X(RESOURCE_HEALTH_STATUS_MESSAGE, "ResourceHealthStatusMessage", true) \
  X(TAINT_TOLERATION_COMPARISON_OPERATORS, "TaintTolerationComparisonOperators", false) \
  X(TOPOLOGY_AWARE_WORKLOAD_SCHEDULING, "TopologyAwareWorkloadScheduling", false) \
  X(USER_NAMESPACES_HOST_NETWORK_SUPPORT, "UserNamespacesHostNetworkSupport", false) \
  X(VOLUME_LIMIT_SCALING, "VolumeLimitScaling", false) \
  X(WORKLOAD_AWARE_PREEMPTION, "WorkloadAwarePreemption", false)

typedef enum feature {
#define FEATURE_ENUM(id, name, standard) FEATURE_##id,
  FEATURES(FEATURE_ENUM)
#undef FEATURE_ENUM
  FEATURE_COUNT
} feature;

/* Zero: each has its default. */
typedef struct feature_set {
  uint64_t changed; /* bits by feature: it has not */
} feature_set;

bool feature_on(const feature_set *s, feature f);
/* False for a gate that is none of these. */
bool feature_set_by_name(feature_set *s, const char *name, bool on);

#endif
