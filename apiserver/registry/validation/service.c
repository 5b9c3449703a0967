/* Services. Source: pkg/apis/core/validation/validation.go, pkg/api/service/warnings.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/rows.h"
#include "registry/validation/service_ip.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
static const char *const affinities[] = {"ClientIP", "None", NULL};
static const char *const policies[] = {"Cluster", "Local", NULL};
static const char *const distributions[] = {"PreferClose", "PreferSameZone", "PreferSameNode",
                                            NULL};
static const char *const ip_modes[] = {"Proxy", "VIP", NULL};

#define HINTS "service.kubernetes.io/topology-aware-hints"
#define MODE "service.kubernetes.io/topology-mode"
#define RANGES "service.beta.kubernetes.io/load-balancer-source-ranges"

bool service_type_is(const val *spec, const char *type) {
  return slice_is(val_get_str(spec, "type"), type);
}

bool service_is_headless(const val *spec) {
  const val *ips = val_getc(spec, "clusterIPs");
  return val_len(ips) == 1 && slice_is(val_str(val_at(ips, 0)), "None");
}

static bool needs_health_port(const val *spec) {
  return service_type_is(spec, "LoadBalancer") &&
         slice_is(val_get_str(spec, "externalTrafficPolicy"), "Local");
}

static bool is_external(const val *spec) {
  return service_type_is(spec, "LoadBalancer") || service_type_is(spec, "NodePort") ||
         (service_type_is(spec, "ClusterIP") && val_len(val_getc(spec, "externalIPs")));
}

static void annotations_check(const validate_args *v) {
  const val *notes = val_path(v->obj, "metadata.annotations");
  const val *hints = val_getc(notes, HINTS), *mode = val_getc(notes, MODE);
  if (!hints || !mode || val_equal(hints, mode)) return;
  path meta = path_root("metadata"), at = path_child(&meta, "annotations"),
       key = path_key(&at, SLICE_LIT(MODE));
  field_invalid(v->errs, &key, mode, "must match annotations[" HINTS "] when both are specified");
}

static void external_name_check(field_errors *errs, const path *spec, const val *s) {
  static const char *const unset[] = {"clusterIPs", "ipFamilies", "ipFamilyPolicy"};
  for (size_t i = 0; i < 3; i++) {
    path p = path_child(spec, unset[i]);
    const val *value = val_getc(s, unset[i]);
    if (i < 2 ? val_len(value) > 0 : value != NULL)
      field_forbidden(errs, &p, "may not be set for ExternalName services");
  }
  path p = path_child(spec, "externalName");
  slice name = val_get_str(s, "externalName");
  if (slice_has_suffix(name, SLICE_LIT("."))) name.len--;
  if (required_str(errs, &p, name)) text_check(errs, &p, TEXT_DNS1123_SUBDOMAIN, name);
}

static void type_parts_check(field_errors *errs, const path *spec, const val *s) {
  path ips = path_child(spec, "clusterIPs"), first = path_index(&ips, 0),
       ports = path_child(spec, "ports");
  if (val_len(val_getc(s, "ports")) == 0 && !service_is_headless(s) &&
      !service_type_is(s, "ExternalName")) {
    field_required(errs, &ports, "%s", "");
  }
  if (service_type_is(s, "ExternalName"))
    external_name_check(errs, spec, s);
  else if (service_is_headless(s) &&
           (service_type_is(s, "LoadBalancer") || service_type_is(s, "NodePort"))) {
    slice type = val_get_str(s, "type");
    field_invalid_str(errs, &first, SLICE_LIT("None"), "may not be set to 'None' for %.*s services",
                      SLICE_ARG(type));
  }
}

static void target_port_check(field_errors *errs, const path *p, const val *port) {
  if (val_is_string(port))
    text_check(errs, p, TEXT_PORT_NAME, val_str(port));
  else
    port_number_check(errs, p, val_i64(port));
}

static void port_check(field_errors *errs, const path *p, const val *port, bool needs_name,
                       val *names) {
  path name = path_child(p, "name"), number = path_child(p, "port"),
       protocol = path_child(p, "protocol"), target = path_child(p, "targetPort"),
       app = path_child(p, "appProtocol");
  slice n = val_get_str(port, "name"), proto = val_get_str(port, "protocol");
  if (n.len) {
    text_check(errs, &name, TEXT_DNS1123_LABEL, n);
    if (seen_before(errs->a, names, n)) field_duplicate(errs, &name, val_getc(port, "name"));
  } else if (needs_name) {
    field_required(errs, &name, "%s", "");
  }
  port_number_check(errs, &number, val_i64(val_getc(port, "port")));
  if (required_str(errs, &protocol, proto)) enum_check(errs, &protocol, proto, protocols);
  target_port_check(errs, &target, val_getc(port, "targetPort"));
  if (val_getc(port, "appProtocol"))
    text_check(errs, &app, TEXT_LABEL_KEY, val_get_str(port, "appProtocol"));
}

static void ports_check(field_errors *errs, const path *spec, const val *s) {
  path ports = path_child(spec, "ports");
  const val *list = val_getc(s, "ports");
  val *names = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ports, i);
    port_check(errs, &p, val_at(list, i), val_len(list) > 1, names);
  }
}

static void affinity_check(field_errors *errs, const path *spec, const val *s) {
  path at = path_child(spec, "sessionAffinity"), config = path_child(spec, "sessionAffinityConfig"),
       client = path_child(&config, "clientIP"), seconds = path_child(&client, "timeoutSeconds");
  slice affinity = val_get_str(s, "sessionAffinity");
  const val *c = val_getc(s, "sessionAffinityConfig"), *ip = val_getc(c, "clientIP"),
            *n = val_getc(ip, "timeoutSeconds");
  if (required_str(errs, &at, affinity)) enum_check(errs, &at, affinity, affinities);
  if (slice_is(affinity, "ClientIP")) {
    const path *missing = !c ? &config : !ip ? &client : !n ? &seconds : NULL;
    if (missing)
      field_required(errs, missing, "when session affinity type is ClientIP");
    else if (val_i64(n) <= 0 || val_i64(n) > 86400) {
      field_invalid(errs, &seconds, n, "must be greater than 0 and less than 86400");
    }
  } else if (slice_is(affinity, "None") && c) {
    field_forbidden(errs, &config, "must not be set when session affinity is None");
  }
}

static void external_ips_check(const validate_args *v, const path *spec, const val *s) {
  path ips = path_child(spec, "externalIPs");
  const val *list = val_getc(s, "externalIPs"), *old = val_path(v->old, "spec.externalIPs");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ips, i);
    slice ip = val_str(val_at(list, i));
    if (ip_legacy_check(v->errs, &p, ip, old)) endpoint_ip_check(v->errs, &p, ip);
  }
}

/* The bad value of a repeated port is Go's ServicePort with nothing else in it. */
static void duplicate_port(field_errors *errs, const path *p, slice protocol, int64_t port) {
  slice text = arena_printf(
      errs->a,
      "Duplicate value: {\"Name\":\"\",\"Protocol\":\"%.*s\",\"AppProtocol\":null,\"Port\":%lld,"
      "\"TargetPort\":0,\"NodePort\":0}",
      SLICE_ARG(protocol), (long long)port);
  field_error_add(errs, FIELD_DUPLICATE, path_text(errs->a, p), text);
}

