/* defaults_plan: what defaulting does to each struct type, as constant tables.
 *
 * defaults_rows.c says it by names; gen/plan_main.c resolves the names against the schema
 * while the project is built and writes one plan a type id (build/gen/defaults_plan.c), so
 * that defaulting a tree visits only the fields under which something can be filled in. */
#ifndef APISIM_VERSION_DEFAULTS_PLAN_H
#define APISIM_VERSION_DEFAULTS_PLAN_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/val.h"

/* A row: `type` is the end of the OpenAPI definition's name ("core.v1.Pod"; "resource.v1|v1beta2.
 * Device" is of two versions), `field` a JSON
 * name or two of them ("spec.replicas": the first is a struct that is no pointer), `json`
 * a string, an integer, a bool, {} or a list of one string. Set when the field is absent,
 * or zero where Go has no pointer there. */
typedef struct default_row {
  const char *type, *field, *json;
} default_row;

/* Hooks: defaults that depend on other fields. One a type, run after the type's rows and
 * before anything below it. */
#define DEFAULT_HOOKS(X)                                                   \
  X(container, "core.v1.Container")                                        \
  X(ephemeral_container, "core.v1.EphemeralContainer")                     \
  X(volume, "core.v1.Volume")                                              \
  X(pod, "core.v1.Pod")                                                    \
  X(service, "core.v1.Service")                                            \
  X(replication_controller, "core.v1.ReplicationController")               \
  X(namespace, "core.v1.Namespace")                                        \
  X(node_status, "core.v1.NodeStatus")                                     \
  X(limit_range_item, "core.v1.LimitRangeItem")                            \
  X(deployment, "apps.v1.Deployment")                                      \
  X(daemon_set, "apps.v1.DaemonSet")                                       \
  X(stateful_set, "apps.v1.StatefulSet")                                   \
  X(job, "batch.v1.Job")                                                   \
  X(hpa_v2, "autoscaling.v2.HorizontalPodAutoscaler")                      \
  X(rbac_subject, "rbac.v1.Subject")                                       \
  X(network_policy, "networking.v1.NetworkPolicy")                         \
  X(device_request, "resource.v1|v1beta2.ExactDeviceRequest")              \
  X(device_sub_request, "resource.v1|v1beta1|v1beta2.DeviceSubRequest")    \
  X(device, "resource.v1|v1beta2.Device")                                  \
  X(basic_device, "resource.v1beta1.BasicDevice")                          \
  X(device_request_beta, "resource.v1beta1.DeviceRequest")                 \
  X(pod_spec, "core.v1.PodSpec")                                           \
  X(pod_template, "core.v1.PodTemplateSpec")                               \
  X(pod_status, "core.v1.PodStatus")                                       \
  X(node_spec, "core.v1.NodeSpec")                                         \
  X(secret, "core.v1.Secret")                                              \
  X(crd, "apiextensions.v1.CustomResourceDefinition")

typedef enum default_hook {
  HOOK_none,
#define X(name, type) HOOK_##name,
  DEFAULT_HOOKS(X)
#undef X
} default_hook;

extern const default_row default_rows[];
extern const uint16_t default_row_count;

#define X(name, type) void default_##name(arena *a, val *v);
DEFAULT_HOOKS(X)
#undef X

typedef enum plan_literal {
  LITERAL_STRING,
  LITERAL_INT,
  LITERAL_BOOL,
  LITERAL_MAP,
  LITERAL_LIST,
} plan_literal;

typedef struct plan_row {
  slice prefix; /* the struct to step into first, or empty */
  slice field;
  bool pointer; /* absent and zero differ */
  uint8_t literal; /* plan_literal */
  slice text; /* of LITERAL_STRING, and the one item of LITERAL_LIST */
  int64_t number; /* of LITERAL_INT and LITERAL_BOOL */
} plan_row;

typedef enum plan_shape { SHAPE_STRUCT, SHAPE_LIST, SHAPE_MAP, SHAPE_QUANTITIES } plan_shape;

typedef struct plan_child {
  slice name;
  const struct defaults_plan *plan; /* of the struct, item or entry; NULL for quantities */
  uint8_t shape; /* plan_shape */
  bool create; /* a struct that Go always has and that gets defaults even when empty */
} plan_child;

typedef struct defaults_plan {
  const plan_row *rows;
  const plan_child *children;
  uint8_t row_count, child_count;
  uint8_t hook; /* default_hook */
} defaults_plan;

/* By type id; NULL where a type and all below it have no defaults. */
extern const defaults_plan *const defaults_plans[];

#endif
