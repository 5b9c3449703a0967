/* UTF-8 by hand, and strconv.Quote on top of it. */
#include "base/quote.h"

unsigned utf8_sequence(const char *p, const char *end) {
  const unsigned char *s = (const unsigned char *)p;
  size_t n = (size_t)(end - p);
  if (s[0] < 0x80) return 1;
  if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
  if (n < 2 || (s[1] & 0xC0) != 0x80) return 0;
  if (s[0] < 0xE0) return 2;
  if (n < 3 || (s[2] & 0xC0) != 0x80) return 0;
  if (s[0] < 0xF0) {
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0;
    if (s[0] == 0xED && s[1] > 0x9F) return 0; /* a surrogate */
    return 3;
  }
  if (n < 4 || (s[3] & 0xC0) != 0x80) return 0;
  if (s[0] == 0xF0 && s[1] < 0x90) return 0;
  if (s[0] == 0xF4 && s[1] > 0x8F) return 0;
  return 4;
}

bool utf8_is_valid(slice s) {
  const char *p = s.ptr, *end = s.len ? p + s.len : p;
  while (p < end) {
    unsigned n = (signed char)*p >= 0 ? 1 : utf8_sequence(p, end);
    if (n == 0) return false;
    p += n;
  }
  return true;
}

unsigned utf8_put(char *to, uint32_t c) {
  if (c < 0x80) {
    to[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    to[0] = (char)(0xC0 | (c >> 6));
    to[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    to[0] = (char)(0xE0 | (c >> 12));
    to[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    to[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | (c >> 18));
  to[1] = (char)(0x80 | ((c >> 12) & 0x3F));
  to[2] = (char)(0x80 | ((c >> 6) & 0x3F));
  to[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

uint32_t utf8_get(const char *p, unsigned len) {
  const unsigned char *s = (const unsigned char *)p;
  switch (len) {
    case 2: return (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
    case 3: return (uint32_t)(s[0] & 0x0F) << 12 | (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    case 4:
      return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3F) << 12 |
             (uint32_t)(s[2] & 0x3F) << 6 | (s[3] & 0x3F);
    default: return s[0];
  }
}

static bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

slice utf8_trim(slice s) {
  while (s.len) {
    unsigned len = utf8_sequence(s.ptr, s.ptr + s.len);
    if (len == 0 || !is_space(utf8_get(s.ptr, len))) break;
    s = slice_from(s, len);
  }
  while (s.len) {
    size_t at = s.len - 1;
    while (at > 0 && s.len - at < 4 && (s.ptr[at] & 0xC0) == 0x80) at--;
    unsigned len = utf8_sequence(s.ptr + at, s.ptr + s.len);
    if (at + len != s.len || !is_space(utf8_get(s.ptr + at, len))) break;
    s.len = at;
  }
  return s;
}

static size_t quote_ascii(char *to, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char named[] = "abtnvfr"; /* 7..13 */
  to[0] = '\\';
  if (c == '"' || c == '\\') {
    to[1] = (char)c;
    return 2;
  }
  if (c >= 7 && c <= 13) {
    to[1] = named[c - 7];
    return 2;
  }
  to[1] = 'x';
  to[2] = hex[c >> 4];
  to[3] = hex[c & 15];
  return 4;
}

static size_t quote_hidden(char *to, uint32_t c) {
  static const char hex[] = "0123456789abcdef";
  unsigned digits = c < 0x10000 ? 4 : 8;
  to[0] = '\\';
  to[1] = digits == 4 ? 'u' : 'U';
  for (unsigned i = 0; i < digits; i++) to[2 + i] = hex[(c >> (4 * (digits - 1 - i))) & 15];
  return 2 + digits;
}

slice go_quote(arena *a, slice s) {
  char *to = arena_alloc(a, s.len * 5 + 3);
  size_t n = 0;
  to[n++] = '"';
  for (const char *p = s.ptr, *end = s.len ? p + s.len : p; p < end;) {
    unsigned char c = (unsigned char)*p;
    unsigned len = utf8_sequence(p, end);
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F || len == 0) {
      n += quote_ascii(to + n, c);
      p++;
    } else if (len > 1 && !utf8_is_printable(utf8_get(p, len))) {
      n += quote_hidden(to + n, utf8_get(p, len));
      p += len;
    } else {
      memcpy(to + n, p, len);
      n += len;
      p += len;
    }
  }
  to[n++] = '"';
  return (slice){to, n};
}
