/* Admission policies and their bindings. Source: pkg/apis/admissionregistration/validation. CEL
 * expressions are not compiled: only their presence is looked at. */
#include "registry/validation/admission.h"
#include "registry/validation/rows.h"

#define ANNOTATIONS_MAX 20
#define VALUE_EXPRESSION_MAX (5 * 1024)

static const char *const reasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge", NULL};
static const char *const actions[] = {"Audit", "Deny", "Warn", NULL};
static const char *const not_found_actions[] = {"Deny", "Allow", NULL};
static const char *const mutating_operations[] = {"*", "CONNECT", "CREATE", "UPDATE", NULL};
static const char *const patch_types[] = {"ApplyConfiguration", "JSONPatch", NULL};
static const char *const reserved[] = {
    "true",      "false",  "null",     "in",   "as",     "break", "const", "continue",
    "else",      "for",    "function", "if",   "import", "let",   "loop",  "package",
    "namespace", "return", "var",      "void", "while",  NULL};

static slice lowered(arena *a, slice s) {
  char *p = arena_cstr(a, s);
  for (size_t i = 0; i < s.len; i++) p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
  return slice_of(p, s.len);
}

static void param_version_check(field_errors *errs, const path *p, slice text) {
  slice group = SLICE_LIT(""), version = text, tail, why;
  if (slice_cut(text, '/', &group, &tail))
    version = tail;
  else
    group = SLICE_LIT("");
  if (slice_find_char(version, '/') >= 0) {
    field_invalid_str(errs, p, text, "unexpected GroupVersion string: %.*s", SLICE_ARG(text));
    return;
  }
  if (group.len && (why = text_problems_joined(errs->a, TEXT_DNS1123_SUBDOMAIN, group, ",")).len)
    field_invalid_str(errs, p, group, "%.*s", SLICE_ARG(why));
  if (version.len == 0)
    field_invalid_str(errs, p, text, "version must be specified");
  else if ((why = text_problems_joined(errs->a, TEXT_DNS1035_LABEL, version, ",")).len)
    field_invalid_str(errs, p, version, "%.*s", SLICE_ARG(why));
}

static void param_kind_check(field_errors *errs, const path *spec, const val *kind) {
  path p = path_child(spec, "paramKind"), version = path_child(&p, "apiVersion"),
       kind_at = path_child(&p, "kind");
  slice v = val_get_str(kind, "apiVersion"), k = val_get_str(kind, "kind");
  if (!kind) return;
  if (required_str(errs, &version, v)) param_version_check(errs, &version, v);
  if (!required_str(errs, &kind_at, k)) return;
  slice why = text_problems_joined(errs->a, TEXT_DNS1035_LABEL, lowered(errs->a, k), ",");
  if (why.len)
    field_invalid_str(errs, &kind_at, k, "may have mixed case, but should otherwise match: %.*s",
                      SLICE_ARG(why));
}

static void named_rules_check(field_errors *errs, const path *match, const val *m,
                              const char *field) {
  path rules = path_child(match, field);
  const val *list = val_getc(m, field);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&rules, i), names_at = path_child(&p, "resourceNames");
    const val *names = val_getc(val_at(list, i), "resourceNames");
    val *seen = val_map(errs->a);
    for (uint32_t k = 0; k < val_len(names); k++) {
      path at = path_index(&names_at, k);
      text_check(errs, &at, TEXT_PATH_SEGMENT, val_str(val_at(names, k)));
      if (seen_before(errs->a, seen, val_str(val_at(names, k))))
        field_duplicate(errs, &at, val_at(names, k));
    }
    admission_rule_check(errs, &p, val_at(list, i));
  }
}

