/* ResourceClaims, their templates and DeviceClasses; CEL expressions are not compiled. Source:
 * pkg/apis/resource/validation/validation.go. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"
#include "registry/validation/rows.h"

#include "base/buf.h"
#include "server.h"
#include "verb/registry.h"

#define ITEMS_MAX 32 /* of requests, constraints, configurations, selectors */
#define FIRST_AVAILABLE_MAX 8
#define PARAMETERS_MAX 10240

bool list_fits(field_errors *e, const path *p, const val *list, uint32_t max) {
  if (val_len(list) <= max) return true;
  field_too_many(e, p, val_len(list), max);
  return false;
}

void named_once_check(field_errors *e, const path *p, const val *list, const char *key) {
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    const val *item = val_at(list, i);
    slice text = key ? val_get_str(item, key) : val_str(item);
    path at = path_index(p, i);
    if (seen_before(e->a, seen, text)) field_duplicate(e, &at, val_string(e->a, text));
  }
}

static void selectors_check(field_errors *e, const path *p, const val *list) {
  if (!list_fits(e, p, list, ITEMS_MAX)) return;
  EACH_ITEM(i, list) {
    path at = path_index(p, i), cel = path_child(&at, "cel");
    if (!val_getc(val_at(list, i), "cel")) field_required(e, &cel, "%s", "");
  }
}

static void mode_check(field_errors *e, const path *p, const val *wish) {
  path mode = path_child(p, "allocationMode"), count = path_child(p, "count");
  slice m = val_get_str(wish, "allocationMode");
  int64_t n = val_i64(val_getc(wish, "count"));
  if (slice_is(m, "All")) {
    if (n) {
      field_invalid_int(e, &count, n, "must not be specified when allocationMode is 'All'");
    }
  } else if (slice_is(m, "ExactCount")) {
    if (n <= 0) field_invalid_int(e, &count, n, "must be greater than zero");
  } else {
    enum_check(e, &mode, m, (const char *const[]){"All", "ExactCount", NULL});
  }
}

static void toleration_check(field_errors *e, const path *p, const val *t) {
  path key = path_child(p, "key"), op = path_child(p, "operator"), value = path_child(p, "value"),
       effect = path_child(p, "effect");
  slice k = val_get_str(t, "key"), o = val_get_str(t, "operator"), v = val_get_str(t, "value"),
        f = val_get_str(t, "effect");
  if (k.len) text_check(e, &key, TEXT_LABEL_KEY, k);
  if (slice_is(o, "Exists")) {
    if (v.len) field_invalid_str(e, &value, v, "must be empty for operator `Exists`");
  } else if (slice_is(o, "Equal")) {
    text_check(e, &value, TEXT_LABEL_VALUE, v);
  } else if (required_str(e, &op, o)) {
    enum_check(e, &op, o, (const char *const[]){"Equal", "Exists", NULL});
  }
  if (f.len) {
    enum_check(e, &effect, f, (const char *const[]){"NoExecute", "NoSchedule", "None", NULL});
  }
}

/* What an exact request and one of several alternatives share. */
static void request_body_check(field_errors *e, const path *p, const val *wish) {
  path class = path_child(p, "deviceClassName"), selectors = path_child(p, "selectors"),
       tolerations = path_child(p, "tolerations");
  slice name = val_get_str(wish, "deviceClassName");
  if (required_str(e, &class, name)) text_check(e, &class, TEXT_DNS1123_SUBDOMAIN, name);
  selectors_check(e, &selectors, val_getc(wish, "selectors"));
  mode_check(e, p, wish);
  const val *list = val_getc(wish, "tolerations");
  EACH_ITEM(i, list) {
    path at = path_index(&tolerations, i);
    toleration_check(e, &at, val_at(list, i));
  }
}

static void request_check(field_errors *e, const path *p, const val *wish) {
  path name = path_child(p, "name"), first = path_child(p, "firstAvailable"),
       exactly = path_child(p, "exactly");
  const val *list = val_getc(wish, "firstAvailable"), *exact = val_getc(wish, "exactly");
  text_check(e, &name, TEXT_DNS1123_LABEL, val_get_str(wish, "name"));
  if (!val_len(list) && !exact) {
    field_required(e, p, "exactly one of `exactly` or `firstAvailable` is required");
  } else if (val_len(list) && exact) {
    field_invalid(e, p, NULL, "exactly one of `exactly` or `firstAvailable` is required, but "
                              "multiple fields are set");
  } else if (exact) {
    request_body_check(e, &exactly, exact);
  } else if (list_fits(e, &first, list, FIRST_AVAILABLE_MAX)) {
    EACH_ITEM(i, list) {
      path at = path_index(&first, i), own = path_child(&at, "name");
      text_check(e, &own, TEXT_DNS1123_LABEL, val_get_str(val_at(list, i), "name"));
      request_body_check(e, &at, val_at(list, i));
    }
    named_once_check(e, &first, list, "name");
  }
}

