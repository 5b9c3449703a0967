/* proto_encode: a typed tree as gogo-protobuf writes it.
 *
 * From the last byte to the first (see proto_wire.h): the place that was written last is handed
 * from function to function, so that it stays in a register. Canonical trees have their entries in
 * the fields' order and under the fields' own names; where protobuf's order is the same, both are
 * walked backwards side by side, else the values are laid out by field first. Entries that are not
 * canonical, and levels below DEPTH_MAX, are the business of proto_encode_deep.c. */
#include "codec/proto_encode.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "codec/cursor.h"
#include "codec/proto_leaf.h"

#include <assert.h>

#define INLINE inline __attribute__((always_inline))
#define DEPTH_MAX 40u
#define SLOTS 64u /* of the types with the most fields; more are left to the deep walk */
#define HEAD_MAX 16u /* a tag, and a length or number */

typedef struct encoder {
  buf *out;
  char *floor, *end; /* the room that is written to, from end down */
} encoder;

/* ---- bytes ---- */

/* Makes room for n more bytes before p. Past the ceiling the output is lost and its bytes are
 * written over; NULL when even that has no room. */
static char *grow(encoder *e, char *p, size_t n) {
  buf *b = e->out;
  size_t used = (size_t)(e->end - p);
  if (!b->overflow && used + n <= b->ceiling - b->len) {
    size_t at = b->cap - used, want = used + n < 1024 ? 1024 : used + n;
    if (want > b->ceiling - b->len) want = b->ceiling - b->len;
    if (buf_reserve(b, want)) {
      memmove(b->ptr + b->cap - used, b->ptr + at, used);
      e->floor = b->ptr + b->len;
      e->end = b->ptr + b->cap;
      return e->end - used;
    }
  }
  b->overflow = true;
  return n <= (size_t)(e->end - e->floor) ? e->end : NULL;
}

#define ROOM(e, p, n) \
  if (__builtin_expect((size_t)((p) - (e)->floor) < (n), 0)) (p) = grow((e), (p), (n))

static INLINE char *put_varint(char *p, uint64_t n) {
  if (__builtin_expect(n < 0x80, 1)) {
    *--p = (char)n;
    return p;
  }
  unsigned bits = 64 - (unsigned)__builtin_clzll(n), len = (bits + 6) / 7;
  p -= len;
  for (unsigned i = 0; i + 1 < len; i++, n >>= 7) p[i] = (char)(n | 0x80);
  p[len - 1] = (char)n;
  return p;
}

static INLINE char *put_tag(char *p, const proto_field *f) {
  if (__builtin_expect(f->tag_len == 1, 1)) {
    *--p = (char)f->tag[0];
    return p;
  }
  p -= 2;
  memcpy(p, f->tag, 2);
  return p;
}

/* Text and its length, without a tag. Leaves room for a tag. */
static INLINE char *put_text(encoder *e, char *p, slice s) {
  ROOM(e, p, s.len + HEAD_MAX);
  if (__builtin_expect(!p, 0)) return e->end;
  p -= s.len;
  copy_small(p, s.ptr, s.len);
  return put_varint(p, s.len);
}

/* What proto_out's functions write, before p. */
static proto_out lend(encoder *e, char *p) {
  return (proto_out){e->out, (size_t)(e->end - p)};
}

static char *take_back(encoder *e, const proto_out *o) {
  buf *b = e->out;
  e->floor = b->ptr + b->len;
  e->end = b->ptr + b->cap;
  return e->end - o->used;
}

/* ---- values ---- */

static char *put_struct(encoder *e, char *p, const val *v, const type_info *t, unsigned depth);

static char *put_deep(encoder *e, char *p, const val *v, const type_info *t) {
  proto_out o = lend(e, p);
  proto_encode_deep(&o, v, t);
  return take_back(e, &o);
}

/* The length and tag of a message that was begun when `mark` bytes were written. */
static INLINE char *put_head(encoder *e, char *p, size_t mark, const proto_field *f) {
  ROOM(e, p, HEAD_MAX);
  return put_tag(put_varint(p, (size_t)(e->end - p) - mark), f);
}

