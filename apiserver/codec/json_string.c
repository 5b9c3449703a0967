/* Reading string literals: a run of plain bytes is skipped sixteen at a time, and only a
 * literal with an escape or malformed UTF-8 is copied. */
#include "codec/json_string.h"

#include "base/ascii.h"
#include "codec/strict.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* First byte from p that is a quote, a backslash, a control character or not ASCII. */
static inline const char *skip_plain(const char *p, const char *end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(' '); /* signed: bytes from 0x80 compare below it */
  while (end - p >= 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i hit = _mm_or_si128(_mm_cmplt_epi8(block, space),
                               _mm_or_si128(_mm_cmpeq_epi8(block, quote),
                                            _mm_cmpeq_epi8(block, slash)));
    int mask = _mm_movemask_epi8(hit);
    if (mask) return p + __builtin_ctz((unsigned)mask);
    p += 16;
  }
#endif
  while (p < end && (signed char)*p >= ' ' && *p != '"' && *p != '\\') p++;
  return p;
}

/* The four digits behind "\u" at p, or -1. */
static int32_t hex4(const char *p, const char *end) {
  if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
  int32_t c = 0;
  for (int i = 2; i < 6; i++) {
    int digit = ascii_hex(p[i]);
    if (digit < 0) return -1;
    c = c * 16 + digit;
  }
  return c;
}

/* The closing quote, or NULL; *bad counts bytes that are no UTF-8 and will grow to three. */
static const char *find_quote(const char *p, const char *end, size_t *bad) {
  while ((p = skip_plain(p, end)) < end) {
    unsigned char c = (unsigned char)*p;
    if (c == '"') return p;
    if (c < 0x20) return NULL;
    if (c == '\\') {
      if (end - p < 2) return NULL;
      if (p[1] == 'u' ? hex4(p, end) < 0 : !p[1] || !strchr("bfnrt\\/\"", p[1])) return NULL;
      p += p[1] == 'u' ? 6 : 2;
      continue;
    }
    unsigned len = utf8_sequence(p, end);
    *bad += len == 0;
    p += len ? len : 1;
  }
  return NULL;
}

/* One \u escape, with its second half when it is a surrogate pair. Returns what follows. */
static const char *unescape_unit(const char *p, const char *end, char *to, size_t *n) {
  int32_t c = hex4(p, end);
  p += 6;
  if (c >= 0xD800 && c < 0xE000) {
    int32_t low = c < 0xDC00 ? hex4(p, end) : -1;
    if (low >= 0xDC00 && low < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      p += 6;
    } else {
      c = 0xFFFD;
    }
  }
  *n += utf8_put(to + *n, (uint32_t)c);
  return p;
}

static char unescape_byte(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

/* p..end is a literal's inside, known to be well formed but for its UTF-8. */
static slice unescape(arena *a, const char *p, const char *end, size_t bad) {
  char *to = arena_alloc(a, (size_t)(end - p) + 2 * bad + 1);
  size_t n = 0;
  while (p < end) {
    const char *run = skip_plain(p, end);
    memcpy(to + n, p, (size_t)(run - p));
    n += (size_t)(run - p);
    p = run;
    if (p == end) break;
    unsigned len;
    if (*p == '\\' && p[1] == 'u') {
      p = unescape_unit(p, end, to, &n);
    } else if (*p == '\\') {
      to[n++] = unescape_byte(p[1]);
      p += 2;
    } else if ((len = utf8_sequence(p, end)) > 0) {
      memcpy(to + n, p, len);
      n += len;
      p += len;
    } else {
      n += utf8_put(to + n, 0xFFFD);
      p++;
    }
  }
  return (slice){to, n};
}

const char *json_string_scan(arena *a, const char *p, const char *end, slice *out) {
  const char *start = ++p;
  for (;;) {
    p = skip_plain(p, end);
    if (p == end) return NULL;
    if (*p == '"') {
      *out = (slice){start, (size_t)(p - start)};
      return p + 1;
    }
    unsigned len = (unsigned char)*p < 0x80 ? 0 : utf8_sequence(p, end);
    if (len == 0) break;
    p += len;
  }
  size_t bad = 0;
  const char *quote = find_quote(p, end, &bad);
  if (!quote) return NULL;
  *out = unescape(a, start, quote, bad);
  return quote + 1;
}
