/* proto_encode: a typed tree as gogo-protobuf writes it.
 *
 * From the last byte to the first (see proto_wire.h): the place that was written last is handed
 * from function to function, so that it stays in a register. Before each row there is room for
 * SLACK bytes, so that only what is long has to ask. Canonical trees have their entries in the
 * fields' order and under the fields' own names; where protobuf's order is the same, both are
 * walked backwards side by side, without recursion, else the values are laid out by field first. A
 * value of the type that its row's op expects takes the quick way (put_field). Entries that are not
 * canonical, and levels below DEPTH_MAX, are the business of proto_encode_deep.c. */
#include "codec/proto_encode.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "codec/cursor.h"
#include "codec/proto_leaf.h"

#include <assert.h>

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define DEPTH_MAX 16u /* of recursion */
#define FRAMES 12u /* levels without it */
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

/* With a tag; put_text_at where that has one byte. */
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

static INLINE char *put_text_at(encoder *e, char *p, const proto_field *f, const char *from,
                                size_t len) {
  if (__builtin_expect(len - 8 <= 8, 1)) { /* most */
    p -= len;
    memcpy(p + len - 8, from + len - 8, 8);
    memcpy(p, from, 8);
  } else if (__builtin_expect(len > SHORT_MAX, 0)) {
    return put_tag(put_long_text(e, p, slice_of(from, len)), f);
  } else {
    p -= len;
    copy_small(p, from, len);
  }
  p[-1] = (char)len;
  p[-2] = (char)f->key;
  return p - 2;
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
static const val no_text = {.type = VAL_STRING, .u.s = ""};
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
  return put_varint(p, (uint64_t)proto_number(f) << 3 | (wide ? WIRE_FIXED64 : WIRE_VARINT));
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

/* The struct that a row's value is, or each of its items. */
static INLINE const type_info *struct_of(const proto_field *f) {
  return f->op == PROTO_MESSAGES ? f->type->elem : f->type;
}

/* A map for a struct, as a message. */
static INLINE char *put_message(encoder *e, char *p, const proto_field *f, const val *v,
                                unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  const val_entry *first = v->u.entries;
  if (__builtin_expect(f->inner && v->count && depth < DEPTH_MAX, 1)) {
    p = put_in_order(e, p, first, first + v->count, f->inner, depth);
    if (__builtin_expect(!p, 0)) p = put_deep(e, e->end - mark, v, struct_of(f));
  } else {
    p = put_struct(e, p, v, struct_of(f), depth);
  }
  return put_head(e, p, mark, f);
}

/* A list of structs, of texts, and any. */
static NOINLINE char *put_messages(encoder *e, char *p, const proto_field *f, const val *v,
                                   unsigned depth) {
  for (uint32_t i = v->count; i-- > 0;) {
    const val *item = v->u.items[i];
    if (__builtin_expect(item->type != VAL_MAP, 0)) item = &empty;
    p = restock(e, put_message(e, p, f, item, depth + 1));
  }
  return p;
}

static INLINE char *put_texts(encoder *e, char *p, const proto_field *f, const val *v) {
  for (uint32_t i = v->count; i-- > 0;) {
    const val *item = v->u.items[i];
    if (__builtin_expect(item->type != VAL_STRING, 0)) item = &no_text;
    p = restock(e, put_text_field(e, p, f, item->u.s, item->count));
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

static const proto_field key_of_entry = {
    .key = 1 << 3 | WIRE_BYTES, .tag = {0, 1 << 3 | WIRE_BYTES}, .tag_len = 1};
static const proto_field value_of_entry = {
    .key = 2 << 3 | WIRE_BYTES, .tag = {0, 2 << 3 | WIRE_BYTES}, .tag_len = 1};

static NOINLINE char *put_entry_value(encoder *e, char *p, const val *v, const type_info *elem,
                                      unsigned depth) {
  if (v->type == VAL_NULL) v = NULL;
  if (!v && elem->kind == TYPE_BYTES) return p;
  return restock(e, put_value(e, p, &value_of_entry, v, elem, depth));
}

static INLINE char *put_entry(encoder *e, char *p, const proto_field *f, const val_entry *entry,
                              const type_info *elem, unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  const val *v = entry->value;
  bool is_text = v->type == VAL_STRING && elem->kind == TYPE_STRING;
  if (is_text) p = put_text_at(e, p, &value_of_entry, v->u.s, v->count);
  else p = put_entry_value(e, p, v, elem, depth);
  p = put_text_at(e, p, &key_of_entry, entry->key.ptr, entry->key.len);
  return put_head(e, p, mark, f);
}

static bool is_sorted(const val *v) {
  for (uint32_t i = 1; i < v->count; i++) {
    if (slice_cmp(v->u.entries[i - 1].key, v->u.entries[i].key) >= 0) return false;
  }
  return true;
}

static INLINE char *put_entries(encoder *e, char *p, const proto_field *f, const val *v,
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

static NOINLINE char *put_map(encoder *e, char *p, const proto_field *f, const val *v,
                              const type_info *t, unsigned depth) {
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

/* A value that is there. */
static INLINE char *put_field(encoder *e, char *p, const proto_field *f, const val *v,
                              unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  switch ((proto_op)f->op) {
    case PROTO_TEXT:
    case PROTO_FAR_TEXT:
      if (v->type != VAL_STRING) break;
      return put_text_field(e, p, f, v->u.s, v->count);
    case PROTO_NUMBER:
      if (v->type != VAL_INT) break;
      return put_tag(put_varint(p, (uint64_t)v->u.i), f);
    case PROTO_BOOL:
      if (v->type != VAL_BOOL) break;
      *--p = v->u.b;
      return put_tag(p, f);
    case PROTO_TIME:
      if (v->type != VAL_STRING) break;
      return put_head(e, put_time(p, v, f->kind == TYPE_MICROTIME), mark, f);
    case PROTO_QUANTITY:
      if (v->type != VAL_STRING) break;
      return put_head(e, put_member(e, p, 1, slice_of(v->u.s, v->count)), mark, f);
    case PROTO_INT_OR_STRING:
      if (v->type == VAL_NULL) break;
      return put_head(e, put_int_or_string(e, p, v), mark, f);
    case PROTO_MESSAGE:
      if (v->type != VAL_MAP) break;
      return put_message(e, p, f, v, depth + 1);
    case PROTO_MESSAGES:
      if (v->type != VAL_LIST) break;
      return put_messages(e, p, f, v, depth);
    case PROTO_TEXTS:
      if (v->type != VAL_LIST) break;
      return put_texts(e, p, f, v);
    case PROTO_LIST:
      if (v->type != VAL_LIST) break;
      return put_list(e, p, f, v, f->type, depth);
    case PROTO_MAP:
      if (v->type != VAL_MAP) break;
      return put_map(e, p, f, v, f->type, depth);
    case PROTO_OTHER: break;
  }
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

/* A message that was begun inside another one: where the outer one goes on. */
typedef struct frame {
  const val_entry *first, *at;
  const proto_field *f; /* the outer one's row */
  size_t mark; /* bytes written when it was begun */
  size_t left; /* of the row's list: items that are still to write; or INLINED */
} frame;

#define INLINED SIZE_MAX /* the message's entries are among the outer one's */

static INLINE bool has_entries(const val *v) {
  return __builtin_expect(v->type == VAL_MAP && v->count, 1);
}

/* The struct that a value is, or the last item of its list, if it can be walked; *left: the items
 * before it. */
static INLINE const val *opened(const proto_field *f, const val *v, size_t *left) {
  *left = 0;
  if (f->op == PROTO_MESSAGES && v->type == VAL_LIST && v->count) {
    *left = v->count - 1;
    v = v->u.items[*left];
  }
  return has_entries(v) ? v : NULL;
}

/* A message whose entries' order is the rows', and those in it that are so too: row by row from
 * entry to entry. `at` is behind the entries, f behind the rows; the row before the first has no
 * name. NULL: an entry fits no field, and what was written does not count. */
static char *put_in_order(encoder *e, char *p, const val_entry *first, const val_entry *at,
                          const proto_field *f, unsigned depth) {
  frame frames[FRAMES], *top = frames;
  const val *v;
  size_t left;
walk: /* on, from the row f and the entry at */
  while (__builtin_expect(at > first, 1)) {
    --at, --f;
    while (__builtin_expect(f->name != at->key.ptr, 0)) {
      if (!f->name && f->kind == PROTO_BEFORE) goto before;
      if (f->inlined) goto inlined;
      p = restock(e, put_absent(e, p, f, depth));
      --f;
    }
    v = at->value;
    if (f->op == PROTO_TEXT && __builtin_expect(v->type == VAL_STRING, 1)) {
      p = restock(e, put_text_at(e, p, f, v->u.s, v->count));
      continue;
    }
    if (f->inner && top < frames + FRAMES && (v = opened(f, v, &left))) {
      *top++ = (frame){first, at, f, (size_t)(e->end - p), left};
      goto open;
    }
    p = restock(e, put_field(e, p, f, at->value, depth));
  }
  while ((--f)->kind != PROTO_BEFORE) p = restock(e, put_absent(e, p, f, depth));
close: /* the message; then the one before it in its list is next, or the outer one */
  if (top == frames) return p;
  f = top[-1].f;
  p = restock(e, put_head(e, p, top[-1].mark, f));
  if (top[-1].left == INLINED) {
    top--;
    goto walk;
  }
  while (__builtin_expect(top[-1].left > 0, 0)) {
    v = top[-1].at->value->u.items[--top[-1].left];
    if (has_entries(v)) {
      top[-1].mark = (size_t)(e->end - p);
      goto open;
    }
    p = restock(e, put_message(e, p, f, v->type == VAL_MAP ? v : &empty, depth + 1));
  }
  top--;
  first = top->first;
  at = top->at;
  goto walk;
open: /* the message v of the row f */
  first = v->u.entries;
  at = first + v->count;
  f = f->inner;
  goto walk;
inlined: /* the row f's message */
  if (top == frames + FRAMES) goto stray;
  at++;
  *top++ = (frame){first, at, f, (size_t)(e->end - p), INLINED};
  f = f->type->protos_end;
  goto walk;
before: /* no row left for the entry at */
  at++;
  if ((top > frames && top[-1].left == INLINED) || are_outside(first, at, f->type)) goto close;
stray: /* an entry that is none of the message's */
  while (top > frames && top[-1].left == INLINED) top--;
  if (top == frames) return NULL;
  v = top[-1].at->value;
  if (v->type == VAL_LIST) v = v->u.items[top[-1].left];
  p = put_deep(e, e->end - top[-1].mark, v, struct_of(top[-1].f));
  goto close;
}

static char *put_slots(encoder *e, char *p, const val *const *slots, const type_info *t,
                       unsigned depth);

/* A message whose fields are among the slots, from the row's place on. */
static NOINLINE char *put_inlined(encoder *e, char *p, const proto_field *f,
                                  const val *const *slots, unsigned depth) {
  size_t mark = (size_t)(e->end - p);
  p = put_slots(e, p, slots + f->at, f->type, depth);
  return put_head(e, p, mark, f);
}

/* slots: a value or NULL for each field of t. */
static char *put_slots(encoder *e, char *p, const val *const *slots, const type_info *t,
                       unsigned depth) {
  for (const proto_field *f = t->protos_end; (--f)->kind != PROTO_BEFORE;) {
    const val *v = slots[f->at];
    bool is_text = f->op == PROTO_TEXT && v && v->type == VAL_STRING;
    if (is_text) p = put_text_at(e, p, f, v->u.s, v->count);
    else if (f->inlined) p = put_inlined(e, p, f, slots, depth);
    else if (v) p = put_field(e, p, f, v, depth);
    else if (f->absent != ABSENT_NONE) p = put_absent(e, p, f, depth);
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
