/* proto_encode: a typed tree as gogo-protobuf writes it.
 *
 * From the last byte to the first (see proto_wire.h): the place that was written last is handed
 * from function to function, so that it stays in a register. Before each row there is room for
 * SLACK bytes, so that only what is long has to ask. Canonical trees have their entries in the
 * fields' order and under the fields' own names; where protobuf's order is the same, both are
 * walked backwards side by side, else the values are laid out by field first. A value of the type
 * that its row wants takes the quick way (put_wanted). Entries that are not canonical, and levels
 * below DEPTH_MAX, are the business of proto_encode_deep.c. */
#include "codec/proto_encode.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "codec/cursor.h"
#include "codec/proto_leaf.h"

#include <assert.h>

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define DEPTH_MAX 40u
#define SLOTS 64u /* of the types with the most fields; more are left to the deep walk */
#define HEAD_MAX 16u /* a tag, and a length or number */
#define SLACK 96u /* before each row: two short texts with their heads, and a head */
#define SHORT_MAX 32u /* bytes of a text that needs no look at the room */
#define ROOM_MIN 256u /* what the buffer has at least, so that lost output can be written over */

typedef struct encoder {
  buf *out;
  char *floor, *end; /* the room that is written to, from end down */
  char *low; /* SLACK above floor */
} encoder;

/* ---- bytes ---- */

static void set_room(encoder *e) {
  buf *b = e->out;
  e->floor = b->ptr + b->len;
  e->end = b->ptr + b->cap;
  e->low = e->floor + SLACK;
}

/* Makes room for n more bytes before p. Past the ceiling the output is lost and its bytes are
 * written over; NULL when even that has no room. */
static NOINLINE char *grow(encoder *e, char *p, size_t n) {
  buf *b = e->out;
  size_t used = (size_t)(e->end - p);
  if (!b->overflow && used + n <= b->ceiling - b->len) {
    size_t at = b->cap - used, want = used + n < 1024 ? 1024 : used + n;
    if (want > b->ceiling - b->len) want = b->ceiling - b->len;
    if (buf_reserve(b, want)) {
      memmove(b->ptr + b->cap - used, b->ptr + at, used);
      set_room(e);
      return e->end - used;
    }
  }
  b->overflow = true;
  return n <= (size_t)(e->end - e->floor) ? e->end : NULL;
}

/* At the end of a row, so that the next one has its slack again. */
static INLINE char *restock(encoder *e, char *p) {
  return __builtin_expect(p < e->low, 0) ? grow(e, p, SLACK) : p;
}

/* Of three bytes and more. */
static NOINLINE char *put_long_varint(char *p, uint64_t n) {
  unsigned bits = 64 - (unsigned)__builtin_clzll(n), len = (bits + 6) / 7;
  p -= len;
  for (unsigned i = 0; i + 1 < len; i++, n >>= 7) p[i] = (char)(n | 0x80);
  p[len - 1] = (char)n;
  return p;
}

static INLINE char *put_varint(char *p, uint64_t n) {
  if (__builtin_expect(n < 0x80, 1)) {
    *--p = (char)n;
    return p;
  }
  if (__builtin_expect(n < 0x4000, 1)) {
    p -= 2;
    p[0] = (char)(n | 0x80);
    p[1] = (char)(n >> 7);
    return p;
  }
  return put_long_varint(p, n);
}

/* The varints of times from 1978 to 3058: groups of seven bits are drawn apart to bytes. */
static INLINE bool is_five_bytes(uint64_t n) { return n >> 28 > 0 && n >> 35 == 0; }

static INLINE char *put_five_bytes(char *p, uint64_t n) {
  uint32_t low = (uint32_t)((n & 0x3fff) | (n & 0xfffc000) << 2);
  low = (low & 0x7f007fu) | (low & 0x3f803f80u) << 1 | 0x80808080u;
  *--p = (char)(n >> 28);
  for (unsigned i = 4; i-- > 0;) *--p = (char)(low >> (8 * i));
  return p;
}

static INLINE char *put_tag(char *p, const proto_field *f) {
  memcpy(p - 2, f->tag, 2); /* the first of them is written over where the tag has one byte */
  return p - f->tag_len;
}

/* Text of any length and its length, without a tag; the slack is there before and after. */
static NOINLINE char *put_long_text(encoder *e, char *p, slice s) {
  if ((size_t)(p - e->floor) < s.len + SLACK + HEAD_MAX) p = grow(e, p, s.len + SLACK + HEAD_MAX);
  if (!p) return e->end;
  p -= s.len;
  if (s.len) memcpy(p, s.ptr, s.len);
  return put_varint(p, s.len);
}

