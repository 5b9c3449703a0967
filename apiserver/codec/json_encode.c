/* Typed trees to JSON: the quick walk.
 *
 * The place that is written next is handed from function to function, so that it stays in a
 * register. In a canonical tree (codec_conform) the entries of a struct come in the order of the
 * fields and under the fields' own names, so that both are walked side by side and names are
 * compared by address. What is in another order, untyped, or below DEPTH_MAX is the business of
 * json_encode_deep.c. */
#include "codec/json_write.h"

#include "codec/conform.h"
#include "codec/cursor.h"

#include <assert.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DEPTH_MAX 40u
#define KEY_STEP 32u /* a field's name may be read this far from the byte before it */
#define HEAD_MAX 32u /* a number, a word, brackets and a comma */

/* ---- strings ---- */

#ifdef __SSE2__
/* A bit for each byte that is written otherwise than as itself, or is not ASCII. */
static inline unsigned odd_bytes(__m128i block) {
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
  const __m128i amp = _mm_set1_epi8('&'), space = _mm_set1_epi8(' ');
  const __m128i angle = _mm_set1_epi8('<'), two = _mm_set1_epi8(2);
  __m128i hit = _mm_or_si128(_mm_cmplt_epi8(block, space), _mm_cmpeq_epi8(block, quote));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(block, slash));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(block, amp));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_andnot_si128(two, block), angle));
  return (unsigned)_mm_movemask_epi8(hit);
}

/* Copies s where all of it is plain; else false, and what was copied does not count. */
static inline bool copy_plain(char *to, slice s) {
  const char *from = s.ptr;
  size_t n = s.len;
  if (n >= 16) {
    size_t at = 0;
    for (;; at += 16) {
      if (at + 16 > n) at = n - 16;
      __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
      _mm_storeu_si128((__m128i *)(void *)(to + at), block);
      if (odd_bytes(block)) return false;
      if (at + 16 == n) return true;
    }
  }
  if (n >= 8) {
    int64_t low, high;
    memcpy(&low, from, 8);
    memcpy(&high, from + n - 8, 8);
    memcpy(to, &low, 8);
    memcpy(to + n - 8, &high, 8);
    return odd_bytes(_mm_set_epi64x(high, low)) == 0;
  }
  if (n >= 4) {
    uint32_t low, high;
    memcpy(&low, from, 4);
    memcpy(&high, from + n - 4, 4);
    memcpy(to, &low, 4);
    memcpy(to + n - 4, &high, 4);
    return (odd_bytes(_mm_set_epi32(0, 0, (int)high, (int)low)) & 0xFF) == 0;
  }
  unsigned all = 0;
  for (size_t i = 0; i < n; i++) {
    to[i] = from[i];
    all = all << 8 | (unsigned char)from[i];
  }
  return n == 0 || (odd_bytes(_mm_cvtsi32_si128((int)all)) & ((1u << n) - 1)) == 0;
}
#else
static inline bool copy_plain(char *to, slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < ' ' || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&') {
      return false;
    }
    to[i] = (char)c;
  }
  return true;
}
#endif

static inline char *put_string(cursor *c, char *p, slice s) {
  CURSOR_ROOM(c, p, s.len + HEAD_MAX);
  if (__builtin_expect(p && copy_plain(p + 1, s), 1)) {
    *p = '"';
    p[s.len + 1] = '"';
    return p + s.len + 2;
  }
  if (p) cursor_sync(c, p);
  json_encode_string(c->out, s);
  p = cursor_resume(c);
  CURSOR_ROOM(c, p, HEAD_MAX);
  return p;
}

static char *put_number(char *p, int64_t n) {
  char digits[20];
  unsigned at = sizeof digits;
  uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  if (n < 0) *p++ = '-';
  do digits[--at] = (char)('0' + u % 10);
  while (u /= 10);
  memcpy(p, digits + at, sizeof digits - at);
  return p + (sizeof digits - at);
}

/* ---- values ---- */

static char *put_deep(cursor *c, char *p, const val *v, const type_info *t) {
  cursor_sync(c, p);
  json_encode_deep(c->out, v, t);
  return cursor_resume(c);
}

static char *put_zero(cursor *c, char *p, const type_info *t, bool pointer) {
  cursor_sync(c, p);
  json_write_zero(c->out, t, pointer);
  return cursor_resume(c);
}

static char *put_value(cursor *c, char *p, const val *v, const type_info *t, unsigned depth);

static char *put_list(cursor *c, char *p, const val *v, const type_info *elem, unsigned depth) {
  CURSOR_ROOM(c, p, HEAD_MAX);
  *p++ = '[';
  for (uint32_t i = 0; i < v->count; i++) {
    CURSOR_ROOM(c, p, HEAD_MAX);
    if (i) *p++ = ',';
    p = put_value(c, p, v->u.items[i], elem, depth);
  }
  CURSOR_ROOM(c, p, HEAD_MAX);
  *p++ = ']';
  return p;
}

