/* plugin: what admission's files share: the list of plugins, and short words for them. */
#ifndef APISIM_ADMISSION_PLUGIN_H
#define APISIM_ADMISSION_PLUGIN_H

#include "admission/admission.h"

/* Every plugin of kube-apiserver v1.36, in its order: name, on by default, implemented
 * operations (0: it does nothing here), mutate, validate. */
#define ADMISSION_PLUGINS(X)                                                                 \
  X("AlwaysAdmit", false, 0, NULL, NULL)                                                     \
  X("NamespaceAutoProvision", false, ADMIT_CREATE, namespace_provision_admit, NULL)            \
  X("NamespaceLifecycle", true, ADMIT_CUD, namespace_lifecycle_admit, NULL)                  \
  X("NamespaceExists", false, ADMIT_CUD, NULL, namespace_exists_validate)                    \
  X("LimitPodHardAntiAffinityTopology", false, ADMIT_CU, NULL, anti_affinity_validate)       \
  X("LimitRanger", true, ADMIT_CU, limit_ranger_mutate, limit_ranger_validate)               \
  X("ServiceAccount", true, ADMIT_CU, service_account_mutate, service_account_validate)      \
  X("NodeRestriction", false, ADMIT_CUD, node_restriction_admit, NULL)                       \
  X("TaintNodesByCondition", true, ADMIT_CREATE, taint_nodes_mutate, NULL)                   \
  X("AlwaysPullImages", false, ADMIT_CU, always_pull_mutate, always_pull_validate)           \
  X("ImagePolicyWebhook", false, 0, NULL, NULL)                                              \
  X("PodSecurity", true, ADMIT_CU, NULL, pod_security_validate)                              \
  X("PodNodeSelector", false, ADMIT_CREATE, pod_node_selector_mutate,                        \
    pod_node_selector_validate)                                                              \
  X("Priority", true, ADMIT_CU, priority_mutate, priority_validate)                          \
  X("DefaultTolerationSeconds", true, ADMIT_CU, toleration_seconds_mutate, NULL)             \
  X("PodTolerationRestriction", false, ADMIT_CU, toleration_restriction_mutate,              \
    toleration_restriction_validate)                                                         \
  X("EventRateLimit", false, 0, NULL, NULL)                                                  \
  X("ExtendedResourceToleration", false, ADMIT_CU, extended_toleration_mutate, NULL)         \
  X("DefaultStorageClass", true, ADMIT_CREATE, default_storage_class_mutate, NULL)           \
  X("StorageObjectInUseProtection", true, ADMIT_CREATE, storage_protection_mutate, NULL)     \
  X("PodGroupProtection", true, ADMIT_CREATE, pod_group_protection_mutate, NULL)             \
  X("OwnerReferencesPermissionEnforcement", false, ADMIT_CU, NULL,                           \
    owner_references_validate)                                                               \
  X("PersistentVolumeClaimResize", true, ADMIT_UPDATE, NULL, claim_resize_validate)          \
  X("RuntimeClass", true, ADMIT_CREATE, runtime_class_mutate, runtime_class_validate)        \
  X("CertificateApproval", true, ADMIT_UPDATE, NULL, certificate_approval_validate)          \
  X("CertificateSigning", true, ADMIT_UPDATE, NULL, certificate_signing_validate)            \
  X("ClusterTrustBundleAttest", true, ADMIT_CU, NULL, trust_bundle_attest_validate)          \
  X("CertificateSubjectRestriction", true, ADMIT_CREATE, NULL, certificate_subject_validate) \
  X("DefaultIngressClass", true, ADMIT_CREATE, default_ingress_class_mutate, NULL)           \
  X("DenyServiceExternalIPs", false, ADMIT_CU, NULL, deny_external_ips_validate)             \
  X("PodTopologyLabels", true, ADMIT_CREATE, topology_labels_mutate, NULL)                   \
  X("PodGroupWorkloadExists", true, ADMIT_CREATE, NULL, pod_group_workload_validate)         \
  X("NodeDeclaredFeatureValidator", true, 0, NULL, NULL)                                     \
  X("JobValidation", true, 0, NULL, NULL)                                                    \
  X("PodResizeValidator", true, ADMIT_UPDATE, NULL, pod_resize_validate)                     \
  X("MutatingAdmissionPolicy", true, 0, NULL, NULL)                                          \
  X("MutatingAdmissionWebhook", true, ADMIT_ALL, webhooks_mutate, NULL)                      \
  X("ValidatingAdmissionPolicy", true, 0, NULL, NULL)                                        \
  X("ValidatingAdmissionWebhook", true, ADMIT_ALL, NULL, webhooks_validate)                  \
  X("ResourceQuota", true, ADMIT_CU, NULL, resource_quota_validate)                          \
  X("AlwaysDeny", false, ADMIT_ALL, NULL, always_deny_validate)

