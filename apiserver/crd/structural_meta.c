/* apiVersion, kind and metadata, of the object and of resources embedded in it. Sources:
 * apiextensions-apiserver pkg/apiserver/schema/objectmeta, pkg/apiserver/customresource_handler.go
 * (unstructuredSchemaCoercer). */
#include "codec/codec.h"
#include "crd/structural_internal.h"
#include "registry/validation/metadata.h"

#define OBJECT_META "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

/* Go reports what is unknown in the order of its own sorted JSON. */
static void sort_deep(val *v) {
  val_sort(v);
  VAL_EACH(e, v) sort_deep(e->value);
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) sort_deep(v->u.items[i]);
}

/* 'unknown field "a.b"' becomes "metadata.a.b" below `at`. */
static void unknown_take(structural_unknown *u, const strict_report *report, const path *at) {
  path meta = path_child(at, "metadata");
  slice prefix = path_text(u->a, &meta);
  for (uint32_t i = 0; i < report->count; i++) {
    slice head, name;
    if (!slice_cut(report->items[i], '"', &head, &name) || !name.len) continue;
    slice parts[] = {prefix, SLICE_LIT("."), slice_upto(name, name.len - 1)};
    unknown_add(u, arena_join(u->a, parts, 3));
  }
}

/* A typed copy of v, which is a map. NULL: *error. */
static val *meta_typed(arena *a, const val *v, const path *at, structural_unknown *unknown,
                       slice *error) {
  strict_report report = {0};
  val *copy = val_copy(a, v);
  sort_deep(copy);
  val *typed = codec_conform(a, copy, schema_type(SLICE_LIT(OBJECT_META)), &report, error);
  if (typed && unknown) unknown_take(unknown, &report, at);
  return typed;
}

/* Field by field: those that can't be read are left out. */
static val *meta_salvaged(arena *a, const val *v, const path *at, structural_unknown *unknown) {
  val *whole = val_map(a);
  slice error;
  VAL_EACH(e, v) {
    val *one = val_map(a);
    val_set(a, one, e->key, e->value);
    val *typed = meta_typed(a, one, at, unknown, &error);
    VAL_EACH(f, typed) val_set(a, whole, f->key, f->value);
  }
  return whole;
}

/* The canonical metadata of obj; NULL without *error: it has none. */
static val *meta_of(arena *a, const val *obj, const path *at, bool drop_invalid,
                    structural_unknown *unknown, slice *error) {
  const val *v = val_getc(obj, "metadata");
  *error = SLICE_NONE;
  if (!v) return NULL;
  if (val_is_null(v)) return val_map(a);
  val *typed = meta_typed(a, v, at, unknown, error);
  if (typed || !drop_invalid) return typed;
  if (!val_is_map(v)) return NULL; /* *error stays: "expected object" */
  *error = SLICE_NONE;
  return meta_salvaged(a, v, at, unknown);
}

typedef struct coercion {
  arena *a;
  bool drop_invalid;
  structural_unknown *unknown;
  field_errors *errs;
} coercion;

static bool coerce(coercion *c, const structural *s, val *v, const path *at, bool embedded);

static bool meta_coerce(coercion *c, val *v, const path *at) {
  path p = path_child(at, "metadata");
  slice error;
  val *meta = meta_of(c->a, v, at, c->drop_invalid, c->unknown, &error);
  if (meta) val_setc(c->a, v, "metadata", meta);
  if (!error.len || c->drop_invalid) return true;
  field_invalid(c->errs, &p, val_getc(v, "metadata"), "%.*s", SLICE_ARG(error));
  return false;
}

static bool not_odd_text(void *ctx, const val_entry *e) {
  (void)ctx;
  bool text = slice_is(e->key, "apiVersion") || slice_is(e->key, "kind");
  return !text || val_is_string(e->value);
}

/* The three fields of an embedded resource. */
static bool resource_coerce(coercion *c, val *v, const path *at) {
  if (c->drop_invalid) val_filter(v, not_odd_text, NULL);
  VAL_EACH(e, v) {
    path p = path_child_slice(at, e->key);
    if (not_odd_text(NULL, e)) continue;
    field_invalid(c->errs, &p, e->value, "must be a string");
    return false;
  }
  return !val_getc(v, "metadata") || meta_coerce(c, v, at);
}

static bool coerce(coercion *c, const structural *s, val *v, const path *at, bool embedded) {
  if (!s && !embedded) return true;
  if (val_is_map(v) && embedded && !resource_coerce(c, v, at)) return false;
  VAL_EACH(e, v) {
    const structural *field = structural_property(s, e->key), *below = field;
    path p = field ? path_child_slice(at, e->key) : path_key(at, e->key);
    if (!field && s) below = s->additional;
    if (below && !coerce(c, below, e->value, &p, below->embedded)) return false;
  }
  for (uint32_t i = 0; s && s->items && val_is_list(v) && i < v->count; i++) {
    path p = path_index(at, i);
    if (!coerce(c, s->items, v->u.items[i], &p, s->items->embedded)) return false;
  }
  return true;
}

