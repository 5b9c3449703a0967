/* Quantities: numbers with a suffix, as resource.Quantity reads, keeps and writes them.
 *
 * The real server keeps a text as it was written where a quick look finds it canonical enough
 * ("1.500" and "+5Gi" stay), and else writes the canonical form; both count as canonical here.
 * It also loses the suffix of values past its largest one (1000E is written "1"): so here. */
#include "base/ascii.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "codec/decimal.h"

#include <assert.h>

#define NANO (-9)
#define EXPONENT_MAX 900 /* from here on zeros are not written out */

static const char format_wrong[] = "quantities must match the regular expression "
                                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
static const char number_wrong[] = "unable to parse numeric part of quantity";
static const char suffix_wrong[] = "unable to parse quantity's suffix";

typedef enum quantity_format { DECIMAL_SI, DECIMAL_EXPONENT, BINARY_SI } quantity_format;

typedef struct quantity {
  decimal n;
  quantity_format format;
  bool keep; /* the text stands as it is */
} quantity;

typedef struct quantity_suffix {
  char text[3];
  int8_t exp; /* of 10, or of 2 for BINARY_SI */
  uint8_t format;
} quantity_suffix;

static const quantity_suffix suffixes[] = {
    {"", 0, DECIMAL_SI},    {"m", -3, DECIMAL_SI},  {"Mi", 20, BINARY_SI}, {"Gi", 30, BINARY_SI},
    {"Ki", 10, BINARY_SI},  {"k", 3, DECIMAL_SI},   {"M", 6, DECIMAL_SI},  {"G", 9, DECIMAL_SI},
    {"u", -6, DECIMAL_SI},  {"n", -9, DECIMAL_SI},  {"T", 12, DECIMAL_SI}, {"P", 15, DECIMAL_SI},
    {"E", 18, DECIMAL_SI},  {"Ti", 40, BINARY_SI},  {"Pi", 50, BINARY_SI}, {"Ei", 60, BINARY_SI},
};
#define SUFFIX_COUNT (sizeof suffixes / sizeof suffixes[0])

/* A quantity's text cut into its parts. */
typedef struct parts {
  slice value; /* sign, digits, point */
  slice whole, fraction; /* digits; whole without leading zeros, "0" when none are left */
  slice suffix;
  bool negative;
} parts;

static size_t digits_from(slice s, size_t at) {
  while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9') at++;
  return at;
}

static slice between(slice s, size_t from, size_t to) { return slice_of(s.ptr + from, to - from); }

/* False when there is more than a number and a suffix. */
static bool split(slice s, parts *out) {
  size_t at = s.ptr[0] == '-' || s.ptr[0] == '+';
  out->negative = s.ptr[0] == '-';
  out->fraction = out->suffix = SLICE_NONE;
  while (at < s.len && s.ptr[at] == '0') at++;
  size_t end = digits_from(s, at);
  out->whole = end > at ? between(s, at, end) : SLICE_LIT("0");
  if (end < s.len && s.ptr[end] == '.') {
    at = end + 1;
    end = digits_from(s, at);
    out->fraction = between(s, at, end);
  }
  out->value = slice_upto(s, end);
  at = end;
  while (end < s.len && s.ptr[end] && strchr("eEinumkKMGTP", s.ptr[end])) end++;
  if (end < s.len && (s.ptr[end] == '-' || s.ptr[end] == '+')) end++;
  end = digits_from(s, end);
  out->suffix = between(s, at, end);
  return end == s.len;
}

static bool read_suffix(slice s, int64_t *exp, quantity_format *format) {
  for (size_t i = 0; i < SUFFIX_COUNT; i++) {
    if (!slice_is(s, suffixes[i].text)) continue;
    *exp = suffixes[i].exp;
    *format = (quantity_format)suffixes[i].format;
    return true;
  }
  if (s.len < 2 || (s.ptr[0] != 'e' && s.ptr[0] != 'E')) return false;
  slice digits = slice_from(s, s.ptr[1] == '+' ? 2 : 1);
  long long n;
  if (s.ptr[1] == '+' && digits.len && digits.ptr[0] == '-') return false;
  if (!slice_to_i64(digits, &n)) return false;
  *exp = (int32_t)(uint32_t)(uint64_t)n; /* the real server truncates it so */
  *format = DECIMAL_EXPONENT;
  return true;
}

static bool ends_in_000(const parts *p) {
  size_t zeros = 0;
  for (size_t i = p->fraction.len; i-- > 0 && p->fraction.ptr[i] == '0';) zeros++;
  if (zeros == p->fraction.len) {
    for (size_t i = p->whole.len; i-- > 0 && p->whole.ptr[i] == '0';) zeros++;
  }
  return zeros >= 3;
}

