/* Fields in the order in which kube-openapi's spec.Schema is written, extensions behind. */
#include "crd/crd_openapi_schema.h"

#include "crd/structural.h"

#include <string.h>

/* What `kubectl explain` shows of the fields that every kind has. */
#define VERSION_TEXT "APIVersion defines by which group and version the object is to be read."
#define KIND_TEXT "Kind names what the object is, as its definition does."
#define META_TEXT "Standard object's metadata: name, labels and what else every kind has."
#define META_REF "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

static val *shown(arena *a, const val *source, bool values);

/* What is copied as it is, schemas, lists and maps of schemas. */
typedef enum part_kind { PART_PLAIN, PART_SCHEMA, PART_LIST, PART_MAP } part_kind;

static const struct {
  const char *name;
  part_kind kind;
} parts[] = {
    {"description", PART_PLAIN},      {"type", PART_PLAIN},          {"nullable", PART_PLAIN},
    {"format", PART_PLAIN},           {"title", PART_PLAIN},         {"default", PART_PLAIN},
    {"maximum", PART_PLAIN},          {"exclusiveMaximum", PART_PLAIN}, {"minimum", PART_PLAIN},
    {"exclusiveMinimum", PART_PLAIN}, {"maxLength", PART_PLAIN},     {"minLength", PART_PLAIN},
    {"pattern", PART_PLAIN},          {"maxItems", PART_PLAIN},      {"minItems", PART_PLAIN},
    {"uniqueItems", PART_PLAIN},      {"multipleOf", PART_PLAIN},    {"enum", PART_PLAIN},
    {"maxProperties", PART_PLAIN},    {"minProperties", PART_PLAIN}, {"required", PART_PLAIN},
    {"items", PART_SCHEMA},           {"allOf", PART_LIST},          {"oneOf", PART_LIST},
    {"anyOf", PART_LIST},             {"not", PART_SCHEMA},          {"properties", PART_MAP},
    {"additionalProperties", PART_SCHEMA},
    {"externalDocs", PART_PLAIN},     {"example", PART_PLAIN},
    {"x-kubernetes-embedded-resource", PART_PLAIN},
    {"x-kubernetes-int-or-string", PART_PLAIN},
    {"x-kubernetes-list-map-keys", PART_PLAIN},
    {"x-kubernetes-list-type", PART_PLAIN},
    {"x-kubernetes-map-type", PART_PLAIN},
    {"x-kubernetes-preserve-unknown-fields", PART_PLAIN},
    {"x-kubernetes-validations", PART_PLAIN},
};

static val *shown_list(arena *a, const val *v) {
  val *out = val_list(a);
  for (uint32_t i = 0; i < val_len(v); i++) val_append(a, out, shown(a, val_at(v, i), true));
  return out;
}

static val *shown_map(arena *a, const val *v, bool values) {
  val *out = val_map(a);
  VAL_EACH(e, v) val_set(a, out, e->key, shown(a, e->value, values));
  val_sort(out);
  return out;
}

static val *shown_part(arena *a, part_kind kind, const val *v, bool values) {
  if (kind == PART_SCHEMA && val_is_map(v)) return shown(a, v, values);
  if (kind == PART_LIST) return shown_list(a, v);
  if (kind == PART_MAP) return shown_map(a, v, values);
  return val_shared(v);
}

static val *text_schema(arena *a) {
  val *s = val_map(a);
  val_setc(a, s, "type", val_cstr(a, "string"));
  return s;
}

static val *told_schema(arena *a, const char *description) {
  val *s = val_map(a);
  val_setc(a, s, "description", val_cstr(a, description));
  val_setc(a, s, "type", val_cstr(a, "string"));
  return s;
}

static val *meta_schema(arena *a) {
  val *s = val_map(a), *list = val_list(a), *ref = val_map(a);
  val_setc(a, s, "description", val_cstr(a, META_TEXT));
  val_setc(a, ref, "$ref", val_cstr(a, META_REF));
  val_append(a, list, ref);
  val_setc(a, s, "allOf", list);
  return s;
}

static void add_type_meta(arena *a, val *properties) {
  val_setc(a, properties, "apiVersion", told_schema(a, VERSION_TEXT));
  val_setc(a, properties, "kind", told_schema(a, KIND_TEXT));
  val_setc(a, properties, "metadata", meta_schema(a));
  val_sort(properties);
}

/* An integer or a string is told as a choice, too. */
static val *either(arena *a) {
  val *list = val_list(a), *one = val_map(a);
  val_setc(a, one, "type", val_cstr(a, "integer"));
  val_append(a, list, one);
  val_append(a, list, text_schema(a));
  return list;
}

