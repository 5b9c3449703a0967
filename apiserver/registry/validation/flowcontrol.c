/* FlowSchemas and PriorityLevelConfigurations. Source: pkg/apis/flowcontrol/validation. That the
 * mandatory objects keep their specs is not checked here. */
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#include <math.h>

enum { PRECEDENCE_MAX = 10000, QUEUES_MAX = 10 * 1000 * 1000, HASH_BITS_MAX = 60 };

static const char *const methods[] = {"ByNamespace", "ByUser", NULL};
static const char *const subject_kinds[] = {"Group", "ServiceAccount", "User", NULL};
static const char *const verbs[] = {"create", "delete", "deletecollection", "get",   "list",
                                    "patch",  "proxy",  "update",           "watch", NULL};
static const char *const levels[] = {"Exempt", "Limited", NULL};
static const char *const responses[] = {"Queue", "Reject", NULL};

static bool has_star(const val *list) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_is(val_str(val_at(list, i)), "*")) return true;
  }
  return false;
}

/* Required, and a '*' stands alone. False when there is nothing more to look at. */
static bool list_check(field_errors *errs, const path *p, const val *list, const char *missing,
                       const char *others) {
  if (val_len(list) == 0)
    field_required(errs, p, "%s", missing);
  else if (has_star(list) && val_len(list) > 1)
    field_invalid(errs, p, list, "if '*' is present, must not specify other %s", others);
  return val_len(list) > 0 && !has_star(list);
}

static void verbs_check(field_errors *errs, const path *rule, const val *r) {
  path p = path_child(rule, "verbs");
  const val *list = val_getc(r, "verbs");
  bool known = true;
  if (!list_check(errs, &p, list, "verbs must contain at least one value", "verbs")) return;
  for (uint32_t i = 0; i < val_len(list); i++)
    known = known && str_in(val_str(val_at(list, i)), verbs);
  if (!known) field_not_supported(errs, &p, list, verbs);
}

static const char *url_problem(slice url) {
  ptrdiff_t star = slice_find_char(url, '*');
  if (url.len == 0) return "must not be empty";
  if (slice_is(url, "/")) return NULL;
  if (url.ptr[0] != '/') return "must start with slash";
  if (slice_find_char(url, ' ') >= 0) return "must not contain white-space";
  if (slice_find(url, SLICE_LIT("//")) >= 0) return "must not contain double slash";
  bool suffix = star == (ptrdiff_t)url.len - 1 && slice_has_suffix(url, SLICE_LIT("/*"));
  return star >= 0 && !suffix ? "wildcard can only do suffix matching" : NULL;
}

static void url_rule_check(field_errors *errs, const path *rule, const val *r) {
  path p = path_child(rule, "nonResourceURLs");
  const val *list = val_getc(r, "nonResourceURLs");
  verbs_check(errs, rule, r);
  if (!list_check(errs, &p, list, "nonResourceURLs must contain at least one value",
                  "non-resource URLs"))
    return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&p, i);
    const char *why = url_problem(val_str(val_at(list, i)));
    if (why) field_invalid(errs, &at, val_at(list, i), "%s", why);
  }
}

static void resource_rule_check(field_errors *errs, const path *rule, const val *r) {
  path groups = path_child(rule, "apiGroups"), resources = path_child(rule, "resources"),
       spaces = path_child(rule, "namespaces");
  const val *list = val_getc(r, "namespaces");
  verbs_check(errs, rule, r);
  list_check(errs, &groups, val_getc(r, "apiGroups"),
             "resource rules must supply at least one api group", "api groups");
  list_check(errs, &resources, val_getc(r, "resources"),
             "resource rules must supply at least one resource", "resources");
  if (val_len(list) == 0 && val_true(val_getc(r, "clusterScope"))) return;
  if (!list_check(errs, &spaces, list,
                  "resource rules that are not cluster scoped must supply at least one namespace",
                  "namespaces"))
    return;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&spaces, i);
    slice texts[4], ns = val_str(val_at(list, i));
    uint32_t n = text_problems(errs->a, TEXT_DNS1123_LABEL, ns, false, texts);
    for (uint32_t k = 0; k < n; k++) {
      field_invalid_str(errs, &p, ns,
                        "each member of this list must be '*' or a DNS-1123 label; %.*s",
                        SLICE_ARG(texts[k]));
    }
  }
}

static void subject_body_check(field_errors *errs, const path *p, const val *body,
                               const char *field, const char *kind) {
  path name_at = path_child(p, "name"), ns_at = path_child(p, "namespace");
  slice name = val_get_str(body, "name"), ns = val_get_str(body, "namespace");
  if (!body) {
    field_required(errs, p, "%s is required when subject kind is '%s'", field, kind);
    return;
  }
  bool account = slice_is(slice_cstr(kind), "ServiceAccount");
  if (required_str(errs, &name_at, name) && account && !slice_is(name, "*"))
    text_check(errs, &name_at, TEXT_DNS1123_SUBDOMAIN, name);
  if (account && ns.len)
    text_check(errs, &ns_at, TEXT_DNS1123_LABEL, ns);
  else if (account)
    field_required(errs, &ns_at, "must specify namespace for service account");
}

