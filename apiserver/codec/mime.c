/* A Content-Type is refused by the real server when any of its parameters is malformed, so
 * they are read here although nobody wants their values. */
#include "codec/mime.h"

#define PARAMS_MAX 64u

static bool is_token_char(char c) {
  if (c <= ' ' || c >= 0x7f) return false;
  return !strchr("()<>@,;:\\\"/[]?=", c);
}

static slice token_take(slice *rest) {
  size_t n = 0;
  while (n < rest->len && is_token_char(rest->ptr[n])) n++;
  slice token = slice_upto(*rest, n);
  *rest = slice_from(*rest, n);
  return token;
}

static slice skip_space(slice s) {
  while (s.len && memchr(" \t\n\r\v\f", *s.ptr, 6)) s = slice_from(s, 1);
  return s;
}

static bool quoted_take(slice *rest) {
  for (size_t i = 1; i < rest->len; i++) {
    char c = rest->ptr[i];
    if (c == '"') {
      *rest = slice_from(*rest, i + 1);
      return true;
    }
    if (c == '\\' && i + 1 < rest->len && strchr("()<>@,;:\\\"/[]?=", rest->ptr[i + 1]) &&
        rest->ptr[i + 1]) {
      i++;
    } else if (c == '\r' || c == '\n') {
      return false;
    }
  }
  return false;
}

/* ";" name "=" value, with space around the first two. */
static bool param_take(slice *rest, slice *name, slice *value) {
  slice s = skip_space(*rest);
  if (!s.len || *s.ptr != ';') return false;
  s = skip_space(slice_from(s, 1));
  *name = token_take(&s);
  s = skip_space(s);
  if (!name->len || !s.len || *s.ptr != '=') return false;
  s = skip_space(slice_from(s, 1));
  if (!s.len) return false;
  slice from = s;
  if (*s.ptr == '"') {
    if (!quoted_take(&s)) return false;
  } else if (token_take(&s).len == 0) {
    return false;
  }
  *value = slice_of(from.ptr, from.len - s.len);
  *rest = s;
  return true;
}

static bool type_is_valid(slice type) {
  slice s = type;
  if (token_take(&s).len == 0) return false;
  if (s.len == 0) return true;
  if (*s.ptr != '/') return false;
  s = slice_from(s, 1);
  return token_take(&s).len > 0 && s.len == 0;
}

bool mime_media_type(arena *a, slice header, slice *media) {
  slice type, rest, names[PARAMS_MAX], values[PARAMS_MAX];
  uint32_t count = 0;
  ptrdiff_t at = slice_find_char(header, ';');
  type = at < 0 ? header : slice_upto(header, (size_t)at);
  rest = at < 0 ? slice_from(header, header.len) : slice_from(header, (size_t)at);
  *media = arena_lower(a, slice_trim(type));
  if (!type_is_valid(*media)) return false;
  while (rest.len) {
    slice name, value;
    if (!param_take(&rest, &name, &value)) {
      return slice_is(slice_trim(rest), ";") || slice_trim(rest).len == 0;
    }
    for (uint32_t i = 0; i < count; i++) {
      if (slice_eq_nocase(names[i], name) && !slice_eq(values[i], value)) return false;
    }
    if (count == PARAMS_MAX) return false;
    values[count] = value;
    names[count++] = name;
  }
  return true;
}
