/* APIServices. Source: kube-aggregator pkg/apis/apiregistration/validation. */
#include "base/quote.h"
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

static const char *const statuses[] = {"True", "False", "Unknown", NULL};

static void name_check(const validate_args *v, slice group, slice version) {
  static const char *const fields[] = {"generateName", "name"};
  path meta = path_root("metadata");
  slice want = arena_printf(v->errs->a, "%.*s.%.*s", SLICE_ARG(version), SLICE_ARG(group));
  slice shown = go_quote(v->errs->a, want);
  for (size_t i = 0; i < 2; i++) {
    path p = path_child(&meta, fields[i]);
    slice name = val_get_str(val_getc(v->obj, "metadata"), fields[i]);
    if (!name.len || !text_check(v->errs, &p, TEXT_PATH_SEGMENT, name)) continue;
    if (slice_eq(name, want)) continue;
    field_invalid_str(v->errs, &p, name, "must be `spec.version+\".\"+spec.group`: %.*s",
                      SLICE_ARG(shown));
  }
  meta_rules(v, TEXT_ANY);
}

static void remote_check(field_errors *errs, const path *spec, const val *s, const val *service) {
  path p = path_child(spec, "service"), ns = path_child(&p, "namespace"),
       name = path_child(&p, "name"), port = path_child(&p, "port"),
       insecure = path_child(spec, "insecureSkipTLSVerify");
  const val *n = val_getc(service, "port");
  int64_t number = n ? val_i64(n) : 443;
  required_str(errs, &ns, val_get_str(service, "namespace"));
  required_str(errs, &name, val_get_str(service, "name"));
  if (number < 1 || number > 65535) {
    field_invalid_int(errs, &port, number,
                      "port is not valid: must be between 1 and 65535, inclusive");
  }
  if (val_true(val_getc(s, "insecureSkipTLSVerify")) && val_get_str(s, "caBundle").len) {
    field_invalid(errs, &insecure, val_getc(s, "insecureSkipTLSVerify"),
                  "may not be true if caBundle is present");
  }
}

static void local_check(field_errors *errs, const path *spec, const val *s) {
  path bundle = path_child(spec, "caBundle"), insecure = path_child(spec, "insecureSkipTLSVerify");
  slice ca = val_get_str(s, "caBundle");
  if (ca.len) {
    size_t padding = 0;
    while (padding < 2 && padding < ca.len && ca.ptr[ca.len - 1 - padding] == '=') padding++;
    slice size = arena_printf(errs->a, "%zu bytes", ca.len / 4 * 3 - padding);
    field_invalid_str(errs, &bundle, size, "local APIServices may not have a caBundle");
  }
  if (val_true(val_getc(s, "insecureSkipTLSVerify"))) {
    field_invalid(errs, &insecure, val_getc(s, "insecureSkipTLSVerify"),
                  "local APIServices may not have insecureSkipTLSVerify");
  }
}

static void service_status_check(const validate_args *v) {
  path status = path_root("status"), conditions = path_child(&status, "conditions");
  const val *list = val_path(v->obj, "status.conditions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&conditions, i), at = path_child(&p, "status");
    enum_check(v->errs, &at, val_get_str(val_at(list, i), "status"), statuses);
  }
}

void validate_api_service(const validate_args *v) {
  field_errors *errs = v->errs;
  path spec = path_root("spec"), group_at = path_child(&spec, "group"),
       version_at = path_child(&spec, "version"),
       group_min = path_child(&spec, "groupPriorityMinimum"),
       priority = path_child(&spec, "versionPriority");
  const val *s = val_getc(v->obj, "spec");
  slice group = val_get_str(s, "group"), version = val_get_str(s, "version");
  int64_t low = val_i64(val_getc(s, "groupPriorityMinimum")),
          rank = val_i64(val_getc(s, "versionPriority"));
  meta_change(v);
  if (slice_is(v->subresource, "status")) {
    service_status_check(v);
    return;
  }
  name_check(v, group, version);
  if (group.len)
    text_check(errs, &group_at, TEXT_DNS1123_SUBDOMAIN, group);
  else if (!slice_is(version, "v1"))
    field_required(errs, &group_at, "only v1 may have an empty group and it better be legacy kube");
  text_check(errs, &version_at, TEXT_DNS1035_LABEL, version);
  if (low <= 0 || low > 20000)
    field_invalid_int(errs, &group_min, low, "must be positive and less than 20000");
  if (rank <= 0 || rank > 1000)
    field_invalid_int(errs, &priority, rank, "must be positive and less than 1000");
  const val *service = val_getc(s, "service");
  if (service)
    remote_check(errs, &spec, s, service);
  else
    local_check(errs, &spec, s);
}
