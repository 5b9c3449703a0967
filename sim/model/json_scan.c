/* Scans, not a parser: the text came out of an encoder. */
#include "sim/model/json_scan.h"

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
  for (at++; at < s.len && s.ptr[at] != '"'; at++) {
    if (s.ptr[at] == '\\') at++;
  }
  return at + 1;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(slice s, size_t at) {
  int depth = 0;
  while (at < s.len) {
    char c = s.ptr[at];
    if (c == '"') {
      at = skip_string(s, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    at++;
    if (depth == 0 && (c == '}' || c == ']')) return at;
  }
  return at;
}

slice json_member(slice object, slice key) {
  size_t at = 1;
  while (at < object.len && object.ptr[at] == '"') {
    size_t end = skip_string(object, at);
    slice name = slice_of(object.ptr + at + 1, end - at - 2);
    size_t value = end + 1, after = skip_value(object, value);
    if (value > object.len || after > object.len) break;
    if (slice_eq(name, key)) return slice_of(object.ptr + value, after - value);
    at = after + 1;
  }
  return SLICE_NONE;
}

bool json_next_item(slice array, size_t *at, slice *item) {
  size_t from = *at + 1;
  if (from >= array.len || array.ptr[from] == ']' || array.ptr[*at] == ']') return false;
  size_t end = skip_value(array, from);
  *item = slice_of(array.ptr + from, end - from);
  *at = end;
  return true;
}

slice json_with_text(arena *a, slice json, slice mark, slice text) {
  slice old = json_text_of(json, mark);
  if (!old.ptr) return json;
  size_t head = (size_t)(old.ptr - json.ptr);
  return arena_printf(a, "%.*s%.*s%.*s", (int)head, json.ptr, SLICE_ARG(text),
                      SLICE_ARG(slice_from(json, head + old.len)));
}

slice json_with_number(arena *a, slice json, slice mark, int64_t n) {
  const char *at = memmem(json.ptr, json.len, mark.ptr, mark.len);
  if (!at) return json;
  size_t head = (size_t)(at - json.ptr) + mark.len, end = head;
  while (end < json.len && json.ptr[end] >= '0' && json.ptr[end] <= '9') end++;
  return arena_printf(a, "%.*s%lld%.*s", (int)head, json.ptr, (long long)n,
                      SLICE_ARG(slice_from(json, end)));
}
