/* NetworkPolicies, IPAddresses and ServiceCIDRs. Source:
 * pkg/apis/networking/validation/validation.go. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/rows.h"

static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
static const char *const directions[] = {"Ingress", "Egress", NULL};
static const struct { const char *list, *peers; } sides[] = {{"ingress", "from"}, {"egress", "to"}};

static void port_check(field_errors *errs, const path *p, const val *port) {
  path protocol = path_child(p, "protocol"), at = path_child(p, "port"),
       end = path_child(p, "endPort");
  const val *n = val_getc(port, "port"), *last = val_getc(port, "endPort");
  if (val_getc(port, "protocol"))
    enum_check(errs, &protocol, val_get_str(port, "protocol"), protocols);
  if (val_is_int(n)) {
    port_number_check(errs, &at, val_i64(n));
    if (last && val_i64(last) < val_i64(n))
      field_invalid(errs, &end, n, "must be greater than or equal to `port`");
    if (last) port_number_check(errs, &end, val_i64(last));
  } else if (n) {
    if (last) field_invalid(errs, &end, last, "may not be specified when `port` is non-numeric");
    text_check(errs, &at, TEXT_PORT_NAME, val_str(n));
  } else if (last) {
    field_invalid(errs, &end, last, "may not be specified when `port` is not specified");
  }
}

/* Whether `inner` lies within `outer` and is smaller. */
static bool is_strict_subset(const ip_range *outer, const ip_range *inner) {
  if (outer->ip.v4 != inner->ip.v4 || outer->bits >= inner->bits) return false;
  uint32_t bits = outer->bits + (outer->ip.v4 && !outer->ip.mapped ? 96 : 0);
  for (uint32_t i = 0; i < bits; i++) {
    uint8_t mask = (uint8_t)(0x80 >> (i % 8));
    if ((outer->ip.bytes[i / 8] & mask) != (inner->ip.bytes[i / 8] & mask)) return false;
  }
  return true;
}

static void block_check(field_errors *errs, const path *p, const val *block, const val *old) {
  path cidr = path_child(p, "cidr"), except = path_child(p, "except");
  slice text = val_get_str(block, "cidr");
  const val *list = val_getc(block, "except");
  ip_range outer, inner;
  if (!required_str(errs, &cidr, text)) return;
  cidr_legacy_check(errs, &cidr, text, old);
  if (!ip_range_parse(text, &outer)) return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&except, i);
    slice s = val_str(val_at(list, i));
    cidr_legacy_check(errs, &at, s, old);
    if (ip_range_parse(s, &inner) && !is_strict_subset(&outer, &inner)) {
      field_invalid_str(errs, &at, s, "must be a strict subset of `cidr`");
    }
  }
}

static void peer_check(field_errors *errs, const path *p, const val *peer, const val *old) {
  path pods = path_child(p, "podSelector"), namespaces = path_child(p, "namespaceSelector"),
       at = path_child(p, "ipBlock");
  const val *a = val_getc(peer, "podSelector"), *b = val_getc(peer, "namespaceSelector"),
            *block = val_getc(peer, "ipBlock");
  label_selector_validate(errs, &pods, a);
  label_selector_validate(errs, &namespaces, b);
  if (block) block_check(errs, &at, block, old);
  if (!a && !b && !block)
    field_required(errs, p, "must specify a peer");
  else if (block && (a || b))
    field_forbidden(errs, p, "may not specify both ipBlock and another peer");
}

static void rule_check(field_errors *errs, const path *p, const val *rule, const char *peers,
                       const val *old) {
  path ports_at = path_child(p, "ports"), peers_at = path_child(p, peers);
  const val *ports = val_getc(rule, "ports"), *list = val_getc(rule, peers);
  for (uint32_t i = 0; i < val_len(ports); i++) {
    path at = path_index(&ports_at, i);
    port_check(errs, &at, val_at(ports, i));
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&peers_at, i);
    peer_check(errs, &at, val_at(list, i), old);
  }
}

/* Every range that the old policy named. */
static val *old_ranges(const validate_args *v) {
  val *out = val_list(v->errs->a);
  for (size_t k = 0; k < 2; k++) {
    const val *rules = val_getc(val_getc(v->old, "spec"), sides[k].list);
    for (uint32_t i = 0; i < val_len(rules); i++) {
      const val *peers = val_getc(val_at(rules, i), sides[k].peers);
      for (uint32_t j = 0; j < val_len(peers); j++) {
        const val *block = val_getc(val_at(peers, j), "ipBlock"),
                  *except = val_getc(block, "except");
        if (val_getc(block, "cidr")) val_append(v->errs->a, out, val_getc(block, "cidr"));
        for (uint32_t n = 0; n < val_len(except); n++)
          val_append(v->errs->a, out, val_at(except, n));
      }
    }
  }
  return out;
}

void validate_network_policy(const validate_args *v) {
  path spec = path_root("spec"), pods = path_child(&spec, "podSelector"),
       types = path_child(&spec, "policyTypes");
  const val *s = val_getc(v->obj, "spec"), *list = val_getc(s, "policyTypes");
  const val *old = v->old ? old_ranges(v) : NULL;
  if (v->old)
    meta_change(v);
  else
    meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  label_selector_validate(v->errs, &pods, val_getc(s, "podSelector"));
  for (size_t k = 0; k < 2; k++) {
    path side = path_child(&spec, sides[k].list);
    const val *rules = val_getc(s, sides[k].list);
    for (uint32_t i = 0; i < val_len(rules); i++) {
      path p = path_index(&side, i);
      rule_check(v->errs, &p, val_at(rules, i), sides[k].peers, old);
    }
  }
  if (val_len(list) > 2) {
    field_invalid(v->errs, &types, list, "may not specify more than two policyTypes");
    return;
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&types, i);
    enum_check(v->errs, &p, val_str(val_at(list, i)), directions);
  }
}

