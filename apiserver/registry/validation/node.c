/* Nodes and ServiceAccounts. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"

#include "base/buf.h"

#include <arpa/inet.h>

static void taints_check(field_errors *e, const path *p, const val *list) {
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    const val *t = val_at(list, i);
    slice key = val_get_str(t, "key"), value = val_get_str(t, "value"),
          effect = val_get_str(t, "effect"), texts[4];
    path at = path_index(p, i), at_effect = path_child(&at, "effect"),
         at_value = path_child(&at, "value");
    text_at(e, &at, t, "key", TEXT_LABEL_KEY);
    uint32_t n = text_problems(e->a, TEXT_LABEL_VALUE, value, false, texts);
    slice why = n ? texts[0] : SLICE_NONE;
    for (uint32_t k = 1; k < n; k++)
      why = arena_printf(e->a, "%.*s;%.*s", SLICE_ARG(why), SLICE_ARG(texts[k]));
    if (n) field_invalid_str(e, &at_value, value, "%.*s", SLICE_ARG(why));
    taint_effect_check(e, &at_effect, effect, false);
    slice pair = arena_printf(e->a, "%.*s %.*s", SLICE_ARG(effect), SLICE_ARG(key));
    if (val_get(seen, pair)) {
      buf b;
      buf_init(&b, 1 << 24);
      json_encode_any(&b, internal_tree(e->a, "Taint", t), false);
      slice text =
          arena_printf(e->a, "Duplicate value: %.*s: taints must be unique by key and effect pair",
                       SLICE_ARG(buf_slice(&b)));
      buf_dispose(&b);
      field_error_add(e, FIELD_DUPLICATE, path_text(e->a, &at), text);
    }
    val_set(e->a, seen, pair, val_null(e->a));
  }
}

static void resources_check(field_errors *e, const val *status) {
  static const char *const kinds[] = {"capacity", "allocatable"};
  path p = path_root("status");
  for (size_t i = 0; i < 2; i++) {
    path list = path_child(&p, kinds[i]);
    VAL_EACH(entry, val_getc(status, kinds[i])) {
      path at = path_child_slice(&list, entry->key);
      resource_quantity_check(e, &at, entry->key, val_str(entry->value));
    }
  }
}

static bool feature_name_ok(slice s) {
  bool first = true;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool upper = c >= 'A' && c <= 'Z', letter = upper || (c >= 'a' && c <= 'z'),
         digit = c >= '0' && c <= '9';
    if (first && !(i == 0 ? upper : letter)) return false;
    if (!first && !letter && !digit && c != '/') return false;
    first = c == '/';
  }
  return s.len && !first;
}

static void features_check(field_errors *e, const val *list) {
  path status = path_root("status"), p = path_child(&status, "declaredFeatures");
  EACH_ITEM(i, list) {
    slice name = val_str(val_at(list, i)), next = val_str(val_at(list, i + 1));
    path at = path_index(&p, i), after = path_index(&p, i + 1);
    if (name.len > 253) {
      field_invalid_str(e, &at, name,
                        "invalid feature name \"%.*s\": must be no more than 253 characters",
                        SLICE_ARG(name));
    } else if (!feature_name_ok(name)) {
      field_invalid_str(e, &at, name,
                        "invalid feature name \"%.*s\": must start with an UpperCamelCase segment, "
                        "with subsequent segments "
                        "separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain "
                        "only alphanumeric characters and slashes",
                        SLICE_ARG(name));
    }
    if (i + 1 == val_len(list)) continue;
    if (slice_eq(name, next))
      field_duplicate(e, &after, val_string(e->a, next));
    else if (slice_cmp(name, next) > 0)
      refuse_str(e, &after, NULL, next, "list must be sorted alphabetically");
  }
}

static int cidr_family(arena *a, slice s) {
  slice ip, bits;
  unsigned char bytes[16];
  long long n = 0;
  if (!slice_cut(s, '/', &ip, &bits) || !slice_to_i64(bits, &n) || n < 0) return 0;
  char *text = arena_cstr(a, ip);
  if (inet_pton(AF_INET, text, bytes) == 1) return n <= 32 ? 4 : 0;
  return inet_pton(AF_INET6, text, bytes) == 1 && n <= 128 ? 6 : 0;
}

static void cidrs_check(field_errors *e, const val *list) {
  path spec = path_root("spec"), p = path_child(&spec, "podCIDRs");
  bool broken = false, families = val_len(list) == 2;
  int last = 0;
  EACH_ITEM(i, list) {
    slice s = val_str(val_at(list, i));
    path at = path_index(&p, i);
    int family = cidr_family(e->a, s);
    if (!family)
      refuse_str(e, &at, NULL, s,
                 "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    broken = broken || !family;
    if (i && family == last) families = false;
    last = family;
  }
  if (val_len(list) < 2) return;
  if (broken) {
    EACH_ITEM(i, list) {
      slice s = val_str(val_at(list, i));
      if (cidr_family(e->a, s)) continue;
      field_internal(e, &p,
                     "invalid PodCIDRs. failed to check with dual stack with error:invalid "
                     "CIDR[%u]: <nil> (invalid CIDR address: %.*s)",
                     i, SLICE_ARG(s));
      break;
    }
  }
  if (broken || !families)
    refuse(e, &p, NULL, list, "may specify no more than one CIDR for each IP family");
}

static void node_whole(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec"), *status = val_getc(v->obj, "status"),
            *swap = val_path(status, "nodeInfo.swap.capacity");
  path meta = path_root("metadata"), taints = path_child(&meta, "taints"),
       swaps = path_child(&meta, "nodeSwapStatus"), capacity = path_child(&swaps, "capacity");
  core_meta_validate(v->errs, v->obj, false, TEXT_DNS1123_SUBDOMAIN);
  taints_check(v->errs, &taints, val_getc(spec, "taints"));
  resources_check(v->errs, status);
  if (swap) positive_check(v->errs, &capacity, val_i64(swap));
  features_check(v->errs, val_getc(status, "declaredFeatures"));
  cidrs_check(v->errs, val_getc(spec, "podCIDRs"));
}

static void addresses_check(field_errors *e, const val *list) {
  path status = path_root("status"), p = path_child(&status, "addresses");
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    slice type = val_get_str(val_at(list, i), "type"),
          text = val_get_str(val_at(list, i), "address");
    slice key = arena_printf(e->a, "%.*s %.*s", SLICE_ARG(type), SLICE_ARG(text));
    path at = path_index(&p, i);
    if (val_get(seen, key)) {
      slice words = arena_printf(e->a, "Duplicate value: {\"Type\":\"%.*s\",\"Address\":\"%.*s\"}",
                                 SLICE_ARG(type), SLICE_ARG(text));
      field_error_add(e, FIELD_DUPLICATE, path_text(e->a, &at), words);
    }
    val_set(e->a, seen, key, val_null(e->a));
  }
}

static void cidrs_change(field_errors *e, const val *now, const val *was) {
  static const char why[] = "node updates may not change podCIDR except from \"\" to valid";
  path spec = path_root("spec");
  if (!val_len(was)) return;
  if (val_len(now) != val_len(was)) {
    forbid(e, &spec, "podCIDRs", why);
    return;
  }
  EACH_ITEM(i, was) {
    if (!val_equal(val_at(now, i), val_at(was, i))) forbid(e, &spec, "podCIDRs", why);
  }
}

static void node_change(const validate_args *v) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *was = val_getc(v->old, "spec"),
            *status = val_getc(v->obj, "status");
  slice provider = val_get_str(was, "providerID");
  path p = path_root("spec"), meta = path_root("metadata"), taints = path_child(&meta, "taints");
  core_meta_update(e, v->obj, v->old);
  resources_check(e, status);
  features_check(e, val_getc(status, "declaredFeatures"));
  addresses_check(e, val_getc(status, "addresses"));
  cidrs_change(e, val_getc(spec, "podCIDRs"), val_getc(was, "podCIDRs"));
  if (provider.len && !slice_eq(provider, val_get_str(spec, "providerID"))) {
    forbid(e, &p, "providerID", "node updates may not change providerID except from \"\" to valid");
  }
  taints_check(e, &taints, val_getc(spec, "taints"));
  if (!slice_eq(val_get_str(spec, "externalID"), val_get_str(was, "externalID")))
    forbid(e, &p, "externalID", "may not be updated");
}

void validate_node(const validate_args *v) {
  if (!slice_is(v->subresource, "status")) node_whole(v);
  if (v->old) node_change(v);
}

void validate_serviceaccount(const validate_args *v) { core_meta_both(v, TEXT_DNS1123_SUBDOMAIN); }