/* The real server's quick path: the number fits an int64. *keep as it decides there. False
 * when it takes its slow path. */
static bool is_small(const parts *p, int64_t exp, quantity_format format, bool *keep) {
  int64_t digits = (int64_t)(p->whole.len + p->fraction.len);
  if (format == BINARY_SI) {
    if (p->fraction.len || 15 - digits - (int32_t)((float)exp * 3 / 10) - 1 < 0) return false;
    long long n = 0, product;
    if (!slice_to_i64(p->whole, &n)) return false;
    *keep = exp % 10 == 0 && (n & 7) != 0;
    return !__builtin_mul_overflow(n, 1ll << exp, &product);
  }
  int64_t scale = (int32_t)(exp - (int64_t)p->fraction.len);
  if (digits > 18 || scale < NANO) return false;
  *keep = scale % 3 == 0 && !ends_in_000(p) && p->whole.ptr[0] != '0';
  return true;
}

static void bound(quantity *q) {
  decimal limit;
  bool negative = q->n.negative;
  q->n.negative = false;
  decimal_round_up(&q->n, NANO);
  decimal_from_i64(&limit, INT64_MAX);
  if (q->format == BINARY_SI && decimal_cmp(&q->n, &limit) > 0) q->n = limit;
  decimal_from_i64(&limit, 1);
  if (q->format == BINARY_SI && decimal_cmp(&q->n, &limit) < 0 && q->n.count) {
    q->format = DECIMAL_SI;
  }
  q->n.negative = negative;
}

static bool has_digit(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] >= '0' && s.ptr[i] <= '9') return true;
  }
  return false;
}

/* NULL, or why text is no quantity. */
static const char *quantity_read(quantity *q, slice text) {
  parts p;
  int64_t exp;
  if (text.len == 0 || !split(text, &p)) return format_wrong;
  if (!read_suffix(p.suffix, &exp, &q->format)) return suffix_wrong;
  q->keep = false;
  bool small = is_small(&p, exp, q->format, &q->keep);
  if (!small && !has_digit(p.value)) return number_wrong;
  decimal_read(&q->n, p.value, q->format == BINARY_SI ? 0 : exp);
  if (q->format == BINARY_SI) decimal_shift(&q->n, (unsigned)exp);
  if (!small) {
    q->keep = false;
    bound(q);
  }
  return NULL;
}

/* ---- writing ---- */

static void write_suffix(buf *out, quantity_format format, int64_t exp) {
  if (format == DECIMAL_EXPONENT) {
    if (exp) buf_printf(out, "e%lld", (long long)exp);
    return;
  }
  for (size_t i = 0; i < SUFFIX_COUNT; i++) {
    if (suffixes[i].format == format && suffixes[i].exp == exp) buf_cstr(out, suffixes[i].text);
  }
}

static void write_digits(buf *out, const decimal *d, int64_t zeros) {
  if (d->negative) buf_char(out, '-');
  for (int32_t i = 0; i < d->count; i++) buf_char(out, (char)('0' + d->digit[i]));
  for (; zeros > 0; zeros--) buf_char(out, '0');
}

static bool is_binary_exact(const quantity *q) {
  decimal limit, size = q->n;
  size.negative = false;
  decimal_from_i64(&limit, 1024);
  return q->n.exp >= 0 && decimal_cmp(&size, &limit) >= 0;
}

static void quantity_write(buf *out, const quantity *q) {
  if (q->n.count == 0) {
    buf_char(out, '0');
    return;
  }
  if (q->n.exp > EXPONENT_MAX) {
    write_digits(out, &q->n, 0);
    write_suffix(out, DECIMAL_EXPONENT, q->n.exp);
    return;
  }
  if (q->format == BINARY_SI && is_binary_exact(q)) {
    decimal d = q->n;
    int times = decimal_remove_1024(&d);
    write_digits(out, &d, d.exp);
    write_suffix(out, BINARY_SI, times * 10);
    return;
  }
  quantity_format format = q->format == BINARY_SI ? DECIMAL_SI : q->format;
  int64_t over = ((q->n.exp % 3) + 3) % 3; /* the exponent must be a multiple of three */
  write_digits(out, &q->n, over);
  write_suffix(out, format, q->n.exp - over);
}

