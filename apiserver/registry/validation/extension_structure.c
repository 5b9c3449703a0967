/* What makes a schema structural. Source: apiextensions-apiserver pkg/apiserver/schema/
 * {validation,complete}.go. */
#include "registry/validation/checks.h"
#include "registry/validation/extension_internal.h"

#include <stdlib.h>

typedef enum level { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD } level;

static void invariants(field_errors *errs, const path *p, const structural *s, level where);
static void nested(field_errors *errs, const path *p, const structural *v, bool skip_any);

static void forbid(field_errors *errs, const path *p, const char *field, const char *why) {
  path at = path_child(p, field);
  field_forbidden(errs, &at, "%s", why);
}

/* Has the schema these parts and no others? */
static bool only_type(const structural *s, const char *type) {
  return val_len(s->source) == 1 && !val_had_any_empty(s->source) && slice_is(s->type, type);
}

static bool is_int_or_string(const structural_list *any) {
  return any->count == 2 && only_type(any->items[0], "integer") &&
         only_type(any->items[1], "string");
}

/* ---- value validation: allOf, anyOf, oneOf, not ---- */

static void list_nested(field_errors *errs, const path *p, const char *name,
                        const structural_list *list, bool first_skips_any) {
  path all = path_child(p, name);
  for (uint32_t i = 0; i < list->count; i++) {
    path at = path_index(&all, i);
    nested(errs, &at, list->items[i], first_skips_any && i == 0);
  }
}

static void values(field_errors *errs, const path *p, const structural *s, bool skip_any,
                   bool skip_first) {
  path no = path_child(p, "not"), text_at = path_child(p, "pattern");
  if (!skip_any) list_nested(errs, p, "anyOf", &s->any_of, false);
  list_nested(errs, p, "allOf", &s->all_of, skip_first);
  list_nested(errs, p, "oneOf", &s->one_of, false);
  if (s->not_schema) nested(errs, &no, s->not_schema, false);
  if (s->pattern_error.len)
    field_invalid_str(errs, &text_at, s->pattern_text,
                      "must be a valid regular expression, but isn't: %.*s",
                      SLICE_ARG(s->pattern_error));
}

static void nested_forbidden(field_errors *errs, const path *p, const structural *v) {
  static const struct {
    const char *field, *why;
  } never[] = {
      {"type", "must be empty to be structural"},
      {"default", "must be undefined to be structural"},
      {"title", "must be empty to be structural"},
      {"description", "must be empty to be structural"},
      {"nullable", "must be false to be structural"},
      {"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
      {"x-kubernetes-embedded-resource", "must be false to be structural"},
      {"x-kubernetes-int-or-string", "must be false to be structural"},
      {"x-kubernetes-list-map-keys", "must be empty to be structural"},
      {"x-kubernetes-list-type", "must be undefined to be structural"},
      {"x-kubernetes-map-type", "must be undefined to be structural"},
      {"x-kubernetes-validations", "must be empty to be structural"},
  };
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
    const val *field = val_getc(v->source, never[i].field);
    bool text = slice_is(slice_cstr(never[i].field), "x-kubernetes-list-type") ||
                slice_is(slice_cstr(never[i].field), "x-kubernetes-map-type") ||
                slice_is(slice_cstr(never[i].field), "default");
    if (text ? field && !val_is_null(field) : !val_is_empty(field))
      forbid(errs, p, never[i].field, never[i].why);
  }
  if (v->additional_allowed)
    forbid(errs, p, "additionalProperties", "must be undefined to be structural");
}

static void nested(field_errors *errs, const path *p, const structural *v, bool skip_any) {
  path items = path_child(p, "items"), props = path_child(p, "properties");
  values(errs, p, v, skip_any, false);
  if (v->items) nested(errs, &items, v->items, false);
  for (uint32_t i = 0; i < v->field_count; i++) {
    path at = path_key(&props, v->fields[i].name);
    nested(errs, &at, v->fields[i].schema, false);
    if (slice_is(v->fields[i].name, "metadata"))
      field_forbidden(errs, &at, "must not be specified in a nested context");
  }
  nested_forbidden(errs, p, v);
}

