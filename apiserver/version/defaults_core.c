/* defaults_core: the conditional defaults of the core group.
 * Source: pkg/apis/core/v1/defaults.go. */
#include "codec/codec.h"
#include "version/canonical.h"
#include "version/defaults_plan.h"
#include "version/image_ref.h"
#include "version/pod_resources.h"

#include <string.h>

static void image_policy_default(arena *a, val *v, const char *field, const char *image) {
  if (val_get_str(v, field).len) return;
  bool latest = image_ref_is_latest(val_get_str(v, image));
  val_setc(a, v, field, val_cstr(a, latest ? "Always" : "IfNotPresent"));
}

void default_container(arena *a, val *v) { image_policy_default(a, v, "imagePullPolicy", "image"); }

void default_ephemeral_container(arena *a, val *v) { default_container(a, v); }

void default_volume(arena *a, val *v) {
  bool sourced = false;
  VAL_EACH(e, v) sourced = sourced || !slice_is(e->key, "name");
  if (!sourced) val_setc(a, v, "emptyDir", val_map(a));
  val *image = val_getc(v, "image");
  if (val_is_map(image)) image_policy_default(a, image, "pullPolicy", "reference");
}

/* Adds the entries of `from` whose keys `to` lacks. */
static void entries_fill(arena *a, val *to, const val *from) {
  VAL_EACH(e, from) {
    if (!val_get(to, e->key)) val_set(a, to, e->key, val_string(a, val_str(e->value)));
  }
}

/* Requests that a container leaves out are its limits. */
static void requests_default(arena *a, const val *containers) {
  for (uint32_t i = 0, n = val_len(containers); i < n; i++) {
    val *resources = val_getc(val_at(containers, i), "resources");
    const val *limits = val_getc(resources, "limits");
    if (val_len(limits)) entries_fill(a, val_ensure_map(a, resources, "requests"), limits);
  }
}

static void host_ports_default(arena *a, const val *containers) {
  for (uint32_t i = 0, n = val_len(containers); i < n; i++) {
    const val *ports = val_getc(val_at(containers, i), "ports");
    for (uint32_t p = 0; p < val_len(ports); p++) {
      val *port = val_at(ports, p);
      int64_t number = val_i64(val_getc(port, "containerPort"));
      if (number && val_is_empty(val_getc(port, "hostPort"))) {
        val_setc(a, port, "hostPort", val_int(a, number));
      }
    }
  }
}

/* Huge pages cannot be overcommitted: the pod's limit is what its containers sum up to. */
static void pod_hugepage_limits(arena *a, val *spec, val *resources) {
  const val *requests = val_getc(resources, "requests");
  if (!val_len(val_getc(resources, "limits")) && !val_len(requests)) return;
  const val *sum = pod_resources_sum(a, spec, "limits");
  VAL_EACH(e, sum) {
    if (!slice_has_prefix(e->key, SLICE_LIT("hugepages-")) || val_get(requests, e->key)) continue;
    val *limits = val_ensure_map(a, resources, "limits");
    if (!val_get(limits, e->key)) val_set(a, limits, e->key, e->value);
  }
}

static bool pod_level_resource(slice name) {
  return slice_is(name, "cpu") || slice_is(name, "memory") ||
         slice_has_prefix(name, SLICE_LIT("hugepages-"));
}

static void pod_level_requests(arena *a, val *spec, val *resources) {
  const val *limits = val_getc(resources, "limits");
  if (!val_len(limits)) return;
  val *requests = val_ensure_map(a, resources, "requests");
  const val *sum = pod_resources_sum(a, spec, "requests");
  VAL_EACH(e, sum) {
    bool huge = slice_has_prefix(e->key, SLICE_LIT("hugepages-"));
    if (pod_level_resource(e->key) && !huge && !val_get(requests, e->key)) {
      val_set(a, requests, e->key, e->value);
    }
  }
  VAL_EACH(e, limits) {
    if (pod_level_resource(e->key) && !val_get(requests, e->key)) {
      val_set(a, requests, e->key, e->value);
    }
  }
  if (!val_len(requests)) val_delc(resources, "requests");
}

void default_pod(arena *a, val *v) {
  canonical_pod(a, v);
  val *spec = val_getc(v, "spec");
  requests_default(a, val_getc(spec, "containers"));
  requests_default(a, val_getc(spec, "initContainers"));
  val *resources = val_getc(spec, "resources");
  if (val_is_map(resources)) {
    pod_hugepage_limits(a, spec, resources);
    pod_level_requests(a, spec, resources);
  }
  if (val_true(val_getc(spec, "hostNetwork"))) {
    host_ports_default(a, val_getc(spec, "containers"));
    host_ports_default(a, val_getc(spec, "initContainers"));
  }
}

