/* Webhook configurations, and the rules that policies share with them. Source:
 * pkg/apis/admissionregistration/validation, apiserver pkg/util/webhook/validation.go. CEL
 * expressions are not compiled: only their presence is looked at. */
#include "registry/validation/admission.h"
#include "registry/validation/go_url.h"

#include "registry/strategy_hooks.h"
#include "registry/validation/rows.h"

#define CONDITIONS_MAX 64
#define URL_FORM "; desired format: https://host[/path]"
#define STATIC_SUFFIX ".static.k8s.io"

static const char *const scopes[] = {"*", "Cluster", "Namespaced", NULL};
static const char *const operations[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL};
static const char *const failure_policies[] = {"Fail", "Ignore", NULL};
static const char *const match_policies[] = {"Equivalent", "Exact", NULL};
static const char *const reinvocations[] = {"IfNeeded", "Never", NULL};
static const char *const no_effects[] = {"None", "NoneOnDryRun", NULL};
static const char *const any_effects[] = {"None", "NoneOnDryRun", "Some", "Unknown", NULL};

bool failure_policy_check(field_errors *errs, const path *p, slice policy) {
  return enum_check(errs, p, policy, failure_policies);
}
bool match_policy_check(field_errors *errs, const path *p, slice policy) {
  return enum_check(errs, p, policy, match_policies);
}
bool reinvocation_policy_check(field_errors *errs, const path *p, slice policy) {
  return enum_check(errs, p, policy, reinvocations);
}

static bool has(const val *list, const char *text) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_is(val_str(val_at(list, i)), text)) return true;
  }
  return false;
}

/* One "resource/subresource": what earlier wildcards already cover. */
static void subresource_check(field_errors *errs, const path *p, slice text, val *covered,
                              val *covering) {
  slice res, sub;
  slice_cut(text, '/', &res, &sub);
  if (val_get(covered, res)) {
    field_invalid_str(errs, p, text, "if '%.*s/*' is present, must not specify %.*s",
                      SLICE_ARG(res), SLICE_ARG(text));
  }
  if (val_get(covering, sub)) {
    field_invalid_str(errs, p, text, "if '*/%.*s' is present, must not specify %.*s",
                      SLICE_ARG(sub), SLICE_ARG(text));
  }
  if (slice_is(sub, "*")) seen_before(errs->a, covered, res);
  if (slice_is(res, "*")) seen_before(errs->a, covering, sub);
}

static void resources_check(field_errors *errs, const path *p, const val *list) {
  val *covered = val_map(errs->a), *covering = val_map(errs->a);
  bool plain = false;
  if (val_len(list) == 0) field_required(errs, p, "%s", "");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    slice text = val_str(val_at(list, i));
    if (!required_str(errs, &at, text)) continue;
    if (slice_find_char(text, '/') < 0)
      plain = !slice_is(text, "*"); /* the last one decides */
    else
      subresource_check(errs, &at, text, covered, covering);
  }
  if (val_len(list) > 1 && has(list, "*/*"))
    field_invalid(errs, p, list, "if '*/*' is present, must not specify other resources");
  if (plain && has(list, "*")) {
    field_invalid(errs, p, list,
                  "if '*' is present, must not specify other resources without subresources");
  }
}

static void wild_list_check(field_errors *errs, const path *p, const val *list,
                            const char *others) {
  if (val_len(list) == 0) field_required(errs, p, "%s", "");
  if (val_len(list) > 1 && has(list, "*"))
    field_invalid(errs, p, list, "if '*' is present, must not specify other %s", others);
}

void admission_rule_check(field_errors *errs, const path *p, const val *rule) {
  path ops_at = path_child(p, "operations"), groups = path_child(p, "apiGroups"),
       versions_at = path_child(p, "apiVersions"), resources = path_child(p, "resources"),
       scope = path_child(p, "scope");
  const val *ops = val_getc(rule, "operations"), *versions = val_getc(rule, "apiVersions");
  wild_list_check(errs, &ops_at, ops, "operations");
  for (uint32_t i = 0; i < val_len(ops); i++) {
    path at = path_index(&ops_at, i);
    enum_check(errs, &at, val_str(val_at(ops, i)), operations);
  }
  wild_list_check(errs, &groups, val_getc(rule, "apiGroups"), "API groups");
  wild_list_check(errs, &versions_at, versions, "API versions");
  for (uint32_t i = 0; i < val_len(versions); i++) {
    path at = path_index(&versions_at, i);
    required_str(errs, &at, val_str(val_at(versions, i)));
  }
  resources_check(errs, &resources, val_getc(rule, "resources"));
  if (val_getc(rule, "scope")) enum_check(errs, &scope, val_get_str(rule, "scope"), scopes);
}

