/* Trees to YAML, as sigs.k8s.io/yaml writes them: block style, keys in its natural order,
 * lists not indented below their key, long lines folded at column 80, strings quoted where
 * they would be read as something else.
 *
 * The real server writes JSON first and turns that into YAML; so does this, which settles
 * the typed tree's absent fields and numbers without a second set of rules. */
#include "base/ascii.h"
#include "codec/strict.h"
#include "codec/yaml_emit.h"
#include "codec/yaml_scalar.h"

#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define FRAMES_FIRST 32u

typedef struct frame {
  const val *v;
  uint32_t next;
  int indent;
} frame;

typedef struct encoder {
  yaml_emitter out;
  frame *frames;
  uint32_t depth, cap;
  frame first[FRAMES_FIRST];
} encoder;

static bool is_space(slice s, size_t i) { return i < s.len && s.ptr[i] == ' '; }

static uint32_t char_at(slice s, size_t i) {
  unsigned len = utf8_sequence(s.ptr + i, s.ptr + s.len);
  return len ? utf8_get(s.ptr + i, len) : 0xFFFD;
}

/* The digits from i as a number, wrapping as Go's does. Returns where they end. */
static size_t run_of_digits(slice s, size_t i, uint64_t *n) {
  for (; i < s.len && ascii_is_digit(s.ptr[i]); i++) *n = *n * 10 + (uint64_t)(s.ptr[i] - '0');
  return i;
}

/* At the first difference, i: numbers by value, letters behind everything else. */
static int natural_order_at(slice a, slice b, size_t i) {
  uint32_t ca = char_at(a, i), cb = char_at(b, i);
  bool letter_a = utf8_is_letter(ca), letter_b = utf8_is_letter(cb);
  if (letter_a && letter_b) return ca < cb ? -1 : 1;
  if (letter_a || letter_b) return letter_b ? -1 : 1;
  uint64_t na = 0, nb = 0;
  if (a.ptr[i] == '0' || b.ptr[i] == '0') {
    for (size_t j = i; j > 0 && ascii_is_digit(a.ptr[j - 1]); j--) {
      if (a.ptr[j - 1] == '0') continue;
      na = nb = 1;
      break;
    }
  }
  size_t end_a = run_of_digits(a, i, &na), end_b = run_of_digits(b, i, &nb);
  if (na != nb) return (int64_t)na < (int64_t)nb ? -1 : 1;
  if (end_a != end_b) return end_a < end_b ? -1 : 1;
  return ca < cb ? -1 : 1;
}

static int natural_order(const void *left, const void *right) {
  slice a = ((const val_entry *)left)->key, b = ((const val_entry *)right)->key;
  size_t i = 0;
  while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i]) i++;
  while (i > 0 && ((i < a.len && (a.ptr[i] & 0xC0) == 0x80) ||
                   (i < b.len && (b.ptr[i] & 0xC0) == 0x80))) {
    i--; /* back to where the character starts */
  }
  if (i >= a.len || i >= b.len) return (a.len > b.len) - (a.len < b.len);
  return natural_order_at(a, b, i);
}

/* The order is not transitive for odd keys ("0x1", "1", "00"), so that what comes out depends
 * on the way of sorting: up to a dozen entries the real server inserts one by one. */
static void sort_entries(val_entry *e, uint32_t n) {
  if (n > 12) {
    qsort(e, n, sizeof *e, natural_order);
    return;
  }
  for (uint32_t i = 1; i < n; i++) {
    for (uint32_t j = i; j > 0 && natural_order(&e[j], &e[j - 1]) < 0; j--) {
      val_entry swap = e[j];
      e[j] = e[j - 1];
      e[j - 1] = swap;
    }
  }
}

/* ---- the walk ---- */

static void push(encoder *e, const val *v, int indent) {
  if (e->depth == e->cap) {
    size_t size = e->cap * sizeof(frame);
    bool heap = e->frames != e->first;
    frame *fresh = heap ? heap_realloc(e->frames, size * 2) : heap_alloc(size * 2);
    if (!heap) memcpy(fresh, e->first, size);
    e->frames = fresh;
    e->cap *= 2;
  }
  e->frames[e->depth++] = (frame){.v = v, .indent = indent};
}

static void write_float(encoder *e, const val *v) {
  char text[40];
  yaml_scalar s = {YAML_STR, {0}};
  slice literal = slice_of(v->literal, v->count);
  if (v->literal) s = yaml_resolve(literal);
  if (s.type == YAML_INT) literal = SLICE_LIT("0"); /* -0 */
  bool as_is = s.type == YAML_UINT || s.type == YAML_INT || isinf(v->u.f);
  yaml_emit_plain(&e->out, as_is ? literal : yaml_float_text(v->u.f, 64, text));
}

