/* Validation of the access reviews, in the order in which the real server finds things. Rule:
 * kubernetes pkg/apis/authorization/validation. */
#include "access/review_validate.h"

#include "access/text.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/selector.h"
#include "registry/validation/text_rules.h"

/* The internal type's JSON, which the real server prints: Go's field names. */
static val *nonresource_printed(arena *a, const val *v) {
  val *out = val_map(a);
  val_setc(a, out, "Path", val_string(a, val_get_str(v, "path")));
  val_setc(a, out, "Verb", val_string(a, val_get_str(v, "verb")));
  return out;
}

static const char exactly_one[] =
    "exactly one of nonResourceAttributes or resourceAttributes must be specified";

static void validate_attributes(field_errors *errs, const val *spec, bool with_user) {
  const val *resource = val_getc(spec, "resourceAttributes");
  const val *other = val_getc(spec, "nonResourceAttributes");
  path root = path_root("spec");
  path at_other = path_child(&root, "nonResourceAttributes");
  path at_resource = path_child(&root, "resourceAttributes"), at_user = path_child(&root, "user");
  if (resource && other) {
    field_invalid(errs, &at_other, nonresource_printed(errs->a, other),
                  "cannot be specified in combination with resourceAttributes");
  }
  if (!resource && !other) field_invalid(errs, &at_resource, NULL, "%s", exactly_one);
  if (with_user && !val_get_str(spec, "user").len && !val_len(val_getc(spec, "groups"))) {
    field_invalid_str(errs, &at_user, SLICE_NONE,
                      "at least one of user or group must be specified");
  }
}

