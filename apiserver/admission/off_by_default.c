/* Small plugins that are off unless asked for: AlwaysPullImages, DenyServiceExternalIPs,
 * LimitPodHardAntiAffinityTopology, AlwaysDeny. Source: plugin/pkg/admission. */
#include "admission/plugin.h"

static const char *const container_lists[] = {"initContainers", "containers",
                                              "ephemeralContainers"};

static bool pods_apply(const admission_args *args) {
  return args->resource->group.len == 0 && slice_is(args->resource->resource, "pods") &&
         (args->subresource.len == 0 || slice_is(args->subresource, "ephemeralcontainers"));
}

bool always_pull_mutate(const admission_args *args) {
  if (!pods_apply(args)) return true;
  arena *a = args->rq->arena;
  const val *spec = val_getc(args->obj, "spec");
  for (int l = 0; l < 3; l++) {
    const val *list = val_getc(spec, container_lists[l]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      val_setc(a, val_at(list, i), "imagePullPolicy", val_cstr(a, "Always"));
    }
  }
  return true;
}

bool always_pull_validate(const admission_args *args) {
  if (!pods_apply(args)) return true;
  const val *spec = val_getc(args->obj, "spec");
  for (int l = 0; l < 3; l++) {
    const val *list = val_getc(spec, container_lists[l]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      slice policy = val_get_str(val_at(list, i), "imagePullPolicy");
      if (slice_is(policy, "Always")) continue;
      return plugin_forbid(args,
                           "spec.%s[%u].imagePullPolicy: Unsupported value: \"%.*s\": supported "
                           "values: \"Always\"",
                           container_lists[l], i, SLICE_ARG(policy));
    }
  }
  return true;
}

/* Addresses that the Service had already may stay. */
bool deny_external_ips_validate(const admission_args *args) {
  if (!plugin_is(args, "", "services")) return true;
  const val *now = val_path(args->obj, "spec.externalIPs");
  const val *old = val_path(args->old, "spec.externalIPs");
  for (uint32_t i = 0; i < val_len(now); i++) {
    bool had = false;
    for (uint32_t j = 0; j < val_len(old); j++) {
      had = had || slice_eq(val_str(val_at(now, i)), val_str(val_at(old, j)));
    }
    if (!had) return plugin_forbid(args, "Use of external IPs is denied by admission control");
  }
  return true;
}

bool anti_affinity_validate(const admission_args *args) {
  if (!plugin_is(args, "", "pods")) return true;
  const val *terms = val_path(
      args->obj, "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution");
  for (uint32_t i = 0; i < val_len(terms); i++) {
    slice key = val_get_str(val_at(terms, i), "topologyKey");
    if (slice_is(key, "kubernetes.io/hostname")) continue;
    return plugin_forbid(args, "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey "
                               "%.*s but only key kubernetes.io/hostname is allowed",
                         SLICE_ARG(key));
  }
  return true;
}

bool always_deny_validate(const admission_args *args) {
  return plugin_forbid(args, "admission control is denying all modifications");
}
