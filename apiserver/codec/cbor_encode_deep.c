/* Trees to CBOR, typed or not, of any depth and order, as modes.Encode of apimachinery
 * writes them: the core deterministic encoding (RFC 8949 section 4.2.1) with byte strings for Go's
 * strings, tag 22 around bytes, and
 * the shortest float that keeps the value. (The real server shuffles the entries of maps in its
 * answers to save the sorting; any order decodes to the same object, and ours is the one that it
 * sorts to.)
 *
 * One walk with a stack of frames. The entries of open maps lie sorted on a second stack. */
#include "codec/cbor_wire.h"
#include "codec/json_write.h"

#include "base/heap.h"
#include "base/quote.h"

#include <assert.h>
#include <stdlib.h>

#define FRAMES_FIRST 48u
#define ENTRIES_FIRST 128u
#define INSERTION_UPTO 40u

typedef struct entry {
  slice key;
  const val *v; /* NULL: the field's zero value */
  const type_info *t; /* NULL: untyped */
  bool pointer;
} entry;

typedef struct frame {
  const val *list; /* or NULL: a map, whose entries begin at base */
  const type_info *elem;
  uint32_t next, base;
} frame;

typedef struct encoder {
  buf *out;
  frame *frames;
  entry *entries;
  uint32_t depth, cap, top, entries_cap;
  frame frames_first[FRAMES_FIRST];
  entry entries_first[ENTRIES_FIRST];
} encoder;

static void write_head(buf *out, cbor_major major, uint64_t n) {
  char h[9];
  unsigned size = n < CBOR_INFO_1 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
  unsigned info = size == 0   ? (unsigned)n
                  : size == 1 ? CBOR_INFO_1
                  : size == 2 ? CBOR_INFO_2
                  : size == 4 ? CBOR_INFO_4
                              : CBOR_INFO_8;
  h[0] = (char)(major << 5 | info);
  for (unsigned i = 0; i < size; i++) h[1 + i] = (char)(n >> (8 * (size - 1 - i)));
  json_put(out, h, 1 + size);
}

static void write_string(buf *out, slice s) {
  write_head(out, CBOR_BYTES, s.len);
  json_put(out, s.ptr, s.len);
}

/* A string of a raw value, which Go has read from JSON: what is no UTF-8 is U+FFFD there. */
static void write_raw_string(buf *out, slice s) {
  size_t n = 0;
  const char *end = s.len ? s.ptr + s.len : s.ptr;
  for (const char *p = s.ptr; p < end;) {
    unsigned len = utf8_sequence(p, end);
    n += len ? len : 3;
    p += len ? len : 1;
  }
  write_head(out, CBOR_BYTES, n);
  if (n == s.len) {
    json_put(out, s.ptr, s.len);
    return;
  }
  for (const char *p = s.ptr; p < end;) {
    unsigned len = utf8_sequence(p, end);
    json_put(out, len ? p : "\xef\xbf\xbd", len ? len : 3);
    p += len ? len : 1;
  }
}

static void write_int(buf *out, int64_t n) {
  if (n < 0) write_head(out, CBOR_NINT, (uint64_t)(-1 - n));
  else write_head(out, CBOR_UINT, (uint64_t)n);
}

static void write_float(buf *out, double f) {
  char b[9];
  float narrow = (float)f;
  uint64_t bits;
  uint32_t bits4;
  uint16_t bits2;
  unsigned size;
  if ((double)narrow != f) {
    memcpy(&bits, &f, sizeof bits);
    size = 8;
  } else if (cbor_half_of(narrow, &bits2)) {
    bits = bits2;
    size = 2;
  } else {
    memcpy(&bits4, &narrow, sizeof bits4);
    bits = bits4;
    size = 4;
  }
  unsigned info = size == 2 ? CBOR_INFO_2 : size == 4 ? CBOR_INFO_4 : CBOR_INFO_8;
  b[0] = (char)(CBOR_PRIMITIVE << 5 | info);
  for (unsigned i = 0; i < size; i++) b[1 + i] = (char)(bits >> (8 * (size - 1 - i)));
  json_put(out, b, 1 + size);
}

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : 63;
}

