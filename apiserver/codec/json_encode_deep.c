/* Trees to JSON, of any depth and order, typed and untyped.
 *
 * One walk with an explicit stack, typed and untyped: a frame is an open map or list. In a
 * canonical tree (codec_conform) the entries of a struct come in the order of the fields, so
 * that both are walked side by side without a look-up; any other order still comes out right. */
#include "codec/json_write.h"

#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define FRAMES_FIRST 32u

typedef enum frame_kind { FRAME_STRUCT, FRAME_MAP, FRAME_LIST } frame_kind;

typedef struct frame {
  const val *v;
  const type_info *t; /* FRAME_STRUCT: itself; else of the members, NULL for untyped */
  val_entry *sorted; /* FRAME_MAP: NULL, or its entries in order (heap) */
  uint32_t next; /* entry or item */
  uint16_t field; /* FRAME_STRUCT */
  uint8_t kind; /* frame_kind */
  bool ordered; /* FRAME_STRUCT: entries come as the fields do */
  bool empty; /* nothing written yet */
  bool raw; /* below a raw value: tree order, numbers as they were written */
} frame;

typedef struct encoder {
  buf *out;
  bool sort_any; /* sort untyped maps */
  frame *frames;
  uint32_t depth, cap;
  frame first[FRAMES_FIRST];
} encoder;

static frame *push_frame(encoder *e) {
  if (e->depth == e->cap) {
    size_t size = e->cap * sizeof(frame);
    frame *fresh = e->frames == e->first ? heap_alloc(size * 2) : heap_realloc(e->frames, size * 2);
    if (e->frames == e->first) memcpy(fresh, e->first, size);
    e->frames = fresh;
    e->cap *= 2;
  }
  frame *f = &e->frames[e->depth++];
  *f = (frame){.empty = true};
  return f;
}

static int entry_order(const void *a, const void *b) {
  return slice_cmp(((const val_entry *)a)->key, ((const val_entry *)b)->key);
}

static val_entry *sorted_copy(const val *map) {
  if (json_is_sorted(map)) return NULL;
  val_entry *copy = heap_alloc(map->count * sizeof *copy);
  memcpy(copy, map->u.entries, map->count * sizeof *copy);
  qsort(copy, map->count, sizeof *copy, entry_order);
  return copy;
}

static bool is_raw_kind(const type_info *t) {
  return t->kind == TYPE_RAW_EXTENSION || t->kind == TYPE_FIELDS_V1 || t->kind == TYPE_JSON;
}

static const type_info *member_of(const type_info *t, type_kind kind) {
  return t->fields[0].type->kind == kind ? t->fields[0].type : t->fields[1].type;
}

/* The type that a map or list really has: a schema union is its schema, or its list. */
static const type_info *shape_of(const type_info *t, const val *v) {
  bool is_union = t->kind == TYPE_SCHEMA_OR_ARRAY || t->kind == TYPE_SCHEMA_OR_BOOL ||
                  t->kind == TYPE_SCHEMA_OR_STRINGS;
  if (!is_union) return t;
  return member_of(t, val_is_map(v) ? TYPE_STRUCT : TYPE_LIST);
}

static void open_frame(encoder *e, const val *v, const type_info *t, bool raw) {
  frame *f = push_frame(e);
  f->v = v;
  f->raw = raw || (t && is_raw_kind(t));
  if (t) t = f->raw ? NULL : shape_of(t, v);
  if (v->type == VAL_LIST) {
    f->kind = FRAME_LIST;
    f->t = t ? t->elem : NULL;
    json_char(e->out, '[');
    return;
  }
  f->kind = t && t->kind == TYPE_STRUCT ? FRAME_STRUCT : FRAME_MAP;
  f->t = f->kind == FRAME_STRUCT ? t : t ? t->elem : NULL;
  if (f->kind == FRAME_STRUCT) f->ordered = json_is_ordered(v, t);
  else if (t || (e->sort_any && !f->raw)) f->sorted = sorted_copy(v);
  json_char(e->out, '{');
}

