/* From the outcome of a strategic merge patch or an apply to a typed object the real server does
 * not go by way of JSON text but copies value by value, with errors of its own and a float that is
 * whole taken for an integer. Source: apimachinery pkg/runtime/converter.go. */
#include "patch/restore.h"

#include "codec/codec.h"
#include "patch/patch_text.h"

#include <math.h>

static bool convert(arena *a, val **slot, const type_info *t, slice *error);

static const char *kind_of(const val *v) {
  if (v->type == VAL_LIST) return "slice";
  return v->type == VAL_MAP ? "map" : go_type(v);
}

static const char *kind_of_scalar(const type_info *t) {
  switch ((type_kind)t->kind) {
    case TYPE_BOOL: return "bool";
    case TYPE_INT32: return "int32";
    case TYPE_INT64: return "int64";
    case TYPE_FLOAT64: return "float64";
    default: return "string";
  }
}

/* Go converts without a look at the range: what is too large loses its upper bits. */
static void narrow(arena *a, val **slot, const type_info *t) {
  int64_t n = val_i64(*slot);
  if (t->kind == TYPE_INT32 && n != (int32_t)n) *slot = val_int(a, (int32_t)(uint32_t)n);
}

static int64_t whole(double f) {
  return fabs(f) < 9.2e18 ? (int64_t)f : INT64_MIN; /* amd64's answer to what does not fit */
}

static bool convert_scalar(arena *a, val **slot, const type_info *t, slice *error) {
  const val *v = *slot;
  const char *kind = kind_of_scalar(t);
  bool to_int = t->kind == TYPE_INT32 || t->kind == TYPE_INT64, to_text = t->kind == TYPE_STRING;
  slice name = t->name.len ? t->name : slice_cstr(kind);
  switch ((val_type)v->type) {
    case VAL_STRING:
      if (to_text) return true;
      break;
    case VAL_BOOL:
      if (t->kind == TYPE_BOOL) return true;
      break;
    case VAL_INT:
      if (to_int) narrow(a, slot, t);
      if (to_int || t->kind == TYPE_FLOAT64) return true;
      if (!to_text) break;
      *error = arena_printf(a, "cannot convert int64 to %.*s", SLICE_ARG(name));
      return false;
    case VAL_FLOAT:
      if (t->kind == TYPE_FLOAT64) return true;
      if (!to_int) break;
      if (v->u.f == trunc(v->u.f)) {
        *slot = val_int(a, whole(v->u.f));
        narrow(a, slot, t);
        return true;
      }
      *error = arena_printf(a, "cannot convert float64 to %.*s", SLICE_ARG(name));
      return false;
    default: break;
  }
  *error = arena_printf(a, "unrecognized type: %s", kind);
  return false;
}

static bool convert_members(arena *a, val *v, const type_info *t, slice *error) {
  if (t->kind == TYPE_MAP) {
    VAL_EACH(e, v) {
      if (!convert(a, &e->value, t->elem, error)) return false;
    }
    return true;
  }
  for (uint16_t i = 0; i < t->field_count; i++) {
    val *member = val_get(v, t->fields[i].name), *before = member;
    if (!member) continue;
    if (!convert(a, &member, t->fields[i].type, error)) return false;
    if (member != before) val_set(a, v, t->fields[i].name, member);
  }
  return true;
}

/* A type with a JSON reader of its own. */
static bool convert_leaf(arena *a, const val *v, const type_info *t, slice *error) {
  return codec_conform(a, val_copy(a, v), t, NULL, error) != NULL;
}

static bool convert(arena *a, val **slot, const type_info *t, slice *error) {
  val *v = *slot;
  if (val_is_null(v)) return true;
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT:
    case TYPE_MAP:
      if (val_is_map(v)) return convert_members(a, v, t, error);
      *error = arena_printf(a, "cannot restore %s %s",
                            t->kind == TYPE_MAP ? "map from" : "struct from:", kind_of(v));
      return false;
    case TYPE_LIST:
      for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
        if (!convert(a, v->u.items + i, t->elem, error)) return false;
      }
      if (val_is_list(v)) return true;
      *error = arena_printf(a, "cannot restore slice from %s", kind_of(v));
      return false;
    case TYPE_BYTES: {
      slice bytes;
      if (val_is_string(v) && base64_decode(a, val_str(v), &bytes)) return true;
      if (val_is_string(v)) {
        (void)convert_leaf(a, v, t, error);
        *error = arena_concat(a, SLICE_LIT("error decoding from json: "), *error);
        return false;
      }
      *error = arena_printf(a, "cannot restore slice from %s", kind_of(v));
      return false;
    }
    case TYPE_STRING:
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64: return convert_scalar(a, slot, t, error);
    default: return convert_leaf(a, v, t, error);
  }
}

bool restore_check(arena *a, val *tree, const type_info *t, slice *error) {
  return convert(a, &tree, t, error);
}