void match_conditions_check(field_errors *errs, const path *p, const val *list) {
  val *names = val_map(errs->a);
  if (val_len(list) > CONDITIONS_MAX) field_too_many(errs, p, val_len(list), CONDITIONS_MAX);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i), expression = path_child(&at, "expression"),
         name_at = path_child(&at, "name");
    slice name = val_get_str(val_at(list, i), "name");
    required_str(errs, &expression, slice_trim(val_get_str(val_at(list, i), "expression")));
    if (required_str(errs, &name_at, name)) text_check(errs, &name_at, TEXT_LABEL_KEY, name);
    if (name.len && seen_before(errs->a, names, name))
      field_duplicate(errs, &name_at, val_string(errs->a, name));
  }
}

void webhook_url_check(field_errors *errs, const path *p, slice url) {
  go_url u;
  slice why;
  if (!go_url_parse(errs->a, url, &u, &why)) {
    field_required(errs, p, "url must be a valid URL: %.*s" URL_FORM, SLICE_ARG(why));
    return;
  }
  if (!slice_is(u.scheme, "https")) {
    field_invalid_str(errs, p, u.scheme, "'https' is the only allowed URL scheme" URL_FORM);
  }
  if (u.host.len == 0) field_invalid_str(errs, p, SLICE_LIT(""), "host must be specified" URL_FORM);
  if (u.has_user)
    field_invalid_str(errs, p, u.user, "user information is not permitted in the URL");
  if (u.fragment.len)
    field_invalid_str(errs, p, u.fragment, "fragments are not permitted in the URL");
  if (u.query.len)
    field_invalid_str(errs, p, u.query, "query parameters are not permitted in the URL");
}

static void url_path_check(field_errors *errs, const path *p, slice text) {
  if (text.len == 0 || slice_is(text, "/")) return;
  if (slice_is(text, "//")) {
    field_invalid_str(errs, p, text, "segment[0] may not be empty");
    return;
  }
  if (text.ptr[0] != '/') field_invalid_str(errs, p, text, "must start with a '/'");
  slice rest = slice_from(text, 1), head, texts[4];
  if (rest.len && rest.ptr[rest.len - 1] == '/') rest.len--;
  bool more = true;
  for (uint32_t i = 0; more; i++) {
    more = slice_cut(rest, '/', &head, &rest);
    if (head.len == 0) {
      field_invalid_str(errs, p, text, "segment[%u] may not be empty", i);
      continue;
    }
    uint32_t n = text_problems(errs->a, TEXT_DNS1123_SUBDOMAIN, head, false, texts);
    for (uint32_t k = 0; k < n; k++)
      field_invalid_str(errs, p, text, "segment[%u]: %.*s", i, SLICE_ARG(texts[k]));
  }
}

/* Two callers of the real one pass name and namespace in different orders: each is blamed for the
 * other. */
void webhook_service_check(field_errors *errs, const path *p, const val *service,
                           bool namespace_first) {
  path name = path_child(p, "name"), namespace = path_child(p, "namespace"),
       port = path_child(p, "port"), at = path_child(p, "path");
  const val *n = val_getc(service, "port"), *url_path = val_getc(service, "path");
  slice ns = val_get_str(service, "namespace"), s = val_get_str(service, "name");
  required_str(errs, &name, namespace_first ? s : ns);
  required_str(errs, &namespace, namespace_first ? ns : s);
  int64_t number = n ? val_i64(n) : 443;
  if (number < 1 || number > 65535) {
    field_invalid_int(errs, &port, number,
                      "port is not valid: must be between 1 and 65535, inclusive");
  }
  if (url_path) url_path_check(errs, &at, val_str(url_path));
}

static void full_name_check(field_errors *errs, const path *p, slice name) {
  slice rest = name, head;
  uint32_t dots = 0;
  if (!required_str(errs, p, name)) return;
  slice all = text_problems_joined(errs->a, TEXT_DNS1123_SUBDOMAIN, name, ",");
  while (slice_cut(rest, '.', &head, &rest)) dots++;
  if (all.len)
    field_invalid_str(errs, p, name, "%.*s", SLICE_ARG(all));
  else if (dots < 2)
    field_invalid_str(errs, p, name,
                      "should be a domain with at least three segments separated by dots");
}

/* What the old configuration already got wrong stays allowed. */
typedef struct hook_rules {
  bool strict_effects, known_versions, unique_names;
} hook_rules;

static bool accepted_version(const val *list) { return has(list, "v1") || has(list, "v1beta1"); }

static hook_rules hook_rules_of(const validate_args *v) {
  hook_rules r = {true, true, true};
  const val *old = val_getc(v->old, "webhooks");
  val *names = val_map(v->errs->a);
  for (uint32_t i = 0; i < val_len(old); i++) {
    const val *hook = val_at(old, i), *versions = val_getc(hook, "admissionReviewVersions");
    slice name = val_get_str(hook, "name");
    r.strict_effects = r.strict_effects && str_in(val_get_str(hook, "sideEffects"), no_effects);
    r.known_versions = r.known_versions && (val_len(versions) == 0 || accepted_version(versions));
    if (seen_before(v->errs->a, names, name.ptr ? name : SLICE_LIT(""))) r.unique_names = false;
  }
  return r;
}

