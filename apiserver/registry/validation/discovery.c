/* EndpointSlices. Source: pkg/apis/discovery/validation/validation.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/rows.h"

enum {
  ENDPOINTS_MAX = 1000,
  ADDRESSES_MAX = 100,
  PORTS_MAX = 20000,
  TOPOLOGY_MAX = 16,
  HINTS_MAX = 8
};

static const char *const address_types[] = {"FQDN", "IPv4", "IPv6", NULL};
static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

static void domain_check(field_errors *errs, const path *p, slice name) {
  slice head, rest;
  if (!required_str(errs, p, name)) return;
  if (name.ptr[name.len - 1] == '.') name.len--;
  slice all = text_problems_joined(errs->a, TEXT_DNS1123_SUBDOMAIN, name, ",");
  if (all.len)
    field_invalid_str(errs, p, name, "%.*s", SLICE_ARG(all));
  else if (slice_find_char(name, '.') < 0) {
    field_invalid_str(errs, p, name,
                      "should be a domain with at least two segments separated by dots");
  } else {
    rest = name;
    for (bool more = true; more;) {
      more = slice_cut(rest, '.', &head, &rest);
      if (text_check(errs, p, TEXT_DNS1123_LABEL, head)) continue;
      return;
    }
  }
}

static void address_check(field_errors *errs, const path *list, uint32_t i, slice address,
                          slice type) {
  path p = path_index(list, i);
  bool six = slice_is(type, "IPv6");
  ip_value ip;
  if (slice_is(type, "FQDN")) domain_check(errs, &p, address);
  if (!six && !slice_is(type, "IPv4")) return;
  if (six ? !ip_check(errs, &p, address) : !ip_legacy_check(errs, &p, address, NULL)) return;
  ip_value_parse(address, &ip);
  if (ip.v4 == six)
    field_invalid_str(errs, list, address, "must be an %s address", six ? "IPv6" : "IPv4");
  endpoint_ip_check(errs, &p, address);
}

static bool hint_check(field_errors *errs, const path *hints, const val *list, const char *field,
                       text_rule rule) {
  path at = path_child(hints, field);
  val *seen = val_map(errs->a);
  if (val_len(list) > HINTS_MAX) {
    field_too_many(errs, &at, val_len(list), HINTS_MAX);
    return false;
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&at, i), name_at = path_child(&p, "name");
    slice name = val_get_str(val_at(list, i), "name");
    if (seen_before(errs->a, seen, name.ptr ? name : SLICE_LIT("")))
      field_duplicate(errs, &name_at, val_string(errs->a, name));
    text_check(errs, &name_at, rule, name);
  }
  return true;
}

static void endpoint_check(field_errors *errs, const path *p, const val *e, slice type) {
  path addresses = path_child(p, "addresses"), node = path_child(p, "nodeName"),
       topology = path_child(p, "deprecatedTopology"), host = path_child(p, "hostname"),
       hints = path_child(p, "hints");
  const val *list = val_getc(e, "addresses"), *labels = val_getc(e, "deprecatedTopology"),
            *h = val_getc(e, "hints");
  if (val_len(list) == 0)
    field_required(errs, &addresses, "must contain at least 1 address");
  else if (val_len(list) > ADDRESSES_MAX)
    field_too_many(errs, &addresses, val_len(list), ADDRESSES_MAX);
  for (uint32_t i = 0; i < val_len(list); i++)
    address_check(errs, &addresses, i, val_str(val_at(list, i)), type);
  if (val_getc(e, "nodeName"))
    text_check(errs, &node, TEXT_DNS1123_SUBDOMAIN, val_get_str(e, "nodeName"));
  if (val_len(labels) > TOPOLOGY_MAX)
    field_too_many(errs, &topology, val_len(labels), TOPOLOGY_MAX);
  labels_validate(errs, &topology, labels);
  if (val_getc(e, "hostname"))
    text_check(errs, &host, TEXT_DNS1123_LABEL, val_get_str(e, "hostname"));
  if (hint_check(errs, &hints, val_getc(h, "forZones"), "forZones", TEXT_LABEL_VALUE)) {
    hint_check(errs, &hints, val_getc(h, "forNodes"), "forNodes", TEXT_DNS1123_SUBDOMAIN);
  }
}

static void ports_check(field_errors *errs, const val *list) {
  path ports = path_root("ports");
  val *names = val_map(errs->a);
  if (val_len(list) > PORTS_MAX) {
    field_too_many(errs, &ports, val_len(list), PORTS_MAX);
    return;
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&ports, i), name = path_child(&p, "name"),
         protocol = path_child(&p, "protocol"), app = path_child(&p, "appProtocol");
    const val *port = val_at(list, i), *proto = val_getc(port, "protocol");
    slice n = val_get_str(port, "name");
    if (n.len) text_check(errs, &name, TEXT_DNS1123_LABEL, n);
    if (seen_before(errs->a, names, n.ptr ? n : SLICE_LIT(""))) {
      field_duplicate(errs, &name, val_string(errs->a, n.ptr ? n : SLICE_LIT("")));
    }
    if (!proto)
      field_required(errs, &protocol, "%s", "");
    else
      enum_check(errs, &protocol, val_str(proto), protocols);
    if (val_getc(port, "appProtocol"))
      text_check(errs, &app, TEXT_LABEL_KEY, val_get_str(port, "appProtocol"));
  }
}

void validate_endpoint_slice(const validate_args *v) {
  path type_at = path_root("addressType"), root = path_root("endpoints");
  slice type = val_get_str(v->obj, "addressType");
  const val *list = val_getc(v->obj, "endpoints");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (required_str(v->errs, &type_at, type)) enum_check(v->errs, &type_at, type, address_types);
  ports_check(v->errs, val_getc(v->obj, "ports"));
  if (!v->old || !val_same(list, val_getc(v->old, "endpoints"))) {
    if (val_len(list) > ENDPOINTS_MAX) field_too_many(v->errs, &root, val_len(list), ENDPOINTS_MAX);
    for (uint32_t i = 0; val_len(list) <= ENDPOINTS_MAX && i < val_len(list); i++) {
      path p = path_index(&root, i);
      endpoint_check(v->errs, &p, val_at(list, i), type);
    }
  }
  if (v->old) immutable_str_check(v->errs, &type_at, type, val_get_str(v->old, "addressType"));
}

void endpoint_slice_warn(request *rq, val *obj, const val *old) {
  static const char *const own[] = {"endpointslice-controller.k8s.io",
                                    "endpointslicemirroring-controller.k8s.io", NULL};
  const val *list = val_getc(obj, "endpoints");
  slice manager =
      val_get_str(val_path(obj, "metadata.labels"), "endpointslice.kubernetes.io/managed-by");
  if (!old && slice_is(val_get_str(obj, "addressType"), "FQDN")) {
    request_warn(rq, SLICE_LIT("spec.addressType: FQDN endpoints are deprecated"));
  }
  if (str_in(manager, own)) return;
  path root = path_root("endpoints");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), addresses = path_child(&p, "addresses");
    const val *ips = val_getc(val_at(list, i), "addresses");
    for (uint32_t k = 0; k < val_len(ips); k++) {
      path at = path_index(&addresses, k);
      ip_warn(rq, &at, val_str(val_at(ips, k)));
    }
  }
}