static char *put_bytes(encoder *e, char *p, slice base64) {
  proto_out o = lend(e, p);
  proto_encode_bytes(&o, base64);
  return take_back(e, &o);
}

static char *put_leaf(encoder *e, char *p, const val *v, const type_info *t) {
  if (t->kind == TYPE_QUANTITY) {
    p = put_text(e, p, val_is_string(v) ? val_str(v) : SLICE_LIT("0"));
    *--p = 1 << 3 | WIRE_BYTES;
    return p;
  }
  bool raw = t->kind >= TYPE_RAW_EXTENSION && t->kind <= TYPE_JSON;
  if (raw && val_is_map(v) && v->count == 0) {
    p = put_text(e, p, SLICE_LIT("{}"));
    *--p = 1 << 3 | WIRE_BYTES;
    return p;
  }
  proto_out o = lend(e, p);
  leaf_encode(&o, v, t);
  return take_back(e, &o);
}

static char *put_float(char *p, const val *v) {
  double f = val_is_float(v) ? v->u.f : (double)val_i64(v);
  uint64_t bits;
  memcpy(&bits, &f, sizeof bits);
  p -= sizeof bits;
  for (size_t i = 0; i < sizeof bits; i++) p[i] = (char)(bits >> (8 * i));
  return p;
}

/* A value with tag. v NULL: the zero value. */
static char *put_value(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                       unsigned depth);

/* A number in a list: gogo does not pack. */
static char *put_number_item(char *p, const proto_field *f, const val *v, const type_info *t) {
  bool wide = t->kind == TYPE_FLOAT64;
  if (wide) p = put_float(p, v);
  else p = put_varint(p, t->kind == TYPE_BOOL ? val_true(v) : (uint64_t)val_i64(v));
  return put_varint(p, (uint64_t)f->number << 3 | (wide ? WIRE_FIXED64 : WIRE_VARINT));
}

static char *put_list(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                      unsigned depth) {
  const type_info *elem = t->elem;
  size_t mark = (size_t)(e->end - p);
  if (elem->kind == TYPE_STRUCT) {
    for (uint32_t i = val_len(v); i-- > 0; mark = (size_t)(e->end - p)) {
      p = put_head(e, put_struct(e, p, v->u.items[i], elem, depth + 1), mark, f);
    }
    return p;
  }
  for (uint32_t i = val_len(v); i-- > 0;) {
    const val *item = v->u.items[i];
    if (item->type == VAL_NULL) item = NULL;
    switch ((type_kind)elem->kind) {
      case TYPE_BOOL:
      case TYPE_INT32:
      case TYPE_INT64:
      case TYPE_FLOAT64:
        ROOM(e, p, 2 * HEAD_MAX);
        p = put_number_item(p, f, item, elem);
        break;
      case TYPE_STRING:
        if (t->wrapped) {
          p = put_text(e, p, val_str(item));
          *--p = 1 << 3 | WIRE_BYTES;
          break;
        } /* else as any other */ /* fall through */
      default: p = put_value(e, p, f, item, elem, depth);
    }
  }
  return t->wrapped ? put_head(e, p, mark, f) : p;
}

static char *put_entry(encoder *e, char *p, const proto_field *f, const val_entry *entry,
                       const type_info *elem, unsigned depth) {
  static const proto_field value_of_entry = {
      .number = 2, .tag = {2 << 3 | WIRE_BYTES}, .tag_len = 1};
  size_t mark = (size_t)(e->end - p);
  const val *v = val_is_null(entry->value) ? NULL : entry->value;
  if (v || elem->kind != TYPE_BYTES) p = put_value(e, p, &value_of_entry, v, elem, depth);
  p = put_text(e, p, entry->key);
  *--p = 1 << 3 | WIRE_BYTES;
  return put_head(e, p, mark, f);
}

static bool is_sorted(const val *v) {
  for (uint32_t i = 1; i < v->count; i++) {
    if (slice_cmp(v->u.entries[i - 1].key, v->u.entries[i].key) >= 0) return false;
  }
  return true;
}

