/* The head reader: one line at a time, so that an error is answered as soon as its line is
 * there, as Go answers it. Classes of bytes are one table lookup. */
#include "http/head.h"

#include "base/ascii.h"

#include <assert.h>

enum { TOKEN = 1, VALUE = 2, HOST = 4 };

#define T (TOKEN | VALUE)
#define H (VALUE | HOST)
#define A (TOKEN | VALUE | HOST)
static const uint8_t byte_class[256] = {
    ['\t'] = VALUE,  [' '] = VALUE,      ['!'] = A,         ['"'] = VALUE,  ['#'] = T,
    ['$'] = A,       ['%'] = A,          ['&'] = A,         ['\''] = A,     ['('] = H,
    [')'] = H,       ['*'] = A,          ['+'] = A,         [','] = H,      ['-'] = A,
    ['.'] = A,       ['/'] = VALUE,      ['0' ... '9'] = A, [':'] = H,      [';'] = H,
    ['<'] = VALUE,   ['='] = H,          ['>'] = VALUE,     ['?'] = VALUE,  ['@'] = VALUE,
    ['A' ... 'Z'] = A, ['['] = H,        ['\\'] = VALUE,    [']'] = H,      ['^'] = T,
    ['_'] = A,       ['`'] = T,          ['a' ... 'z'] = A, ['{'] = VALUE,  ['|'] = T,
    ['}'] = VALUE,   ['~'] = A,          [0x80 ... 0xff] = VALUE,
};
#undef T
#undef H
#undef A

static bool all_of(slice s, uint8_t class) {
  for (size_t i = 0; i < s.len; i++) {
    if (!(byte_class[(uint8_t)s.ptr[i]] & class)) return false;
  }
  return true;
}

bool http_is_token(slice s) {
  return s.len > 0 && all_of(s, TOKEN);
}

bool http_is_host(slice s) {
  return all_of(s, HOST);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static slice trim_blanks(slice s) {
  while (s.len && is_blank(s.ptr[0])) s = slice_from(s, 1);
  while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
  return s;
}

bool http_value_has_token(slice value, const char *token) {
  slice want = slice_cstr(token);
  slice part, rest = value;
  bool more = true;
  while (more) {
    more = slice_cut(rest, ',', &part, &rest);
    if (slice_eq_nocase(trim_blanks(part), want)) return true;
  }
  return false;
}

static bool scan_version(http_head *h, slice proto) {
  if (proto.len != 8 || memcmp(proto.ptr, "HTTP/", 5) != 0) return false;
  if (!ascii_is_digit(proto.ptr[5]) || proto.ptr[6] != '.' || !ascii_is_digit(proto.ptr[7])) {
    return false;
  }
  h->major = (uint8_t)(proto.ptr[5] - '0');
  h->minor = (uint8_t)(proto.ptr[7] - '0');
  return true;
}

static bool scan_request_line(http_head *h, slice line) {
  slice method, target, proto, rest;
  if (!slice_cut(line, ' ', &method, &rest)) return false;
  if (!slice_cut(rest, ' ', &target, &proto)) return false;
  if (!http_is_token(method) || !scan_version(h, proto)) return false;
  h->method_len = (uint32_t)method.len;
  h->target_at = (uint32_t)(target.ptr - line.ptr);
  h->target_len = (uint32_t)target.len;
  return true;
}

/* A space in a name is let through so that the answer can say "invalid header name". */
static bool scan_name(http_head *h, slice name) {
  if (name.len == 0) return false;
  for (size_t i = 0; i < name.len; i++) {
    if (byte_class[(uint8_t)name.ptr[i]] & TOKEN) continue;
    if (name.ptr[i] != ' ') return false;
    h->name_space = true;
  }
  return true;
}

static bool scan_field_line(http_head *h, slice line) {
  if (is_blank(line.ptr[0])) {
    if (h->count == 0) return false;
    h->folded = true;
    return all_of(line, VALUE);
  }
  slice name, value;
  if (!slice_cut(line, ':', &name, &value)) return false;
  h->count++;
  return scan_name(h, name) && all_of(value, VALUE);
}

/* Go strips one CR before the LF and no more. */
static slice line_at(slice bytes, size_t start, size_t lf) {
  size_t end = lf > start && bytes.ptr[lf - 1] == '\r' ? lf - 1 : lf;
  return slice_of(bytes.ptr + start, end - start);
}

http_scan http_head_scan(http_head *h, slice bytes) {
  assert(h->line <= h->seen && h->seen <= bytes.len);
  for (;;) {
    const char *hit =
        h->seen < bytes.len ? memchr(bytes.ptr + h->seen, '\n', bytes.len - h->seen) : NULL;
    if (!hit) {
      h->seen = bytes.len;
      return HTTP_SCAN_PARTIAL;
    }
    size_t lf = (size_t)(hit - bytes.ptr);
    slice line = line_at(bytes, h->line, lf);
    h->line = h->seen = lf + 1;
    if (!h->in_fields) {
      if (!scan_request_line(h, line)) return HTTP_SCAN_BAD;
      h->in_fields = true;
      h->fields = lf + 1;
    } else if (line.len == 0) {
      h->end = lf + 1;
      return HTTP_SCAN_DONE;
    } else if (!scan_field_line(h, line)) {
      return HTTP_SCAN_BAD;
    }
  }
}

/* The lines from first to the next that is no continuation, each trimmed, one space between.
 * *next is moved behind them. */
static slice join_folded(slice bytes, size_t first_end, size_t *next, slice value, arena *a) {
  size_t end = first_end;
  while (end < bytes.len && is_blank(bytes.ptr[end])) {
    const char *hit = memchr(bytes.ptr + end, '\n', bytes.len - end);
    assert(hit);
    end = (size_t)(hit - bytes.ptr) + 1;
  }
  *next = end;
  if (end == first_end) return value;
  char *out = arena_alloc(a, value.len + (end - first_end) + 1);
  size_t len = value.len;
  if (len) memcpy(out, value.ptr, len);
  for (size_t at = first_end; at < end;) {
    const char *hit = memchr(bytes.ptr + at, '\n', end - at);
    assert(hit);
    size_t lf = (size_t)(hit - bytes.ptr);
    slice part = trim_blanks(line_at(bytes, at, lf));
    out[len++] = ' ';
    if (part.len) memcpy(out + len, part.ptr, part.len);
    len += part.len;
    at = lf + 1;
  }
  return trim_blanks(slice_of(out, len));
}

void http_head_fields(const http_head *h, slice bytes, arena *a, http_header *out) {
  assert(h->end && h->end <= bytes.len);
  slice head = slice_upto(bytes, h->end);
  size_t at = h->fields;
  for (uint32_t i = 0; i < h->count; i++) {
    const char *hit = memchr(head.ptr + at, '\n', head.len - at);
    assert(hit);
    size_t lf = (size_t)(hit - head.ptr);
    slice name, value;
    slice_cut(line_at(head, at, lf), ':', &name, &value);
    at = lf + 1;
    value = trim_blanks(value);
    if (h->folded) value = join_folded(head, at, &at, value, a);
    out[i] = (http_header){name, value};
  }
}
