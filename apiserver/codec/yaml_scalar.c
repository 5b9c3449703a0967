/* YAML 1.1 scalars: a table of words, then numbers in Go's notations, then dates. */
#include "codec/yaml_scalar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct word_row {
  const char *words; /* each between spaces */
  yaml_scalar value;
} word_row;

static const word_row words[] = {
    {" y Y yes Yes YES true True TRUE on On ON ", {YAML_BOOL, {.b = true}}},
    {" n N no No NO false False FALSE off Off OFF ", {YAML_BOOL, {.b = false}}},
    {" ~ null Null NULL ", {YAML_NULL, {0}}},
    {" .nan .NaN .NAN ", {YAML_FLOAT, {.f = NAN}}},
    {" .inf .Inf .INF +.inf +.Inf +.INF ", {YAML_FLOAT, {.f = INFINITY}}},
    {" -.inf -.Inf -.INF ", {YAML_FLOAT, {.f = -INFINITY}}},
};

static bool find_word(slice text, yaml_scalar *out) {
  char padded[8] = " ";
  if (text.len > 5) return false;
  memcpy(padded + 1, text.ptr, text.len);
  if (memchr(text.ptr, ' ', text.len) || memchr(text.ptr, '\0', text.len)) return false;
  memcpy(padded + 1 + text.len, " ", 2);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!strstr(words[i].words, padded)) continue;
    *out = words[i].value;
    return true;
  }
  return false;
}

static bool is_digit(slice s, size_t i) { return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; }

static size_t skip_digits(slice s, size_t i) {
  while (is_digit(s, i)) i++;
  return i;
}

/* digits of the base, magnitude in *n. */
static bool read_base(slice s, unsigned base, uint64_t *n) {
  *n = 0;
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    unsigned lower = c | 32u, digit = 99;
    if (c >= '0' && c <= '9') digit = c - (unsigned)'0';
    else if (lower >= 'a' && lower <= 'f') digit = lower - 'a' + 10;
    if (digit >= base) return false;
    if (__builtin_mul_overflow(*n, base, n) || __builtin_add_overflow(*n, digit, n)) return false;
  }
  return s.len > 0;
}

/* Go's ParseInt and ParseUint with base 0: 0x, 0b, 0o and plain 0 are prefixes. */
static bool read_integer(slice s, yaml_scalar *out) {
  bool negative = s.len && s.ptr[0] == '-', sign = negative || (s.len && s.ptr[0] == '+');
  if (sign) s = slice_from(s, 1);
  unsigned base = 10;
  if (s.len > 1 && s.ptr[0] == '0') {
    char c = (char)(s.ptr[1] | 32);
    base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
    s = slice_from(s, c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
  }
  uint64_t n;
  if (!read_base(s, base, &n)) return false;
  if (n <= (uint64_t)INT64_MAX + negative) {
    *out = (yaml_scalar){YAML_INT, {.i = negative ? (int64_t)(0 - n) : (int64_t)n}};
    return true;
  }
  *out = (yaml_scalar){YAML_UINT, {.u = n}};
  return !sign;
}

/* [-+]?(.digits|digits[.digits])([eE][-+]?digits)? */
static bool read_float(slice s, yaml_scalar *out) {
  size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
  size_t whole = skip_digits(s, i);
  bool any = whole > i;
  i = whole;
  if (i < s.len && s.ptr[i] == '.') {
    size_t end = skip_digits(s, i + 1);
    if (!any && end == i + 1) return false;
    any = true;
    i = end;
  }
  if (!any) return false;
  if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
    i++;
    i += i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+');
    size_t end = skip_digits(s, i);
    if (end == i) return false;
    i = end;
  }
  char copy[512]; /* longer texts lose digits that no float64 holds; their exponent is lost too */
  if (i != s.len || s.len >= sizeof copy) return false;
  memcpy(copy, s.ptr, s.len);
  copy[s.len] = '\0';
  *out = (yaml_scalar){YAML_FLOAT, {.f = strtod(copy, NULL)}};
  return isfinite(out->f);
}

/* ".5_0": Go's ParseFloat takes an underscore between two digits. */
static bool read_fraction(slice text, yaml_scalar *out) {
  char plain[512];
  size_t n = 0;
  if (text.len > sizeof plain) return false;
  for (size_t i = 0; i < text.len; i++) {
    bool between = text.ptr[i] == '_' && i > 0 && is_digit(text, i - 1) && is_digit(text, i + 1);
    if (!between) plain[n++] = text.ptr[i];
  }
  return read_float(slice_of(plain, n), out);
}

static bool read_number(slice text, yaml_scalar *out) {
  char plain[512];
  size_t n = 0;
  if (text.len > sizeof plain) return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] != '_') plain[n++] = text.ptr[i];
  }
  slice s = slice_of(plain, n);
  return read_integer(s, out) || read_float(s, out);
}