/* "request" or "request/alternative". */
static bool request_is_known(const val *requests, slice name) {
  slice head, tail;
  bool deep = slice_cut(name, '/', &head, &tail);
  EACH_ITEM(i, requests) {
    const val *r = val_at(requests, i), *list = val_getc(r, "firstAvailable");
    if (!slice_eq(val_get_str(r, "name"), head)) continue;
    for (uint32_t k = 0; deep && k < val_len(list); k++) {
      if (slice_eq(val_get_str(val_at(list, k), "name"), tail)) return true;
    }
    if (!deep) return true;
  }
  return false;
}

void request_reference_check(field_errors *e, const path *p, slice name, const val *requests) {
  static const char why[] = "must be the name of a request in the claim or the name of a request "
                            "and a subrequest separated by '/'";
  slice head, tail;
  bool deep = slice_cut(name, '/', &head, &tail);
  if (deep && slice_find_char(tail, '/') >= 0) {
    field_invalid_str(e, p, name, "%s", why);
    return;
  }
  text_check(e, p, TEXT_DNS1123_LABEL, head);
  if (deep) text_check(e, p, TEXT_DNS1123_LABEL, tail);
  if (!request_is_known(requests, name)) field_invalid_str(e, p, name, "%s", why);
}

static void references_check(field_errors *e, const path *p, const val *names,
                             const val *requests) {
  if (!list_fits(e, p, names, ITEMS_MAX)) return;
  EACH_ITEM(i, names) {
    path at = path_index(p, i);
    request_reference_check(e, &at, val_str(val_at(names, i)), requests);
  }
  named_once_check(e, p, names, NULL);
}

static void qualified_check(field_errors *e, const path *p, slice name) {
  qualified_name_check(e, p, name);
  if (slice_find_char(name, '/') >= 0) return;
  field_invalid_str(e, p, name,
                    "a fully qualified name must be a domain and a name separated by a slash");
}

static void constraint_check(field_errors *e, const path *p, const val *c, const val *requests) {
  path names = path_child(p, "requests"), match = path_child(p, "matchAttribute"),
       distinct = path_child(p, "distinctAttribute");
  references_check(e, &names, val_getc(c, "requests"), requests);
  if (val_getc(c, "matchAttribute")) {
    qualified_check(e, &match, val_get_str(c, "matchAttribute"));
  } else if (val_getc(c, "distinctAttribute")) {
    qualified_check(e, &distinct, val_get_str(c, "distinctAttribute"));
  } else if (!allowed_by(e, FEATURE_DRA_CONSUMABLE_CAPACITY)) {
    field_required(e, &match, "%s", "");
  } else {
    field_required(e, p, "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, "
                         "but multiple fields are set");
  }
}

static void parameters_check(field_errors *e, const path *p, const val *v) {
  buf text;
  buf_init(&text, (size_t)1 << 24);
  if (v) json_encode_any(&text, v, false);
  if (!v || val_is_null(v)) field_required(e, p, "%s", "");
  else if (text.len > PARAMETERS_MAX) field_too_long(e, p, PARAMETERS_MAX);
  else if (!val_is_map(v)) {
    field_invalid_str(e, p, SLICE_LIT("<value omitted>"), "must be a valid JSON object");
  }
  buf_dispose(&text);
}

static void opaque_check(field_errors *e, const path *p, const val *config) {
  path opaque = path_child(p, "opaque"), driver = path_child(&opaque, "driver"),
       parameters = path_child(&opaque, "parameters");
  const val *o = val_getc(config, "opaque");
  if (!o) {
    field_required(e, &opaque, "%s", "");
    return;
  }
  csi_driver_name_check(e, &driver, val_get_str(o, "driver"));
  parameters_check(e, &parameters, val_getc(o, "parameters"));
}