static void session_affinity_default(arena *a, val *spec) {
  slice affinity = val_get_str(spec, "sessionAffinity");
  if (slice_is(affinity, "None")) val_delc(spec, "sessionAffinityConfig");
  if (!slice_is(affinity, "ClientIP")) return;
  if (val_path(spec, "sessionAffinityConfig.clientIP.timeoutSeconds")) return;
  val *config = val_map(a), *client = val_map(a);
  val_setc(a, client, "timeoutSeconds", val_int(a, 10800));
  val_setc(a, config, "clientIP", client);
  val_setc(a, spec, "sessionAffinityConfig", config);
}

static void service_ports_default(arena *a, val *spec) {
  const val *ports = val_getc(spec, "ports");
  for (uint32_t i = 0; i < val_len(ports); i++) {
    val *port = val_at(ports, i);
    if (!val_is_map(port) || !val_is_empty(val_getc(port, "targetPort"))) continue;
    val_setc(a, port, "targetPort", val_int(a, val_i64(val_getc(port, "port"))));
  }
}

static void ingress_modes_default(arena *a, val *v) {
  const val *ingress = val_path(v, "status.loadBalancer.ingress");
  for (uint32_t i = 0; i < val_len(ingress); i++) {
    val *item = val_at(ingress, i);
    if (val_get_str(item, "ip").len && !val_getc(item, "ipMode")) {
      val_setc(a, item, "ipMode", val_cstr(a, "VIP"));
    }
  }
}

void default_service(arena *a, val *v) {
  val *spec = val_getc(v, "spec");
  slice type = val_get_str(spec, "type");
  bool balancer = slice_is(type, "LoadBalancer"), cluster = slice_is(type, "ClusterIP");
  bool outside = balancer || slice_is(type, "NodePort") ||
                 (cluster && val_len(val_getc(spec, "externalIPs")));
  session_affinity_default(a, spec);
  service_ports_default(a, spec);
  if (outside && !val_get_str(spec, "externalTrafficPolicy").len) {
    val_setc(a, spec, "externalTrafficPolicy", val_cstr(a, "Cluster"));
  }
  if ((balancer || cluster || slice_is(type, "NodePort")) &&
      !val_getc(spec, "internalTrafficPolicy")) {
    val_setc(a, spec, "internalTrafficPolicy", val_cstr(a, "Cluster"));
  }
  if (!balancer) return;
  if (!val_getc(spec, "allocateLoadBalancerNodePorts")) {
    val_setc(a, spec, "allocateLoadBalancerNodePorts", val_bool(a, true));
  }
  ingress_modes_default(a, v);
}

void default_replication_controller(arena *a, val *v) {
  const val *labels = val_path(v, "spec.template.metadata.labels");
  if (!val_len(labels)) return;
  val *spec = val_getc(v, "spec"), *meta = val_ensure_map(a, v, "metadata");
  if (!val_len(val_getc(spec, "selector"))) val_setc(a, spec, "selector", val_copy(a, labels));
  if (!val_len(val_getc(meta, "labels"))) val_setc(a, meta, "labels", val_copy(a, labels));
}

/* A generated name is not known yet: the write path does it then (prepare). */
void default_namespace(arena *a, val *v) {
  val *meta = val_getc(v, "metadata");
  slice name = val_get_str(meta, "name");
  if (!name.len) return;
  val *labels = val_ensure_map(a, meta, "labels");
  val_setc(a, labels, "kubernetes.io/metadata.name", val_string(a, name));
}

void default_node_status(arena *a, val *v) {
  const val *capacity = val_getc(v, "capacity");
  if (!val_len(capacity) || val_len(val_getc(v, "allocatable"))) return;
  val_setc(a, v, "allocatable", val_copy(a, capacity));
}

/* default <- max; defaultRequest <- default, then min. */
void default_limit_range_item(arena *a, val *v) {
  if (!slice_is(val_get_str(v, "type"), "Container")) return;
  const val *max = val_getc(v, "max"), *min = val_getc(v, "min");
  if (val_len(max)) entries_fill(a, val_ensure_map(a, v, "default"), max);
  const val *limit = val_getc(v, "default");
  if (val_len(limit) || val_len(min)) {
    val *request = val_ensure_map(a, v, "defaultRequest");
    entries_fill(a, request, limit);
    entries_fill(a, request, min);
  }
}
