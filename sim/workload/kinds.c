/* Valid objects as small as they can be. */
#include "sim/workload/kinds.h"

#include <stdio.h>

#define TEMPLATE                                                                          \
  "\"selector\":{\"matchLabels\":{\"app\":\"x\"}},\"template\":{\"metadata\":{\"labels\":" \
  "{\"app\":\"x\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
#define JOB                                                                               \
  "\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\","   \
  "\"image\":\"i\"}]}}"

const kind_row kind_rows[] = {
    {"/api/v1", "configmaps", "ConfigMap", "v1", "/registry/configmaps/", true, false, false, false,
     "\"data\":{\"v\":\"$\"}", "\"data\":{\"v\":\""},
    {"/api/v1", "secrets", "Secret", "v1", "/registry/secrets/", true, false, false, false,
     "\"data\":{\"k\":\"YQ==\"}", NULL},
    {"/api/v1", "pods", "Pod", "v1", "/registry/pods/", true, true, false, false,
     "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}", NULL},
    {"/api/v1", "services", "Service", "v1", "/registry/services/specs/", true, false, false, false,
     "\"spec\":{\"ports\":[{\"port\":$}]}", "\"port\":"},
    {"/api/v1", "serviceaccounts", "ServiceAccount", "v1", "/registry/serviceaccounts/", true,
     false, false, false, "\"automountServiceAccountToken\":true", NULL},
    {"/api/v1", "nodes", "Node", "v1", "/registry/minions/",
     false, false, false, false, "\"spec\":{}",
     NULL},
    {"/apis/apps/v1", "deployments", "Deployment", "apps/v1", "/registry/deployments/", true, true,
     true, false, "\"spec\":{\"replicas\":$," TEMPLATE "}", "\"replicas\":"},
    {"/apis/apps/v1", "replicasets", "ReplicaSet", "apps/v1", "/registry/replicasets/", true, true,
     false, false, "\"spec\":{\"replicas\":$," TEMPLATE "}", "\"replicas\":"},
    {"/apis/apps/v1", "statefulsets", "StatefulSet", "apps/v1", "/registry/statefulsets/", true,
     true, false, false, "\"spec\":{\"replicas\":$,\"serviceName\":\"s\"," TEMPLATE "}",
     "\"replicas\":"},
    {"/apis/batch/v1", "jobs", "Job", "batch/v1", "/registry/jobs/", true, true, false, false,
     "\"spec\":{\"parallelism\":$," JOB "}", "\"parallelism\":"},
    {"/apis/batch/v1", "cronjobs", "CronJob", "batch/v1", "/registry/cronjobs/",
     true, true, false, false,
     "\"spec\":{\"schedule\":\"1 2 * * *\",\"successfulJobsHistoryLimit\":$,\"jobTemplate\":"
     "{\"spec\":{" JOB "}}}", "\"successfulJobsHistoryLimit\":"},
    {"/apis/coordination.k8s.io/v1", "leases", "Lease", "coordination.k8s.io/v1",
     "/registry/leases/", true, false, false, true, "\"spec\":{\"leaseTransitions\":$}",
     "\"leaseTransitions\":"},
    {"/apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "networking.k8s.io/v1",
     "/registry/networkpolicies/", true, true, false, false,
     "\"spec\":{\"podSelector\":{},\"ingress\":[{\"ports\":[{\"port\":$}]}]}", "\"port\":"},
    {"/apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", "policy/v1",
     "/registry/poddisruptionbudgets/", true, true, false, false,
     "\"spec\":{\"maxUnavailable\":$,\"selector\":{}}", "\"maxUnavailable\":"},
    {"/apis/rbac.authorization.k8s.io/v1", "roles", "Role", "rbac.authorization.k8s.io/v1",
     "/registry/roles/", true, false, false, false,
     "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]", NULL},
    {"/apis/rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole",
     "rbac.authorization.k8s.io/v1", "/registry/clusterroles/", false, false, false, false,
     "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]", NULL},
    {"/apis/scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", "scheduling.k8s.io/v1",
     "/registry/priorityclasses/", false, false, false, false, "\"value\":7", NULL},
    {"/apis/networking.k8s.io/v1", "ingresses", "Ingress", "networking.k8s.io/v1",
     "/registry/ingress/", true, true, false, false,
     "\"spec\":{\"defaultBackend\":{\"service\":{\"name\":\"s\",\"port\":{\"number\":$}}}}",
     "\"number\":"},
    /* no writer's: controllers and electors record them */
    {"/api/v1", "events", "Event", "v1", "/registry/events/", true, false, false, false, "", NULL},
};
const uint32_t kind_row_count = sizeof kind_rows / sizeof *kind_rows;

const kind_row *kind_of_key(slice key, uint32_t bits) {
  for (uint32_t i = 0; i < kind_row_count; i++) {
    if (bits >> i & 1 && slice_has_prefix(key, slice_cstr(kind_rows[i].prefix))) {
      return &kind_rows[i];
    }
  }
  return NULL;
}

slice kind_path(arena *a, const kind_row *k, slice namespace, slice name) {
  bool scoped = k->namespaced && namespace.len;
  slice slash = SLICE_LIT("/");
  const slice parts[] = {slice_cstr(k->root), scoped ? SLICE_LIT("/namespaces/") : SLICE_NONE,
                         scoped ? namespace : SLICE_NONE, slash, slice_cstr(k->resource),
                         name.len ? slash : SLICE_NONE, name};
  return arena_join(a, parts, sizeof parts / sizeof *parts);
}

slice kind_key(arena *a, const kind_row *k, slice namespace, slice name) {
  const slice parts[] = {slice_cstr(k->prefix), k->namespaced ? namespace : SLICE_NONE,
                         k->namespaced ? SLICE_LIT("/") : SLICE_NONE, name};
  return arena_join(a, parts, sizeof parts / sizeof *parts);
}

static slice rest_of(arena *a, const kind_row *k, uint32_t number) {
  slice head, tail;
  if (!slice_cut(slice_cstr(k->rest), '$', &head, &tail)) return head;
  return arena_printf(a, "%.*s%u%.*s", SLICE_ARG(head), number, SLICE_ARG(tail));
}

slice kind_object(arena *a, const kind_row *k, const kind_body *b) {
  slice label = b->tier ? arena_printf(a, ",\"labels\":{\"tier\":\"%c\"}", b->tier) : SLICE_NONE;
  slice hold = b->finalizer.len
                   ? arena_printf(a, ",\"finalizers\":[\"%.*s\"]", SLICE_ARG(b->finalizer))
                   : SLICE_NONE;
  slice rest = rest_of(a, k, b->number);
  return arena_printf(a,
                      "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"%s\":\"%.*s\""
                      ",\"annotations\":{\"sim/op\":\"%u\"}%.*s%.*s},%.*s}",
                      k->api_version, k->kind, b->name.len ? "name" : "generateName",
                      SLICE_ARG(b->name.len ? b->name : b->generate_name), b->op,
                      SLICE_ARG(label), SLICE_ARG(hold), SLICE_ARG(rest));
}