static val *with_required(arena *a, const val *required) {
  val *out = required ? val_copy(a, required) : val_list(a);
  static const char *const names[] = {"kind", "apiVersion"};
  for (size_t n = 0; n < 2; n++) {
    bool there = false;
    for (uint32_t i = 0; i < val_len(out); i++) {
      there = there || slice_is(val_str(val_at(out, i)), names[n]);
    }
    if (!there) val_append(a, out, val_cstr(a, names[n]));
  }
  return out;
}

/* values: of a junctor (allOf and the like), where nothing is unfolded. The depth is the parser's
 * to bound (structural_create). */
static val *shown(arena *a, const val *source, bool values) {
  val *out = val_map(a);
  bool embedded = !values && val_true(val_getc(source, "x-kubernetes-embedded-resource"));
  bool unfolds = !values && val_true(val_getc(source, "x-kubernetes-int-or-string")) &&
                 !val_getc(source, "anyOf") && !val_getc(source, "allOf");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *name = parts[i].name;
    const val *v = val_getc(source, name);
    if (slice_is(slice_cstr(name), "anyOf") && unfolds) {
      val_setc(a, out, name, either(a));
    } else if (slice_is(slice_cstr(name), "required") && embedded) {
      val_setc(a, out, name, with_required(a, v));
    } else if (slice_is(slice_cstr(name), "properties") && embedded) {
      val *properties = v ? shown_map(a, v, values) : val_map(a);
      add_type_meta(a, properties);
      val_setc(a, out, name, properties);
    } else if (v) {
      val_setc(a, out, name, shown_part(a, parts[i].kind, v, values));
    }
  }
  return out;
}

val *crd_openapi_schema(arena *a, const structural *root) {
  val *out = root ? shown(a, root->source, false) : val_map(a);
  if (!root) {
    val_setc(a, out, "type", val_cstr(a, "object"));
    return out;
  }
  val *properties = val_getc(out, "properties");
  if (!properties) {
    properties = val_map(a);
    val_setc(a, out, "properties", properties);
  }
  add_type_meta(a, properties);
  return out;
}

/* ---- the second version ---- */

static val *shown_v2(arena *a, const val *source);

static val *map_v2(arena *a, const val *v) {
  val *out = val_map(a);
  VAL_EACH(e, v) val_set(a, out, e->key, shown_v2(a, e->value));
  val_sort(out);
  return out;
}

static val *required_v2(arena *a, const val *source) {
  const val *list = val_getc(source, "required"), *properties = val_getc(source, "properties");
  const val *more = val_getc(source, "additionalProperties");
  val *out = val_list(a);
  if (val_true(val_getc(more, "nullable"))) return NULL;
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *field = val_get(properties, val_str(val_at(list, i)));
    if (!val_true(val_getc(field, "nullable"))) val_append(a, out, val_at(list, i));
  }
  return out->count ? out : NULL;
}

/* Clients of that version can't cope with fields beside "anything" and with lists of nothing. */
static val *shown_v2(arena *a, const val *source) {
  static const char *const gone[] = {"allOf", "oneOf", "anyOf", "not", "nullable", "default"};
  bool nullable = val_true(val_getc(source, "nullable"));
  bool open = val_true(val_getc(source, "x-kubernetes-preserve-unknown-fields"));
  slice type = val_get_str(source, "type");
  bool list = slice_is(type, "array") && (open || nullable || !val_getc(source, "items"));
  bool untyped = nullable || list || (open && slice_is(type, "object"));
  val *out = val_map(a);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *name = parts[i].name;
    const val *v = val_getc(source, name);
    bool inner = parts[i].kind == PART_MAP || strcmp(name, "items") == 0;
    bool skip = !v || (inner && (nullable || open)) || (untyped && strcmp(name, "type") == 0);
    for (size_t k = 0; k < sizeof gone / sizeof *gone; k++) {
      skip = skip || strcmp(name, gone[k]) == 0;
    }
    if (skip) continue;
    const val *made = v;
    if (strcmp(name, "required") == 0) made = required_v2(a, source);
    else if (parts[i].kind == PART_MAP) made = map_v2(a, v);
    else if (parts[i].kind == PART_SCHEMA && val_is_map(v)) made = shown_v2(a, v);
    if (made) val_setc(a, out, name, val_shared(made));
  }
  return out;
}

static val *meta_v2(arena *a) {
  val *ref = val_map(a);
  val_setc(a, ref, "description", val_cstr(a, META_TEXT));
  val_setc(a, ref, "$ref",
           val_cstr(a, "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
  return ref;
}

val *crd_openapi_schema_v2(arena *a, const structural *root, bool preserve) {
  val *out = val_map(a);
  if (!root || preserve || root->preserve_unknown) {
    val_setc(a, out, "type", val_cstr(a, "object"));
    return out;
  }
  out = shown_v2(a, root->source);
  val *properties = val_getc(out, "properties");
  if (!properties) {
    properties = val_map(a);
    val_setc(a, out, "properties", properties);
  }
  add_type_meta(a, properties);
  val_setc(a, properties, "metadata", meta_v2(a));
  return out;
}