static char *put_map(cursor *c, char *p, const val *v, const type_info *elem, unsigned depth) {
  CURSOR_ROOM(c, p, HEAD_MAX);
  *p++ = '{';
  for (uint32_t i = 0; i < v->count; i++) {
    CURSOR_ROOM(c, p, HEAD_MAX);
    if (i) *p++ = ',';
    p = put_string(c, p, v->u.entries[i].key);
    *p++ = ':';
    p = put_value(c, p, v->u.entries[i].value, elem, depth);
  }
  CURSOR_ROOM(c, p, HEAD_MAX);
  *p++ = '}';
  return p;
}

static inline char *put_key(cursor *c, char *p, const field_brief *f) {
  size_t n = f->name_len + 3u;
  CURSOR_ROOM(c, p, n + 2 * HEAD_MAX);
  if (p[-1] != '{') *p++ = ',';
  memcpy(p, f->name - 1, KEY_STEP);
  if (n > KEY_STEP) memcpy(p + KEY_STEP, f->name - 1 + KEY_STEP, n - KEY_STEP);
  return p + n;
}

static inline bool is_left_out(const field_brief *f, const val *v) {
  if (f->pointer) return false;
  if (f->omits_empty && (v->type >= VAL_STRING ? v->count == 0 : val_is_empty(v))) return true;
  return f->omitzero && conform_is_zero(v, f->type);
}

/* NULL where an entry is not under a field's own name, in order. */
static char *put_fields(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  const val_entry *at = v->u.entries, *end = v->count ? at + v->count : at;
  const field_brief *f = t->brief, *last = f + t->field_count;
  for (; f < last; f++) {
    if (at == end || at->key.ptr != f->name) {
      if (f->keeps_absent) p = put_zero(c, put_key(c, p, f), f->type, f->pointer);
      continue;
    }
    const val *value = (at++)->value;
    if (value->type == VAL_NULL && !f->pointer) {
      if (f->keeps_absent) p = put_zero(c, put_key(c, p, f), f->type, false);
    } else if (!is_left_out(f, value)) {
      p = put_value(c, put_key(c, p, f), value, f->type, depth);
    }
  }
  return at == end ? p : NULL;
}

static char *put_struct(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  CURSOR_ROOM(c, p, HEAD_MAX);
  size_t start = (size_t)(p - c->out->ptr);
  *p++ = '{';
  char *done = put_fields(c, p, v, t, depth);
  if (!done) return put_deep(c, c->out->ptr + start, v, t);
  p = done;
  CURSOR_ROOM(c, p, HEAD_MAX);
  *p++ = '}';
  return p;
}

/* Values that Go keeps as the bytes they were: what is in them is untyped, and in its own order. */
static inline bool is_raw(const type_info *t) {
  return t->kind == TYPE_FIELDS_V1 || t->kind == TYPE_RAW_EXTENSION || t->kind == TYPE_JSON;
}

static char *put_value(cursor *c, char *p, const val *v, const type_info *t, unsigned depth) {
  switch ((val_type)v->type) {
    case VAL_STRING: return put_string(c, p, val_str(v));
    case VAL_NULL:
      CURSOR_ROOM(c, p, HEAD_MAX);
      memcpy(p, "null", 4);
      return p + 4;
    case VAL_BOOL:
      CURSOR_ROOM(c, p, HEAD_MAX);
      memcpy(p, v->u.b ? "true" : "false", v->u.b ? 4 : 5);
      return p + (v->u.b ? 4 : 5);
    case VAL_INT:
      CURSOR_ROOM(c, p, HEAD_MAX);
      return put_number(p, v->u.i);
    case VAL_LIST:
      if (depth >= DEPTH_MAX) break;
      if (t->kind == TYPE_LIST) return put_list(c, p, v, t->elem, depth + 1);
      if (is_raw(t)) return put_list(c, p, v, t, depth + 1);
      break;
    case VAL_MAP:
      if (depth >= DEPTH_MAX) break;
      if (t->kind == TYPE_STRUCT) return put_struct(c, p, v, t, depth + 1);
      if (is_raw(t)) return put_map(c, p, v, t, depth + 1);
      if (t->kind == TYPE_MAP && json_is_sorted(v)) return put_map(c, p, v, t->elem, depth + 1);
      break;
    case VAL_FLOAT: break;
  }
  return put_deep(c, p, v, t);
}

void json_encode(buf *out, const val *v, const type_info *t) {
  assert(out && v && t);
  if (t->untyped) {
    json_encode_any(out, v, true);
    return;
  }
  cursor c;
  char *p = cursor_begin(&c, out);
  if (p) cursor_sync(&c, put_value(&c, p, v, t, 0));
}