/* ---- the structure ---- */

static void type_check(field_errors *errs, const path *p, const structural *s, level where) {
  static const char *const missing[] = {"must not be empty at the root",
                                        "must not be empty for specified array items",
                                        "must not be empty for specified object fields"};
  path at = path_child(p, "type");
  if (s->embedded && !slice_is(s->type, "object")) {
    static const char why[] = "must be object if x-kubernetes-embedded-resource is true";
    if (!s->type.len) field_required(errs, &at, "%s", why);
    else field_invalid_str(errs, &at, s->type, "%s", why);
  } else if (!s->type.len && !s->int_or_string && !s->preserve_unknown) {
    field_required(errs, &at, "%s", missing[where]);
  }
  if (where == LEVEL_ROOT && s->type.len && !slice_is(s->type, "object"))
    field_invalid_str(errs, &at, s->type, "must be object at the root");
}

/* Names of metadata may be restricted, nothing else of it may be. */
static bool restricts_names_only(const structural *s) {
  bool names = s->field_count <= 2;
  for (uint32_t i = 0; i < s->field_count; i++)
    names = names && (slice_is(s->fields[i].name, "name") ||
                      slice_is(s->fields[i].name, "generateName"));
  VAL_EACH(e, s->source) {
    bool free = slice_is(e->key, "type") || slice_is(e->key, "default") ||
                slice_is(e->key, "properties");
    if (!free) return false;
  }
  return names;
}

static void meta_check(field_errors *errs, const path *p, const structural *s, level where) {
  static const char *const texts[] = {"kind", "apiVersion"};
  bool whole = where == LEVEL_ROOT || s->embedded;
  path props = path_child(p, "properties");
  for (size_t i = 0; i < 2 && whole; i++) {
    const structural *field = structural_property(s, slice_cstr(texts[i]));
    path at = path_key(&props, slice_cstr(texts[i])), type = path_child(&at, "type");
    if (field && !slice_is(field->type, "string"))
      field_invalid_str(errs, &type, field->type, "must be string");
  }
  const structural *meta = structural_property(s, SLICE_LIT("metadata"));
  path at = path_key(&props, SLICE_LIT("metadata")), type = path_child(&at, "type");
  if (!meta) return;
  if (whole && !slice_is(meta->type, "object"))
    field_invalid_str(errs, &type, meta->type, "must be object");
  if (where == LEVEL_ROOT && !restricts_names_only(meta))
    field_forbidden(errs, &at,
                    "must not specify anything other than name and generateName, but metadata is "
                    "implicitly specified");
}

static void extensions_check(field_errors *errs, const path *p, const structural *s) {
  static const char why[] = "must be false if x-kubernetes-int-or-string is true";
  path keep = path_child(p, "x-kubernetes-preserve-unknown-fields"),
       embedded = path_child(p, "x-kubernetes-embedded-resource"),
       props = path_child(p, "properties");
  const val *yes = val_bool(errs->a, true);
  if (s->int_or_string && s->preserve_unknown) field_invalid(errs, &keep, yes, "%s", why);
  if (s->int_or_string && s->embedded) field_invalid(errs, &embedded, yes, "%s", why);
  if (s->embedded && s->has_additional)
    forbid(errs, p, "additionalProperties",
           "must not be used if x-kubernetes-embedded-resource is set");
  if (s->embedded && !s->preserve_unknown && s->field_count == 0)
    field_required(errs, &props,
                   "must not be empty if x-kubernetes-embedded-resource is true without "
                   "x-kubernetes-preserve-unknown-fields");
}

