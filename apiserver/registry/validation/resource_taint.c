/* DeviceTaintRules and ResourcePoolStatusRequests, which are off by default.
 * Sources: pkg/apis/resource/validation, pkg/apis/resource/v1alpha3/zz_generated.validations.go. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"
#include "registry/validation/rows.h"

#include <stdio.h>

#define RULE_CONDITIONS_MAX 8
#define STATUS_CONDITIONS_MAX 10
#define POOLS_MAX 1000

static void selector_check(field_errors *e, const path *p, const val *s) {
  path driver = path_child(p, "driver"), pool = path_child(p, "pool"),
       device = path_child(p, "device");
  if (val_getc(s, "driver")) csi_driver_name_check(e, &driver, val_get_str(s, "driver"));
  if (val_getc(s, "pool")) pool_name_check(e, &pool, val_get_str(s, "pool"));
  if (val_getc(s, "device")) text_check(e, &device, TEXT_DNS1123_LABEL, val_get_str(s, "device"));
}

void validate_taint_rule(const validate_args *v) {
  path spec = path_root("spec"), selector = path_child(&spec, "deviceSelector"),
       taint = path_child(&spec, "taint"), status = path_root("status"),
       conditions = path_child(&status, "conditions");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_is(v->subresource, "status")) {
    const val *list = val_path(v->obj, "status.conditions");
    conditions_validate(v->errs, &conditions, list);
    list_fits(v->errs, &conditions, list, RULE_CONDITIONS_MAX);
    return;
  }
  selector_check(v->errs, &selector, val_path(v->obj, "spec.deviceSelector"));
  const val *old = v->old ? val_path(v->old, "spec.taint") : NULL;
  device_taint_check(v->errs, &taint, val_path(v->obj, "spec.taint"), old);
}

/* Either case, by the declarative rule, whose example is in upper case. */
static void caseless_check(field_errors *e, const path *p, slice name) {
  if (text_is_valid(TEXT_DNS1123_SUBDOMAIN_CASELESS, name)) return;
  field_invalid_str(e, p, name,
                    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', "
                    "and must start and end with an alphanumeric character (e.g. 'Example.com', "
                    "regex used for validation is "
                    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
}

/* A pool's name by the declarative rule, which numbers the segments. */
static void segments_check(field_errors *e, const path *p, slice name) {
  slice part, rest = name;
  uint32_t at = 0;
  char before[32];
  for (bool more = true; more; at++) {
    more = slice_cut(rest, '/', &part, &rest);
    snprintf(before, sizeof before, "segment %u: ", at);
    if (part.len == 0) field_invalid_str(e, p, part, "%smust not be empty", before);
    else text_check_as(e, p, TEXT_DNS1123_SUBDOMAIN, part, part, before);
  }
}

static void request_check(field_errors *e, const val *s) {
  path spec = path_root("spec"), driver = path_child(&spec, "driver"),
       pool = path_child(&spec, "poolName"), limit = path_child(&spec, "limit");
  const val *n = val_getc(s, "limit");
  if (required_str(e, &driver, val_get_str(s, "driver"))) {
    caseless_check(e, &driver, val_get_str(s, "driver"));
  }
  if (val_getc(s, "poolName")) segments_check(e, &pool, val_get_str(s, "poolName"));
  if (!n) field_required(e, &limit, "%s", "");
  else if (val_i64(n) > 1000) field_invalid(e, &limit, n, "must be less than or equal to 1000");
  else if (val_i64(n) < 1) field_invalid(e, &limit, n, "must be greater than or equal to 1");
}

static void pool_status_check(field_errors *e, const path *p, const val *pool) {
  static const char *const names[] = {"driver", "poolName"};
  static const char *const counts[] = {"resourceSliceCount", "totalDevices", "allocatedDevices",
                                       "availableDevices", "unavailableDevices", NULL};
  path generation = path_child(p, "generation");
  for (size_t i = 0; i < 2; i++) {
    path at = path_child(p, names[i]);
    slice text = val_get_str(pool, names[i]);
    if (!required_str(e, &at, text)) continue;
    if (i == 0) caseless_check(e, &at, text);
    else segments_check(e, &at, text);
  }
  if (val_i64(val_getc(pool, "generation")) == 0) field_required(e, &generation, "%s", "");
  nonnegative_all(e, p, pool, counts);
}

static void pool_answer_check(const validate_args *v) {
  field_errors *e = v->errs;
  path status = path_root("status"), conditions = path_child(&status, "conditions"),
       count = path_child(&status, "poolCount"), pools = path_child(&status, "pools");
  const val *now = val_getc(v->obj, "status"), *n = val_getc(now, "poolCount");
  const val *list = val_getc(now, "conditions"), *all = val_getc(now, "pools");
  if (val_getc(v->old, "status")) {
    immutable_struct_check(e, &status, now, val_getc(v->old, "status"), field_type(v, "status"));
    return;
  }
  if (!now) return;
  conditions_validate(e, &conditions, list);
  if (!n) field_required(e, &count, "%s", "");
  else nonnegative_check(e, &count, val_i64(n));
  if (list_fits(e, &pools, all, POOLS_MAX)) {
    for (uint32_t i = 0; i < val_len(all); i++) {
      path at = path_index(&pools, i);
      pool_status_check(e, &at, val_at(all, i));
    }
  }
  if (!list_fits(e, &conditions, list, STATUS_CONDITIONS_MAX)) return;
  val *seen = val_map(e->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&conditions, i);
    slice type = val_get_str(val_at(list, i), "type");
    if (seen_before(e->a, seen, type)) field_duplicate(e, &at, val_at(list, i));
  }
}

void validate_pool_status(const validate_args *v) {
  path spec = path_root("spec");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (slice_is(v->subresource, "status")) pool_answer_check(v);
  else if (!v->old) request_check(v->errs, val_getc(v->obj, "spec"));
  else if (!val_same(val_getc(v->obj, "spec"), val_getc(v->old, "spec"))) {
    field_invalid(v->errs, &spec, NULL, "field is immutable");
  }
}