/* From the canonical base64 of the tree. */
static void write_bytes(buf *out, slice text) {
  size_t n = text.len / 4 * 3;
  while (text.len && text.ptr[text.len - 1] == '=') {
    text.len--;
    n--;
  }
  write_head(out, CBOR_TAG, CBOR_TAG_BASE64);
  write_head(out, CBOR_BYTES, n);
  char *to = json_room(out, n);
  if (!to) return;
  uint32_t v = 0;
  for (size_t i = 0, o = 0; i < text.len; i++) {
    v = v << 6 | (uint32_t)digit_of(text.ptr[i]);
    if (i % 4 == 1) to[o++] = (char)(v >> 4);
    if (i % 4 == 2) to[o++] = (char)(v >> 2);
    if (i % 4 == 3) to[o++] = (char)v;
  }
  out->len += n;
}

/* ---- maps ---- */

/* A shorter key has the lower head. */
static int entry_order(const void *x, const void *y) {
  const entry *a = x, *b = y;
  if (a->key.len != b->key.len) return a->key.len < b->key.len ? -1 : 1;
  return a->key.len ? memcmp(a->key.ptr, b->key.ptr, a->key.len) : 0;
}

static void sort_entries(entry *e, uint32_t n) {
  if (n > INSERTION_UPTO) {
    qsort(e, n, sizeof *e, entry_order);
    return;
  }
  for (uint32_t i = 1; i < n; i++) {
    entry moving = e[i];
    uint32_t j = i;
    for (; j > 0 && entry_order(&e[j - 1], &moving) > 0; j--) e[j] = e[j - 1];
    e[j] = moving;
  }
}

static void *regrow(void *old, bool on_heap, size_t old_size) {
  if (on_heap) return heap_realloc(old, old_size * 2);
  void *fresh = heap_alloc(old_size * 2);
  memcpy(fresh, old, old_size);
  return fresh;
}

static void push_entry(encoder *e, entry one) {
  if (e->top == e->entries_cap) {
    e->entries = regrow(e->entries, e->entries != e->entries_first, e->entries_cap * sizeof one);
    e->entries_cap *= 2;
  }
  e->entries[e->top++] = one;
}

static void push_frame(encoder *e, frame f) {
  if (e->depth == e->cap) {
    e->frames = regrow(e->frames, e->frames != e->frames_first, e->cap * sizeof f);
    e->cap *= 2;
  }
  e->frames[e->depth++] = f;
}

static void push_fields(encoder *e, const val *v, const type_info *t) {
  bool ordered = v && json_is_ordered(v, t);
  uint32_t at = 0;
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *f = &t->fields[i];
    const val *value = NULL;
    if (ordered && at < v->count &&
        (v->u.entries[at].key.ptr == f->name.ptr || slice_eq(v->u.entries[at].key, f->name))) {
      value = v->u.entries[at++].value;
    } else if (v && !ordered) {
      value = val_get(v, f->name);
    }
    if (value ? json_omits(f, value) : json_omits_absent(f)) continue;
    if (value && value->type == VAL_NULL && !f->pointer) value = NULL;
    push_entry(e, (entry){f->name, value, f->type, f->pointer});
  }
}

/* v NULL: the zero value of the struct t. */
static void open_map(encoder *e, const val *v, const type_info *t) {
  uint32_t base = e->top;
  if (t && t->kind == TYPE_STRUCT) {
    push_fields(e, v, t);
  } else {
    VAL_EACH(m, v) push_entry(e, (entry){m->key, m->value, t ? t->elem : NULL, false});
  }
  sort_entries(e->entries + base, e->top - base);
  write_head(e->out, CBOR_MAP, e->top - base);
  push_frame(e, (frame){.base = base, .next = base});
}

/* ---- values ---- */

static const type_info *member_of(const type_info *t, type_kind kind) {
  return t->fields[0].type->kind == kind ? t->fields[0].type : t->fields[1].type;
}

static bool is_raw_kind(const type_info *t) {
  return t->kind == TYPE_RAW_EXTENSION || t->kind == TYPE_FIELDS_V1 || t->kind == TYPE_JSON;
}

static const type_info *shape_of(const type_info *t, const val *v) {
  switch ((type_kind)t->kind) {
    case TYPE_SCHEMA_OR_ARRAY:
    case TYPE_SCHEMA_OR_BOOL:
    case TYPE_SCHEMA_OR_STRINGS: return member_of(t, val_is_map(v) ? TYPE_STRUCT : TYPE_LIST);
    default: return t;
  }
}

