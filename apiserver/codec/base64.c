/* Standard base64 with padding, read as Go's encoding/base64 reads it: line ends are skipped,
 * the bits behind the last byte do not matter. */
#include "codec/codec.h"

#include "codec/strict.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

slice base64_encode(arena *a, slice bytes) {
  char *to = arena_alloc(a, (bytes.len + 2) / 3 * 4 + 1);
  const unsigned char *p = (const unsigned char *)bytes.ptr;
  size_t n = 0, i = 0;
  for (; i + 2 < bytes.len; i += 3) {
    uint32_t bits = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
    to[n++] = alphabet[bits >> 18];
    to[n++] = alphabet[bits >> 12 & 63];
    to[n++] = alphabet[bits >> 6 & 63];
    to[n++] = alphabet[bits & 63];
  }
  if (i < bytes.len) {
    bool two = i + 1 < bytes.len;
    uint32_t bits = (uint32_t)p[i] << 16 | (two ? (uint32_t)p[i + 1] << 8 : 0);
    to[n++] = alphabet[bits >> 18];
    to[n++] = alphabet[bits >> 12 & 63];
    to[n++] = two ? alphabet[bits >> 6 & 63] : '=';
    to[n++] = '=';
  }
  return (slice){to, n};
}

static size_t skip_lines(slice s, size_t i) {
  while (i < s.len && (s.ptr[i] == '\n' || s.ptr[i] == '\r')) i++;
  return i;
}

/* The padding at i, behind `have` characters of its group: true when it ends the text well. */
static bool padding_ends(slice s, size_t i, int have, size_t *bad) {
  if (have < 2) return *bad = i, false;
  size_t next = skip_lines(s, i + 1);
  if (have == 2) {
    if (next == s.len) return *bad = s.len, false;
    if (s.ptr[next] != '=') return *bad = next - 1, false;
    next = skip_lines(s, next + 1);
  }
  return *bad = next, next == s.len;
}

bool base64_decode_at(arena *a, slice text, slice *out, size_t *bad) {
  char *to = arena_alloc(a, text.len / 4 * 3 + 4);
  size_t n = 0;
  uint32_t bits = 0;
  int have = 0;
  for (size_t i = 0; i < text.len; i++) {
    int six = sextet(text.ptr[i]);
    if (six >= 0) {
      bits = bits << 6 | (uint32_t)six;
      if (++have < 4) continue;
      to[n++] = (char)(bits >> 16);
      to[n++] = (char)(bits >> 8);
      to[n++] = (char)bits;
      have = 0;
      continue;
    }
    if (text.ptr[i] == '\n' || text.ptr[i] == '\r') continue;
    if (text.ptr[i] != '=') return *bad = i, false;
    if (!padding_ends(text, i, have, bad)) return false;
    to[n++] = have == 3 ? (char)(bits >> 10) : (char)(bits >> 4);
    if (have == 3) to[n++] = (char)(bits >> 2);
    have = 0;
    break;
  }
  if (have) return *bad = text.len - (size_t)have, false;
  *out = (slice){to, n};
  return true;
}

bool base64_decode(arena *a, slice text, slice *out) {
  size_t bad;
  return base64_decode_at(a, text, out, &bad);
}

bool base64_is_canonical(slice text) {
  size_t n = text.len;
  if (n % 4) return false;
  if (n == 0) return true;
  size_t pad = text.ptr[n - 1] == '=';
  pad += pad && text.ptr[n - 2] == '=';
  for (size_t i = 0; i < n - pad; i++) {
    if (sextet(text.ptr[i]) < 0) return false;
  }
  if (pad == 0) return true;
  return (sextet(text.ptr[n - pad - 1]) & (pad == 1 ? 3 : 15)) == 0;
}

static const char url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

slice base64url_encode(arena *a, slice bytes) {
  char *out = arena_alloc(a, bytes.len / 3 * 4 + 5);
  const unsigned char *p = (const unsigned char *)bytes.ptr;
  size_t n = 0, i = 0;
  for (; i < bytes.len; i += 3) {
    size_t left = bytes.len - i;
    uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                 (left > 2 ? p[i + 2] : 0);
    for (size_t d = 0; d < (left > 2 ? 4 : left + 1); d++) {
      out[n++] = url_digits[v >> (18 - 6 * d) & 63];
    }
  }
  out[n] = '\0';
  return slice_of(out, n);
}

static int url_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(arena *a, slice text, slice *out) {
  if (text.len % 4 == 1) return false;
  char *to = arena_alloc(a, text.len / 4 * 3 + 4);
  size_t n = 0;
  uint32_t v = 0;
  for (size_t i = 0; i < text.len; i++) {
    int d = url_digit(text.ptr[i]);
    if (d < 0) return false;
    v = v << 6 | (uint32_t)d;
    if (i % 4 == 3) {
      to[n++] = (char)(v >> 16);
      to[n++] = (char)(v >> 8);
      to[n++] = (char)v;
    }
  }
  if (text.len % 4 == 2) to[n++] = (char)(v >> 4);
  if (text.len % 4 == 3) {
    to[n++] = (char)(v >> 10);
    to[n++] = (char)(v >> 2);
  }
  to[n] = '\0';
  *out = slice_of(to, n);
  return true;
}
