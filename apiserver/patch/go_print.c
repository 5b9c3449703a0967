/* What Go's %v makes of an untyped value. Some of the real server's messages quote a patch so. */
#include "patch/patch.h"
#include "base/limits.h"
#include "base/quote.h"
#include "patch/patch_text.h"

#include <stdlib.h>

static int entry_order(const void *a, const void *b) {
  return slice_cmp(((const val_entry *)a)->key, ((const val_entry *)b)->key);
}

typedef struct printer {
  arena *a;
  buf out;
  bool syntax; /* %#v: as it would stand in a Go program */
} printer;

static void value_print(printer *p, const val *v);

static void map_print(printer *p, const val *v) {
  val_entry *sorted = ARENA_ARRAY(p->a, val_entry, v->count + 1);
  if (v->count) memcpy(sorted, v->u.entries, v->count * sizeof *sorted);
  qsort(sorted, v->count, sizeof *sorted, entry_order);
  buf_cstr(&p->out, p->syntax ? "map[string]interface {}{" : "map[");
  for (uint32_t i = 0; i < v->count; i++) {
    if (i) buf_cstr(&p->out, p->syntax ? ", " : " ");
    buf_append(&p->out, p->syntax ? go_quote(p->a, sorted[i].key) : sorted[i].key);
    buf_char(&p->out, ':');
    value_print(p, sorted[i].value);
  }
  buf_char(&p->out, p->syntax ? '}' : ']');
}

static void list_print(printer *p, const val *v) {
  buf_cstr(&p->out, p->syntax ? "[]interface {}{" : "[");
  for (uint32_t i = 0; i < v->count; i++) {
    if (i) buf_cstr(&p->out, p->syntax ? ", " : " ");
    value_print(p, v->u.items[i]);
  }
  buf_char(&p->out, p->syntax ? '}' : ']');
}

static void value_print(printer *p, const val *v) {
  buf *out = &p->out;
  switch ((val_type)v->type) {
    case VAL_NULL: buf_cstr(out, p->syntax ? "interface {}(nil)" : "<nil>"); break;
    case VAL_BOOL: buf_cstr(out, v->u.b ? "true" : "false"); break;
    case VAL_INT: buf_i64(out, v->u.i); break;
    case VAL_FLOAT: json_encode_float(out, v->u.f); break;
    case VAL_STRING:
      buf_append(out, p->syntax ? go_quote(p->a, val_str(v)) : val_str(v));
      break;
    case VAL_LIST: list_print(p, v); break;
    case VAL_MAP: map_print(p, v); break;
  }
}

static slice print(arena *a, const val *v, bool syntax) {
  printer p = {.a = a, .syntax = syntax};
  buf_init(&p.out, LIMIT_BUFFER);
  value_print(&p, v);
  slice text = arena_copy(a, buf_slice(&p.out));
  buf_dispose(&p.out);
  return text;
}

slice go_print(arena *a, const val *v) { return print(a, v, false); }
slice go_print_syntax(arena *a, const val *v) { return print(a, v, true); }

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
