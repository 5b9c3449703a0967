/* Endpoints. Source: pkg/apis/core/validation/validation.go, registry/core/endpoint/strategy.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/rows.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
static const char *const address_lists[] = {"addresses", "notReadyAddresses"};

static void address_check(field_errors *errs, const path *p, const val *address) {
  path ip = path_child(p, "ip"), host = path_child(p, "hostname"), node = path_child(p, "nodeName");
  slice text = val_get_str(address, "ip"), name = val_get_str(address, "hostname");
  ip_legacy_check(errs, &ip, text, NULL);
  if (name.len) text_check(errs, &host, TEXT_DNS1123_LABEL, name);
  if (val_getc(address, "nodeName"))
    text_check(errs, &node, TEXT_DNS1123_SUBDOMAIN, val_get_str(address, "nodeName"));
  endpoint_ip_check(errs, &ip, text);
}

static void port_check(field_errors *errs, const path *p, const val *port, bool needs_name) {
  path name = path_child(p, "name"), number = path_child(p, "port"),
       protocol = path_child(p, "protocol"), app = path_child(p, "appProtocol");
  slice n = val_get_str(port, "name"), proto = val_get_str(port, "protocol");
  if (n.len)
    text_check(errs, &name, TEXT_DNS1123_LABEL, n);
  else if (needs_name)
    field_required(errs, &name, "%s", "");
  port_number_check(errs, &number, val_i64(val_getc(port, "port")));
  if (required_str(errs, &protocol, proto)) enum_check(errs, &protocol, proto, protocols);
  if (val_getc(port, "appProtocol"))
    text_check(errs, &app, TEXT_LABEL_KEY, val_get_str(port, "appProtocol"));
}

static void subset_check(field_errors *errs, const path *p, const val *subset) {
  const val *ports = val_getc(subset, "ports");
  path ports_at = path_child(p, "ports");
  if (val_len(val_getc(subset, "addresses")) + val_len(val_getc(subset, "notReadyAddresses")) ==
      0) {
    field_required(errs, p, "must specify `addresses` or `notReadyAddresses`");
  }
  for (size_t k = 0; k < 2; k++) {
    path list_at = path_child(p, address_lists[k]);
    const val *list = val_getc(subset, address_lists[k]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      path at = path_index(&list_at, i);
      address_check(errs, &at, val_at(list, i));
    }
  }
  for (uint32_t i = 0; i < val_len(ports); i++) {
    path at = path_index(&ports_at, i);
    port_check(errs, &at, val_at(ports, i), val_len(ports) > 1);
  }
}

void validate_endpoints(const validate_args *v) {
  path subsets = path_root("subsets");
  const val *list = val_getc(v->obj, "subsets");
  meta_change(v);
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (v->old && val_same(list, val_getc(v->old, "subsets"))) return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&subsets, i);
    subset_check(v->errs, &p, val_at(list, i));
  }
}

void endpoints_warn(request *rq, val *obj, const val *old) {
  (void)old;
  const val *labels = val_path(obj, "metadata.labels"), *list = val_getc(obj, "subsets");
  if (slice_is(val_get_str(labels, "endpoints.kubernetes.io/managed-by"), "endpoint-controller"))
    return;
  path subsets = path_root("subsets");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&subsets, i);
    for (size_t k = 0; k < 2; k++) {
      path list_at = path_child(&p, address_lists[k]);
      const val *addresses = val_getc(val_at(list, i), address_lists[k]);
      for (uint32_t j = 0; j < val_len(addresses); j++) {
        path at = path_index(&list_at, j), ip = path_child(&at, "ip");
        ip_warn(rq, &ip, val_get_str(val_at(addresses, j), "ip"));
      }
    }
  }
}
