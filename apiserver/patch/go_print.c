/* What Go's %v makes of an untyped value. Some of the real server's messages quote a patch so. */
#include "patch/patch.h"
#include "base/limits.h"
#include "patch/patch_text.h"

#include <stdlib.h>

static int entry_order(const void *a, const void *b) {
  return slice_cmp(((const val_entry *)a)->key, ((const val_entry *)b)->key);
}

static void value_print(arena *a, buf *out, const val *v);

static void map_print(arena *a, buf *out, const val *v) {
  val_entry *sorted = ARENA_ARRAY(a, val_entry, v->count + 1);
  if (v->count) memcpy(sorted, v->u.entries, v->count * sizeof *sorted);
  qsort(sorted, v->count, sizeof *sorted, entry_order);
  buf_lit(out, "map[");
  for (uint32_t i = 0; i < v->count; i++) {
    if (i) buf_char(out, ' ');
    buf_append(out, sorted[i].key);
    buf_char(out, ':');
    value_print(a, out, sorted[i].value);
  }
  buf_char(out, ']');
}

static void list_print(arena *a, buf *out, const val *v) {
  buf_char(out, '[');
  for (uint32_t i = 0; i < v->count; i++) {
    if (i) buf_char(out, ' ');
    value_print(a, out, v->u.items[i]);
  }
  buf_char(out, ']');
}

static void value_print(arena *a, buf *out, const val *v) {
  switch ((val_type)v->type) {
    case VAL_NULL: buf_lit(out, "<nil>"); break;
    case VAL_BOOL: buf_cstr(out, v->u.b ? "true" : "false"); break;
    case VAL_INT: buf_i64(out, v->u.i); break;
    case VAL_FLOAT: json_encode_float(out, v->u.f); break;
    case VAL_STRING: buf_append(out, val_str(v)); break;
    case VAL_LIST: list_print(a, out, v); break;
    case VAL_MAP: map_print(a, out, v); break;
  }
}

slice go_print(arena *a, const val *v) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  value_print(a, &out, v);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

const char *json_kind(const val *v) {
  static const char *const names[] = {
      [VAL_NULL] = "null",     [VAL_BOOL] = "bool",  [VAL_INT] = "number", [VAL_FLOAT] = "number",
      [VAL_STRING] = "string", [VAL_LIST] = "array", [VAL_MAP] = "object",
  };
  return names[v->type];
}

const char *go_type(const val *v) {
  static const char *const names[] = {
      [VAL_NULL] = "%!s(<nil>)",       [VAL_BOOL] = "bool",
      [VAL_INT] = "int64",             [VAL_FLOAT] = "float64",
      [VAL_STRING] = "string",         [VAL_LIST] = "[]interface {}",
      [VAL_MAP] = "map[string]interface {}",
  };
  return names[v->type];
}

/* The codec ties what it finds to the tree that it parsed, and that tree is not the one that will
 * be made typed: hence a report of its own, copied as text. */
val *patch_parse(arena *a, slice patch, const patch_options *o, slice prefix, slice *error) {
  strict_report found = {0};
  val *v = json_parse(a, patch, o->report ? &found : NULL, error);
  for (uint32_t i = 0; v && i < found.count; i++) {
    strict_add(o->report, a, arena_concat(a, prefix, found.items[i]));
  }
  return v;
}