static void match_check(field_errors *errs, const path *p, const val *m) {
  static const char *const selectors[] = {"namespaceSelector", "objectSelector"};
  path policy = path_child(p, "matchPolicy");
  if (!val_getc(m, "matchPolicy"))
    field_required(errs, &policy, "%s", "");
  else
    match_policy_check(errs, &policy, val_get_str(m, "matchPolicy"));
  for (size_t i = 0; i < 2; i++) {
    path at = path_child(p, selectors[i]);
    if (!val_getc(m, selectors[i]))
      field_required(errs, &at, "%s", "");
    else
      label_selector_validate(errs, &at, val_getc(m, selectors[i]));
  }
  named_rules_check(errs, p, m, "resourceRules");
  named_rules_check(errs, p, m, "excludeResourceRules");
}

/* A mutating policy sees no deletions. */
static void mutating_operations_check(field_errors *errs, const path *match, const val *m) {
  path rules = path_child(match, "resourceRules"), at = path_child(&rules, "operations");
  const val *list = val_getc(m, "resourceRules");
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *ops = val_getc(val_at(list, i), "operations");
    for (uint32_t k = 0; k < val_len(ops); k++)
      enum_check(errs, &at, val_str(val_at(ops, k)), mutating_operations);
  }
}

static bool is_identifier(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return s.len > 0 && !str_in(s, reserved);
}

static void variables_check(field_errors *errs, const path *spec, const val *list) {
  path root = path_child(spec, "variables");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), name_at = path_child(&p, "name"),
         expression = path_child(&p, "expression");
    slice name = val_get_str(val_at(list, i), "name");
    if (slice_trim(name).len == 0)
      field_required(errs, &name_at, "name is not specified");
    else if (!is_identifier(name))
      field_invalid_str(errs, &name_at, name, "must be a valid CEL identifier");
    if (slice_trim(val_get_str(val_at(list, i), "expression")).len == 0) {
      field_required(errs, &expression, "expression is not specified");
    }
  }
}

static void validations_check(field_errors *errs, const path *spec, const val *list) {
  path root = path_child(spec, "validations");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), expression = path_child(&p, "expression"),
         message = path_child(&p, "message"), told = path_child(&p, "messageExpression"),
         reason = path_child(&p, "reason");
    const val *item = val_at(list, i), *r = val_getc(item, "reason");
    slice m = val_get_str(item, "message"), e = val_get_str(item, "messageExpression"),
          trimmed = slice_trim(m);
    if (slice_trim(val_get_str(item, "expression")).len == 0)
      field_required(errs, &expression, "expression is not specified");
    if (e.len && slice_trim(e).len == 0)
      field_invalid_str(errs, &told, e, "must be non-empty if specified");
    if (m.len && trimmed.len == 0)
      field_invalid_str(errs, &message, m, "must be non-empty if specified");
    else if (slice_find_char(trimmed, '\n') >= 0 || slice_find_char(trimmed, '\r') >= 0) {
      field_invalid_str(errs, &message, m, "must not contain line breaks");
    }
    if (r) enum_check(errs, &reason, val_str(r), reasons);
  }
}

static void annotations_check(const validate_args *v, const path *spec, const val *list) {
  field_errors *errs = v->errs;
  path root = path_child(spec, "auditAnnotations");
  slice name = val_get_str(val_getc(v->obj, "metadata"), "name");
  val *keys = val_map(errs->a);
  if (val_len(list) > ANNOTATIONS_MAX) {
    const type_info *t = field_type(v, "spec.auditAnnotations");
    field_invalid_struct(errs, &root, list, t, "must not have more than 20 auditAnnotations");
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&root, i), key_at = path_child(&p, "key"),
         value = path_child(&p, "valueExpression");
    slice key = val_get_str(val_at(list, i), "key"),
          e = slice_trim(val_get_str(val_at(list, i), "valueExpression"));
    if (name.len == 0)
      field_invalid_str(errs, &key_at, key, "requires metadata.name be non-empty");
    else
      text_check(errs, &key_at, TEXT_LABEL_KEY,
                 arena_printf(errs->a, "%.*s/%.*s", SLICE_ARG(name), SLICE_ARG(key)));
    if (e.len == 0)
      field_required(errs, &value, "valueExpression is not specified");
    else if (e.len > VALUE_EXPRESSION_MAX)
      field_required(errs, &value, "must not exceed %d bytes in length", VALUE_EXPRESSION_MAX);
    if (seen_before(errs->a, keys, key.ptr ? key : SLICE_LIT("")))
      field_duplicate(errs, &key_at, val_string(errs->a, key));
  }
}

