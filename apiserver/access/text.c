/* Go's quoting. Which runes count as printable is a short list here: the classes that meet in
 * names (letters, digits, marks, symbols) are, controls, separators and private use are not. */
#include "access/text.h"

#include "base/limits.h"

/* Decodes one rune; *len is its bytes, 0 for a byte that starts none. */
static uint32_t rune_at(slice s, size_t at, size_t *len) {
  const unsigned char *p = (const unsigned char *)s.ptr + at;
  size_t left = s.len - at;
  uint32_t r = p[0], least;
  size_t n;
  if (r < 0x80) return *len = 1, r;
  if (r >= 0xc2 && r < 0xe0) n = 2, r &= 0x1f, least = 0x80;
  else if (r >= 0xe0 && r < 0xf0) n = 3, r &= 0x0f, least = 0x800;
  else if (r >= 0xf0 && r < 0xf5) n = 4, r &= 0x07, least = 0x10000;
  else return *len = 0, r;
  if (left < n) return *len = 0, p[0];
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) return *len = 0, p[0];
    r = r << 6 | (p[i] & 0x3fu);
  }
  if (r < least || r > 0x10ffff || (r >= 0xd800 && r < 0xe000)) return *len = 0, p[0];
  return *len = n, r;
}

static bool is_print(uint32_t r) {
  static const struct {
    uint32_t from, to;
  } unprintable[] = {
      {0, 0x1f},         {0x7f, 0xa0},       {0xad, 0xad},       {0x1680, 0x1680},
      {0x2000, 0x200f},  {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},
      {0xe000, 0xf8ff},  {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},
      {0xfffe, 0xffff},  {0xe0000, 0xe00ff}, {0xf0000, 0x10ffff}};
  for (size_t i = 0; i < sizeof unprintable / sizeof unprintable[0]; i++) {
    if (r >= unprintable[i].from && r <= unprintable[i].to) return false;
  }
  return true;
}

static void quote_rune(buf *out, uint32_t r, slice bytes) {
  static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
  const char *at = r && r < 0x80 ? strchr(from, (int)r) : NULL;
  if (at) {
    buf_char(out, '\\');
    buf_char(out, to[at - from]);
  } else if (is_print(r)) {
    buf_append(out, bytes);
  } else if (r < 0x80) {
    buf_printf(out, "\\x%02x", r);
  } else {
    buf_printf(out, r < 0x10000 ? "\\u%04x" : "\\U%08x", r);
  }
}

void text_quote(buf *out, slice s) {
  buf_char(out, '"');
  for (size_t i = 0, len; i < s.len; i += len ? len : 1) {
    uint32_t r = rune_at(s, i, &len);
    if (len) quote_rune(out, r, slice_of(s.ptr + i, len));
    else buf_printf(out, "\\x%02x", r);
  }
  buf_char(out, '"');
}

slice text_take(arena *a, buf *b) {
  slice s = arena_copy(a, buf_slice(b));
  buf_dispose(b);
  return s;
}

slice text_quoted(arena *a, slice s) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  text_quote(&b, s);
  return text_take(a, &b);
}

void text_quote_list(buf *out, const slice *items, uint32_t count) {
  buf_char(out, '[');
  for (uint32_t i = 0; i < count; i++) {
    if (i) buf_char(out, ' ');
    text_quote(out, items[i]);
  }
  buf_char(out, ']');
}

static bool seen_before(const slice *items, uint32_t at) {
  for (uint32_t i = 0; i < at; i++) {
    if (slice_eq(items[i], items[at])) return true;
  }
  return false;
}

slice text_aggregate(arena *a, const slice *errors, uint32_t count) {
  if (count == 0) return SLICE_NONE;
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (seen_before(errors, i)) continue;
    if (kept++) buf_lit(&b, ", ");
    buf_append(&b, errors[i]);
  }
  slice joined = text_take(a, &b);
  return kept == 1 ? joined : arena_printf(a, "[%.*s]", SLICE_ARG(joined));
}

slice text_sanitized(arena *a, slice s) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  for (size_t i = 0; i < s.len; i++) {
    switch (s.ptr[i]) {
      case '&': buf_lit(&b, "&amp;"); break;
      case '<': buf_lit(&b, "&lt;"); break;
      case '>': buf_lit(&b, "&gt;"); break;
      default: buf_char(&b, s.ptr[i]);
    }
  }
  return text_take(a, &b);
}