/* The same where the slack is there before: it may be gone behind. */
static INLINE char *put_text(encoder *e, char *p, slice s) {
  if (__builtin_expect(s.len > SHORT_MAX, 0)) return put_long_text(e, p, s);
  p -= s.len;
  copy_small(p, s.ptr, s.len);
  *--p = (char)s.len;
  return p;
}

static INLINE char *put_text_field(encoder *e, char *p, const proto_field *f, const char *from,
                                   size_t len) {
  if (__builtin_expect(len > SHORT_MAX, 0)) {
    return put_tag(put_long_text(e, p, slice_of(from, len)), f);
  }
  p -= len;
  copy_small(p, from, len);
  p[-1] = (char)len;
  memcpy(p - 3, f->tag, 2);
  return p - 1 - f->tag_len;
}

/* What proto_out's functions write, before p. */
static proto_out lend(encoder *e, char *p) {
  return (proto_out){e->out, (size_t)(e->end - p)};
}

static char *take_back(encoder *e, const proto_out *o) {
  set_room(e);
  return restock(e, e->end - o->used);
}

/* ---- values ---- */

static const val empty = {.type = VAL_MAP};
static const val_entry no_entries[1];

static char *put_struct(encoder *e, char *p, const val *v, const type_info *t, unsigned depth);
static char *put_in_order(encoder *e, char *p, const val_entry *first, const val_entry *at,
                          const proto_field *f, unsigned depth);

static char *put_deep(encoder *e, char *p, const val *v, const type_info *t) {
  proto_out o = lend(e, p);
  proto_encode_deep(&o, v, t);
  return take_back(e, &o);
}

/* The length and tag of a message that was begun when `mark` bytes were written. */
static INLINE char *put_head(encoder *e, char *p, size_t mark, const proto_field *f) {
  return put_tag(put_varint(p, (size_t)(e->end - p) - mark), f);
}

/* Text as the one field of a message, or the number-th field of one. */
static INLINE char *put_member(encoder *e, char *p, unsigned number, slice s) {
  p = put_text(e, p, s);
  *--p = (char)(number << 3 | WIRE_BYTES);
  return p;
}

static char *put_bytes(encoder *e, char *p, slice base64) {
  proto_out o = lend(e, p);
  proto_encode_bytes(&o, base64);
  return take_back(e, &o);
}

static char *put_int_or_string(encoder *e, char *p, const val *v) {
  p = put_member(e, p, 3, val_str(v));
  p = put_varint(p, (uint64_t)val_i64(v));
  *--p = 2 << 3 | WIRE_VARINT;
  *--p = val_is_string(v);
  *--p = 1 << 3 | WIRE_VARINT;
  return p;
}

/* As time_encode of proto_leaf.c. */
static char *put_time(char *p, const val *v, bool micro) {
  int64_t seconds;
  int32_t nanos;
  if (!val_is_string(v) || !time_parse(val_str(v), &seconds, &nanos)) return p;
  nanos = micro ? nanos - nanos % 1000 : 0;
  if (seconds == UNIX_OF_YEAR_1 && nanos == 0) return p;
  p = put_varint(p, (uint64_t)nanos);
  *--p = 2 << 3 | WIRE_VARINT;
  p = is_five_bytes((uint64_t)seconds) ? put_five_bytes(p, (uint64_t)seconds)
                                       : put_varint(p, (uint64_t)seconds);
  *--p = 1 << 3 | WIRE_VARINT;
  return p;
}