static char *put_map(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                     unsigned depth) {
  val sorted;
  if (val_len(v) == 0) return p;
  arena *a = NULL;
  if (v->count > 1 && !is_sorted(v)) { /* no canonical tree */
    a = arena_create();
    sorted = *v;
    sorted.index = NULL;
    sorted.u.entries = arena_alloc(a, v->count * sizeof(val_entry));
    memcpy(sorted.u.entries, v->u.entries, v->count * sizeof(val_entry));
    val_sort(&sorted);
    v = &sorted;
  }
  for (uint32_t i = v->count; i-- > 0;) p = put_entry(e, p, f, &v->u.entries[i], t->elem, depth);
  arena_destroy(a);
  return p;
}

static char *put_value(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                       unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  switch ((type_kind)t->kind) {
    case TYPE_STRING: return put_tag(put_text(e, p, val_str(v)), f);
    case TYPE_STRUCT: return put_head(e, put_struct(e, p, v, t, depth + 1), mark, f);
    case TYPE_BOOL:
      ROOM(e, p, HEAD_MAX);
      *--p = val_true(v);
      return put_tag(p, f);
    case TYPE_INT32:
    case TYPE_INT64:
      ROOM(e, p, HEAD_MAX);
      return put_tag(put_varint(p, (uint64_t)val_i64(v)), f);
    case TYPE_FLOAT64:
      ROOM(e, p, HEAD_MAX);
      return put_tag(put_float(p, v), f);
    case TYPE_BYTES: return put_head(e, put_bytes(e, p, val_str(v)), mark, f);
    case TYPE_LIST: return put_list(e, p, f, v, t, depth);
    case TYPE_MAP: return put_map(e, p, f, v, t, depth);
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return put_head(e, put_deep(e, p, v, t), mark, f);
    default: return put_head(e, put_leaf(e, p, v, t), mark, f);
  }
}

/* gogo leaves out nil pointers, nil bytes, and lists and maps without members. A null stands
 * for a pointer to what Go writes null (a zero time). */
static INLINE char *put_field(encoder *e, char *p, const proto_field *f, const val *v,
                              unsigned depth) {
  if (!v || v->type == VAL_NULL) {
    bool many = f->kind == TYPE_BYTES || f->kind == TYPE_LIST || f->kind == TYPE_MAP;
    if (f->pointer ? !v : many) return p;
    v = NULL;
  }
  switch (f->kind) { /* from the row alone, where that is enough */
    case TYPE_STRING: return put_tag(put_text(e, p, val_str(v)), f);
    case TYPE_BOOL:
      ROOM(e, p, HEAD_MAX);
      *--p = val_true(v);
      return put_tag(p, f);
    case TYPE_INT32:
    case TYPE_INT64:
      ROOM(e, p, HEAD_MAX);
      return put_tag(put_varint(p, (uint64_t)val_i64(v)), f);
    case TYPE_STRUCT: {
      size_t mark = (size_t)(e->end - p);
      return put_head(e, put_struct(e, p, v, f->type, depth + 1), mark, f);
    }
    case TYPE_LIST: return put_list(e, p, f, v, f->type, depth);
    case TYPE_MAP: return put_map(e, p, f, v, f->type, depth);
    default: return put_value(e, p, f, v, f->type, depth);
  }
}

/* ---- structs ---- */

/* Both orders are one. NULL where an entry fits no field: begin again otherwise. */
static char *put_in_order(encoder *e, char *p, const val *v, const type_info *t, unsigned depth) {
  const val_entry *first = v ? v->u.entries : NULL, *at = v && v->count ? first + v->count : first;
  for (const proto_field *f = t->protos + t->proto_count; f-- > t->protos;) {
    const val *value = NULL;
    if (at > first && at[-1].key.ptr == f->name) value = (--at)->value;
    p = put_field(e, p, f, value, depth);
  }
  while (at > first) { /* kind and apiVersion travel in the envelope */
    const char *key = (--at)->key.ptr;
    bool outside = (t->field_count > 0 && key == t->brief[0].name && !t->fields[0].proto) ||
                   (t->field_count > 1 && key == t->brief[1].name && !t->fields[1].proto);
    if (!outside) return NULL;
  }
  return p;
}