static void validate_requirement(field_errors *errs, const val *r, const path *at, bool fields) {
  slice op = val_get_str(r, "operator"), key = val_get_str(r, "key");
  uint32_t values = val_len(val_getc(r, "values"));
  path at_key = path_child(at, "key"), at_values = path_child(at, "values");
  if (fields && key.len == 0) field_required(errs, &at_key, "must be specified");
  if ((slice_is(op, "In") || slice_is(op, "NotIn")) && values == 0) {
    field_required(errs, &at_values, "must be specified when `operator` is 'In' or 'NotIn'");
  }
  if ((slice_is(op, "Exists") || slice_is(op, "DoesNotExist")) && values) {
    field_forbidden(errs, &at_values,
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  }
  if (fields) return;
  text_check(errs, &at_key, TEXT_LABEL_KEY, key);
  for (uint32_t i = 0; i < values; i++) {
    path item = path_index(&at_values, i);
    text_check(errs, &item, TEXT_LABEL_VALUE, val_str(val_at(val_getc(r, "values"), i)));
  }
}

static void validate_selector(field_errors *errs, const val *attributes, const char *name) {
  const val *s = val_getc(attributes, name);
  if (!s) return;
  path root = path_root("spec.resourceAttributes"), at = path_child(&root, name);
  path at_raw = path_child(&at, "rawSelector"), at_list = path_child(&at, "requirements");
  slice raw = val_get_str(s, "rawSelector");
  const val *list = val_getc(s, "requirements");
  if (raw.len && val_len(list)) {
    field_invalid_str(errs, &at_raw, raw, "may not specified at the same time as requirements");
  }
  if (!raw.len && !val_len(list)) {
    field_required(errs, &at_list,
                   "when spec.resourceAttributes.%s is specified, requirements or rawSelector is "
                   "required", name);
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path item = path_index(&at_list, i);
    validate_requirement(errs, val_at(list, i), &item, name[0] == 'f');
  }
}

static void validate_meta(field_errors *errs, review_kind kind, const val *review) {
  const val *meta = val_getc(review, "metadata");
  path at = path_root("metadata");
  bool local = kind == REVIEW_LOCAL, empty = true;
  VAL_EACH(e, meta) {
    bool passes = slice_is(e->key, "managedFields") || (local && slice_is(e->key, "namespace"));
    empty = empty && (passes || val_is_empty(e->value));
  }
  if (empty) return;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode(&b, meta, schema_type(SLICE_LIT("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")));
  slice printed = text_take(errs->a, &b);
  field_error_add(errs, FIELD_INVALID, path_text(errs->a, &at),
                  arena_printf(errs->a, "Invalid value: %.*s: must be empty%s", SLICE_ARG(printed),
                               local ? " except for namespace" : ""));
}

static void validate_local(field_errors *errs, const val *review) {
  const val *resource = val_path(review, "spec.resourceAttributes");
  const val *other = val_path(review, "spec.nonResourceAttributes");
  slice namespace = val_get_str(resource, "namespace");
  if (resource && !slice_eq(namespace, val_str(val_path(review, "metadata.namespace")))) {
    path at = path_root("spec.resourceAttributes.namespace");
    field_invalid_str(errs, &at, namespace, "must match metadata.namespace");
  }
  if (other) {
    path at = path_root("spec.nonResourceAttributes");
    field_invalid(errs, &at, nonresource_printed(errs->a, other),
                  "disallowed on this kind of request");
  }
}

void review_validate(field_errors *errs, review_kind kind, const val *review) {
  const val *spec = val_getc(review, "spec"), *resource = val_getc(spec, "resourceAttributes");
  validate_attributes(errs, spec, kind != REVIEW_SELF);
  validate_selector(errs, resource, "fieldSelector");
  validate_selector(errs, resource, "labelSelector");
  validate_meta(errs, kind, review);
  if (kind == REVIEW_LOCAL) validate_local(errs, review);
}

/* ---- selectors that pass validation and still can't be read ---- */

/* fields.ParseSelector: terms of KEY=VALUE, == or !=, with escapes. */
static bool field_terms_parse(slice raw) {
  bool has_op = false, escaped = false;
  size_t term = 0;
  for (size_t i = 0; i <= raw.len; i++) {
    char c = i < raw.len ? raw.ptr[i] : ',';
    if (escaped) {
      if (i == raw.len || (c != '\\' && c != ',' && c != '=')) return false;
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '=') {
      has_op = true;
    } else if (c == ',') {
      if (i > term && !has_op) return false;
      term = i + 1;
      has_op = false;
    }
  }
  return true;
}

static bool requirement_readable(const val *r, bool fields) {
  slice op = val_get_str(r, "operator");
  bool in = slice_is(op, "In") || slice_is(op, "NotIn");
  if (fields) return in && val_len(val_getc(r, "values")) == 1;
  return in || slice_is(op, "Exists") || slice_is(op, "DoesNotExist");
}

static slice selector_error(arena *a, const val *attributes, const char *name) {
  const val *s = val_getc(attributes, name), *list = val_getc(s, "requirements");
  bool fields = name[0] == 'f';
  slice raw = val_get_str(s, "rawSelector");
  uint32_t readable = 0, n = val_len(list);
  for (uint32_t i = 0; i < n; i++) readable += requirement_readable(val_at(list, i), fields);
  bool bad = readable < n;
  if (raw.len && fields) bad = !field_terms_parse(raw);
  if (raw.len && !fields) {
    selector parsed;
    status_error ignored = {0};
    bad = !selector_parse(a, raw, SLICE_NONE, &parsed, &ignored);
  }
  if (!bad) return SLICE_NONE;
  return arena_printf(a, "spec.resourceAttributes.%s %signored due to parse error", name,
                      readable ? "partially " : "");
}

slice review_selector_error(arena *a, const val *attributes) {
  slice f = selector_error(a, attributes, "fieldSelector");
  slice l = selector_error(a, attributes, "labelSelector");
  if (f.len && l.len) return arena_printf(a, "%.*s; %.*s", SLICE_ARG(f), SLICE_ARG(l));
  return f.len ? f : l;
}
