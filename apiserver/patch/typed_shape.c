/* Shapes from the schema's markers: x-kubernetes-list-type and -map-type, or the patch strategy
 * where a list has no type; lists are atomic by default, maps and structs are not. */
#include "patch/typed_shape.h"

#include "codec/codec.h"
#include "patch/field_element.h"

static typed_shape list_shape(const type_info *t, const field_info *f) {
  typed_shape s = {.kind = SHAPE_LEAF, .type = t};
  if (!f) return s;
  if (f->list_type == LIST_SET) s.kind = SHAPE_SET;
  if (f->list_type == LIST_MAP) {
    s.kind = SHAPE_KEYED;
    s.keys = f->list_keys;
    s.key_count = f->list_key_count;
  }
  if (f->list_type != LIST_UNSET || !f->patch_merge) return s;
  s.kind = f->patch_merge_key.len ? SHAPE_KEYED : SHAPE_SET;
  s.keys = &f->patch_merge_key;
  s.key_count = f->patch_merge_key.len ? 1 : 0;
  return s;
}

typed_shape shape_of(const type_info *t, const field_info *f) {
  typed_shape s = {.kind = SHAPE_LEAF, .type = t};
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT:
      if (f ? f->map_atomic : t->map_atomic) break;
      s.kind = t->named ? SHAPE_NAMED : t->field_count ? SHAPE_STRUCT : SHAPE_ANY;
      break;
    case TYPE_MAP:
      if (!f || !f->map_atomic) s.kind = SHAPE_MAP;
      break;
    case TYPE_LIST:
      return list_shape(t, f);
    case TYPE_FIELDS_V1:
    case TYPE_JSON:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS:
      s.kind = SHAPE_ANY;
      break;
    default: /* scalars; a RawExtension is atomic */
      break;
  }
  return s;
}

typed_shape shape_elem(const typed_shape *s) {
  if (s->kind == SHAPE_ANY) return *s;
  return shape_of(s->type->elem, NULL);
}

bool shape_names(const typed_shape *s, slice name) {
  bool fields = s->kind == SHAPE_STRUCT || s->kind == SHAPE_NAMED;
  return fields && type_field(s->type, name) != NULL;
}

bool shape_member(const typed_shape *s, slice name, typed_shape *out) {
  if (s->kind == SHAPE_NAMED) {
    const field_info *own = type_field(s->type, name);
    if (!own) own = s->type->rest;
    if (own) *out = shape_of(own->type, own);
    return own != NULL;
  }
  const field_info *f = s->kind == SHAPE_STRUCT ? type_field(s->type, name) : NULL;
  if (s->kind == SHAPE_STRUCT && !f) return false;
  *out = f ? shape_of(f->type, f) : shape_elem(s);
  return true;
}

static const val zero_null = {.type = VAL_NULL}, zero_map = {.type = VAL_MAP},
                 zero_text = {.type = VAL_STRING, .u.s = ""}, zero_bool = {.type = VAL_BOOL},
                 zero_int = {.type = VAL_INT}, zero_float = {.type = VAL_FLOAT},
                 zero_quantity = {.type = VAL_STRING, .count = 1, .u.s = "0"},
                 zero_duration = {.type = VAL_STRING, .count = 2, .u.s = "0s"};

/* Structs to Go are not omitted for being empty. */
static const val *struct_zero(type_kind kind) {
  switch (kind) {
    case TYPE_STRUCT: return &zero_map;
    case TYPE_TIME:
    case TYPE_MICROTIME:
    case TYPE_RAW_EXTENSION:
    case TYPE_FIELDS_V1:
    case TYPE_JSON:
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return &zero_null;
    case TYPE_DURATION: return &zero_duration;
    case TYPE_QUANTITY: return &zero_quantity;
    case TYPE_INT_OR_STRING: return &zero_int;
    default: return NULL;
  }
}

static const val *scalar_zero(type_kind kind) {
  switch (kind) {
    case TYPE_STRING: return &zero_text;
    case TYPE_BOOL: return &zero_bool;
    case TYPE_INT32:
    case TYPE_INT64: return &zero_int;
    case TYPE_FLOAT64: return &zero_float;
    default: return &zero_null;
  }
}

const val *field_zero(const field_info *f) {
  if (f->omitzero) return NULL;
  if (f->pointer) return f->omitempty ? NULL : &zero_null;
  const val *zero = struct_zero((type_kind)f->type->kind);
  if (zero) return zero;
  return f->omitempty ? NULL : scalar_zero((type_kind)f->type->kind);
}

static const char *set_element(arena *a, const val *item, slice *out) {
  switch ((val_type)item->type) {
    case VAL_MAP: return "associative list without keys has an element that's a map type";
    case VAL_LIST: return "not supported: associative list with lists as elements";
    case VAL_NULL: return "associative list without keys has an element that's an explicit null";
    default: break;
  }
  *out = field_element_value(a, item);
  return NULL;
}

static const char *keys_missing(arena *a, const typed_shape *s) {
  slice names = SLICE_LIT("");
  for (uint8_t i = 0; i < s->key_count; i++) {
    names = arena_printf(a, "%.*s%s\"%.*s\"", SLICE_ARG(names), i ? " " : "",
                         SLICE_ARG(s->keys[i]));
  }
  return arena_printf(a,
                      "associative list with keys has an element that omits all key fields [%.*s] "
                      "(and doesn't have default values for any key fields)",
                      SLICE_ARG(names)).ptr;
}

const char *item_element(arena *a, const typed_shape *s, const val *item, bool typed,
                         slice *out) {
  if (s->kind == SHAPE_SET) return set_element(a, item, out);
  if (val_is_null(item)) return "associative list with keys may not have a null element";
  if (!val_is_map(item)) return "associative list with keys may not have non-map elements";
  val *keys = val_map(a);
  for (uint8_t i = 0; i < s->key_count; i++) {
    const val *value = val_get(item, s->keys[i]);
    const field_info *f = value ? NULL : type_field(s->type->elem, s->keys[i]);
    slice error;
    if (f && !typed && f->default_json.len) value = json_parse(a, f->default_json, NULL, &error);
    if (f && !value) value = field_zero(f); /* the schema's default where it names no other */
    if (f && !value && f->default_json.len) value = json_parse(a, f->default_json, NULL, &error);
    if (value) val_set(a, keys, s->keys[i], val_shared(value));
  }
  if (keys->count == 0) return keys_missing(a, s);
  *out = field_element_key(a, keys);
  return NULL;
}
