/* Slices: comparing, cutting and reading borrowed bytes. No allocation here. */
#include "base/slice.h"

#include "base/ascii.h"

#include <assert.h>
#include <limits.h>

int slice_cmp(slice a, slice b) {
  size_t n = a.len < b.len ? a.len : b.len;
  int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
  if (order != 0) return order;
  return (a.len > b.len) - (a.len < b.len);
}

int slice_order(const void *a, const void *b) {
  return slice_cmp(*(const slice *)a, *(const slice *)b);
}

bool slice_has_prefix(slice s, slice prefix) {
  return s.len >= prefix.len && slice_eq(slice_upto(s, prefix.len), prefix);
}

bool slice_has_suffix(slice s, slice suffix) {
  return s.len >= suffix.len && slice_eq(slice_from(s, s.len - suffix.len), suffix);
}

bool slice_eq_nocase(slice a, slice b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++) {
    if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) return false;
  }
  return true;
}

ptrdiff_t slice_find_char(slice s, char c) {
  const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;
  return hit ? hit - s.ptr : -1;
}

ptrdiff_t slice_find(slice s, slice needle) {
  if (needle.len == 0) return 0;
  const char *hit = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
  return hit ? hit - s.ptr : -1;
}

bool slice_cut(slice s, char sep, slice *head, slice *tail) {
  assert(head && tail);
  ptrdiff_t at = slice_find_char(s, sep);
  if (at < 0) {
    *head = s;
    *tail = slice_from(s, s.len);
    return false;
  }
  slice rest = slice_from(s, (size_t)at + 1);
  *head = slice_upto(s, (size_t)at);
  *tail = rest;
  return true;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

slice slice_trim(slice s) {
  while (s.len && is_space(s.ptr[0])) s = slice_from(s, 1);
  while (s.len && is_space(s.ptr[s.len - 1])) s.len--;
  return s;
}

bool slice_to_i64(slice s, long long *out) {
  bool negative = s.len && s.ptr[0] == '-';
  if (negative) s = slice_from(s, 1);
  if (s.len == 0 || s.len > 19) return false;
  unsigned long long n = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    n = n * 10 + (unsigned)(s.ptr[i] - '0');
  }
  if (n > (unsigned long long)LLONG_MAX + (negative ? 1u : 0u)) return false;
  *out = negative ? (long long)(0 - n) : (long long)n;
  return true;
}

bool slice_to_i64_go(slice s, long long *out) {
  char room[24];
  size_t n = 0;
  bool sign = s.len && (*s.ptr == '+' || *s.ptr == '-');
  if (sign && *s.ptr == '-') room[n++] = '-';
  s = slice_from(s, sign);
  while (s.len > 1 && *s.ptr == '0') s = slice_from(s, 1);
  if (s.len == 0 || s.len > 19 || *s.ptr == '-') return false;
  memcpy(room + n, s.ptr, s.len);
  return slice_to_i64(slice_of(room, n + s.len), out);
}

const char *u64_parse(slice text, uint64_t *out) {
  uint64_t n = 0;
  bool over = false;
  if (text.len == 0) return "invalid syntax";
  for (size_t i = 0; i < text.len; i++) {
    unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0';
    if (digit > 9) return "invalid syntax";
    over = over || n > (UINT64_MAX - digit) / 10;
    n = n * 10 + digit;
  }
  *out = n;
  return over ? "value out of range" : NULL;
}

slice slice_of_u64(char room[SLICE_U64_ROOM], uint64_t n) {
  size_t at = SLICE_U64_ROOM;
  do {
    room[--at] = (char)('0' + n % 10);
    n /= 10;
  } while (n);
  return slice_of(room + at, SLICE_U64_ROOM - at);
}

int bool_parse(slice text) {
  static const char *const words[2][6] = {{"0", "f", "F", "false", "FALSE", "False"},
                                          {"1", "t", "T", "true", "TRUE", "True"}};
  for (int on = 0; on < 2; on++) {
    for (size_t i = 0; i < 6; i++) if (slice_is(text, words[on][i])) return on;
  }
  return -1;
}
