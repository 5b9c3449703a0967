/* Strings, numbers and zero values as Go's encoding/json writes them. */
#include "codec/json_write.h"

#include "codec/conform.h"
#include "codec/strict.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool is_plain(char c) {
  return (signed char)c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* First byte from p that needs an escape or is not ASCII. */
static inline const char *skip_plain(const char *p, const char *end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
  const __m128i amp = _mm_set1_epi8('&'), space = _mm_set1_epi8(' ');
  const __m128i angle = _mm_set1_epi8('<'), two = _mm_set1_epi8(2);
  while (end - p >= 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i hit = _mm_or_si128(_mm_cmplt_epi8(block, space), _mm_cmpeq_epi8(block, quote));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(block, slash));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(block, amp));
    /* '<' and '>' differ in the bit of value 2 alone */
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_andnot_si128(two, block), angle));
    int mask = _mm_movemask_epi8(hit);
    if (mask) return p + __builtin_ctz((unsigned)mask);
    p += 16;
  }
#endif
  while (p < end && is_plain(*p)) p++;
  return p;
}

static void write_escape(buf *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char named[] = "btn?fr"; /* 8..13 */
  if (c == '"' || c == '\\') {
    json_put(out, (char[]){'\\', (char)c}, 2);
  } else if (c >= 8 && c <= 13 && c != 11) {
    json_put(out, (char[]){'\\', named[c - 8]}, 2);
  } else {
    json_put(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
  }
}

/* One character that is not ASCII. Returns its length. */
static unsigned write_wide(buf *out, const char *p, const char *end) {
  unsigned len = utf8_sequence(p, end);
  if (len == 0) {
    json_put(out, "\\ufffd", 6);
    return 1;
  }
  if (len == 3 && memcmp(p, "\xE2\x80", 2) == 0 && (p[2] & ~1) == (char)0xA8) {
    json_put(out, p[2] & 1 ? "\\u2029" : "\\u2028", 6);
  } else {
    json_put(out, p, len);
  }
  return len;
}

void json_encode_string(buf *out, slice s) {
  json_char(out, '"');
  const char *p = s.ptr, *end = s.len ? p + s.len : p;
  while (p < end) {
    const char *run = skip_plain(p, end);
    if (run > p) json_put(out, p, (size_t)(run - p));
    p = run;
    if (p == end) break;
    if ((signed char)*p < 0) {
      p += write_wide(out, p, end);
    } else {
      write_escape(out, (unsigned char)*p);
      p++;
    }
  }
  json_char(out, '"');
}

/* Below a power of two the next double is only half as far: the digits nearest to it may not read
 * back while the next ones above do. */
static bool next_above(double f, char text[40]) {
  char up[40];
  if (!isnormal(f) || f != ldexp(1, ilogb(f))) return false;
  memcpy(up, text, sizeof up);
  char *last = strchr(up, 'e') - 1;
  if (*last == '9') return false;
  (*last)++;
  if (strtod(up, NULL) != f) return false;
  memcpy(text, up, sizeof up);
  return true;
}

/* Shortest digits that read back as f: "d.ddde±x". Fifteen are never too many for a normal one. */
static void shortest(double f, char text[40]) {
  for (int digits = isnormal(f) ? 14 : 0; digits <= 16; digits++) {
    snprintf(text, 40, "%.*e", digits, f);
    if (strtod(text, NULL) == f || next_above(f, text)) break;
  }
}

static size_t strip_zeros(const char *digits, size_t n) {
  while (n > 1 && digits[n - 1] == '0') n--;
  return n;
}

static void write_positional(buf *out, const char *digits, size_t n, int exp) {
  if (exp < 0) {
    buf_lit(out, "0.");
    for (int i = -1; i > exp; i--) json_char(out, '0');
    json_put(out, digits, n);
    return;
  }
  for (int i = 0; i <= exp || (size_t)i < n; i++) {
    if (i == exp + 1) json_char(out, '.');
    json_char(out, (size_t)i < n ? digits[i] : '0');
  }
}

void json_encode_float(buf *out, double f) {
  char text[40], digits[24];
  assert(isfinite(f));
  if (signbit(f)) json_char(out, '-');
  f = fabs(f);
  if (f == 0) {
    json_char(out, '0');
    return;
  }
  shortest(f, text);
  size_t n = 0, at = 0;
  for (; text[at] != 'e'; at++) {
    if (text[at] != '.' && n < sizeof digits) digits[n++] = text[at];
  }
  int exp = (int)strtol(text + at + 1, NULL, 10);
  n = strip_zeros(digits, n);
  if (f >= 1e-6 && f < 1e21) {
    write_positional(out, digits, n, exp);
    return;
  }
  json_char(out, digits[0]);
  if (n > 1) json_char(out, '.');
  json_put(out, digits + 1, n - 1);
  if (exp < 0) buf_printf(out, "e%d", exp); /* Go cleans e-09 to e-9, and keeps e+21 */
  else buf_printf(out, "e+%02d", exp);
}

/* ---- fields ---- */

/* Kinds that are structs in Go: omitempty says nothing about them. */
static bool is_go_struct(type_kind kind) {
  switch (kind) {
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_STRING:
    case TYPE_BOOL:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT64:
    case TYPE_BYTES: return false;
    default: return true;
  }
}

bool json_omits_absent(const field_info *f) {
  if (f->omitzero) return true;
  return f->omitempty && (f->pointer || !is_go_struct((type_kind)f->type->kind));
}

bool json_omits(const field_info *f, const val *v) {
  if (!f->omitempty && !f->omitzero) return false;
  if (f->pointer) return false; /* a null stands for a pointer to what is written null */
  if (v->type == VAL_NULL) return json_omits_absent(f);
  if (f->omitzero && conform_is_zero(v, f->type)) return true;
  return f->omitempty && !is_go_struct((type_kind)f->type->kind) && val_is_empty(v);
}

static void write_zero_struct(buf *out, const type_info *t) {
  bool first = true;
  json_char(out, '{');
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *f = &t->fields[i];
    if (json_omits_absent(f)) continue;
    if (!first) json_char(out, ',');
    first = false;
    json_encode_string(out, f->name);
    json_char(out, ':');
    json_write_zero(out, f->type, f->pointer);
  }
  json_char(out, '}');
}