static slice quantity_text(arena *a, const quantity *q) {
  buf out;
  buf_init(&out, 1024);
  quantity_write(&out, q);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

/* ---- codec.h ---- */

/* A whole number that stands as it is, as most do. */
static bool is_plain_number(slice s) {
  if (s.len == 0 || s.len > 18 || s.ptr[0] == '0') return false;
  for (size_t i = 0; i < s.len; i++) {
    if (!ascii_is_digit(s.ptr[i])) return false;
  }
  return s.len < 4 || memcmp(s.ptr + s.len - 3, "000", 3) != 0;
}

bool quantity_canonical(arena *a, slice text, slice *out, slice *error) {
  quantity q;
  if (is_plain_number(text)) {
    *out = text;
    return true;
  }
  text = utf8_trim(text);
  if (slice_is(text, "0")) {
    *out = text;
    return true;
  }
  const char *wrong = quantity_read(&q, text);
  if (wrong) {
    *error = slice_cstr(wrong);
    return false;
  }
  *out = q.keep ? text : quantity_text(a, &q);
  return true;
}

/* What is no quantity counts as zero. */
static void read_or_zero(quantity *q, slice text) {
  if (quantity_read(q, slice_trim(text)) == NULL) return;
  q->n.count = 0;
  q->n.exp = 0;
  q->n.negative = false;
  q->format = DECIMAL_SI;
}

int quantity_cmp(slice a, slice b) {
  quantity x, y;
  read_or_zero(&x, a);
  read_or_zero(&y, b);
  return decimal_cmp(&x.n, &y.n);
}

static slice sum(arena *a, slice x, slice y, bool subtract) {
  quantity l, r;
  read_or_zero(&l, x);
  read_or_zero(&r, y);
  if (l.n.count == 0) l.format = r.format; /* zero has no format of its own */
  if (subtract && r.n.count) r.n.negative = !r.n.negative;
  decimal_add(&l.n, &l.n, &r.n);
  return quantity_text(a, &l);
}

slice quantity_add(arena *a, slice x, slice y) { return sum(a, x, y, false); }
slice quantity_sub(arena *a, slice x, slice y) { return sum(a, x, y, true); }

bool quantity_is_below_milli(slice text) {
  parts p;
  int64_t exp;
  quantity_format format;
  if (text.len < 2 || !split(text, &p) || !read_suffix(p.suffix, &exp, &format)) return false;
  return format != BINARY_SI && exp - (int64_t)p.fraction.len < -3;
}

/* n * 10^zeros as the quick path does it: past int64 it wraps, or is 0, by the number of zeros. */
static uint64_t raised(int64_t n, int64_t zeros) {
  bool wraps = zeros <= 3 || zeros == 6 || zeros == 9;
  for (; zeros > 0; zeros--) {
    int64_t next;
    if (__builtin_mul_overflow(n, 10, &next) && !wraps) return 0;
    n = (int64_t)((uint64_t)n * 10);
  }
  return (uint64_t)n;
}

/* What the real server makes of a value that no int64 holds: no error, but other numbers. */
static int64_t overflowed(const quantity *q, slice text, int places, int64_t bounded) {
  parts p;
  int64_t exp;
  quantity_format format;
  bool keep;
  uint64_t n = 0;
  split(text, &p);
  read_suffix(p.suffix, &exp, &format);
  bool small = is_small(&p, exp, format, &keep), binary = format == BINARY_SI;
  for (size_t i = 0; i < p.whole.len; i++) n = n * 10 + (uint64_t)(p.whole.ptr[i] - '0');
  for (size_t i = 0; i < p.fraction.len; i++) n = n * 10 + (uint64_t)(p.fraction.ptr[i] - '0');
  int64_t zeros = places - (int64_t)p.fraction.len + (binary ? 0 : exp);
  if (binary) n <<= exp;
  if (binary && decimal_to_i64(&q->n, 0) == INT64_MAX) { /* bounded when it was read */
    n = INT64_MAX;
    zeros = places;
  }
  if (zeros < 0) return bounded;
  if (small) n = raised((int64_t)n, zeros);
  else if (zeros > 18) n = n << 63; /* the power of ten is past int64 itself */
  else while (zeros-- > 0) n *= 10;
  return (int64_t)(p.negative ? 0 - n : n);
}

static int64_t scaled(slice text, int places) {
  quantity q;
  read_or_zero(&q, text);
  int64_t n = decimal_to_i64(&q.n, -places);
  bool beyond = (n == INT64_MAX || n == INT64_MIN) && q.n.count;
  return beyond ? overflowed(&q, text, places, n) : n;
}

int64_t quantity_value(slice text) { return scaled(text, 0); }

int64_t quantity_milli(slice text) { return scaled(text, 3); }

bool quantity_from_i64(arena *a, int64_t n, slice *out) {
  quantity q = {.format = DECIMAL_SI};
  decimal_from_i64(&q.n, n);
  *out = quantity_text(a, &q);
  return true;
}
