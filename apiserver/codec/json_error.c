/* Says what is wrong with a JSON text, in the words of Go's scanner.
 *
 * The parser (json_parse.c) only notices that something is wrong; this second, slower walk of
 * the grammar runs on refused texts alone, so that the hot path carries no error handling.
 * Go's scanner feeds itself one space at the end of the text: an unfinished number or
 * escape therefore complains of ' ', and everything else of the end of the input. */
#include "codec/strict.h"

#include "base/limits.h"

#include <assert.h>

typedef struct scan {
  arena *a;
  const unsigned char *p, *end;
  uint8_t *open; /* one byte a level: 1 a map, 0 a list */
  uint32_t depth;
  slice error;
} scan;

static slice char_quoted(arena *a, unsigned char c) {
  if (c == '\'') return SLICE_LIT("'\\''");
  if (c == '"') return SLICE_LIT("'\"'");
  char text[2];
  slice quoted = go_quote(a, slice_of(text, utf8_put(text, c))); /* Go widens the byte to a rune */
  return arena_printf(a, "'%.*s'", (int)quoted.len - 2, quoted.ptr + 1);
}

/* c is -1 at the end of the text. */
static bool refuse(scan *s, int c, const char *context) {
  if (c < 0) {
    s->error = SLICE_LIT("unexpected end of JSON input");
  } else {
    slice quoted = char_quoted(s->a, (unsigned char)c);
    s->error = arena_printf(s->a, "invalid character %.*s %s", SLICE_ARG(quoted), context);
  }
  return false;
}

static int peek(const scan *s) { return s->p < s->end ? *s->p : -1; }
/* Inside a literal the end reads as a space. */
static int peek_inside(const scan *s) { return s->p < s->end ? *s->p : ' '; }

static void skip_space(scan *s) {
  while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) s->p++;
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static bool scan_number(scan *s) {
  if (peek(s) == '-') s->p++;
  int c = peek_inside(s);
  if (!is_digit(c)) return refuse(s, c, "in numeric literal");
  s->p++;
  while (c != '0' && is_digit(peek(s))) s->p++;
  if (peek(s) == '.') {
    s->p++;
    if (!is_digit(peek(s))) {
      return refuse(s, peek_inside(s), "after decimal point in numeric literal");
    }
    while (is_digit(peek(s))) s->p++;
  }
  if (peek(s) != 'e' && peek(s) != 'E') return true;
  s->p++;
  if (peek(s) == '+' || peek(s) == '-') s->p++;
  if (!is_digit(peek(s))) return refuse(s, peek_inside(s), "in exponent of numeric literal");
  while (is_digit(peek(s))) s->p++;
  return true;
}

static bool scan_word(scan *s, const char *word) {
  for (const char *w = word + 1; *w; w++) {
    s->p++;
    if (peek_inside(s) == *w) continue;
    slice context = arena_printf(s->a, "in literal %s (expecting '%c')", word, *w);
    return refuse(s, peek_inside(s), context.ptr);
  }
  s->p++;
  return true;
}

static bool is_hex(int c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(scan *s) {
  int c = peek_inside(s);
  if (c == '\0' || !strchr("bfnrt\\/\"u", c)) return refuse(s, c, "in string escape code");
  s->p++;
  for (int i = 0; c == 'u' && i < 4; i++, s->p++) {
    if (!is_hex(peek_inside(s))) {
      return refuse(s, peek_inside(s), "in \\u hexadecimal character escape");
    }
  }
  return true;
}

static bool scan_string(scan *s) {
  for (s->p++;;) {
    int c = peek(s);
    if (c < 0) return refuse(s, c, "");
    if (c < 0x20) return refuse(s, c, "in string literal");
    s->p++;
    if (c == '"') return true;
    if (c == '\\' && !scan_escape(s)) return false;
  }
}

static bool scan_key(scan *s) {
  skip_space(s);
  if (peek(s) != '"') return refuse(s, peek(s), "looking for beginning of object key string");
  if (!scan_string(s)) return false;
  skip_space(s);
  if (peek(s) != ':') return refuse(s, peek(s), "after object key");
  s->p++;
  return true;
}

/* Opens a map or list; *empty says that it was closed at once. */
static bool scan_open(scan *s, bool map, bool *empty) {
  int c = peek(s);
  if (s->depth == LIMIT_JSON_DEPTH) return refuse(s, c, "exceeded max depth");
  s->p++;
  skip_space(s);
  *empty = peek(s) == (map ? '}' : ']');
  if (*empty) {
    s->p++;
    return true;
  }
  s->open[s->depth++] = map;
  return !map || scan_key(s);
}

/* A value's first byte is next. *done: a whole value was read. */
static bool scan_value(scan *s, bool *done) {
  skip_space(s);
  int c = peek(s);
  *done = true;
  switch (c) {
    case '{': return scan_open(s, true, done);
    case '[': return scan_open(s, false, done);
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    default: break;
  }
  if (c == '-' || is_digit(c)) return scan_number(s);
  return refuse(s, c, "looking for beginning of value");
}

/* Behind a value: closes what ends here and goes to the next value. *more: there is one. */
static bool scan_after(scan *s, bool *more) {
  while (s->depth > 0) {
    bool map = s->open[s->depth - 1];
    skip_space(s);
    int c = peek(s);
    if (c == ',') {
      s->p++;
      *more = true;
      return !map || scan_key(s);
    }
    if (c != (map ? '}' : ']')) {
      return refuse(s, c, map ? "after object key:value pair" : "after array element");
    }
    s->p++;
    s->depth--;
  }
  *more = false;
  skip_space(s);
  return s->p == s->end || refuse(s, *s->p, "after top-level value");
}

slice json_syntax_error(arena *a, slice text) {
  const unsigned char *p = (const unsigned char *)text.ptr;
  scan s = {.a = a, .p = p, .end = p + text.len, .error = SLICE_NONE};
  s.open = arena_alloc(a, text.len < LIMIT_JSON_DEPTH ? text.len : LIMIT_JSON_DEPTH);
  bool more = true;
  while (more) {
    bool done;
    if (!scan_value(&s, &done)) break;
    if (done && !scan_after(&s, &more)) break;
  }
  return s.error;
}