/* What both kinds of policies begin with. */
static void policy_head_check(const validate_args *v, const path *spec, const val *s,
                              bool mutating) {
  field_errors *errs = v->errs;
  path failure = path_child(spec, "failurePolicy"), match = path_child(spec, "matchConstraints"),
       rules = path_child(&match, "resourceRules"), when = path_child(spec, "matchConditions");
  const val *m = val_getc(s, "matchConstraints"), *was = val_getc(v->old, "spec");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (!val_getc(s, "failurePolicy"))
    field_required(errs, &failure, "%s", "");
  else
    failure_policy_check(errs, &failure, val_get_str(s, "failurePolicy"));
  param_kind_check(errs, spec, val_getc(s, "paramKind"));
  if (!m)
    field_required(errs, &match, "%s", "");
  else
    match_check(errs, &match, m);
  if (m && val_len(val_getc(m, "resourceRules")) == 0) field_required(errs, &rules, "%s", "");
  if (m && mutating) mutating_operations_check(errs, &match, m);
  bool kept = v->old && val_same(val_getc(s, "paramKind"), val_getc(was, "paramKind")) &&
              val_same(val_getc(s, "matchConditions"), val_getc(was, "matchConditions"));
  if (!kept) match_conditions_check(errs, &when, val_getc(s, "matchConditions"));
  variables_check(errs, spec, val_getc(s, "variables"));
}

static void policy_status_check(const validate_args *v) {
  path status = path_root("status"), typing = path_child(&status, "typeChecking"),
       warnings = path_child(&typing, "expressionWarnings"),
       conditions = path_child(&status, "conditions");
  const val *list = val_path(v->obj, "status.typeChecking.expressionWarnings");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&warnings, i), text = path_child(&p, "warning"),
         ref = path_child(&p, "fieldRef");
    required_str(v->errs, &text, val_get_str(val_at(list, i), "warning"));
    required_str(v->errs, &ref, slice_trim(val_get_str(val_at(list, i), "fieldRef")));
  }
  conditions_validate(v->errs, &conditions, val_path(v->obj, "status.conditions"));
}

void validate_validating_policy(const validate_args *v) {
  path spec = path_root("spec"), checks = path_child(&spec, "validations"),
       notes = path_child(&spec, "auditAnnotations");
  const val *s = val_getc(v->obj, "spec"), *list = val_getc(s, "validations"),
            *audit = val_getc(s, "auditAnnotations");
  static const char none[] = "validations or auditAnnotations must contain at least one item";
  if (slice_is(v->subresource, "status")) {
    policy_status_check(v);
    return;
  }
  policy_head_check(v, &spec, s, false);
  if (val_len(list) + val_len(audit) == 0) {
    field_required(v->errs, &checks, "%s", none);
    field_required(v->errs, &notes, "%s", none);
    return;
  }
  validations_check(v->errs, &spec, list);
  annotations_check(v, &spec, audit);
}

static void mutation_check(field_errors *errs, const path *p, const val *m) {
  static const char *const fields[] = {"applyConfiguration", "jsonPatch"};
  path type = path_child(p, "patchType");
  slice t = val_get_str(m, "patchType");
  if (!required_str(errs, &type, t) || !enum_check(errs, &type, t, patch_types)) return;
  size_t own = slice_is(t, patch_types[0]) ? 0 : 1;
  path mine = path_child(p, fields[own]), other = path_child(p, fields[1 - own]),
       expression = path_child(&mine, "expression");
  const val *body = val_getc(m, fields[own]);
  if (!body)
    field_required(errs, &mine, "must be specified when patchType is %s", patch_types[own]);
  else
    required_str(errs, &expression, slice_trim(val_get_str(body, "expression")));
  if (val_getc(m, fields[1 - own])) {
    slice shown = arena_printf(errs->a, "{%s}", fields[1 - own]);
    field_invalid_str(errs, &other, shown, "must not be specified when patchType is %s",
                      patch_types[own]);
  }
}