static void subject_check(field_errors *errs, const path *p, const val *subject) {
  static const struct {
    const char *kind, *field;
  } bodies[] = {{"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};
  path kind_at = path_child(p, "kind");
  slice kind = val_get_str(subject, "kind");
  if (!enum_check(errs, &kind_at, kind, subject_kinds)) return;
  for (size_t i = 0; i < 3; i++) {
    path at = path_child(p, bodies[i].field);
    if (slice_is(kind, bodies[i].kind))
      subject_body_check(errs, &at, val_getc(subject, bodies[i].field), bodies[i].field,
                         bodies[i].kind);
  }
  for (size_t i = 0; i < 3; i++) {
    path at = path_child(p, bodies[i].field);
    if (slice_is(kind, bodies[i].kind) || !val_getc(subject, bodies[i].field)) continue;
    field_forbidden(errs, &at, "%s is forbidden when subject kind is not '%s'", bodies[i].field,
                    bodies[i].kind);
  }
}

static void each_check(field_errors *errs, const path *parent, const val *obj, const char *field,
                       void (*check)(field_errors *errs, const path *p, const val *item)) {
  path list_at = path_child(parent, field);
  const val *list = val_getc(obj, field);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&list_at, i);
    check(errs, &p, val_at(list, i));
  }
}

