/* A Service's addresses: each alone, together, and against what was. Source:
 * ValidateServiceClusterIPsRelatedFields and the upgrade and downgrade rules beside it. */
#include "registry/validation/service_ip.h"

#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"

static const char *const families[] = {"IPv4", "IPv6", NULL};
static const char *const policies[] = {"PreferDualStack", "RequireDualStack", "SingleStack", NULL};

static slice str_at(const val *list, uint32_t i) { return val_str(val_at(list, i)); }

static void pair_check(field_errors *errs, const path *ips_at, const val *s) {
  const val *ips = val_getc(s, "clusterIPs");
  slice ip = val_get_str(s, "clusterIP");
  if (ip.len && val_len(ips) == 0)
    field_required(errs, ips_at, "%s", "");
  else if (ip.len && !slice_eq(str_at(ips, 0), ip))
    field_invalid(errs, ips_at, ips, "first value must match `clusterIP`");
  else if (!ip.len && val_len(ips))
    field_invalid(errs, ips_at, ips, "must be empty when `clusterIP` is not specified");
}

static void families_check(field_errors *errs, const path *spec, const val *s) {
  path at = path_child(spec, "ipFamilies"), policy_at = path_child(spec, "ipFamilyPolicy");
  const val *list = val_getc(s, "ipFamilies"), *policy = val_getc(s, "ipFamilyPolicy");
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&at, i);
    enum_check(errs, &p, str_at(list, i), families);
    if (seen_before(errs->a, seen, str_at(list, i))) field_duplicate(errs, &p, val_at(list, i));
  }
  if (policy) enum_check(errs, &policy_at, val_str(policy), policies);
}

/* False when one of them is no address: what follows would only confuse. */
static bool each_ip_check(field_errors *errs, const path *at, const val *ips, const val *old) {
  bool ok = true;
  for (uint32_t i = 0; i < val_len(ips); i++) {
    path p = path_index(at, i);
    if (i == 0 && slice_is(str_at(ips, 0), "None")) {
      if (val_len(ips) == 1) continue;
      ok = false;
      field_invalid(errs, at, ips, "'None' must be the first and only value");
    } else if (!ip_legacy_check(errs, &p, str_at(ips, i), old)) {
      ok = false;
    }
  }
  if (val_len(ips) > 2) field_invalid(errs, at, ips, "may only hold up to 2 values");
  return ok;
}

static bool is_v6(slice text) {
  ip_value ip;
  return ip_value_parse(text, &ip) && !ip.v4;
}

static void kinds_check(field_errors *errs, const path *at, const val *s) {
  const val *ips = val_getc(s, "clusterIPs"), *list = val_getc(s, "ipFamilies");
  bool v4 = false, v6 = false;
  for (uint32_t i = 0; i < val_len(ips); i++) {
    v6 = v6 || is_v6(str_at(ips, i));
    v4 = v4 || !is_v6(str_at(ips, i));
  }
  if (val_len(ips) > 1 && !(v4 && v6)) {
    field_invalid(errs, at, ips, "may specify no more than one IP for each IP family");
  }
  if (service_is_headless(s)) return;
  for (uint32_t i = 0; i < val_len(ips) && i < val_len(list); i++) {
    path p = path_index(at, i);
    bool six = is_v6(str_at(ips, i));
    slice want = str_at(list, i);
    if (slice_is(want, six ? "IPv4" : "IPv6")) {
      field_invalid(errs, &p, val_at(ips, i),
                    "expected an %.*s value as indicated by `ipFamilies[%u]`", SLICE_ARG(want), i);
    }
  }
}

void service_ips_check(field_errors *errs, const val *s, const val *old) {
  if (service_type_is(s, "ExternalName")) return;
  path spec = path_root("spec"), at = path_child(&spec, "clusterIPs");
  pair_check(errs, &at, s);
  families_check(errs, &spec, s);
  if (each_ip_check(errs, &at, val_getc(s, "clusterIPs"), old)) kinds_check(errs, &at, s);
}

/* Both lists obey the same law: the first entry stays, and the second goes only with SingleStack.
 */
static void list_change_check(const validate_args *v, const val *now, const val *was,
                              bool families_list) {
  const char *name = families_list ? "ipFamilies" : "clusterIPs";
  path spec = path_root("spec"), at = path_child(&spec, name), first = path_index(&at, 0),
       policy_at = path_child(&spec, "ipFamilyPolicy");
  const val *a = val_getc(now, name), *b = val_getc(was, name), *ips = val_getc(now, "clusterIPs");
  uint32_t n = val_len(a), m = val_len(b);
  for (uint32_t i = 0; n == m && i < n; i++) {
    path p = path_index(&at, families_list ? 0 : i);
    if (!slice_eq(str_at(a, i), str_at(b, i)))
      field_invalid(v->errs, &p, a, "may not change once set");
  }
  if (n == m) return;
  if (n < m && val_len(ips) == 0) {
    field_invalid(v->errs, &first, a, "primary %s can not be unset",
                  families_list ? "ipFamily" : "clusterIP");
  }
  if (n && m && !slice_eq(str_at(a, 0), str_at(b, 0)))
    field_invalid(v->errs, &first, ips, "may not change once set");
  const val *policy = val_getc(now, "ipFamilyPolicy");
  if (n < m && n == 1 && !slice_is(val_str(policy), "SingleStack")) {
    field_invalid(v->errs, &policy_at, policy,
                  "must be set to 'SingleStack' when releasing the secondary %s",
                  families_list ? "ipFamily" : "clusterIP");
  }
}

void service_ips_change_check(const validate_args *v, const val *now, const val *was) {
  if (service_type_is(now, "ExternalName") || service_type_is(was, "ExternalName")) return;
  bool before = service_is_headless(was), after = service_is_headless(now);
  if (!before || !after) list_change_check(v, now, was, false);
  if (before == after && !after) list_change_check(v, now, was, true);
}