/* slots: a value or NULL for each field of t. */
static char *put_slots(encoder *e, char *p, const val *const *slots, const type_info *t,
                       unsigned depth) {
  for (const proto_field *f = t->protos + t->proto_count; f-- > t->protos;) {
    if (__builtin_expect(!f->inlined, 1)) {
      p = put_field(e, p, f, slots[f->at], depth);
      continue;
    }
    size_t mark = (size_t)(e->end - p);
    p = put_slots(e, p, slots + f->at, f->inlined, depth);
    p = put_head(e, p, mark, f);
  }
  return p;
}

/* Lays v's values out by field. False where an entry is not under a field's own name, in order. */
static bool fill_slots(const val **slots, const val *v, const type_info *t) {
  uint32_t i = 0, n = t->field_count;
  const val_entry *at = v ? v->u.entries : NULL, *end = v && v->count ? at + v->count : at;
  for (; at < end; at++) {
    while (i < n && t->brief[i].name != at->key.ptr) slots[i++] = NULL;
    if (i == n) return false;
    slots[i++] = at->value;
  }
  while (i < n) slots[i++] = NULL;
  return true;
}

static char *put_struct(encoder *e, char *p, const val *v, const type_info *t, unsigned depth) {
  const val *slots[SLOTS];
  size_t mark = (size_t)(e->end - p);
  if (depth >= DEPTH_MAX) return put_deep(e, p, v, t);
  if (!val_is_map(v)) v = NULL;
  if (t->proto_in_order) {
    char *done = put_in_order(e, p, v, t, depth);
    if (done) return done;
    p = e->end - mark;
  } else if (t->field_count <= SLOTS && fill_slots(slots, v, t)) {
    return put_slots(e, p, slots, t, depth);
  }
  return put_deep(e, p, v, t);
}

/* ---- the whole ---- */

static void finish(encoder *e, char *p) {
  buf *b = e->out;
  size_t used = (size_t)(e->end - p);
  if (b->overflow || used == 0) return;
  assert(b->len + used <= b->cap);
  memmove(b->ptr + b->len, p, used);
  b->len += used;
}

/* NULL when there is no room at all; else at least what grow() may have to write over. */
static char *begin(encoder *e, buf *out) {
  if (!buf_reserve(out, 256)) return NULL;
  *e = (encoder){out, out->ptr + out->len, out->ptr + out->cap};
  return e->end;
}

/* A field of runtime.Unknown or its TypeMeta. */
static char *put_text_field(encoder *e, char *p, unsigned number, slice s) {
  p = put_text(e, p, s);
  *--p = (char)(number << 3 | WIRE_BYTES);
  return p;
}

void proto_encode_object(buf *out, const val *v, const type_info *t, slice api_version,
                         slice kind) {
  encoder e;
  assert(t->kind == TYPE_STRUCT);
  char *p = begin(&e, out);
  if (!p) return;
  p = put_text_field(&e, p, 4, SLICE_NONE); /* contentType */
  p = put_text_field(&e, p, 3, SLICE_NONE); /* contentEncoding */
  size_t mark = (size_t)(e.end - p);
  p = put_struct(&e, p, v, t, 0);
  ROOM(&e, p, HEAD_MAX);
  p = put_varint(p, (size_t)(e.end - p) - mark);
  *--p = 2 << 3 | WIRE_BYTES; /* raw */
  mark = (size_t)(e.end - p);
  p = put_text_field(&e, p, 2, kind);
  p = put_text_field(&e, p, 1, api_version);
  ROOM(&e, p, HEAD_MAX);
  p = put_varint(p, (size_t)(e.end - p) - mark);
  *--p = 1 << 3 | WIRE_BYTES; /* typeMeta */
  p -= 4;
  memcpy(p, "k8s", 4); /* and a NUL */
  finish(&e, p);
}

void proto_encode(buf *out, const val *v, const type_info *t) {
  encoder e;
  assert(t->kind == TYPE_STRUCT);
  char *p = begin(&e, out);
  if (p) finish(&e, put_struct(&e, p, v, t, 0));
}