void validate_mutating_policy(const validate_args *v) {
  path spec = path_root("spec"), mutations = path_child(&spec, "mutations"),
       again = path_child(&spec, "reinvocationPolicy");
  const val *s = val_getc(v->obj, "spec"), *list = val_getc(s, "mutations");
  slice policy = val_get_str(s, "reinvocationPolicy");
  policy_head_check(v, &spec, s, true);
  if (val_len(list) == 0)
    field_required(v->errs, &mutations, "mutations must contain at least one item");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&mutations, i);
    mutation_check(v->errs, &p, val_at(list, i));
  }
  if (required_str(v->errs, &again, policy)) reinvocation_policy_check(v->errs, &again, policy);
}

static void param_ref_check(field_errors *errs, const path *spec, const val *ref) {
  path p = path_child(spec, "paramRef"), name_at = path_child(&p, "name"),
       selector_at = path_child(&p, "selector"),
       missing = path_child(&p, "parameterNotFoundAction");
  slice name = val_get_str(ref, "name"), action = val_get_str(ref, "parameterNotFoundAction");
  const val *selector = val_getc(ref, "selector");
  static const char both[] = "name and selector are mutually exclusive";
  if (!ref) return;
  if (name.len) text_check(errs, &name_at, TEXT_PATH_SEGMENT, name);
  if (name.len && selector) field_forbidden(errs, &name_at, "%s", both);
  label_selector_validate(errs, &selector_at, selector);
  if (name.len && selector) field_forbidden(errs, &selector_at, "%s", both);
  if (!name.len && !selector) field_required(errs, &p, "one of name or selector must be specified");
  if (required_str(errs, &missing, action)) enum_check(errs, &missing, action, not_found_actions);
}

static const val *binding_check(const validate_args *v, const path *spec, const val *s) {
  path policy = path_child(spec, "policyName"), match = path_child(spec, "matchResources");
  slice name = val_get_str(s, "policyName");
  const val *m = val_getc(s, "matchResources");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (required_str(v->errs, &policy, name))
    text_check(v->errs, &policy, TEXT_DNS1123_SUBDOMAIN, name);
  param_ref_check(v->errs, spec, val_getc(s, "paramRef"));
  if (m) match_check(v->errs, &match, m);
  return m;
}

void validate_mutating_policy_binding(const validate_args *v) {
  path spec = path_root("spec"), match = path_child(&spec, "matchResources");
  const val *m = binding_check(v, &spec, val_getc(v->obj, "spec"));
  if (m) mutating_operations_check(v->errs, &match, m);
}

void validate_validating_policy_binding(const validate_args *v) {
  path spec = path_root("spec"), at = path_child(&spec, "validationActions");
  const val *s = val_getc(v->obj, "spec"), *list = val_getc(s, "validationActions");
  val *seen = val_map(v->errs->a);
  binding_check(v, &spec, s);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&at, i);
    slice action = val_str(val_at(list, i));
    enum_check(v->errs, &p, action, actions);
    if (seen_before(v->errs->a, seen, action)) field_duplicate(v->errs, &p, val_at(list, i));
  }
  if (val_getc(seen, "Deny") && val_getc(seen, "Warn")) {
    field_invalid(
        v->errs, &at, list,
        "must not contain both Deny and Warn (repeating the same validation failure information in "
        "the API response and headers serves no purpose)");
  }
  if (val_len(list) == 0)
    field_required(v->errs, &at, "at least one validation action is required");
}