static void claim_spec_check(field_errors *e, const path *spec_path, const val *spec) {
  path devices = path_child(spec_path, "devices"), requests = path_child(&devices, "requests"),
       constraints = path_child(&devices, "constraints"), config = path_child(&devices, "config");
  const val *claim = val_getc(spec, "devices"), *list = val_getc(claim, "requests"),
            *rules = val_getc(claim, "constraints"), *configs = val_getc(claim, "config");
  if (list_fits(e, &requests, list, ITEMS_MAX)) {
    EACH_ITEM(i, list) {
      path at = path_index(&requests, i);
      request_check(e, &at, val_at(list, i));
    }
    named_once_check(e, &requests, list, "name");
  }
  if (list_fits(e, &constraints, rules, ITEMS_MAX)) {
    EACH_ITEM(i, rules) {
      path at = path_index(&constraints, i);
      constraint_check(e, &at, val_at(rules, i), list);
    }
  }
  if (!list_fits(e, &config, configs, ITEMS_MAX)) return;
  EACH_ITEM(i, configs) {
    path at = path_index(&config, i), names = path_child(&at, "requests");
    references_check(e, &names, val_getc(val_at(configs, i), "requests"), list);
    opaque_check(e, &at, val_at(configs, i));
  }
}

/* Access to devices in use by others is for namespaces that are marked for it. */
static void admin_check(const validate_args *v, const path *spec_path, const val *spec) {
  path devices = path_child(spec_path, "devices"), requests = path_child(&devices, "requests");
  const val *list = val_path(spec, "devices.requests");
  const resource_info *r =
      schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("namespaces"));
  bool asked = false;
  EACH_ITEM(i, list) asked |= val_true(val_path(val_at(list, i), "exactly.adminAccess"));
  if (!asked) return;
  const val *ns = registry_get(v->rq->server, v->errs->a, r, SLICE_NONE, v->rq->info.namespace);
  slice mark = val_get_str(val_path(ns, "metadata.labels"), "resource.kubernetes.io/admin-access");
  if (slice_is(mark, "true")) return;
  EACH_ITEM(i, list) {
    path at = path_index(&requests, i), access = path_child(&at, "adminAccess");
    if (!val_true(val_path(val_at(list, i), "exactly.adminAccess"))) continue;
    field_forbidden(v->errs, &access,
                    "admin access to devices requires the `resource.kubernetes.io/admin-access: "
                    "true` label on the containing namespace");
  }
}

void validate_resource_claim(const validate_args *v) {
  path spec = path_root("spec");
  const val *now = struct_shown(v->errs->a, v->obj, "spec");
  if (slice_is(v->subresource, "status")) {
    meta_change(v);
    resource_claim_status_check(v);
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  meta_change(v);
  if (v->old) {
    immutable_struct_check(v->errs, &spec, now, val_getc(v->old, "spec"), field_type(v, "spec"));
    return;
  }
  admin_check(v, &spec, now);
  claim_spec_check(v->errs, &spec, now);
}

void validate_resource_claim_template(const validate_args *v) {
  path spec = path_root("spec"), inner = path_child(&spec, "spec");
  const val *now = struct_shown(v->errs->a, v->obj, "spec");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  path meta = path_child(&spec, "metadata");
  template_meta_check(v->errs, &meta, val_getc(now, "metadata"));
  if (!v->old) admin_check(v, &spec, val_getc(now, "spec")); /* as the real server writes the path */
  claim_spec_check(v->errs, &inner, val_getc(now, "spec"));
  if (!v->old) return;
  meta_change(v);
  immutable_struct_check(v->errs, &spec, now, val_getc(v->old, "spec"), field_type(v, "spec"));
}

/* A domain that is not Kubernetes' own, and a name; with "requests." in front a qualified name. */
static bool is_extended(arena *a, slice name) {
  slice texts[4];
  if (slice_find_char(name, '/') < 0 || slice_find(name, SLICE_LIT("kubernetes.io/")) >= 0 ||
      slice_has_prefix(name, SLICE_LIT("requests."))) return false;
  slice quota = arena_concat(a, SLICE_LIT("requests."), name);
  return text_problems(a, TEXT_LABEL_KEY, quota, false, texts) == 0;
}

void validate_device_class(const validate_args *v) {
  field_errors *e = v->errs;
  path spec = path_root("spec"), selectors = path_child(&spec, "selectors"),
       config = path_child(&spec, "config"), extended = path_child(&spec, "extendedResourceName");
  const val *now = val_getc(v->obj, "spec"), *configs = val_getc(now, "config"),
            *name = val_getc(now, "extendedResourceName");
  meta_rules(v, TEXT_LONG_NAME);
  meta_change(v);
  selectors_check(e, &selectors, val_getc(now, "selectors"));
  if (list_fits(e, &config, configs, ITEMS_MAX)) {
    EACH_ITEM(i, configs) {
      path at = path_index(&config, i);
      opaque_check(e, &at, val_at(configs, i));
    }
  }
  if (name && !is_extended(e->a, val_str(name)))
    field_invalid_str(e, &extended, val_str(name), "must be a valid extended resource name");
}