static void versions_check(field_errors *errs, const path *p, const val *list, bool known) {
  val *seen = val_map(errs->a);
  if (val_len(list) == 0) {
    field_required(errs, p, "must specify one of v1, v1beta1");
    return;
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    slice version = val_str(val_at(list, i));
    if (seen_before(errs->a, seen, version))
      field_invalid_str(errs, &at, version, "duplicate version");
    else
      text_check(errs, &at, TEXT_DNS1035_LABEL, version);
  }
  if (known && !accepted_version(list))
    field_invalid(errs, p, list, "must include at least one of v1, v1beta1");
}

static void effects_check(field_errors *errs, const path *hook, const val *effects, bool strict) {
  path p = path_child(hook, "sideEffects");
  if (!effects) {
    field_required(errs, &p, "must specify one of %s",
                   strict ? "None, NoneOnDryRun" : "None, NoneOnDryRun, Some, Unknown");
  } else {
    enum_check(errs, &p, val_str(effects), strict ? no_effects : any_effects);
  }
}

static void client_check(field_errors *errs, const path *hook, const val *config) {
  path p = path_child(hook, "clientConfig"), url_at = path_child(&p, "url"),
       service_at = path_child(&p, "service");
  const val *url = val_getc(config, "url"), *service = val_getc(config, "service");
  if (!url == !service)
    field_required(errs, &p, "exactly one of url or service is required");
  else if (url)
    webhook_url_check(errs, &url_at, val_str(url));
  else
    webhook_service_check(errs, &service_at, service, false);
}

static void hook_check(field_errors *errs, const path *p, const val *hook, hook_rules r,
                       bool conditions) {
  path name = path_child(p, "name"), rules = path_child(p, "rules"),
       failure = path_child(p, "failurePolicy"), match = path_child(p, "matchPolicy"),
       timeout = path_child(p, "timeoutSeconds"), ns = path_child(p, "namespaceSelector"),
       object = path_child(p, "objectSelector"), again = path_child(p, "reinvocationPolicy"),
       when = path_child(p, "matchConditions");
  const val *list = val_getc(hook, "rules"), *seconds = val_getc(hook, "timeoutSeconds");
  full_name_check(errs, &name, val_get_str(hook, "name"));
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&rules, i);
    admission_rule_check(errs, &at, val_at(list, i));
  }
  if (val_getc(hook, "failurePolicy"))
    failure_policy_check(errs, &failure, val_get_str(hook, "failurePolicy"));
  if (val_getc(hook, "matchPolicy"))
    match_policy_check(errs, &match, val_get_str(hook, "matchPolicy"));
  effects_check(errs, p, val_getc(hook, "sideEffects"), r.strict_effects);
  if (seconds && (val_i64(seconds) > 30 || val_i64(seconds) < 1)) {
    field_invalid(errs, &timeout, seconds, "the timeout value must be between 1 and 30 seconds");
  }
  label_selector_validate(errs, &ns, val_getc(hook, "namespaceSelector"));
  label_selector_validate(errs, &object, val_getc(hook, "objectSelector"));
  if (val_getc(hook, "reinvocationPolicy"))
    reinvocation_policy_check(errs, &again, val_get_str(hook, "reinvocationPolicy"));
  client_check(errs, p, val_getc(hook, "clientConfig"));
  if (conditions) match_conditions_check(errs, &when, val_getc(hook, "matchConditions"));
}

static bool conditions_changed(const val *now, const val *was) {
  if (val_len(now) != val_len(was)) return true;
  for (uint32_t i = 0; i < val_len(now); i++) {
    if (!val_same(val_getc(val_at(now, i), "matchConditions"),
                    val_getc(val_at(was, i), "matchConditions")))
      return true;
  }
  return false;
}

static void webhooks_check(const validate_args *v) {
  path hooks = path_root("webhooks");
  const val *list = val_getc(v->obj, "webhooks");
  val *names = val_map(v->errs->a);
  hook_rules r = hook_rules_of(v);
  bool conditions = !v->old || conditions_changed(list, val_getc(v->old, "webhooks"));
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&hooks, i), versions = path_child(&p, "admissionReviewVersions"),
         name_at = path_child(&p, "name");
    slice name = val_get_str(val_at(list, i), "name");
    hook_check(v->errs, &p, val_at(list, i), r, conditions);
    versions_check(v->errs, &versions, val_getc(val_at(list, i), "admissionReviewVersions"),
                   r.known_versions);
    if (r.unique_names && name.len && seen_before(v->errs->a, names, name)) {
      field_duplicate(v->errs, &name_at, val_string(v->errs->a, name));
    }
  }
}

void validate_mutating_webhooks(const validate_args *v) { webhooks_check(v); }
void validate_validating_webhooks(const validate_args *v) { webhooks_check(v); }

void admission_config_warn(request *rq, val *obj, const val *old) {
  (void)old;
  if (!slice_has_suffix(val_get_str(val_getc(obj, "metadata"), "name"), SLICE_LIT(STATIC_SUFFIX)))
    return;
  request_warn(rq, SLICE_LIT("metadata.name: names ending with \"" STATIC_SUFFIX
                             "\" are reserved for static "
                             "manifest-based configurations and cannot be managed via the API"));
}