static NOINLINE char *put_leaf(encoder *e, char *p, const val *v, const type_info *t) {
  bool raw = t->kind >= TYPE_RAW_EXTENSION && t->kind <= TYPE_JSON;
  if (t->kind == TYPE_QUANTITY) {
    return put_member(e, p, 1, val_is_string(v) ? val_str(v) : SLICE_LIT("0"));
  }
  if (t->kind == TYPE_INT_OR_STRING) return put_int_or_string(e, p, v);
  if (t->kind == TYPE_TIME || t->kind == TYPE_MICROTIME) {
    return put_time(p, v, t->kind == TYPE_MICROTIME);
  }
  if (raw && val_is_map(v) && v->count == 0) return put_member(e, p, 1, SLICE_LIT("{}"));
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

static char *put_item(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                      unsigned depth) {
  if (v->type == VAL_NULL) v = NULL;
  switch ((type_kind)t->kind) {
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64: return put_number_item(p, f, v, t);
    default: return put_value(e, p, f, v, t, depth);
  }
}

/* A map for a struct, as a message. */
static INLINE char *put_message(encoder *e, char *p, const proto_field *f, const val *v,
                                const type_info *t, unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  const val_entry *first = v->u.entries;
  if (__builtin_expect(t->proto_in_order && v->count && depth < DEPTH_MAX, 1)) {
    p = put_in_order(e, p, first, first + v->count, t->protos_end, depth);
    if (__builtin_expect(!p, 0)) p = put_deep(e, e->end - mark, v, t);
  } else {
    p = put_struct(e, p, v, t, depth);
  }
  return put_head(e, p, mark, f);
}

/* A list of structs, of texts, and any. */
static NOINLINE char *put_messages(encoder *e, char *p, const proto_field *f, const val *v,
                                   unsigned depth) {
  const type_info *elem = f->type->elem;
  if (!v->count) return p;
  val *const *first = v->u.items, *const *at = first + v->count;
  do {
    const val *item = *--at;
    if (__builtin_expect(item->type != VAL_MAP, 0)) item = &empty;
    p = restock(e, put_message(e, p, f, item, elem, depth + 1));
  } while (at > first);
  return p;
}

static NOINLINE char *put_texts(encoder *e, char *p, const proto_field *f, const val *v) {
  for (uint32_t i = v->count; i-- > 0;) {
    p = restock(e, put_tag(put_text(e, p, val_str(v->u.items[i])), f));
  }
  return p;
}

static NOINLINE char *put_list(encoder *e, char *p, const proto_field *f, const val *v,
                               const type_info *t, unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  for (uint32_t i = v->count; i-- > 0;) {
    const val *item = v->u.items[i];
    p = t->wrapped ? put_member(e, p, 1, val_str(item)) : put_item(e, p, f, item, t->elem, depth);
    p = restock(e, p);
  }
  return t->wrapped ? put_head(e, p, mark, f) : p;
}

static INLINE char *put_entry(encoder *e, char *p, const proto_field *f, const val_entry *entry,
                              const type_info *elem, unsigned depth) {
  static const proto_field value_of_entry = {
      .number = 2, .tag = {0, 2 << 3 | WIRE_BYTES}, .tag_len = 1};
  size_t mark = (size_t)(e->end - p);
  const val *v = entry->value;
  if (v->type == VAL_STRING && elem->kind == TYPE_STRING) {
    p = put_member(e, p, 2, val_str(v));
  } else {
    if (v->type == VAL_NULL) v = NULL;
    bool none = !v && elem->kind == TYPE_BYTES;
    if (!none) p = restock(e, put_value(e, p, &value_of_entry, v, elem, depth));
  }
  return put_head(e, put_member(e, p, 1, entry->key), mark, f);
}

static bool is_sorted(const val *v) {
  for (uint32_t i = 1; i < v->count; i++) {
    if (slice_cmp(v->u.entries[i - 1].key, v->u.entries[i].key) >= 0) return false;
  }
  return true;
}

static char *put_entries(encoder *e, char *p, const proto_field *f, const val *v,
                         const type_info *elem, unsigned depth) {
  for (uint32_t i = v->count; i-- > 0;) {
    p = restock(e, put_entry(e, p, f, &v->u.entries[i], elem, depth));
  }
  return p;
}

static NOINLINE char *put_unsorted(encoder *e, char *p, const proto_field *f, const val *v,
                                   const type_info *elem, unsigned depth) {
  arena *a = arena_create();
  val sorted = *v;
  sorted.index = NULL;
  sorted.u.entries = arena_alloc(a, v->count * sizeof(val_entry));
  memcpy(sorted.u.entries, v->u.entries, v->count * sizeof(val_entry));
  val_sort(&sorted);
  p = put_entries(e, p, f, &sorted, elem, depth);
  arena_destroy(a);
  return p;
}

static char *put_map(encoder *e, char *p, const proto_field *f, const val *v, const type_info *t,
                     unsigned depth) {
  if (v->count > 1 && !is_sorted(v)) return put_unsorted(e, p, f, v, t->elem, depth);
  return put_entries(e, p, f, v, t->elem, depth);
}

static NOINLINE char *put_value(encoder *e, char *p, const proto_field *f, const val *v,
                                const type_info *t, unsigned depth) {
  static const val none = {.type = VAL_LIST};
  size_t mark = (size_t)(e->end - p);
  switch ((type_kind)t->kind) {
    case TYPE_STRING: return put_tag(put_text(e, p, val_str(v)), f);
    case TYPE_STRUCT: return put_head(e, put_struct(e, p, v, t, depth + 1), mark, f);
    case TYPE_BOOL: *--p = val_true(v); return put_tag(p, f);
    case TYPE_INT32:
    case TYPE_INT64: return put_tag(put_varint(p, (uint64_t)val_i64(v)), f);
    case TYPE_FLOAT64: return put_tag(put_float(p, v), f);
    case TYPE_BYTES: return put_head(e, put_bytes(e, p, val_str(v)), mark, f);
    case TYPE_LIST: return put_list(e, p, f, val_is_list(v) ? v : &none, t, depth);
    case TYPE_MAP: return val_is_map(v) ? put_map(e, p, f, v, t, depth) : p;
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return put_head(e, put_deep(e, p, v, t), mark, f);
    default: return put_head(e, put_leaf(e, p, v, t), mark, f);
  }
}

/* ---- fields ---- */

/* gogo leaves out nil pointers, nil bytes, and lists and maps without members. A null stands
 * for a pointer to what Go writes null (a zero time). */
static NOINLINE char *put_other(encoder *e, char *p, const proto_field *f, const val *v,
                                unsigned depth) {
  if (v->type != VAL_NULL) return put_value(e, p, f, v, f->type, depth);
  return f->pointer || f->absent != ABSENT_NONE ? put_value(e, p, f, NULL, f->type, depth) : p;
}

static INLINE char *put_absent(encoder *e, char *p, const proto_field *f, unsigned depth) {
  if (f->absent == ABSENT_NONE) return p;
  if (f->absent != ABSENT_ZERO) return put_value(e, p, f, NULL, f->type, depth);
  *--p = 0;
  return put_tag(p, f);
}

/* A value of the type that the row wants. */
static INLINE char *put_wanted(encoder *e, char *p, const proto_field *f, const val *v,
                               unsigned depth) {
  size_t mark;
  if (f->op == PROTO_TEXT) return put_text_field(e, p, f, v->u.s, v->count);
  switch ((proto_op)f->op) {
    case PROTO_MESSAGE: return put_message(e, p, f, v, f->type, depth + 1);
    case PROTO_MESSAGES: return put_messages(e, p, f, v, depth);
    case PROTO_TEXTS: return put_texts(e, p, f, v);
    case PROTO_LIST: return put_list(e, p, f, v, f->type, depth);
    case PROTO_MAP: return put_map(e, p, f, v, f->type, depth);
    case PROTO_BOOL: *--p = v->u.b; return put_tag(p, f);
    case PROTO_TIME:
      mark = (size_t)(e->end - p);
      return put_head(e, put_time(p, v, f->kind == TYPE_MICROTIME), mark, f);
    case PROTO_QUANTITY:
      mark = (size_t)(e->end - p);
      return put_head(e, put_member(e, p, 1, slice_of(v->u.s, v->count)), mark, f);
    case PROTO_TEXT:
    case PROTO_NUMBER: break;
  }
  return put_tag(put_varint(p, (uint64_t)v->u.i), f);
}

static INLINE char *put_field(encoder *e, char *p, const proto_field *f, const val *v,
                              unsigned depth) {
  if (__builtin_expect(v->type == f->want, 1)) return put_wanted(e, p, f, v, depth);
  return put_other(e, p, f, v, depth);
}

/* ---- structs ---- */

/* kind and apiVersion travel in the envelope. */
static bool is_outside(const type_info *t, const char *key) {
  return (t->field_count > 0 && key == t->brief[0].name && !t->fields[0].proto) ||
         (t->field_count > 1 && key == t->brief[1].name && !t->fields[1].proto);
}

/* Are all entries below `end` no part of the message? */
static NOINLINE bool are_outside(const val_entry *first, const val_entry *end, const type_info *t) {
  while (end > first && is_outside(t, end[-1].key.ptr)) end--;
  return end == first;
}

/* Both orders are one: the entries from first to before `at`, and the rows before f, which is the
 * one behind the last. Row by row from entry to entry: the row before the first has no name. NULL:
 * an entry fits no field, and what was written does not count. */
static char *put_in_order(encoder *e, char *p, const val_entry *first, const val_entry *at,
                          const proto_field *f, unsigned depth) {
  while (at > first) {
    const char *key = (--at)->key.ptr;
    while (__builtin_expect((--f)->name != key, 0)) {
      if (!f->name) return are_outside(first, at + 1, f->type) ? p : NULL;
      p = restock(e, put_absent(e, p, f, depth));
    }
    p = restock(e, put_field(e, p, f, at->value, depth));
  }
  while ((--f)->name) p = restock(e, put_absent(e, p, f, depth));
  return p;
}

static char *put_slots(encoder *e, char *p, const val *const *slots, const type_info *t,
                       unsigned depth);

/* Where the row's value is not of the type that the row wants, or not there. */
static NOINLINE char *put_other_slot(encoder *e, char *p, const proto_field *f,
                                     const val *const *slots, unsigned depth) {
  const val *v = slots[f->at];
  if (!f->inlined) return v ? put_other(e, p, f, v, depth) : put_absent(e, p, f, depth);
  size_t mark = (size_t)(e->end - p);
  p = put_slots(e, p, slots + f->at, f->inlined, depth);
  return put_head(e, p, mark, f);
}

/* slots: a value or NULL for each field of t. */
static char *put_slots(encoder *e, char *p, const val *const *slots, const type_info *t,
                       unsigned depth) {
  for (const proto_field *f = t->protos_end; (--f)->kind != PROTO_BEFORE;) {
    const val *v = slots[f->at];
    if (v && v->type == f->want) p = put_wanted(e, p, f, v, depth);
    else if (v || f->absent != ABSENT_NONE) p = put_other_slot(e, p, f, slots, depth);
    else continue;
    p = restock(e, p);
  }
  return p;
}

/* Lays v's values out by field. False where an entry is not under a field's own name, in order. */
static INLINE bool fill_slots(const val **slots, const val *v, const type_info *t) {
  const field_brief *b = t->brief;
  const val_entry *at = v->u.entries, *at_end = at + v->count;
  const val **end = slots + t->field_count;
  for (; at < at_end; at++, b++) {
    for (;; b++) {
      if (slots == end) return false;
      if (__builtin_expect(b->name == at->key.ptr, 1)) break;
      *slots++ = NULL;
    }
    *slots++ = at->value;
  }
  while (slots < end) *slots++ = NULL;
  return true;
}

static NOINLINE char *put_in_slots(encoder *e, char *p, const val *v, const type_info *t,
                                   unsigned depth) {
  const val *slots[SLOTS];
  bool filled = v->count && t->field_count <= SLOTS && fill_slots(slots, v, t);
  return filled ? put_slots(e, p, slots, t, depth) : put_deep(e, p, v, t);
}

/* Any struct; its message's length and tag are the caller's. */
static NOINLINE char *put_struct(encoder *e, char *p, const val *v, const type_info *t,
                                 unsigned depth) {
  if (__builtin_expect(depth >= DEPTH_MAX, 0)) return put_deep(e, p, v, t);
  if (!val_is_map(v)) v = &empty;
  if (!t->proto_in_order) return put_in_slots(e, p, v, t, depth);
  size_t mark = (size_t)(e->end - p);
  const val_entry *first = v->count ? v->u.entries : no_entries;
  p = put_in_order(e, p, first, first + v->count, t->protos_end, depth);
  return p ? p : put_deep(e, e->end - mark, v, t);
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
  if (!buf_reserve(out, ROOM_MIN)) return NULL;
  e->out = out;
  set_room(e);
  return e->end;
}

void proto_encode_object(buf *out, const val *v, const type_info *t, slice api_version,
                         slice kind) {
  encoder e;
  assert(t->kind == TYPE_STRUCT);
  char *p = begin(&e, out);
  if (!p) return;
  p = put_member(&e, p, 4, SLICE_NONE); /* contentType */
  p = put_member(&e, p, 3, SLICE_NONE); /* contentEncoding */
  size_t mark = (size_t)(e.end - p);
  p = put_struct(&e, p, v, t, 0);
  p = put_varint(p, (size_t)(e.end - p) - mark);
  *--p = 2 << 3 | WIRE_BYTES; /* raw */
  p = restock(&e, p);
  mark = (size_t)(e.end - p);
  p = put_member(&e, p, 2, kind);
  p = put_member(&e, p, 1, api_version);
  p = restock(&e, p);
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