void json_write_zero(buf *out, const type_info *t, bool pointer) {
  static const slice texts[] = {
      [TYPE_STRING] = {"\"\"", 2},   [TYPE_BOOL] = {"false", 5},
      [TYPE_INT32] = {"0", 1},       [TYPE_INT64] = {"0", 1},
      [TYPE_FLOAT64] = {"0", 1},     [TYPE_DURATION] = {"\"0s\"", 4},
      [TYPE_QUANTITY] = {"\"0\"", 3}, [TYPE_INT_OR_STRING] = {"0", 1},
      [TYPE_SCHEMA_OR_BOOL] = {"false", 5}, [TYPE_SCHEMA_OR_STRINGS] = {NULL, 0},
  };
  if (!pointer && t->kind == TYPE_STRUCT) {
    write_zero_struct(out, t); /* ends: Go structs nest finitely without pointers */
  } else if (!pointer && texts[t->kind].len) {
    buf_append(out, texts[t->kind]);
  } else {
    json_put(out, "null", 4);
  }
}

/* ---- order ---- */

bool json_is_sorted(const val *map) {
  for (uint32_t i = 1; i < map->count; i++) {
    if (slice_cmp(map->u.entries[i - 1].key, map->u.entries[i].key) > 0) return false;
  }
  return true;
}

bool json_is_ordered(const val *v, const type_info *t) {
  uint16_t at = 0;
  for (uint32_t i = 0; i < v->count; i++, at++) {
    slice key = v->u.entries[i].key;
    while (at < t->field_count && t->fields[at].name.ptr != key.ptr &&
           !slice_eq(t->fields[at].name, key)) {
      at++;
    }
    if (at == t->field_count) return false;
  }
  return true;
}