static void port_numbers_check(field_errors *errs, const path *spec, const val *s) {
  path ports = path_child(spec, "ports");
  const val *list = val_getc(s, "ports");
  val *nodes = val_map(errs->a), *seen = val_map(errs->a);
  for (uint32_t i = 0; service_type_is(s, "ClusterIP") && i < val_len(list); i++) {
    path p = path_index(&ports, i), node = path_child(&p, "nodePort");
    if (val_i64(val_getc(val_at(list, i), "nodePort"))) {
      field_forbidden(errs, &node, "may not be used when `type` is 'ClusterIP'");
    }
  }
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < val_len(list); i++) {
      path p = path_index(&ports, i), node = path_child(&p, "nodePort");
      const val *port = val_at(list, i), *number = val_getc(port, round ? "port" : "nodePort");
      slice protocol = val_get_str(port, "protocol");
      slice key =
          arena_printf(errs->a, "%.*s/%lld", SLICE_ARG(protocol), (long long)val_i64(number));
      if (!round && val_i64(number) == 0) continue;
      if (!seen_before(errs->a, round ? seen : nodes, key)) continue;
      if (round)
        duplicate_port(errs, &p, protocol, val_i64(number));
      else
        field_duplicate(errs, &node, number);
    }
  }
}

static val *trimmed(arena *a, const val *list) {
  val *out = val_list(a);
  for (uint32_t i = 0; i < val_len(list); i++)
    val_append(a, out, val_string(a, slice_trim(val_str(val_at(list, i)))));
  return out;
}