static void write_zero(encoder *e, const type_info *t, bool pointer) {
  if (pointer || !t) {
    json_char(e->out, CBOR_NULL);
    return;
  }
  switch ((type_kind)t->kind) {
    case TYPE_STRUCT: open_map(e, NULL, t); break;
    case TYPE_STRING: write_string(e->out, SLICE_LIT("")); break;
    case TYPE_BOOL:
    case TYPE_SCHEMA_OR_BOOL: json_char(e->out, CBOR_FALSE); break;
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_INT_OR_STRING: write_int(e->out, 0); break;
    case TYPE_FLOAT64: write_float(e->out, 0); break;
    case TYPE_DURATION: write_string(e->out, SLICE_LIT("0s")); break;
    case TYPE_QUANTITY: write_string(e->out, SLICE_LIT("0")); break;
    default: json_char(e->out, CBOR_NULL); break;
  }
}

static void write_value(encoder *e, const val *v, const type_info *t) {
  buf *out = e->out;
  if (t && is_raw_kind(t)) t = NULL;
  switch ((val_type)v->type) {
    case VAL_NULL: json_char(out, CBOR_NULL); break;
    case VAL_BOOL: json_char(out, v->u.b ? CBOR_TRUE : CBOR_FALSE); break;
    case VAL_INT:
      if (t && t->kind == TYPE_FLOAT64) write_float(out, (double)v->u.i);
      else write_int(out, v->u.i);
      break;
    case VAL_FLOAT: write_float(out, v->u.f); break;
    case VAL_STRING:
      if (t && t->kind == TYPE_BYTES) write_bytes(out, val_str(v));
      else if (t) write_string(out, val_str(v));
      else write_raw_string(out, val_str(v));
      break;
    case VAL_MAP: open_map(e, v, t ? shape_of(t, v) : NULL); break;
    case VAL_LIST:
      if (t) t = shape_of(t, v);
      write_head(out, CBOR_ARRAY, v->count);
      push_frame(e, (frame){.list = v, .elem = t ? t->elem : NULL, .base = e->top});
      break;
  }
}

static void step(encoder *e) {
  frame *f = &e->frames[e->depth - 1];
  if (f->list) {
    if (f->next == f->list->count) e->depth--;
    else write_value(e, f->list->u.items[f->next++], f->elem);
    return;
  }
  if (f->next == e->top) { /* all that was above has gone */
    e->top = f->base;
    e->depth--;
    return;
  }
  entry one = e->entries[f->next++];
  if (one.t) write_string(e->out, one.key);
  else write_raw_string(e->out, one.key);
  if (one.v) write_value(e, one.v, one.t);
  else write_zero(e, one.t, one.pointer);
}

/* v NULL: the zero value. */
static void encode(buf *out, const val *v, const type_info *t, bool pointer) {
  encoder e;
  e.out = out;
  e.frames = e.frames_first;
  e.entries = e.entries_first;
  e.depth = e.top = 0;
  e.cap = FRAMES_FIRST;
  e.entries_cap = ENTRIES_FIRST;
  if (v) write_value(&e, v, t);
  else write_zero(&e, t, pointer);
  while (e.depth) step(&e);
  if (e.frames != e.frames_first) heap_free(e.frames);
  if (e.entries != e.entries_first) heap_free(e.entries);
}

void cbor_encode_deep(buf *out, const val *v, const type_info *t) { encode(out, v, t, false); }

void cbor_encode_zero(buf *out, const type_info *t, bool pointer) { encode(out, NULL, t, pointer); }

void cbor_document(buf *out, const val *v, const type_info *t) {
  write_head(out, CBOR_TAG, CBOR_TAG_SELF_DESCRIBED);
  cbor_encode(out, v, t);
}

void cbor_watch_frame(buf *out, slice event_type, slice document) {
  write_head(out, CBOR_TAG, CBOR_TAG_SELF_DESCRIBED);
  write_head(out, CBOR_MAP, 2);
  write_string(out, SLICE_LIT("type"));
  write_string(out, event_type);
  write_string(out, SLICE_LIT("object"));
  json_put(out, document.ptr, document.len);
}
