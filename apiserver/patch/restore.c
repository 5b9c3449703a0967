/* Walks type and tree together, struct fields in their order, and stops at the first misfit. Scalars
 * that have a JSON form of their own (times, quantities...) are left to the codec's check. */
#include "patch/restore.h"

#include "patch/patch_text.h"

#include <math.h>

typedef struct restore {
  arena *a;
  slice *error;
} restore;

static bool misfit(restore *r, const char *text, const char *what) {
  *r->error = arena_printf(r->a, "%s%s", text, what);
  return false;
}

static const char *reflect_kind(const val *v) {
  switch ((val_type)v->type) {
    case VAL_BOOL: return "bool";
    case VAL_INT: return "int64";
    case VAL_FLOAT: return "float64";
    case VAL_STRING: return "string";
    case VAL_LIST: return "slice";
    case VAL_MAP: return "map";
    case VAL_NULL: break;
  }
  return "invalid";
}

/* Names of Go's scalar kinds, by ours. */
static const char *const scalar_names[] = {
    [TYPE_STRING] = "string", [TYPE_BOOL] = "bool", [TYPE_INT32] = "int32",
    [TYPE_INT64] = "int64", [TYPE_FLOAT64] = "float64",
};

static bool scalar(restore *r, const val *v, const type_info *t) {
  bool number = t->kind == TYPE_INT32 || t->kind == TYPE_INT64 || t->kind == TYPE_FLOAT64;
  const char *name = scalar_names[t->kind];
  slice type_name = t->name.len ? t->name : slice_cstr(name);
  bool fits = (t->kind == TYPE_STRING && val_is_string(v)) || (t->kind == TYPE_BOOL && val_is_bool(v)) ||
              (number && val_is_int(v)) ||
              (number && val_is_float(v) && (t->kind == TYPE_FLOAT64 || v->u.f == trunc(v->u.f)));
  if (fits) return true;
  bool convertible = (number && val_is_float(v)) || (t->kind == TYPE_STRING && val_is_int(v));
  if (!convertible) return misfit(r, "unrecognized type: ", name);
  *r->error = arena_printf(r->a, "cannot convert %s to %.*s", go_type(v), SLICE_ARG(type_name));
  return false;
}

static bool check(restore *r, const val *v, const type_info *t);

static bool check_struct(restore *r, const val *v, const type_info *t) {
  if (!val_is_map(v)) return misfit(r, "cannot restore struct from: ", reflect_kind(v));
  for (uint16_t i = 0; i < t->field_count; i++) {
    const val *field = val_get(v, t->fields[i].name);
    if (field && !check(r, field, t->fields[i].type)) return false;
  }
  return true;
}

static bool check_list(restore *r, const val *v, const type_info *t) {
  if (!val_is_list(v)) return misfit(r, "cannot restore slice from ", reflect_kind(v));
  for (uint32_t i = 0; i < val_len(v); i++) {
    if (!check(r, val_at(v, i), t->elem)) return false;
  }
  return true;
}

static bool check_map(restore *r, const val *v, const type_info *t) {
  if (!val_is_map(v)) return misfit(r, "cannot restore map from ", reflect_kind(v));
  VAL_EACH(e, v) {
    if (!check(r, e->value, t->elem)) return false;
  }
  return true;
}

/* A schema nests as deep as the tree does, and trees are bounded by the parser. */
static bool check(restore *r, const val *v, const type_info *t) {
  if (v->type == VAL_NULL) return true;
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT: return check_struct(r, v, t);
    case TYPE_LIST: return check_list(r, v, t);
    case TYPE_MAP: return check_map(r, v, t);
    case TYPE_STRING:
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64: return scalar(r, v, t);
    case TYPE_BYTES:
      return val_is_string(v) || misfit(r, "cannot restore slice from ", reflect_kind(v));
    default: return true;
  }
}

bool restore_check(arena *a, const val *tree, const type_info *t, slice *error) {
  restore r = {a, error};
  return check(&r, tree, t);
}