static void source_annotation_check(const validate_args *v, const val *s) {
  path meta = path_root("metadata"), notes = path_child(&meta, "annotations"),
       p = path_key(&notes, SLICE_LIT(RANGES));
  const val *now = val_getc(val_path(v->obj, "metadata.annotations"), RANGES);
  const val *was = val_getc(val_path(v->old, "metadata.annotations"), RANGES);
  if (!now) return;
  if (!service_type_is(s, "LoadBalancer"))
    field_forbidden(v->errs, &p, "may only be used when `type` is 'LoadBalancer'");
  slice rest = slice_trim(val_str(now)), head;
  if ((v->old && slice_eq(val_str(now), val_str(was))) || rest.len == 0) return;
  for (bool more = true; more;) {
    more = slice_cut(rest, ',', &head, &rest);
    cidr_legacy_check(v->errs, &p, slice_trim(head), NULL);
  }
}

static void source_ranges_check(const validate_args *v, const path *spec, const val *s) {
  path ranges = path_child(spec, "LoadBalancerSourceRanges");
  const val *list = trimmed(v->errs->a, val_getc(s, "loadBalancerSourceRanges"));
  const val *old = trimmed(v->errs->a, val_path(v->old, "spec.loadBalancerSourceRanges"));
  if (val_len(list) == 0) {
    source_annotation_check(v, s);
    return;
  }
  if (!service_type_is(s, "LoadBalancer"))
    field_forbidden(v->errs, &ranges, "may only be used when `type` is 'LoadBalancer'");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ranges, i);
    cidr_legacy_check(v->errs, &p, val_str(val_at(list, i)), old);
  }
}

static void balancer_class_check(field_errors *errs, const path *spec, const val *s) {
  path p = path_child(spec, "loadBalancerClass");
  const val *class = val_getc(s, "loadBalancerClass");
  if (!class) return;
  if (service_type_is(s, "LoadBalancer"))
    text_check(errs, &p, TEXT_LABEL_KEY, val_str(class));
  else
    field_forbidden(errs, &p, "may only be used when `type` is 'LoadBalancer'");
}

static void balancer_check(field_errors *errs, const path *spec, const val *s) {
  path p = path_child(spec, "allocateLoadBalancerNodePorts"),
       bare = path_root("allocateLoadBalancerNodePorts");
  const val *allocate = val_getc(s, "allocateLoadBalancerNodePorts");
  bool balanced = service_type_is(s, "LoadBalancer");
  if (allocate && !balanced)
    field_forbidden(errs, &p, "may only be used when `type` is 'LoadBalancer'");
  if (!allocate && balanced) field_required(errs, &bare, "%s", "");
  balancer_class_check(errs, spec, s);
}