/* Up to two digits in low..high. */
static bool take(slice *s, int low, int high, int *n) {
  if (!is_digit(*s, 0)) return false;
  *n = s->ptr[0] - '0';
  size_t len = is_digit(*s, 1) ? 2 : 1;
  if (len == 2) *n = *n * 10 + s->ptr[1] - '0';
  *s = slice_from(*s, len);
  return *n >= low && *n <= high;
}

static bool take_char(slice *s, char c) {
  if (s->len == 0 || s->ptr[0] != c) return false;
  *s = slice_from(*s, 1);
  return true;
}

/* Behind the date: "T15:4:5.9Z07:00" (or t), or " 15:4:5.9" without a zone. */
static bool is_clock(slice s) {
  int n;
  bool zone = s.len && (s.ptr[0] == 'T' || s.ptr[0] == 't');
  if (!zone && (s.len == 0 || s.ptr[0] != ' ')) return false;
  s = slice_from(s, 1);
  while (!zone && s.len && s.ptr[0] == ' ') s = slice_from(s, 1);
  if (!take(&s, 0, 23, &n) || !take_char(&s, ':') || !take(&s, 0, 59, &n) ||
      !take_char(&s, ':') || !take(&s, 0, 59, &n)) {
    return false;
  }
  if (s.len && (s.ptr[0] == '.' || s.ptr[0] == ',') && is_digit(s, 1)) {
    s = slice_from(s, skip_digits(s, 1));
  }
  if (!zone) return s.len == 0;
  if (slice_is(s, "Z")) return true;
  if (s.len != 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || s.ptr[3] != ':') return false;
  slice hour = slice_of(s.ptr + 1, 2), minute = slice_of(s.ptr + 4, 2);
  return is_digit(hour, 1) && is_digit(minute, 1) && take(&hour, 0, 24, &n) &&
         take(&minute, 0, 60, &n);
}

static bool is_timestamp(slice s) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month, day, year = 0;
  if (skip_digits(s, 0) != 4 || s.len < 5 || s.ptr[4] != '-') return false;
  for (int i = 0; i < 4; i++) year = year * 10 + s.ptr[i] - '0';
  s = slice_from(s, 5);
  if (!take(&s, 1, 12, &month) || !take_char(&s, '-') || !take(&s, 1, 31, &day)) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > days[month - 1] + (month == 2 && leap)) return false;
  return s.len == 0 || is_clock(s);
}

yaml_scalar yaml_resolve(slice text) {
  yaml_scalar out = {YAML_STR, {0}};
  if (text.len == 0) return (yaml_scalar){YAML_NULL, {0}};
  char c = text.ptr[0];
  if (c == '\0' || !strchr("+-0123456789yYnNtTfFoO~.", c)) return out;
  if (find_word(text, &out)) return out;
  bool good = false;
  if (c == '.') {
    good = read_fraction(text, &out);
  } else if (strchr("+-0123456789", c)) {
    if (is_timestamp(text)) return (yaml_scalar){YAML_TIMESTAMP, {0}};
    good = read_number(text, &out);
  }
  return good ? out : (yaml_scalar){YAML_STR, {0}};
}

slice yaml_float_text(double f, int bits, char out[40]) {
  char text[40], digits[24];
  size_t n = 0, at = 0, w = 0;
  for (int places = 0; places <= 16; places++) {
    snprintf(text, sizeof text, "%.*e", places, fabs(f));
    if (bits == 32 ? strtof(text, NULL) == (float)fabs(f) : strtod(text, NULL) == fabs(f)) break;
  }
  for (; text[at] != 'e'; at++) {
    if (text[at] != '.') digits[n++] = text[at];
  }
  int exp = (int)strtol(text + at + 1, NULL, 10);
  while (n > 1 && digits[n - 1] == '0') n--;
  if (signbit(f)) out[w++] = '-';
  if (exp < -4 || exp >= 6) {
    out[w++] = digits[0];
    if (n > 1) out[w++] = '.';
    memcpy(out + w, digits + 1, n - 1);
    w += n - 1;
    w += (size_t)snprintf(out + w, 40 - w, "e%c%02d", exp < 0 ? '-' : '+', abs(exp));
    return slice_of(out, w);
  }
  if (exp < 0) {
    memcpy(out + w, "0.000", 5);
    w += 1 + (size_t)-exp;
    memcpy(out + w, digits, n);
    return slice_of(out, w + n);
  }
  for (int i = 0; i <= exp || (size_t)i < n; i++) {
    if (i == exp + 1) out[w++] = '.';
    out[w++] = (size_t)i < n ? digits[i] : '0';
  }
  return slice_of(out, w);
}