static void rules_check(field_errors *errs, const path *p, const val *rule) {
  path subjects = path_child(p, "subjects");
  if (val_len(val_getc(rule, "subjects")) == 0)
    field_required(errs, &subjects, "subjects must contain at least one value");
  each_check(errs, p, rule, "subjects", subject_check);
  if (val_len(val_getc(rule, "resourceRules")) + val_len(val_getc(rule, "nonResourceRules")) == 0) {
    field_required(errs, p,
                   "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  each_check(errs, p, rule, "resourceRules", resource_rule_check);
  each_check(errs, p, rule, "nonResourceRules", url_rule_check);
}

static void conditions_check(const validate_args *v) {
  path status = path_root("status"), conditions = path_child(&status, "conditions");
  const val *list = val_path(v->obj, "status.conditions");
  val *seen = val_map(v->errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&conditions, i), type_at = path_child(&p, "type");
    slice type = val_get_str(val_at(list, i), "type");
    if (seen_before(v->errs->a, seen, type.ptr ? type : SLICE_LIT("")))
      field_duplicate(v->errs, &type_at, val_string(v->errs->a, type));
    required_str(v->errs, &type_at, type);
  }
}

static void precedence_check(const validate_args *v, const path *spec, const val *s) {
  path p = path_child(spec, "matchingPrecedence");
  int64_t n = val_i64(val_getc(s, "matchingPrecedence"));
  bool exempt = slice_is(val_str(val_path(v->obj, "metadata.name")), "exempt");
  if (n <= 0) field_invalid_int(v->errs, &p, n, "must be a positive value");
  if (n > PRECEDENCE_MAX)
    field_invalid_int(v->errs, &p, n, "must not be greater than %d", PRECEDENCE_MAX);
  if (n == 1 && !exempt)
    field_invalid_int(v->errs, &p, n,
                      "only the schema named 'exempt' may have matchingPrecedence 1");
}

/* "exempt" and "catch-all" stay as they were made, but for the share of the exempt. */
static void fixed_check(const validate_args *v, const path *spec_at, const char *free_field) {
  slice name = val_str(val_path(v->obj, "metadata.name"));
  bool exempt = slice_is(name, "exempt");
  if (!v->old || (!exempt && !slice_is(name, "catch-all"))) return;
  arena *a = v->errs->a;
  const val *now = val_getc(v->obj, "spec");
  val *have = val_copy(a, now), *want = val_copy(a, val_getc(v->old, "spec"));
  bool frees = exempt && free_field;
  if (frees) {
    val_delc(have, free_field);
    val_delc(want, free_field);
  }
  if (val_equal(have, want)) return;
  slice text = arena_printf(a, "spec of '%.*s'%s must equal the fixed value", SLICE_ARG(name),
                            frees ? " except the 'spec.exempt' field" : "");
  field_invalid_struct(v->errs, spec_at, now, field_type(v, "spec"), text.ptr); /* printf ends it */
}

void validate_flow_schema(const validate_args *v) {
  path spec = path_root("spec"), method = path_child(&spec, "distinguisherMethod"),
       type_at = path_child(&method, "type"),
       level = path_child(&spec, "priorityLevelConfiguration"),
       name_at = path_child(&level, "name");
  const val *s = val_getc(v->obj, "spec"), *how = val_getc(s, "distinguisherMethod");
  slice name = val_str(val_path(s, "priorityLevelConfiguration.name"));
  if (slice_is(v->subresource, "status")) {
    conditions_check(v);
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  precedence_check(v, &spec, s);
  if (how && !str_in(val_get_str(how, "type"), methods)) {
    val *shown = val_map(v->errs->a); /* the real one shows the struct, not the type */
    val_setc(v->errs->a, shown, "Type", val_string(v->errs->a, val_get_str(how, "type")));
    field_not_supported(v->errs, &type_at, shown, methods);
  }
  if (name.len)
    text_check(v->errs, &name_at, TEXT_DNS1123_SUBDOMAIN, name);
  else
    field_required(v->errs, &name_at, "must reference a priority level");
  each_check(v->errs, &spec, s, "rules", rules_check);
  fixed_check(v, &spec, NULL);
  conditions_check(v);
}

static void queuing_check(field_errors *errs, const path *p, const val *q) {
  path length = path_child(p, "queueLengthLimit"), queues = path_child(p, "queues"),
       hand = path_child(p, "handSize");
  int64_t limit = val_i64(val_getc(q, "queueLengthLimit")), n = val_i64(val_getc(q, "queues")),
          size = val_i64(val_getc(q, "handSize"));
  if (limit <= 0) field_invalid_int(errs, &length, limit, "must be positive");
  if (n <= 0)
    field_invalid_int(errs, &queues, n, "must be positive");
  else if (n > QUEUES_MAX)
    field_invalid_int(errs, &queues, n, "must not be greater than %d", QUEUES_MAX);
  if (size <= 0)
    field_invalid_int(errs, &hand, size, "must be positive");
  else if (size > n)
    field_invalid_int(errs, &hand, size, "should not be greater than queues (%lld)", (long long)n);
  else if (ceil(log2((double)n) * (double)size) > HASH_BITS_MAX) {
    field_invalid_int(
        errs, &hand, size,
        "required entropy bits of deckSize %lld and handSize %lld should not be greater than %d",
        (long long)n, (long long)size, HASH_BITS_MAX);
  }
}

static void share_check(field_errors *errs, const path *p, const val *body, bool limited) {
  path shares = path_child(p, "nominalConcurrencyShares"), lend = path_child(p, "lendablePercent"),
       borrow = path_child(p, "borrowingLimitPercent"), response = path_child(p, "limitResponse"),
       type_at = path_child(&response, "type"), queuing = path_child(&response, "queuing");
  const val *n = val_getc(body, "nominalConcurrencyShares"), *l = val_getc(body, "lendablePercent"),
            *b = val_getc(body, "borrowingLimitPercent");
  const val *queue = val_path(body, "limitResponse.queuing");
  slice type = val_str(val_path(body, "limitResponse.type"));
  if (val_i64(n) < 0) field_invalid(errs, &shares, n, "must be a non-negative integer");
  if (limited) {
    if (slice_is(type, "Reject") && queue)
      field_forbidden(errs, &queuing, "must be nil if limited.limitResponse.type is not Limited");
    else if (slice_is(type, "Queue") && !queue)
      field_required(errs, &queuing, "must not be empty if limited.limitResponse.type is Limited");
    else if (slice_is(type, "Queue"))
      queuing_check(errs, &queuing, queue);
    else if (required_str(errs, &type_at, type))
      enum_check(errs, &type_at, type, responses);
  }
  if (l && (val_i64(l) < 0 || val_i64(l) > 100))
    field_invalid(errs, &lend, l, "must be between 0 and 100, inclusive");
  if (limited && b && val_i64(b) < 0)
    field_invalid(errs, &borrow, b, "if specified, must be a non-negative integer");
}

void validate_priority_level(const validate_args *v) {
  path spec = path_root("spec"), type_at = path_child(&spec, "type"),
       limited_at = path_child(&spec, "limited"), exempt_at = path_child(&spec, "exempt"),
       meta = path_root("metadata"), notes = path_child(&meta, "annotations");
  const val *s = val_getc(v->obj, "spec"), *limited = val_getc(s, "limited"),
            *exempt = val_getc(s, "exempt");
  slice type = val_get_str(s, "type");
  static const char zero[] = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
  if (slice_is(v->subresource, "status")) {
    conditions_check(v);
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(val_path(v->obj, "metadata.annotations"), zero))
    field_forbidden(v->errs, &notes, "annotation '%s' is forbidden", zero);
  bool is_exempt = slice_is(type, "Exempt"),
       named = slice_is(val_str(val_path(v->obj, "metadata.name")), "exempt");
  if (named != is_exempt)
    field_invalid_str(v->errs, &type_at, type.ptr ? type : SLICE_LIT(""),
                      "must be 'Exempt' if and only if `name` is 'exempt'");
  if (is_exempt) {
    if (limited) field_forbidden(v->errs, &limited_at, "must be nil if the type is not Limited");
    if (exempt) share_check(v->errs, &exempt_at, exempt, false);
  } else if (slice_is(type, "Limited")) {
    if (exempt) field_forbidden(v->errs, &exempt_at, "must be nil if the type is Limited");
    if (limited)
      share_check(v->errs, &limited_at, limited, true);
    else
      field_required(v->errs, &limited_at, "must not be empty when type is Limited");
  } else if (required_str(v->errs, &type_at, type)) {
    enum_check(v->errs, &type_at, type, levels);
  }
  fixed_check(v, &spec, "exempt");
  conditions_check(v);
}