static void external_traffic_check(field_errors *errs, const path *spec, const val *s) {
  path p = path_child(spec, "externalTrafficPolicy"),
       health = path_child(spec, "healthCheckNodePort");
  slice policy = val_get_str(s, "externalTrafficPolicy");
  int64_t port = val_i64(val_getc(s, "healthCheckNodePort"));
  if (!is_external(s)) {
    if (policy.len)
      field_invalid_str(errs, &p, policy, "may only be set for externally-accessible services");
  } else if (required_str(errs, &p, policy)) {
    enum_check(errs, &p, policy, policies);
  }
  if (needs_health_port(s)) {
    if (port == 0)
      field_required(errs, &health, "%s", "");
    else
      port_number_check(errs, &health, port);
  } else if (port) {
    field_invalid_int(
        errs, &health, port,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  }
}

static void internal_traffic_check(field_errors *errs, const path *spec, const val *s) {
  path p = path_child(spec, "internalTrafficPolicy"), d = path_child(spec, "trafficDistribution");
  const val *policy = val_getc(s, "internalTrafficPolicy"),
            *spread = val_getc(s, "trafficDistribution");
  bool needs = str_in(val_get_str(s, "type"),
                      (const char *const[]){"NodePort", "LoadBalancer", "ClusterIP", NULL});
  if (!policy && needs) field_required(errs, &p, "%s", "");
  if (policy) enum_check(errs, &p, val_str(policy), policies);
  if (spread) enum_check(errs, &d, val_str(spread), distributions);
}

static void service_check(const validate_args *v) {
  field_errors *errs = v->errs;
  path spec = path_root("spec"), selector = path_child(&spec, "selector"),
       type = path_child(&spec, "type");
  const val *s = val_getc(v->obj, "spec");
  annotations_check(v);
  type_parts_check(errs, &spec, s);
  ports_check(errs, &spec, s);
  labels_validate(errs, &selector, val_getc(s, "selector"));
  affinity_check(errs, &spec, s);
  service_ips_check(errs, s, val_path(v->old, "spec.clusterIPs"));
  external_ips_check(v, &spec, s);
  if (required_str(errs, &type, val_get_str(s, "type")))
    enum_check(errs, &type, val_get_str(s, "type"), types);
  port_numbers_check(errs, &spec, s);
  source_ranges_check(v, &spec, s);
  balancer_check(errs, &spec, s);
  external_traffic_check(errs, &spec, s);
  internal_traffic_check(errs, &spec, s);
}

static void service_change_check(const validate_args *v) {
  path spec = path_root("spec"), class = path_child(&spec, "loadBalancerClass"),
       health = path_child(&spec, "healthCheckNodePort");
  const val *now = val_getc(v->obj, "spec"), *was = val_getc(v->old, "spec");
  service_ips_change_check(v, now, was);
  const val *class_now = val_getc(now, "loadBalancerClass");
  bool balanced = service_type_is(now, "LoadBalancer") && service_type_is(was, "LoadBalancer");
  if (balanced && !val_same(class_now, val_getc(was, "loadBalancerClass"))) {
    field_invalid(v->errs, &class, class_now, "may not change once set");
  }
  balancer_class_check(v->errs, &spec, now);
  if (needs_health_port(now) && needs_health_port(was) &&
      !val_same(val_getc(now, "healthCheckNodePort"), val_getc(was, "healthCheckNodePort"))) {
    field_forbidden(v->errs, &health, "field is immutable");
  }
}

static void ingress_check(const validate_args *v, const path *p, const val *e, const val *old_ips) {
  field_errors *errs = v->errs;
  path at = path_child(p, "ip"), mode = path_child(p, "ipMode"), host = path_child(p, "hostname");
  slice ip = val_get_str(e, "ip"), name = val_get_str(e, "hostname");
  const val *m = val_getc(e, "ipMode");
  ip_value parsed;
  if (ip.len) ip_legacy_check(errs, &at, ip, old_ips);
  if (!m && ip.len)
    field_required(errs, &mode, "must be specified when `ip` is set");
  else if (m && !ip.len)
    field_forbidden(errs, &mode, "may not be specified when `ip` is not set");
  else if (m)
    enum_check(errs, &mode, val_str(m), ip_modes);
  if (name.len == 0) return;
  text_check(errs, &host, TEXT_DNS1123_SUBDOMAIN, name);
  if (ip_value_parse(name, &parsed))
    field_invalid_str(errs, &host, name, "must be a DNS name, not an IP address");
}

static void status_check(const validate_args *v) {
  path status = path_root("status"), balancer = path_child(&status, "loadBalancer"),
       ingress = path_child(&balancer, "ingress");
  const val *list = val_path(v->obj, "status.loadBalancer.ingress"),
            *was = val_path(v->old, "status.loadBalancer.ingress");
  val *old_ips = val_list(v->errs->a);
  for (uint32_t i = 0; i < val_len(was); i++) {
    val *ip = val_getc(val_at(was, i), "ip");
    if (ip) val_append(v->errs->a, old_ips, ip);
  }
  if (val_len(list) && !service_type_is(val_getc(v->obj, "spec"), "LoadBalancer")) {
    field_forbidden(v->errs, &ingress, "may only be used when `spec.type` is 'LoadBalancer'");
    return;
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ingress, i);
    ingress_check(v, &p, val_at(list, i), old_ips);
  }
}