bool structural_coerce_embedded(arena *a, const structural *s, val *obj, const path *p, bool root,
                                bool drop_invalid, structural_unknown *unknown,
                                field_errors *errs) {
  coercion c = {a, drop_invalid, unknown, errs};
  uint32_t from = unknown ? unknown->count : 0;
  bool good = coerce(&c, s, obj, p, root || (s && s->embedded));
  unknown_sort(unknown, from);
  return good;
}

bool structural_coerce(arena *a, const structural *s, val *obj, bool drop_invalid, bool preserve,
                       structural_unknown *unknown, slice *error) {
  field_errors errs = {.a = a};
  val *meta = meta_of(a, obj, NULL, drop_invalid, unknown, error);
  if (error->len) return false;
  if (!preserve) {
    structural_prune(s, obj, true, unknown);
    structural_drop_nulls(s, obj);
  }
  if (!structural_coerce_embedded(a, s, obj, NULL, false, drop_invalid, unknown, &errs)) {
    slice parts[] = {errs.items[0].field, SLICE_LIT(": "), errs.items[0].message};
    *error = arena_join(a, parts, 3);
    return false;
  }
  if (meta) val_setc(a, obj, "metadata", meta);
  return true;
}

/* ---- validation ---- */

static void version_check(field_errors *errs, const path *at, const val *v) {
  path p = path_child(at, "apiVersion");
  slice text = val_str(v), head, rest;
  if (!val_is_string(v)) {
    field_invalid(errs, &p, v, "must be a string");
  } else if (!text.len) {
    field_invalid_str(errs, &p, text, "must not be empty");
  } else {
    slice_cut(text, '/', &head, &rest);
    if (slice_find_char(rest, '/') >= 0)
      field_invalid_str(errs, &p, text, "unexpected GroupVersion string: %.*s", SLICE_ARG(text));
  }
}

static void kind_check(field_errors *errs, const path *at, const val *v) {
  path p = path_child(at, "kind");
  slice text = val_str(v);
  if (!val_is_string(v)) {
    field_invalid(errs, &p, v, "must be a string");
  } else if (!text.len) {
    field_invalid_str(errs, &p, text, "must not be empty");
  } else {
    slice low = arena_lower(errs->a, text);
    slice why = text_problems_joined(errs->a, TEXT_DNS1035_LABEL, low, ",");
    if (why.len)
      field_invalid_str(errs, &p, text, "may have mixed case, but should otherwise match: %.*s",
                        SLICE_ARG(why));
  }
}

static void meta_check(field_errors *errs, const path *at, const val *obj) {
  arena *a = errs->a;
  path p = path_child(at, "metadata");
  slice error;
  val *meta = meta_of(a, obj, at, false, NULL, &error);
  if (!meta) {
    field_invalid(errs, &p, val_getc(obj, "metadata"), "%.*s", SLICE_ARG(error));
    return;
  }
  if (!val_get_str(meta, "name").len) val_setc(a, meta, "name", val_cstr(a, "fakename"));
  val *shown = val_map(a);
  val_setc(a, shown, "metadata", meta);
  metadata_validate(errs, &p, shown, val_get_str(meta, "namespace").len > 0, TEXT_PATH_SEGMENT);
}

static void resource_check(field_errors *errs, const path *at, const val *v) {
  static const char *const needed[] = {"apiVersion", "kind"};
  for (size_t i = 0; i < 2; i++) {
    path p = path_child(at, needed[i]);
    if (!val_getc(v, needed[i])) field_required(errs, &p, "%s", "");
  }
  if (val_getc(v, "apiVersion")) version_check(errs, at, val_getc(v, "apiVersion"));
  if (val_getc(v, "kind")) kind_check(errs, at, val_getc(v, "kind"));
  if (val_getc(v, "metadata")) meta_check(errs, at, v);
}

void structural_validate_embedded(field_errors *errs, const path *p, const structural *s,
                                  const val *obj, bool root) {
  if (!s && !root) return;
  if (val_is_map(obj) && (root || s->embedded)) resource_check(errs, p, obj);
  VAL_EACH(e, obj) {
    const structural *field = structural_property(s, e->key);
    path at = field ? path_child_slice(p, e->key) : path_key(p, e->key);
    if (field || s)
      structural_validate_embedded(errs, &at, field ? field : s->additional, e->value, false);
  }
  for (uint32_t i = 0; s && val_is_list(obj) && i < obj->count; i++) {
    path at = path_index(p, i);
    structural_validate_embedded(errs, &at, s->items, obj->u.items[i], false);
  }
}
