/* Field sets from outside, and their paths as text. A client may send managedFields of its own:
 * elements in any order, keys in any spelling. */
#include "patch/field_set.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "patch/field_element.h"

#define DEPTH_MAX 1000 /* ours: no object has fields that deep, and the stack is small */

/* The canonical spelling. false: not an element. An empty *out: of an unknown kind, skipped. */
static bool element_read(arena *a, slice raw, slice *out) {
  *out = SLICE_NONE;
  if (raw.len < 2 || raw.ptr[1] != ':') return false;
  slice text = slice_from(raw, 2), error;
  long long index;
  switch (raw.ptr[0]) {
    case 'f':
      *out = raw;
      return true;
    case 'i':
      if (!slice_to_i64_go(text, &index)) return false;
      *out = arena_printf(a, "i:%lld", index);
      return true;
    case 'k':
    case 'v': {
      val *v = json_parse(a, text, NULL, &error);
      if (!v || (raw.ptr[0] == 'k' && !val_is_map(v))) return false;
      *out = raw.ptr[0] == 'k' ? field_element_key(a, v) : field_element_value(a, v);
      return true;
    }
    default:
      return true;
  }
}

static bool node_read(const field_sets *f, const val *raw, bool root, int depth, val **out) {
  *out = NULL;
  if (!val_is_map(raw) || depth > DEPTH_MAX) return false;
  bool known = false; /* an element of a known kind */
  bool member = val_getc(raw, ".") != NULL;
  VAL_EACH(e, raw) known = known || (!slice_is(e->key, ".") && e->key.len > 1 &&
                                     strchr("fkvi", e->key.ptr[0]));
  member = !root && (member || !known);
  val *node = field_node_begin(f, member), *child;
  VAL_EACH(e, raw) {
    slice element;
    if (slice_is(e->key, ".")) continue;
    if (!element_read(f->arena, e->key, &element)) return false;
    if (element.len == 0) continue;
    if (!node_read(f, e->value, false, depth + 1, &child)) return false;
    if (child) val_set(f->arena, node, element, child);
  }
  field_node_sort(f, node);
  *out = field_node_end(f, node, member);
  return true;
}

bool field_set_read(const field_sets *f, const val *raw, val **out) {
  *out = NULL;
  if (!raw || val_is_null(raw)) return true;
  return node_read(f, raw, true, 0, out);
}

/* Go's value.ToString. */
static slice scalar_text(arena *a, const val *v) {
  if (val_is_string(v)) return field_quote(a, val_str(v));
  return json_text(a, v, true);
}

slice field_element_text(arena *a, slice element) {
  slice rest = slice_from(element, 2), error;
  if (element.len < 2) return element;
  if (element.ptr[0] == 'f') return arena_concat(a, SLICE_LIT("."), rest);
  if (element.ptr[0] == 'i') return arena_printf(a, "[%.*s]", SLICE_ARG(rest));
  val *v = json_parse(a, rest, NULL, &error);
  if (element.ptr[0] == 'v' && v) {
    slice text = scalar_text(a, v);
    return arena_printf(a, "[=%.*s]", SLICE_ARG(text));
  }
  slice out = SLICE_LIT("[");
  VAL_EACH(e, v) {
    slice text = scalar_text(a, e->value);
    text = arena_printf(a, "%s%.*s=%.*s", e == v->u.entries ? "" : ",", SLICE_ARG(e->key),
                        SLICE_ARG(text));
    out = arena_concat(a, out, text);
  }
  return arena_concat(a, out, SLICE_LIT("]"));
}

static void node_each(const field_sets *f, const val *node, slice prefix, field_path_fn each,
                      void *ctx) {
  for (int below = 0; below < 2; below++) {
    for (uint32_t i = field_node_first(node); i < field_node_count(node); i++) {
      const val_entry *e = node->u.entries + i;
      if (below ? field_node_count(e->value) == 0 : !field_node_is_member(e->value)) continue;
      slice path = arena_concat(f->arena, prefix, field_element_text(f->arena, e->key));
      if (below) node_each(f, e->value, path, each, ctx);
      else each(ctx, path);
    }
  }
}

void field_set_each(const field_sets *f, const val *x, field_path_fn each, void *ctx) {
  if (x) node_each(f, x, SLICE_LIT(""), each, ctx);
}