static void write_value(encoder *e, const val *v, int indent, bool in_map) {
  char text[24];
  switch ((val_type)v->type) {
    case VAL_NULL: yaml_emit_plain(&e->out, SLICE_LIT("null")); return;
    case VAL_BOOL:
      yaml_emit_plain(&e->out, v->u.b ? SLICE_LIT("true") : SLICE_LIT("false"));
      return;
    case VAL_INT: {
      buf digits = {.ptr = text, .cap = sizeof text, .ceiling = sizeof text};
      buf_i64(&digits, v->u.i);
      yaml_emit_plain(&e->out, buf_slice(&digits));
      return;
    }
    case VAL_FLOAT: write_float(e, v); return;
    case VAL_STRING:
      yaml_emit_string(&e->out, val_str(v), indent < 0 ? 2 : indent + 2, false);
      return;
    case VAL_LIST:
    case VAL_MAP: break;
  }
  if (v->count == 0) {
    yaml_emit_plain(&e->out, v->type == VAL_LIST ? SLICE_LIT("[]") : SLICE_LIT("{}"));
    return;
  }
  bool indentless = v->type == VAL_LIST && in_map && !e->out.indention;
  push(e, v, indent < 0 ? 0 : indentless ? indent : indent + 2);
}

static void write_key(encoder *e, slice key, int indent) {
  if (yaml_is_simple_key(key)) {
    yaml_emit_string(&e->out, key, indent + 2, true);
    yaml_emit_indicator(&e->out, ':', false, false);
    return;
  }
  yaml_emit_indicator(&e->out, '?', true, true);
  yaml_emit_string(&e->out, key, indent + 2, false);
  yaml_emit_indent(&e->out, indent);
  yaml_emit_indicator(&e->out, ':', true, true);
}

/* The next entry or item of the innermost frame, or the end of it. */
static void step(encoder *e) {
  frame *f = &e->frames[e->depth - 1];
  if (f->next == f->v->count) {
    e->depth--;
    return;
  }
  uint32_t i = f->next++;
  int indent = f->indent;
  yaml_emit_indent(&e->out, indent);
  if (f->v->type == VAL_LIST) {
    yaml_emit_indicator(&e->out, '-', true, true);
    write_value(e, f->v->u.items[i], indent, false);
    return;
  }
  const val *value = f->v->u.entries[i].value;
  write_key(e, f->v->u.entries[i].key, indent);
  write_value(e, value, indent, true);
}

/* Every map's entries into natural order, without recursion: the frames serve as the list of
 * what is still to be visited. */
static void sort_maps(encoder *e, val *root) {
  push(e, root, 0);
  while (e->depth) {
    frame *f = &e->frames[e->depth - 1];
    const val *v = f->v;
    if (f->next == 0 && v->type == VAL_MAP) sort_entries(v->u.entries, v->count);
    if (f->next == val_len(v)) {
      e->depth--;
      continue;
    }
    uint32_t i = f->next++;
    const val *child = v->type == VAL_MAP ? v->u.entries[i].value : v->u.items[i];
    if (val_len(child)) push(e, child, 0);
  }
}

static void encode(buf *out, val *v) {
  encoder e;
  e.out = (yaml_emitter){.out = out, .whitespace = true, .indention = true};
  e.frames = e.first;
  e.depth = 0;
  e.cap = FRAMES_FIRST;
  sort_maps(&e, v);
  write_value(&e, v, -1, false);
  while (e.depth) step(&e);
  yaml_emit_indent(&e.out, 0);
  if (e.frames != e.first) heap_free(e.frames);
}

/* ---- line ends that JSON does not know ---- */

#define NEL "\xC2\x85"

static bool is_nel(slice s, size_t i) {
  return i + 1 < s.len && s.ptr[i] == NEL[0] && s.ptr[i + 1] == NEL[1];
}

/* JSON leaves U+0085 as it is; read as YAML it ends a line of the quoted string, and is folded. */
static slice fold(arena *a, slice s) {
  if (slice_find(s, SLICE_LIT(NEL)) < 0) return s;
  char *to = arena_alloc(a, s.len);
  size_t n = 0;
  for (size_t i = 0; i < s.len;) {
    if (!is_nel(s, i)) {
      to[n++] = s.ptr[i++];
      continue;
    }
    unsigned lines = 0;
    while (n > 0 && to[n - 1] == ' ') n--;
    for (; is_space(s, i) || is_nel(s, i); i += is_space(s, i) ? 1 : 2) lines += is_nel(s, i);
    if (lines == 1) to[n++] = ' ';
    while (lines-- > 1) to[n++] = '\n';
  }
  return slice_of(to, n);
}

static void fold_strings(arena *a, val *v) {
  if (val_is_string(v)) *v = *val_string(a, fold(a, val_str(v)));
  for (uint32_t i = 0; i < val_len(v); i++) {
    if (val_is_map(v)) v->u.entries[i].key = fold(a, v->u.entries[i].key);
    fold_strings(a, val_is_map(v) ? v->u.entries[i].value : v->u.items[i]);
  }
}

void yaml_encode(buf *out, const val *v, const type_info *t) {
  buf json;
  slice error;
  arena *a = arena_create();
  buf_init(&json, LIMIT_BUFFER);
  if (t) json_encode(&json, v, t);
  else json_encode_any(&json, v, true);
  val *tree = json_parse_typed(a, buf_slice(&json), NULL, &error);
  if (tree && slice_find(buf_slice(&json), SLICE_LIT(NEL)) >= 0) fold_strings(a, tree);
  if (tree) encode(out, tree);
  else out->overflow = true; /* the JSON was past its ceiling, or deeper than any body */
  buf_dispose(&json);
  arena_destroy(a);
}
