/* Small checks shared by the validators. */
#include "registry/validation/checks.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/validation/pod_checks.h"

/* Most kinds take the core group's rule for finalizers, these groups only the general one. */
static void finalizers_rule(const validate_args *v) {
  static const char *const general[] = {"admissionregistration.k8s.io", "apiextensions.k8s.io",
                                        "apiregistration.k8s.io", "coordination.k8s.io",
                                        "node.k8s.io", "policy", NULL};
  path p = path_root("metadata");
  if (!str_in(v->resource->group, general)) core_finalizers_check(v->errs, &p, v->obj);
}

void meta_rules(const validate_args *v, text_rule rule) {
  path p = path_root("metadata");
  metadata_validate(v->errs, &p, v->obj, v->resource->namespaced, rule);
  finalizers_rule(v);
}

void meta_change(const validate_args *v) {
  path p = path_root("metadata");
  if (!v->old) return;
  metadata_validate_update(v->errs, &p, v->obj, v->old);
  finalizers_rule(v);
}

bool seen_before(arena *a, val *set, slice text) {
  if (val_get(set, text)) return true;
  val_set(a, set, text, val_null(a));
  return false;
}

bool str_in(slice text, const char *const *choices) {
  for (size_t i = 0; choices[i]; i++) {
    if (slice_is(text, choices[i])) return true;
  }
  return false;
}

static val *text_val(arena *a, slice text) {
  return val_string(a, text.ptr ? text : SLICE_LIT(""));
}

bool plain_enum_check(field_errors *errs, const path *p, slice text, const char *const *choices) {
  if (str_in(text, choices)) return true;
  field_not_supported_text(errs, p, text, choices);
  return false;
}

bool enum_check(field_errors *errs, const path *p, slice text, const char *const *choices) {
  if (str_in(text, choices)) return true;
  field_not_supported(errs, p, text_val(errs->a, text), choices);
  return false;
}

bool required_str(field_errors *errs, const path *p, slice text) {
  if (text.len) return true;
  field_required(errs, p, "%s", "");
  return false;
}

bool text_check_as(field_errors *errs, const path *p, text_rule rule, slice tested, slice bad,
                   const char *before) {
  slice texts[4];
  uint32_t n = text_problems(errs->a, rule, tested, false, texts);
  for (uint32_t i = 0; i < n; i++) {
    field_invalid_str(errs, p, bad, "%s%.*s", before, SLICE_ARG(texts[i]));
  }
  return n == 0;
}

bool text_check_named(field_errors *errs, const path *p, text_rule rule, slice text) {
  slice texts[4];
  uint32_t n = text_problems(errs->a, rule, text, false, texts);
  for (uint32_t i = 0; i < n; i++) {
    field_invalid_named(errs, p, text, "%.*s", SLICE_ARG(texts[i]));
  }
  return n == 0;
}

void text_check_lowered(field_errors *errs, const path *p, text_rule rule, slice text) {
  text_check_as(errs, p, rule, arena_lower(errs->a, text), text, "");
}

void text_check_joined(field_errors *errs, const path *p, text_rule rule, slice tested, slice bad,
                       const char *before) {
  slice all = text_problems_joined(errs->a, rule, tested, ",");
  if (all.len)
    field_invalid_str(errs, p, bad.ptr ? bad : SLICE_LIT(""), "%s%.*s", before, SLICE_ARG(all));
}

void csi_driver_name_check(field_errors *errs, const path *p, slice name) {
  if (!required_str(errs, p, name)) return;
  if (name.len > 63) field_too_long(errs, p, 63);
  text_check_lowered(errs, p, TEXT_DNS1123_SUBDOMAIN, name);
}

void quantity_nonnegative_check(field_errors *errs, const path *p, slice quantity) {
  if (quantity_cmp(quantity, SLICE_LIT("0")) >= 0) return;
  field_invalid_str(errs, p, quantity, "must be greater than or equal to 0");
}

/* Go's field name of a JSON name. */
static void go_name(buf *b, slice json) {
  static const struct {
    const char *json, *go;
  } odd[] = {{"apiGroup", "APIGroup"},
             {"apiGroups", "APIGroups"},
             {"apiVersion", "APIVersion"},
             {"uid", "UID"},
             {"ip", "IP"},
             {"ipMode", "IPMode"},
             {"tls", "TLS"},
             {"http", "HTTP"},
             {"cidrs", "CIDRs"},
             {"pkixPublicKey", "PKIXPublicKey"}};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    if (!slice_is(json, odd[i].json)) continue;
    buf_cstr(b, odd[i].go);
    return;
  }
  if (json.len == 0) return;
  char c = json.ptr[0];
  buf_char(b, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
  buf_append(b, slice_from(json, 1));
}

static void go_value(buf *b, const val *v, const type_info *t, bool pointer, int depth);

static void go_zero(buf *b, const type_info *t, int depth) {
  switch (t->kind) {
    case TYPE_STRING: buf_lit(b, "\"\""); break;
    case TYPE_BOOL: buf_lit(b, "false"); break;
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64:
    case TYPE_INT_OR_STRING: buf_lit(b, "0"); break;
    case TYPE_QUANTITY: buf_lit(b, "\"0\""); break;
    case TYPE_STRUCT: go_value(b, NULL, t, false, depth); break;
    default: buf_lit(b, "null");
  }
}

