/* strategy_hooks: the prepare functions that rows of strategy_rows.c name. Each changes obj
 * (storage version) before validation; old is NULL on create. */
#ifndef APISIM_REGISTRY_STRATEGY_HOOKS_H
#define APISIM_REGISTRY_STRATEGY_HOOKS_H

#include "request/request.h"

#define STRATEGY_HOOKS(X)                                                                       \
  X(pod_warn) X(workload_warn) X(rc_warn) X(daemonset_warn) X(cronjob_warn) X(podtemplate_warn)  \
  X(statefulset_warn)                                                                           \
  X(status_only) X(status_only_keep_meta) X(status_reset_meta)                                  \
  X(namespace_prepare_create) X(namespace_prepare_update) X(namespace_prepare_finalize)         \
  X(pod_prepare_create) X(pod_prepare_update) X(pod_prepare_status) X(pod_prepare_ephemeral)    \
  X(pod_prepare_resize) X(limit_range_prepare_create) X(claim_prepare) X(volume_prepare_create) \
  X(volume_prepare_status) X(secret_prepare_update) X(service_account_prepare)                  \
  X(service_prepare_create) X(service_prepare_update) X(daemonset_prepare_create)               \
  X(daemonset_prepare_update) X(deployment_prepare_update) X(deployment_prepare_status)         \
  X(job_prepare_create) X(csr_prepare_create) X(csr_prepare_update) X(csr_prepare_status)       \
  X(csr_prepare_approval) X(endpointslice_prepare_update) X(crd_prepare_create)                 \
  X(apiservice_prepare_create) X(crd_prepare_update) X(lease_prepare)                           \
  X(endpointslice_prepare_create) X(taint_rule_prepare_update) X(pod_group_prepare)              \
  X(pod_group_prepare_status) X(workload_prepare)

/* WarningsOnCreate and WarningsOnUpdate; they stand beside their kinds' validators. */
#define WARNING_HOOKS(X)                                                                       \
  X(volume_warn) X(claim_warn) X(node_warn) X(quota_warn) X(service_account_warn)            \
  X(secret_warn)                                                                               \
  X(resource_slice_warn)                                                                       \
  X(service_warn) X(endpoints_warn) X(storage_class_warn) X(csi_driver_warn)                    \
  X(csi_storage_capacity_warn) X(ingress_warn) X(balancer_status_warn) X(network_policy_warn)   \
  X(runtime_class_warn) X(endpoint_slice_warn) X(admission_config_warn) \
  X(crd_formats_warn)

#define X(name) void name(request *rq, val *obj, const val *old);
STRATEGY_HOOKS(X)
WARNING_HOOKS(X)
#undef X

#endif