static void write_i64(buf *out, int64_t n) {
  char room[SLICE_U64_ROOM];
  slice digits = slice_of_u64(room, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
  if (n < 0) json_char(out, '-');
  json_put(out, digits.ptr, digits.len);
}

/* True when v is a map or list, whose frame is now open. */
static bool write_value(encoder *e, const val *v, const type_info *t, bool raw) {
  switch ((val_type)v->type) {
    case VAL_NULL: json_put(e->out, "null", 4); break;
    case VAL_BOOL: json_put(e->out, v->u.b ? "true" : "false", v->u.b ? 4 : 5); break;
    case VAL_INT: write_i64(e->out, v->u.i); break;
    case VAL_FLOAT:
      raw = raw || (t && is_raw_kind(t)) || !isfinite(v->u.f);
      if (raw && v->literal) json_put(e->out, v->literal, v->count);
      else json_encode_float(e->out, v->u.f);
      break;
    case VAL_STRING: json_encode_string(e->out, val_str(v)); break;
    case VAL_LIST:
    case VAL_MAP: open_frame(e, v, t, raw); return true;
  }
  return false;
}

static void separate(encoder *e, frame *f) {
  if (!f->empty) json_char(e->out, ',');
  f->empty = false;
}

static const val *field_value(frame *f, const field_info *field) {
  if (!f->ordered) return val_get(f->v, field->name);
  if (f->next == f->v->count) return NULL;
  const val_entry *entry = &f->v->u.entries[f->next];
  bool here = entry->key.ptr == field->name.ptr || slice_eq(entry->key, field->name);
  if (!here) return NULL;
  f->next++;
  return entry->value;
}

static void write_name(buf *out, slice name) {
  char *to = json_room(out, name.len + 3);
  if (!to) return;
  *to++ = '"';
  memcpy(to, name.ptr, name.len); /* schema names need no escapes */
  to += name.len;
  *to++ = '"';
  *to = ':';
  out->len += name.len + 3;
}

/* Writes fields until one opens a frame (true) or none is left. */
static bool step_struct(encoder *e, frame *f) {
  while (f->field < f->t->field_count) {
    const field_info *field = &f->t->fields[f->field++];
    const val *v = field_value(f, field);
    if (v ? json_omits(field, v) : json_omits_absent(field)) continue;
    separate(e, f);
    write_name(e->out, field->name);
    if (!v || (v->type == VAL_NULL && !field->pointer)) {
      json_write_zero(e->out, field->type, field->pointer);
    } else if (write_value(e, v, field->type, false)) {
      return true;
    }
  }
  return false;
}

static bool step_map(encoder *e, frame *f) {
  while (f->next < f->v->count) {
    const val_entry *entry = (f->sorted ? f->sorted : f->v->u.entries) + f->next++;
    separate(e, f);
    json_encode_string(e->out, entry->key);
    json_char(e->out, ':');
    if (write_value(e, entry->value, f->t, f->raw)) return true;
  }
  return false;
}

static bool step_list(encoder *e, frame *f) {
  while (f->next < f->v->count) {
    const val *item = f->v->u.items[f->next++];
    separate(e, f);
    if (write_value(e, item, f->t, f->raw)) return true;
  }
  return false;
}

static void encode(buf *out, const val *v, const type_info *t, bool sort_any) {
  encoder e;
  assert(out && v);
  e.out = out;
  e.sort_any = sort_any;
  e.frames = e.first;
  e.depth = 0;
  e.cap = FRAMES_FIRST;
  write_value(&e, v, t, false);
  while (e.depth) {
    frame *f = &e.frames[e.depth - 1];
    bool down = f->kind == FRAME_STRUCT ? step_struct(&e, f)
                : f->kind == FRAME_MAP ? step_map(&e, f)
                                       : step_list(&e, f);
    if (down) continue;
    f = &e.frames[--e.depth];
    json_char(out, f->kind == FRAME_LIST ? ']' : '}');
    if (f->sorted) heap_free(f->sorted);
  }
  if (e.frames != e.first) heap_free(e.frames);
}

void json_encode_deep(buf *out, const val *v, const type_info *t) { encode(out, v, t, true); }

void json_encode_any(buf *out, const val *v, bool sort_keys) { encode(out, v, NULL, sort_keys); }

slice json_text(arena *a, const val *v, bool sort_keys) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  if (v) json_encode_any(&b, v, sort_keys);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}
