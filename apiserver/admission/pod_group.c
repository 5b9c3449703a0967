/* PodGroupProtection (a finalizer) and PodGroupWorkloadExists; their gate is the resource's.
 * Source: plugin/pkg/admission/scheduling/podgroupprotection, plugin/pkg/admission/podgroup. */
#include "admission/plugin.h"

static const char GROUP[] = "scheduling.k8s.io";
static const char RESOURCE[] = "podgroups";

bool pod_group_protection_mutate(const admission_args *args) {
  if (!plugin_is(args, GROUP, RESOURCE)) return true;
  plugin_add_finalizer(args, SLICE_LIT("scheduling.k8s.io/podgroup-protection"));
  return true;
}

bool pod_group_workload_validate(const admission_args *args) {
  if (!plugin_is(args, GROUP, RESOURCE)) return true;
  const val *ref = val_path(args->obj, "spec.podGroupTemplateRef.workload");
  slice name = val_get_str(ref, "workloadName"), wanted = val_get_str(ref, "podGroupTemplateName");
  if (!ref) return true;
  const val *workload = plugin_get(args, GROUP, "v1alpha2", "workloads", args->namespace, name);
  if (!workload) {
    return plugin_forbid(args, "PodGroup rejected: Workload \"%.*s\" not found", SLICE_ARG(name));
  }
  if (val_path(workload, "metadata.deletionTimestamp")) {
    return plugin_forbid(args, "PodGroup rejected: Workload \"%.*s\" is being deleted",
                         SLICE_ARG(name));
  }
  const val *list = val_path(workload, "spec.podGroupTemplates");
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_eq(val_get_str(val_at(list, i), "name"), wanted)) return true;
  }
  return plugin_forbid(args,
                       "PodGroup rejected: PodGroupTemplate \"%.*s\" not found in Workload "
                       "\"%.*s\"",
                       SLICE_ARG(wanted), SLICE_ARG(name));
}