/* Metadata is embedded in the Go struct: its fields stand among the others, with JSON's names and
 * what JSON leaves out left out. */
static void go_metadata(buf *b, const val *meta, const type_info *t, bool *first) {
  buf inner;
  buf_init(&inner, LIMIT_BUFFER);
  if (val_len(meta)) json_encode(&inner, meta, t);
  slice text = buf_slice(&inner);
  if (text.len > 2) {
    if (!*first) buf_char(b, ',');
    buf_append(b, slice_upto(slice_from(text, 1), text.len - 2));
    *first = false;
  }
  buf_dispose(&inner);
}

static void go_struct(buf *b, const val *v, const type_info *t, int depth) {
  bool first = true;
  buf_char(b, '{');
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *f = t->fields + i;
    if (slice_is(f->name, "metadata")) {
      go_metadata(b, val_get(v, f->name), f->type, &first);
      continue;
    }
    buf_cstr(b, first ? "\"" : ",\"");
    first = false;
    go_name(b, f->name);
    buf_lit(b, "\":");
    go_value(b, val_get(v, f->name), f->type, f->pointer, depth);
  }
  buf_char(b, '}');
}

/* Types that tell JSON names to Go print with them. */
static bool tells_json(const type_info *t) {
  return slice_has_prefix(t->full_name, SLICE_LIT("io.k8s.apimachinery."));
}

static void go_value(buf *b, const val *v, const type_info *t, bool pointer, int depth) {
  if (depth > 32 || (!v && pointer)) {
    buf_lit(b, "null");
    return;
  }
  if (!v && t->kind != TYPE_STRUCT) {
    go_zero(b, t, depth);
    return;
  }
  if (tells_json(t) && v) {
    json_encode(b, v, t);
  } else if (t->kind == TYPE_STRUCT) {
    go_struct(b, v, t, depth + 1);
  } else if (t->kind == TYPE_LIST && t->elem && t->elem->kind == TYPE_STRUCT) {
    buf_char(b, '[');
    for (uint32_t i = 0; i < val_len(v); i++) {
      if (i) buf_char(b, ',');
      go_value(b, val_at(v, i), t->elem, t->elem_pointer, depth + 1);
    }
    buf_char(b, ']');
  } else {
    json_encode_any(b, v, true);
  }
}

static void struct_error(field_errors *errs, const path *p, const val *v, const type_info *t,
                         const char *detail) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_cstr(&b, detail ? "Invalid value: " : "Duplicate value: ");
  if (v && t)
    go_value(&b, v, t, false, 0);
  else
    buf_lit(&b, "null");
  if (detail) buf_printf(&b, ": %s", detail);
  field_error_add(errs, detail ? FIELD_INVALID : FIELD_DUPLICATE, path_text(errs->a, p),
                  arena_copy(errs->a, buf_slice(&b)));
  buf_dispose(&b);
}

void field_invalid_struct(field_errors *errs, const path *p, const val *v, const type_info *t,
                          const char *detail) {
  struct_error(errs, p, v, t, detail);
}

void field_duplicate_struct(field_errors *errs, const path *p, const val *v, const type_info *t) {
  struct_error(errs, p, v, t, NULL);
}

bool immutable_struct_check(field_errors *errs, const path *p, const val *now, const val *before,
                            const type_info *t) {
  if (val_same(now, before)) return true;
  field_invalid_struct(errs, p, now, t, "field is immutable");
  return false;
}

bool is_plain_number(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (!ascii_is_digit(s.ptr[i])) return false;
  }
  return s.len == 1 || (s.len > 1 && s.ptr[0] != '0');
}

const val *map_shown(arena *a, const val *v, const char *name) {
  const val *field = val_getc(v, name);
  return field || !val_had_empty(v, name) ? field : val_map(a);
}

const val *list_shown(arena *a, const val *v, const char *name) {
  const val *field = val_getc(v, name);
  return field || !val_had_empty(v, name) ? field : val_list(a);
}

const val *struct_shown(arena *a, const val *v, const char *name) {
  const val *field = val_getc(v, name);
  return field ? field : val_map(a);
}

bool immutable_str_check(field_errors *errs, const path *p, slice now, slice before) {
  if (slice_eq(now, before)) return true;
  field_invalid_str(errs, p, now, "field is immutable");
  return false;
}

const type_info *field_type(const validate_args *v, const char *dotted) {
  return type_path(v->resource->storage->type, dotted);
}

void warn_at(request *rq, const path *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  slice text = arena_vprintf(rq->arena, format, args), at = path_text(rq->arena, p);
  va_end(args);
  request_warn(rq, arena_printf(rq->arena, "%.*s: %.*s", SLICE_ARG(at), SLICE_ARG(text)));
}

const char *node_label_deprecated(slice key) {
  static const struct {
    const char *key, *text;
  } rows[] = {
      {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
      {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
      {"failure-domain.beta.kubernetes.io/region",
       "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
      {"failure-domain.beta.kubernetes.io/zone",
       "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
      {"beta.kubernetes.io/instance-type",
       "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
      {"app.kubernetes.io/created-by", "deprecated since v1.9"},
      {"scheduler.alpha.kubernetes.io/preferAvoidPods",
       "deprecated since v1.22; use Taints and Tolerations instead"},
      {"node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (slice_is(key, rows[i].key)) return rows[i].text;
  }
  return NULL;
}