enum {
  ADMIT_CU = ADMIT_CREATE | ADMIT_UPDATE,
  ADMIT_CUD = ADMIT_CREATE | ADMIT_UPDATE | ADMIT_DELETE,
  ADMIT_ALL = ADMIT_CREATE | ADMIT_UPDATE | ADMIT_DELETE | ADMIT_CONNECT,
};

typedef bool (*plugin_fn)(const admission_args *args);

bool namespace_lifecycle_admit(const admission_args *args);
bool limit_ranger_mutate(const admission_args *args);
bool limit_ranger_validate(const admission_args *args);
bool service_account_mutate(const admission_args *args);
bool service_account_validate(const admission_args *args);
bool node_restriction_admit(const admission_args *args);
bool taint_nodes_mutate(const admission_args *args);
bool always_pull_mutate(const admission_args *args);
bool always_pull_validate(const admission_args *args);
bool pod_security_validate(const admission_args *args);
bool priority_mutate(const admission_args *args);
bool priority_validate(const admission_args *args);
bool toleration_seconds_mutate(const admission_args *args);
bool default_storage_class_mutate(const admission_args *args);
bool storage_protection_mutate(const admission_args *args);
bool claim_resize_validate(const admission_args *args);
bool runtime_class_mutate(const admission_args *args);
bool runtime_class_validate(const admission_args *args);
bool pod_group_protection_mutate(const admission_args *args);
bool pod_group_workload_validate(const admission_args *args);
bool trust_bundle_attest_validate(const admission_args *args);
bool certificate_approval_validate(const admission_args *args);
bool certificate_signing_validate(const admission_args *args);
bool certificate_subject_validate(const admission_args *args);
bool default_ingress_class_mutate(const admission_args *args);
bool deny_external_ips_validate(const admission_args *args);
bool topology_labels_mutate(const admission_args *args);
bool pod_resize_validate(const admission_args *args);
bool resource_quota_validate(const admission_args *args);
bool always_deny_validate(const admission_args *args);
bool namespace_provision_admit(const admission_args *args);
bool namespace_exists_validate(const admission_args *args);
bool anti_affinity_validate(const admission_args *args);
bool pod_node_selector_mutate(const admission_args *args);
bool pod_node_selector_validate(const admission_args *args);
bool toleration_restriction_mutate(const admission_args *args);
bool toleration_restriction_validate(const admission_args *args);
bool extended_toleration_mutate(const admission_args *args);
bool owner_references_validate(const admission_args *args);

/* Whether this is the main resource (no subresource) of that name. */
bool plugin_is(const admission_args *args, const char *group, const char *resource);
bool plugin_is_sub(const admission_args *args, const char *group, const char *resource,
                   const char *subresource);
/* Puts it into the object's metadata, unless it is there. */
void plugin_add_finalizer(const admission_args *args, slice finalizer);
/* Fills rq->error: 'pods "x" is forbidden: ...'. Returns false. */
bool plugin_forbid(const admission_args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One more cause of the error just filled in. */
void plugin_add_cause(const admission_args *args, const char *reason, slice message,
                      const char *field);
/* The stored object of another resource, or NULL. */
val *plugin_get(const admission_args *args, const char *group, const char *version,
                const char *resource, slice namespace, slice name);
/* An annotation of the request's namespace, NULL where it has none. False with rq->error: there is
 * no such namespace. */
bool plugin_annotation(const admission_args *args, const char *key, const val **out);
/* plugin_get, but NULL also when its bytes lack `needle`: saves decoding it. */
val *plugin_get_with(const admission_args *args, const char *group, const char *version,
                     const char *resource, slice namespace, slice name, slice needle);
/* Visits the stored objects whose bytes contain `needle` (all, when it is empty), in key
 * order, without decoding the others. */
typedef bool (*plugin_visit)(void *ctx, val *obj);
void plugin_each(const admission_args *args, const char *group, const char *version,
                 const char *resource, slice namespace, slice needle, plugin_visit visit,
                 void *ctx);
/* May the user `verb` the signer, by name or by its domain? */
bool plugin_signer_allowed(const admission_args *args, const char *verb, slice signer);

#endif
