/* TaintNodesByCondition (a new node is not ready) and PodTopologyLabels (a pod carries its node's
 * zone and region). Sources: plugin/pkg/admission/nodetaint, podtopologylabels. */
#include "admission/plugin.h"

bool taint_nodes_mutate(const admission_args *args) {
  static const char not_ready[] = "node.kubernetes.io/not-ready";
  if (!plugin_is(args, "", "nodes")) return true;
  arena *a = args->rq->arena;
  val *taints = val_ensure_list(a, val_ensure_map(a, args->obj, "spec"), "taints");
  for (uint32_t i = 0; i < val_len(taints); i++) {
    const val *taint = val_at(taints, i);
    if (slice_is(val_get_str(taint, "key"), not_ready) &&
        slice_is(val_get_str(taint, "effect"), "NoSchedule")) {
      return true;
    }
  }
  val *taint = val_map(a);
  val_setc(a, taint, "key", val_cstr(a, not_ready));
  val_setc(a, taint, "effect", val_cstr(a, "NoSchedule"));
  val_append(a, taints, taint);
  return true;
}

bool topology_labels_mutate(const admission_args *args) {
  static const char *const copied[] = {"topology.kubernetes.io/zone",
                                       "topology.kubernetes.io/region"};
  bool binding = plugin_is_sub(args, "", "pods", "binding");
  if (!binding && !plugin_is(args, "", "pods")) return true;
  if (binding && !slice_is(val_str(val_path(args->obj, "target.kind")), "Node")) return true;
  slice node_name = val_str(val_path(args->obj, binding ? "target.name" : "spec.nodeName"));
  const val *node = plugin_get(args, "", "v1", "nodes", SLICE_NONE, node_name);
  const val *labels = val_path(node, "metadata.labels");
  arena *a = args->rq->arena;
  for (int i = 0; i < 2; i++) {
    const val *label = val_getc(labels, copied[i]);
    if (!label) continue;
    val *own = val_ensure_map(a, val_ensure_map(a, args->obj, "metadata"), "labels");
    val_setc(a, own, copied[i], val_string(a, val_str(label)));
  }
  return true;
}
