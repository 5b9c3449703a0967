/* Typed trees to CBOR: the quick walk, by the rules of cbor_encode_deep.c, which writes what is
 * untyped, raw, not in the fields' order, or below DEPTH_MAX. A struct's keys have their order on
 * the wire (the shorter first) in the schema's tables. */
#include "codec/cbor_wire.h"
#include "codec/codec.h"
#include "codec/conform.h"
#include "codec/cursor.h"
#include "codec/json_write.h"

#include <assert.h>

#define DEPTH_MAX 40u
#define SLOTS 64u /* of the types with the most fields */
#define MEMBERS 32u /* of maps that are sorted here */
#define HEAD_MAX 48u /* a head, a number, a short key */
#define KEY_STEP 32u /* a field's name may be read this far */

/* Stands for a field that is written as its zero. */
static const val zero = {.type = VAL_NULL};

static inline char *put_head(char *p, cbor_major major, uint64_t n) {
  if (__builtin_expect(n < CBOR_INFO_1, 1)) {
    *p = (char)(major << 5 | n);
    return p + 1;
  }
  unsigned size = n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
  unsigned info = size == 1   ? CBOR_INFO_1
                  : size == 2 ? CBOR_INFO_2
                  : size == 4 ? CBOR_INFO_4
                              : CBOR_INFO_8;
  *p = (char)(major << 5 | info);
  for (unsigned i = 0; i < size; i++) p[1 + i] = (char)(n >> (8 * (size - 1 - i)));
  return p + 1 + size;
}

static inline char *put_string(cursor *c, char *p, slice s) {
  CURSOR_ROOM(c, p, s.len + HEAD_MAX);
  if (__builtin_expect(!p, 0)) return cursor_resume(c);
  p = put_head(p, CBOR_BYTES, s.len);
  copy_small(p, s.ptr, s.len);
  return p + s.len;
}

static char *put_deep(cursor *c, char *p, const val *v, const type_info *t) {
  cursor_sync(c, p);
  cbor_encode_deep(c->out, v, t);
  return cursor_resume(c);
}

static char *put_value(cursor *c, char *p, const val *v, const type_info *t, unsigned depth);

static char *put_list(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  CURSOR_ROOM(c, p, HEAD_MAX);
  p = put_head(p, CBOR_ARRAY, v->count);
  for (uint32_t i = 0; i < v->count; i++) p = put_value(c, p, v->u.items[i], t->elem, depth);
  return p;
}

static bool is_before(const val_entry *x, const val_entry *y) {
  if (x->key.len != y->key.len) return x->key.len < y->key.len;
  return x->key.len && memcmp(x->key.ptr, y->key.ptr, x->key.len) < 0;
}

static char *put_map(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  const val_entry *order[MEMBERS];
  if (v->count > MEMBERS) return put_deep(c, p, v, t);
  for (uint32_t i = 0; i < v->count; i++) {
    const val_entry *moving = &v->u.entries[i];
    uint32_t j = i;
    for (; j > 0 && is_before(moving, order[j - 1]); j--) order[j] = order[j - 1];
    order[j] = moving;
  }
  CURSOR_ROOM(c, p, HEAD_MAX);
  p = put_head(p, CBOR_MAP, v->count);
  for (uint32_t i = 0; i < v->count; i++) {
    p = put_string(c, p, order[i]->key);
    p = put_value(c, p, order[i]->value, t->elem, depth);
  }
  return p;
}

static inline bool is_left_out(const field_brief *f, const val *v) {
  if (f->pointer) return false;
  if (f->omits_empty && (v->type >= VAL_STRING ? v->count == 0 : val_is_empty(v))) return true;
  return f->omitzero && conform_is_zero(v, f->type);
}

/* Lays out by field what will be written: the value, `zero`, or NULL. Returns how many are, or -1
 * where an entry is not under a field's own name, in order. */
static int fill_slots(const val **slots, const val *v, const type_info *t) {
  const val_entry *at = v->u.entries, *end = v->count ? at + v->count : at;
  const field_brief *f = t->brief;
  int kept = 0;
  for (uint16_t i = 0; i < t->field_count; i++, f++) {
    const val *value = NULL;
    if (at < end && at->key.ptr == f->name) value = (at++)->value;
    if (!value || (value->type == VAL_NULL && !f->pointer)) {
      slots[i] = f->keeps_absent ? &zero : NULL;
    } else {
      slots[i] = is_left_out(f, value) ? NULL : value;
    }
    kept += slots[i] != NULL;
  }
  return at == end ? kept : -1;
}

static inline char *put_key(cursor *c, char *p, const field_brief *f) {
  CURSOR_ROOM(c, p, f->name_len + 2 * HEAD_MAX);
  p = put_head(p, CBOR_BYTES, f->name_len);
  memcpy(p, f->name, KEY_STEP);
  if (f->name_len > KEY_STEP) memcpy(p, f->name, f->name_len);
  return p + f->name_len;
}

static char *put_struct(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  const val *slots[SLOTS];
  int kept = t->field_count <= SLOTS ? fill_slots(slots, v, t) : -1;
  if (kept < 0) return put_deep(c, p, v, t);
  CURSOR_ROOM(c, p, HEAD_MAX);
  p = put_head(p, CBOR_MAP, (unsigned)kept);
  for (uint16_t i = 0; i < t->field_count; i++) {
    uint16_t at = t->by_length[i];
    const val *value = slots[at];
    if (!value) continue;
    const field_brief *f = &t->brief[at];
    p = put_key(c, p, f);
    if (value == &zero) {
      cursor_sync(c, p);
      cbor_encode_zero(c->out, f->type, f->pointer);
      p = cursor_resume(c);
    } else {
      p = put_value(c, p, value, f->type, depth);
    }
  }
  return p;
}

static char *put_value(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  switch ((val_type)v->type) {
    case VAL_STRING:
      if (t->kind == TYPE_BYTES || t->kind >= TYPE_RAW_EXTENSION) break;
      return put_string(c, p, val_str(v));
    case VAL_BOOL:
      CURSOR_ROOM(c, p, HEAD_MAX);
      *p = (char)(v->u.b ? CBOR_TRUE : CBOR_FALSE);
      return p + 1;
    case VAL_INT:
      if (t->kind == TYPE_FLOAT64) break;
      CURSOR_ROOM(c, p, HEAD_MAX);
      return v->u.i < 0 ? put_head(p, CBOR_NINT, (uint64_t)(-1 - v->u.i))
                        : put_head(p, CBOR_UINT, (uint64_t)v->u.i);
    case VAL_LIST:
      if (t->kind == TYPE_LIST && depth < DEPTH_MAX) return put_list(c, p, v, t, depth + 1);
      break;
    case VAL_MAP:
      if (depth >= DEPTH_MAX) break;
      if (t->kind == TYPE_STRUCT) return put_struct(c, p, v, t, depth + 1);
      if (t->kind == TYPE_MAP) return put_map(c, p, v, t, depth + 1);
      break;
    case VAL_NULL:
    case VAL_FLOAT: break;
  }
  return put_deep(c, p, v, t);
}

void cbor_encode(buf *out, const val *v, const type_info *t) {
  cursor c;
  assert(out && v);
  if (!t || t->untyped) {
    cbor_encode_deep(out, v, NULL);
    return;
  }
  char *p = cursor_begin(&c, out);
  if (p) cursor_sync(&c, put_value(&c, p, v, t, 0));
}