static void invariants(field_errors *errs, const path *p, const structural *s, level where) {
  path items = path_child(p, "items"), props = path_child(p, "properties"),
       more = path_child(p, "additionalProperties");
  if (slice_is(s->type, "array") && !s->items)
    field_required(errs, &items, "must be specified");
  if (s->items) invariants(errs, &items, s->items, LEVEL_ITEM);
  for (uint32_t i = 0; i < s->field_count; i++) {
    path at = path_key(&props, s->fields[i].name);
    invariants(errs, &at, s->fields[i].schema, LEVEL_FIELD);
  }
  if (s->has_additional && where == LEVEL_ROOT)
    forbid(errs, p, "additionalProperties", "must not be used at the root");
  if (s->additional) invariants(errs, &more, s->additional, LEVEL_FIELD);
  extensions_check(errs, p, s);
  bool skip_first = s->all_of.count && is_int_or_string(&s->all_of.items[0]->any_of) &&
                    s->all_of.items[0]->any_of.count == 2;
  values(errs, p, s, is_int_or_string(&s->any_of), skip_first);
  type_check(errs, p, s, where);
  meta_check(errs, p, s, where);
}

/* ---- completeness: what is checked must be in the structure ---- */

static void complete_values(field_errors *errs, const structural *v, const structural *s,
                            const path *sp, const path *vp);

static void because(field_errors *errs, const path *sp, const path *vp) {
  slice text = path_text(errs->a, vp);
  field_required(errs, sp, "because it is defined in %.*s", SLICE_ARG(text));
}

static void complete_nested(field_errors *errs, const structural *v, const structural *s,
                            const path *sp, const path *vp) {
  path s_items = path_child(sp, "items"), v_items = path_child(vp, "items"),
       s_props = path_child(sp, "properties"), v_props = path_child(vp, "properties");
  if (!s) {
    because(errs, sp, vp);
    return;
  }
  complete_values(errs, v, s, sp, vp);
  if (v->items) complete_nested(errs, v->items, s->items, &s_items, &v_items);
  for (uint32_t i = 0; i < v->field_count; i++) {
    slice name = v->fields[i].name;
    path s_at = path_key(&s_props, name), v_at = path_key(&v_props, name);
    complete_nested(errs, v->fields[i].schema, structural_property(s, name), &s_at, &v_at);
  }
}

static void complete_values(field_errors *errs, const structural *v, const structural *s,
                            const path *sp, const path *vp) {
  const struct {
    const char *name;
    const structural_list *list;
  } lists[] = {{"allOf", &v->all_of}, {"anyOf", &v->any_of}, {"oneOf", &v->one_of}};
  path no = path_child(vp, "not");
  if (v->not_schema) complete_nested(errs, v->not_schema, s, sp, &no);
  for (size_t k = 0; k < 3; k++) {
    path all = path_child(vp, lists[k].name);
    for (uint32_t i = 0; i < lists[k].list->count; i++) {
      path at = path_index(&all, i);
      complete_nested(errs, lists[k].list->items[i], s, sp, &at);
    }
  }
}

/* By "field: message". */
static int error_order(const void *x, const void *y) {
  const field_error *p = x, *q = y;
  slice a = p->field, b = q->field;
  size_t n = a.len < b.len ? a.len : b.len;
  int order = memcmp(a.ptr, b.ptr, n);
  if (order || a.len == b.len) return order ? order : slice_cmp(p->message, q->message);
  /* One goes on where the other has its ": ". */
  int next = a.len > n ? (int)(uint8_t)a.ptr[n] - ':' : ':' - (int)(uint8_t)b.ptr[n];
  return next ? next : slice_cmp(a, b);
}

void crd_structure_check(field_errors *errs, const path *p, const structural *root) {
  field_errors own = {.a = errs->a};
  invariants(&own, p, root, LEVEL_ROOT);
  complete_values(&own, root, root, p, p);
  if (own.count > 1) qsort(own.items, own.count, sizeof *own.items, error_order);
  for (uint32_t i = 0; i < own.count; i++)
    field_error_add(errs, own.items[i].type, own.items[i].field, own.items[i].message);
}
