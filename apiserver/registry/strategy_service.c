/* Prepare hooks of Services: what the old type needed and the new one does not goes, unless the
 * client set it anew. Source: pkg/registry/core/service/strategy.go. */
#include "registry/object.h"
#include "registry/service_ports.h"
#include "registry/strategy_hooks.h"

void service_prepare_create(request *rq, val *obj, const val *old) {
  (void)rq;
  (void)obj;
  (void)old; /* status went already; addresses and ports are the allocators' */
}

static bool needs_ip(const val *spec) { return !service_is_type(spec, "ExternalName"); }
static bool is_balanced(const val *spec) { return service_is_type(spec, "LoadBalancer"); }
static bool needs_node_port(const val *spec) {
  return service_is_type(spec, "NodePort") || is_balanced(spec);
}

static bool is_external(const val *spec) {
  return needs_node_port(spec) ||
      (service_is_type(spec, "ClusterIP") && val_len(val_getc(spec, "externalIPs")));
}

/* Fields that belong to a trait of the old spec and go with it. */
static const struct {
  bool (*trait)(const val *spec);
  const char *fields[4];
} dependent[] = {
    {needs_ip, {"clusterIP", "clusterIPs"}},
    {needs_ip, {"ipFamilies"}},
    {needs_ip, {"ipFamilyPolicy"}},
    {service_needs_health_port, {"healthCheckNodePort"}},
    {is_balanced, {"allocateLoadBalancerNodePorts"}},
    {is_balanced, {"loadBalancerClass"}},
    {is_external, {"externalTrafficPolicy"}},
};

static bool same_node_ports(const val *now, const val *before) {
  const val *a = val_getc(now, "ports"), *b = val_getc(before, "ports");
  for (uint32_t i = 0; i < val_len(a); i++) {
    bool found = val_i64(val_getc(val_at(a, i), "nodePort")) == 0;
    for (uint32_t j = 0; j < val_len(b) && !found; j++) {
      found = val_equal(val_getc(val_at(a, i), "nodePort"), val_getc(val_at(b, j), "nodePort"));
    }
    if (!found) return false;
  }
  return true;
}

void service_prepare_update(request *rq, val *obj, const val *old) {
  arena *a = rq->arena;
  const val *before = val_getc(old, "spec");
  val *spec = val_copy(a, val_getc(obj, "spec"));
  if (!spec) return;
  for (size_t i = 0; i < sizeof dependent / sizeof *dependent; i++) {
    bool all_same = true;
    if (!dependent[i].trait(before) || dependent[i].trait(spec)) continue;
    for (size_t k = 0; dependent[i].fields[k]; k++) {
      const char *f = dependent[i].fields[k];
      all_same = all_same && val_same(val_getc(spec, f), val_getc(before, f));
    }
    for (size_t k = 0; all_same && dependent[i].fields[k]; k++) {
      val_delc(spec, dependent[i].fields[k]);
    }
  }
  if (needs_node_port(before) && !needs_node_port(spec) && same_node_ports(spec, before)) {
    val *ports = val_getc(spec, "ports");
    for (uint32_t i = 0; i < val_len(ports); i++) val_delc(val_at(ports, i), "nodePort");
  }
  val_setc(a, obj, "spec", spec);
  if (!is_balanced(spec) && val_path(obj, "status.loadBalancer")) {
    val *status = val_copy(a, val_getc(obj, "status"));
    val_setc(a, status, "loadBalancer", val_map(a));
    val_setc(a, obj, "status", status);
  }
}
