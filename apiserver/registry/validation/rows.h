/* rows: the table of validators. Adding a kind is one line here and its function in a file of its
 * own. The list must stay sorted by group, then resource (bytes). */
#ifndef APISIM_REGISTRY_VALIDATION_ROWS_H
#define APISIM_REGISTRY_VALIDATION_ROWS_H

#include "registry/strategy.h"

#define VALIDATION_ROWS(ROW)                                                                       \
  ROW("", "configmaps", validate_configmap)                                                        \
  ROW("", "endpoints", validate_endpoints)                                                         \
  ROW("", "events", validate_event)                                                                \
  ROW("", "limitranges", validate_limitrange)                                                      \
  ROW("", "namespaces", validate_namespace)                                                        \
  ROW("", "nodes", validate_node)                                                                  \
  ROW("", "persistentvolumeclaims", validate_persistentvolumeclaim)                                \
  ROW("", "persistentvolumes", validate_persistentvolume)                                          \
  ROW("", "pods", validate_pod)                                                                    \
  ROW("", "podtemplates", validate_podtemplate)                                                    \
  ROW("", "replicationcontrollers", validate_replicationcontroller)                                \
  ROW("", "resourcequotas", validate_resourcequota)                                                \
  ROW("", "secrets", validate_secret)                                                              \
  ROW("", "serviceaccounts", validate_serviceaccount)                                              \
  ROW("", "services", validate_service)                                                            \
  ROW("admissionregistration.k8s.io", "mutatingadmissionpolicies", validate_mutating_policy)       \
  ROW("admissionregistration.k8s.io", "mutatingadmissionpolicybindings",                           \
      validate_mutating_policy_binding)                                                            \
  ROW("admissionregistration.k8s.io", "mutatingwebhookconfigurations", validate_mutating_webhooks) \
  ROW("admissionregistration.k8s.io", "validatingadmissionpolicies", validate_validating_policy)   \
  ROW("admissionregistration.k8s.io", "validatingadmissionpolicybindings",                         \
      validate_validating_policy_binding)                                                          \
  ROW("admissionregistration.k8s.io", "validatingwebhookconfigurations",                           \
      validate_validating_webhooks)                                                                \
  ROW("apiextensions.k8s.io", "customresourcedefinitions", validate_crd)                           \
  ROW("apiregistration.k8s.io", "apiservices", validate_api_service)                               \
  ROW("apps", "controllerrevisions", validate_controllerrevision)                                  \
  ROW("apps", "daemonsets", validate_daemonset)                                                    \
  ROW("apps", "deployments", validate_deployment)                                                  \
  ROW("apps", "replicasets", validate_replicaset)                                                  \
  ROW("apps", "statefulsets", validate_statefulset)                                                \
  ROW("autoscaling", "horizontalpodautoscalers", validate_autoscaler)                              \
  ROW("batch", "cronjobs", validate_cronjob)                                                       \
  ROW("batch", "jobs", validate_job)                                                               \
  ROW("certificates.k8s.io", "certificatesigningrequests", validate_csr)                           \
  ROW("certificates.k8s.io", "clustertrustbundles", validate_trust_bundle)                         \
  ROW("certificates.k8s.io", "podcertificaterequests", validate_pod_certificate)                   \
  ROW("coordination.k8s.io", "leasecandidates", validate_lease_candidate)                          \
  ROW("coordination.k8s.io", "leases", validate_lease)                                             \
  ROW("discovery.k8s.io", "endpointslices", validate_endpoint_slice)                               \
  ROW("flowcontrol.apiserver.k8s.io", "flowschemas", validate_flow_schema)                         \
  ROW("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", validate_priority_level)      \
  ROW("internal.apiserver.k8s.io", "storageversions", validate_storage_version)                    \
  ROW("networking.k8s.io", "ingressclasses", validate_ingress_class)                               \
  ROW("networking.k8s.io", "ingresses", validate_ingress)                                          \
  ROW("networking.k8s.io", "ipaddresses", validate_ip_address)                                     \
  ROW("networking.k8s.io", "networkpolicies", validate_network_policy)                             \
  ROW("networking.k8s.io", "servicecidrs", validate_service_cidr)                                  \
  ROW("node.k8s.io", "runtimeclasses", validate_runtime_class)                                     \
  ROW("policy", "poddisruptionbudgets", validate_disruption_budget)                                \
  ROW("rbac.authorization.k8s.io", "clusterrolebindings", validate_cluster_role_binding)           \
  ROW("rbac.authorization.k8s.io", "clusterroles", validate_cluster_role)                          \
  ROW("rbac.authorization.k8s.io", "rolebindings", validate_role_binding)                          \
  ROW("rbac.authorization.k8s.io", "roles", validate_role)                                         \
  ROW("resource.k8s.io", "deviceclasses", validate_device_class)                                   \
  ROW("resource.k8s.io", "devicetaintrules", validate_taint_rule)                                  \
  ROW("resource.k8s.io", "resourceclaims", validate_resource_claim)                                \
  ROW("resource.k8s.io", "resourceclaimtemplates", validate_resource_claim_template)               \
  ROW("resource.k8s.io", "resourcepoolstatusrequests", validate_pool_status)                       \
  ROW("resource.k8s.io", "resourceslices", validate_resource_slice)                                \
  ROW("scheduling.k8s.io", "podgroups", validate_pod_group)                                        \
  ROW("scheduling.k8s.io", "priorityclasses", validate_priority_class)                             \
  ROW("scheduling.k8s.io", "workloads", validate_workload)                                         \
  ROW("storage.k8s.io", "csidrivers", validate_csi_driver)                                         \
  ROW("storage.k8s.io", "csinodes", validate_csi_node)                                             \
  ROW("storage.k8s.io", "csistoragecapacities", validate_csi_storage_capacity)                     \
  ROW("storage.k8s.io", "storageclasses", validate_storage_class)                                  \
  ROW("storage.k8s.io", "volumeattachments", validate_volume_attachment)                           \
  ROW("storage.k8s.io", "volumeattributesclasses", validate_volume_attributes_class)        \
  ROW("storagemigration.k8s.io", "storageversionmigrations", validate_storage_migration)

#define DECLARE(group, resource, fn) void fn(const validate_args *v);
VALIDATION_ROWS(DECLARE)
#undef DECLARE

#endif
