/* Checking an applied configuration against the schema. */
#include "patch/typed_merge.h"

#include "patch/patch.h"
#include "patch/patch_text.h"

#define ERRORS_MAX 100 /* ours: nobody reads more, and each is a copy of its path */

typedef struct check {
  arena *arena;
  slice *errors;
  uint32_t count;
  int depth;
} check;

static void check_value(check *c, const val *v, const type_info *t, const typed_shape *s,
                        slice path);

static void fail(check *c, slice path, slice text) {
  if (c->count == ERRORS_MAX) return;
  if (!c->errors) c->errors = ARENA_ARRAY(c->arena, slice, ERRORS_MAX);
  c->errors[c->count++] = path.len ? arena_printf(c->arena, "%.*s: %.*s", SLICE_ARG(path),
                                                  SLICE_ARG(text))
                                   : text;
}

static slice path_field(check *c, slice path, slice name) {
  return arena_printf(c->arena, "%.*s.%.*s", SLICE_ARG(path), SLICE_ARG(name));
}

/* As Go prints the value that it got where it wanted another: &{...}. */
static slice got(check *c, const val *v) {
  slice text = go_print(c->arena, v);
  return arena_printf(c->arena, "&{%.*s}", SLICE_ARG(text));
}

static void check_scalar(check *c, const val *v, const type_info *t, slice path) {
  bool number = v->type == VAL_INT || v->type == VAL_FLOAT;
  slice text;
  switch ((type_kind)t->kind) {
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64:
      if (!number) {
        fail(c, path,
             arena_printf(c->arena, "expected numeric (int or float), got %s", go_type(v)));
      }
      return;
    case TYPE_BOOL:
      if (v->type == VAL_BOOL) return;
      text = got(c, v);
      fail(c, path, arena_printf(c->arena, "expected boolean, got %.*s", SLICE_ARG(text)));
      return;
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_DURATION:
      if (v->type == VAL_STRING) return;
      text = go_print_syntax(c->arena, v);
      fail(c, path,
           arena_printf(c->arena, "expected string, got &value.valueUnstructured{Value:%.*s}",
                        SLICE_ARG(text)));
      return;
    default:
      if (number || v->type == VAL_STRING || v->type == VAL_BOOL) return;
      text = got(c, v);
      fail(c, path, arena_printf(c->arena, "expected any scalar, got %.*s", SLICE_ARG(text)));
  }
}

static void check_map(check *c, const val *v, const type_info *t, const typed_shape *s,
                      slice path) {
  VAL_EACH(e, v) {
    slice below_path = path_field(c, path, e->key);
    const field_info *f = t->kind == TYPE_STRUCT ? type_field(t, e->key) : NULL;
    if (t->named && !f) f = t->rest;
    if (t->kind == TYPE_STRUCT && !f && (t->field_count || t->named)) {
      fail(c, below_path, SLICE_LIT("field not declared in schema"));
      return;
    }
    if (!f && t->kind == TYPE_STRUCT) continue;
    const type_info *type = f ? f->type : t->elem;
    typed_shape below = shape_of(type, f);
    check_value(c, e->value, type, &below, below_path);
  }
  (void)s;
}

static void check_list(check *c, const val *v, const type_info *t, const typed_shape *s,
                       slice path) {
  typed_shape below = shape_of(t->elem, NULL);
  bool keyed = s->kind == SHAPE_KEYED || s->kind == SHAPE_SET;
  val *seen = keyed ? val_map(c->arena) : NULL;
  for (uint32_t i = 0; i < v->count; i++) {
    slice element = arena_printf(c->arena, "i:%u", i);
    if (keyed) {
      const char *wrong = item_element(c->arena, s, v->u.items[i], false, &element);
      if (wrong) {
        fail(c, path, arena_printf(c->arena, "element %u: %s", i, wrong));
        return;
      }
    }
    slice text = field_element_text(c->arena, element);
    if (keyed && val_get(seen, element)) {
      fail(c, path, arena_printf(c->arena, "duplicate entries for key %.*s", SLICE_ARG(text)));
    }
    if (keyed) val_set(c->arena, seen, element, v->u.items[i]);
    check_value(c, v->u.items[i], t->elem, &below, arena_concat(c->arena, path, text));
  }
}

static void check_value(check *c, const val *v, const type_info *t, const typed_shape *s,
                        slice path) {
  if (val_is_null(v) || s->kind == SHAPE_ANY || c->depth >= TYPED_DEPTH_MAX) return;
  if (t->kind == TYPE_RAW_EXTENSION || c->count == ERRORS_MAX) return;
  c->depth++;
  bool map = t->kind == TYPE_STRUCT || t->kind == TYPE_MAP;
  if (map != val_is_map(v) && (map || t->kind == TYPE_LIST)) {
    slice text = got(c, v);
    fail(c, path, arena_printf(c->arena, "expected %s, got %.*s", map ? "map" : "list",
                               SLICE_ARG(text)));
  } else if (map) {
    check_map(c, v, t, s, path);
  } else if (t->kind == TYPE_LIST && val_is_list(v)) {
    check_list(c, v, t, s, path);
  } else if (t->kind == TYPE_LIST) {
    slice text = got(c, v);
    fail(c, path, arena_printf(c->arena, "expected list, got %.*s", SLICE_ARG(text)));
  } else {
    check_scalar(c, v, t, path);
  }
  c->depth--;
}

bool typed_check(arena *a, const val *config, const type_info *t, slice *error) {
  check c = {.arena = a};
  typed_shape s = shape_of(t, NULL);
  check_value(&c, config, t, &s, SLICE_LIT(""));
  if (c.count == 0) return true;
  *error = c.errors[0];
  if (c.count > 1) *error = SLICE_LIT("errors:");
  for (uint32_t i = 0; c.count > 1 && i < c.count; i++) {
    *error = arena_printf(a, "%.*s\n  %.*s", SLICE_ARG(*error), SLICE_ARG(c.errors[i]));
  }
  return false;
}