void validate_service(const validate_args *v) {
  if (!v->old) meta_rules(v, TEXT_DNS1123_LABEL);
  meta_change(v);
  if (slice_is(v->subresource, "status")) {
    status_check(v);
    return;
  }
  if (v->old) service_change_check(v);
  service_check(v);
}

static void ips_warn(request *rq, const val *list, const char *name) {
  path spec = path_root("spec"), at = path_child(&spec, name);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&at, i);
    ip_warn(rq, &p, val_str(val_at(list, i)));
  }
}

static void headless_warn(request *rq, const val *s) {
  if (val_get_str(s, "loadBalancerIP").len)
    request_warn(rq, SLICE_LIT("spec.loadBalancerIP is ignored for headless services"));
  if (val_len(val_getc(s, "externalIPs")))
    request_warn(rq, SLICE_LIT("spec.externalIPs is ignored for headless services"));
  if (!slice_is(val_get_str(s, "sessionAffinity"), "None")) {
    request_warn(rq, SLICE_LIT("spec.SessionAffinity is ignored for headless services"));
  }
}

void service_warn(request *rq, val *obj, const val *old) {
  (void)old;
  const val *s = val_getc(obj, "spec"), *external = val_getc(s, "externalIPs");
  path spec = path_root("spec"), ip = path_child(&spec, "loadBalancerIP"),
       ranges = path_child(&spec, "loadBalancerSourceRanges");
  bool named = service_type_is(s, "ExternalName");
  bool headless = service_type_is(s, "ClusterIP") && slice_is(val_get_str(s, "clusterIP"), "None");
  if (val_getc(val_path(obj, "metadata.annotations"), HINTS)) {
    request_warn(rq, SLICE_LIT("annotation " HINTS " is deprecated, please use " MODE " instead"));
  }
  if (!headless) ips_warn(rq, val_getc(s, "clusterIPs"), "clusterIPs");
  if (headless) headless_warn(rq, s);
  ips_warn(rq, external, "externalIPs");
  if (val_len(external) && !headless && !named) {
    request_warn(
        rq,
        SLICE_LIT(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"));
  }
  ip_warn(rq, &ip, val_get_str(s, "loadBalancerIP"));
  const val *list = val_getc(s, "loadBalancerSourceRanges");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ranges, i);
    cidr_warn(rq, &p, val_str(val_at(list, i)));
  }
  if (named && val_len(external))
    request_warn(rq, SLICE_LIT("spec.externalIPs is ignored when spec.type is \"ExternalName\""));
  if (!named && val_get_str(s, "externalName").len) {
    request_warn(rq,
                 SLICE_LIT("spec.externalName is ignored when spec.type is not \"ExternalName\""));
  }
  if (slice_is(val_get_str(s, "trafficDistribution"), "PreferClose")) {
    request_warn(
        rq, SLICE_LIT(
                "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""));
  }
}