void network_policy_warn(request *rq, val *obj, const val *old) {
  path spec = path_root("spec");
  (void)old;
  for (size_t k = 0; k < 2; k++) {
    path side = path_child(&spec, sides[k].list);
    const val *rules = val_getc(val_getc(obj, "spec"), sides[k].list);
    for (uint32_t i = 0; i < val_len(rules); i++) {
      path p = path_index(&side, i), peers_at = path_child(&p, sides[k].peers);
      const val *peers = val_getc(val_at(rules, i), sides[k].peers);
      for (uint32_t j = 0; j < val_len(peers); j++) {
        path peer = path_index(&peers_at, j), block_at = path_child(&peer, "ipBlock"),
             cidr = path_child(&block_at, "cidr"), except_at = path_child(&block_at, "except");
        const val *block = val_getc(val_at(peers, j), "ipBlock"),
                  *except = val_getc(block, "except");
        if (block) cidr_warn(rq, &cidr, val_get_str(block, "cidr"));
        for (uint32_t n = 0; n < val_len(except); n++) {
          path at = path_index(&except_at, n);
          cidr_warn(rq, &at, val_str(val_at(except, n)));
        }
      }
    }
  }
}

static void parent_check(field_errors *errs, const path *p, const val *ref) {
  static const struct {
    const char *field;
    bool required;
  } parts[] = {{"resource", true}, {"name", true}, {"namespace", false}};
  path group = path_child(p, "group");
  slice g = val_get_str(ref, "group");
  if (!ref) {
    field_required(errs, p, "%s", "");
    return;
  }
  if (g.len) text_check(errs, &group, TEXT_DNS1123_SUBDOMAIN, g);
  for (size_t i = 0; i < 3; i++) {
    path at = path_child(p, parts[i].field);
    slice text = val_get_str(ref, parts[i].field);
    if (text.len)
      text_check(errs, &at, TEXT_PATH_SEGMENT, text);
    else if (parts[i].required)
      field_required(errs, &at, "%s", "");
  }
}

/* The name is the address itself. */
static void ip_name_check(const validate_args *v) {
  path meta = path_root("metadata"), p = path_child(&meta, "name"),
       base_at = path_child(&meta, "generateName");
  slice name = val_str(val_path(v->obj, "metadata.name")),
        base = val_str(val_path(v->obj, "metadata.generateName"));
  if (base.len) ip_check(v->errs, &base_at, base);
  if (name.len) ip_check(v->errs, &p, name);
  meta_rules(v, TEXT_ANY);
}

void validate_ip_address(const validate_args *v) {
  path spec = path_root("spec"), parent = path_child(&spec, "parentRef");
  const val *ref = val_path(v->obj, "spec.parentRef");
  ip_name_check(v);
  parent_check(v->errs, &parent, ref);
  if (!v->old) return;
  meta_change(v);
  immutable_struct_check(v->errs, &parent, ref, val_path(v->old, "spec.parentRef"),
                         field_type(v, "spec.parentRef"));
}

static bool range_is_v6(const val *text) {
  ip_range r;
  return ip_range_parse(val_str(text), &r) && !r.ip.v4;
}

static void cidrs_check(const validate_args *v, const path *p, const val *list) {
  if (val_len(list) == 0) {
    field_required(v->errs, p, "at least one CIDR required");
    return;
  }
  if (val_len(list) > 2) {
    field_invalid_struct(v->errs, p, val_getc(v->obj, "spec"), field_type(v, "spec"),
                         "may only hold up to 2 values");
    return;
  }
  ip_range r;
  bool known = true;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    cidr_check(v->errs, &at, val_str(val_at(list, i)));
    known = known && ip_range_parse(val_str(val_at(list, i)), &r);
  }
  if (known && val_len(list) == 2 && range_is_v6(val_at(list, 0)) == range_is_v6(val_at(list, 1))) {
    field_invalid(
        v->errs, p, list,
        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64");
  }
}

static void cidrs_change_check(const validate_args *v, const path *p, const val *now,
                               const val *was) {
  uint32_t n = val_len(now), m = val_len(was);
  if (n != m && !(m == 1 && n == 2)) {
    field_invalid(v->errs, p, now, "field is immutable");
    return;
  }
  for (uint32_t i = 0; i < m; i++) {
    path at = path_index(p, i);
    immutable_str_check(v->errs, &at, val_str(val_at(now, i)), val_str(val_at(was, i)));
  }
  if (n != m) cidrs_check(v, p, now);
}

void validate_service_cidr(const validate_args *v) {
  path spec = path_root("spec"), cidrs = path_child(&spec, "cidrs");
  const val *list = list_shown(v->errs->a, val_getc(v->obj, "spec"), "cidrs");
  meta_change(v);
  if (slice_is(v->subresource, "status")) return;
  if (v->old) {
    cidrs_change_check(v, &cidrs, list, val_path(v->old, "spec.cidrs"));
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  cidrs_check(v, &cidrs, list);
}
