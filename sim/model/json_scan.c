/* Scans, not a parser: the text came out of an encoder. */
#include "sim/model/json_scan.h"

#include <stdio.h>

slice json_text_of(slice json, slice mark) {
  const char *at = memmem(json.ptr, json.len, mark.ptr, mark.len);
  if (!at) return SLICE_NONE;
  const char *from = at + mark.len, *end = json.ptr + json.len;
  const char *quote = memchr(from, '"', (size_t)(end - from));
  return quote ? slice_of(from, (size_t)(quote - from)) : SLICE_NONE;
}

int64_t json_revision(slice json) {
  long long n;
  slice text = json_text_of(json, SLICE_LIT("\"resourceVersion\":\""));
  return slice_to_i64(text, &n) ? n : -1;
}

int64_t json_number_of(slice json, slice mark) {
  const char *at = memmem(json.ptr, json.len, mark.ptr, mark.len);
  if (!at) return -1;
  const char *p = at + mark.len, *end = json.ptr + json.len;
  int64_t n = -1;
  for (; p < end && *p >= '0' && *p <= '9'; p++) n = (n < 0 ? 0 : n * 10) + (*p - '0');
  return n;
}

/* Behind the string whose opening quote is at `at`. */
static size_t skip_string(slice s, size_t at) {
  const char *end = s.ptr + s.len, *p = s.ptr + at + 1;
  while (p < end) {
    const char *quote = memchr(p, '"', (size_t)(end - p));
    if (!quote) break;
    const char *back = quote;
    while (back > p && back[-1] == '\\') back--;
    p = quote + 1;
    if ((quote - back) % 2 == 0) return (size_t)(p - s.ptr);
  }
  return s.len + 1;
}

/* What ends a run of plain characters: strings, brackets, and separators (outside of them). */
enum { PLAIN, QUOTE, OPENS, CLOSES, PARTS };
static const uint8_t class_of[256] = {['"'] = QUOTE,  ['{'] = OPENS,  ['['] = OPENS,
                                      ['}'] = CLOSES, [']'] = CLOSES, [','] = PARTS};

/* Behind the value that begins at `at`. */
static size_t skip_value(slice s, size_t at) {
  int depth = 0;
  while (at < s.len) {
    uint8_t class = class_of[(unsigned char)s.ptr[at]];
    if (class == PLAIN || (class == PARTS && depth)) {
      at++;
      continue;
    }
    if (class == QUOTE) {
      at = skip_string(s, at);
      if (depth == 0) return at;
      continue;
    }
    if (class == PARTS || (class == CLOSES && depth == 0)) return at;
    depth += class == OPENS ? 1 : -1;
    at++;
    if (depth == 0) return at;
  }
  return at;
}

/* The name of the member at `at`, and where its value begins; 0: there is none. */
static size_t member_at(slice object, size_t at, slice *name) {
  if (at >= object.len || object.ptr[at] != '"') return 0;
  size_t end = skip_string(object, at);
  if (end + 1 >= object.len) return 0;
  *name = slice_of(object.ptr + at + 1, end - at - 2);
  return end + 1;
}

void json_members(slice object, const slice *keys, slice *values, size_t count, slice stop) {
  slice name;
  size_t missing = count;
  for (size_t i = 0; i < count; i++) values[i] = SLICE_NONE;
  for (size_t at = 1, from; missing && (from = member_at(object, at, &name)) != 0;) {
    if (slice_eq(name, stop)) break;
    size_t after = skip_value(object, from);
    if (after > object.len) break;
    for (size_t i = 0; i < count; i++) {
      if (!slice_eq(name, keys[i])) continue;
      values[i] = slice_of(object.ptr + from, after - from);
      missing--;
    }
    at = after + 1;
  }
}

slice json_member(slice object, slice key) {
  slice value;
  json_members(object, &key, &value, 1, SLICE_NONE);
  return value;
}

slice json_member_from(slice object, slice key) {
  slice name;
  for (size_t at = 1, from; (from = member_at(object, at, &name)) != 0;) {
    if (slice_eq(name, key)) return slice_from(object, from);
    at = skip_value(object, from) + 1;
  }
  return SLICE_NONE;
}

slice json_without(arena *a, slice object, slice key) {
  slice value = json_member(object, key);
  if (!value.ptr) return object;
  size_t from = (size_t)(value.ptr - object.ptr) - key.len - 3; /* its name's first quote */
  size_t to = (size_t)(value.ptr - object.ptr) + value.len;
  if (object.ptr[from - 1] == ',') from--;
  else if (to < object.len && object.ptr[to] == ',') to++;
  return arena_concat(a, slice_upto(object, from), slice_from(object, to));
}

slice json_with_text(arena *a, slice json, slice mark, slice text) {
  slice old = json_text_of(json, mark);
  if (!old.ptr) return json;
  size_t head = (size_t)(old.ptr - json.ptr);
  const slice parts[] = {slice_upto(json, head), text, slice_from(json, head + old.len)};
  return arena_join(a, parts, 3);
}

slice json_with_number(arena *a, slice json, slice mark, int64_t n) {
  const char *at = memmem(json.ptr, json.len, mark.ptr, mark.len);
  if (!at) return json;
  size_t head = (size_t)(at - json.ptr) + mark.len, end = head;
  while (end < json.len && json.ptr[end] >= '0' && json.ptr[end] <= '9') end++;
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
  const slice parts[] = {slice_upto(json, head), slice_of(digits, (size_t)len),
                         slice_from(json, end)};
  return arena_join(a, parts, 3);
}
