/* Times: RFC 3339 as Go's time package reads it, errors included, and as the wire writes it
 * (UTC; whole seconds, or six digits for MicroTime). Seconds since 1970, proleptic calendar. */
#include "codec/codec.h"

#include "codec/strict.h"

#include <assert.h>
#include <endian.h>

#define LAYOUT "2006-01-02T15:04:05Z07:00"
#define LAYOUT_MICRO "2006-01-02T15:04:05.000000Z07:00"
#define ZERO_TIME (-62135596800ll) /* Go's zero: the first second of year 1 */

typedef struct reading {
  slice rest;
  int field[6]; /* year, month, day, hour, minute, second */
  int32_t nanos;
  int offset; /* of the zone, in seconds */
  /* What is wrong: either an element of the layout that `at` is not, or a message. */
  const char *element, *message;
  slice at;
} reading;

static bool is_digit(slice s, size_t i) {
  return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9';
}

static bool not_an(reading *r, const char *element, slice at) {
  r->element = element;
  r->at = at;
  return false;
}

static bool out_of_range(reading *r, const char *message) {
  r->message = message;
  return false;
}

/* One or two digits; `fixed`: exactly two. */
static bool take_number(slice *s, bool fixed, int *n) {
  if (!is_digit(*s, 0) || (fixed && !is_digit(*s, 1))) return false;
  *n = s->ptr[0] - '0';
  bool two = is_digit(*s, 1);
  if (two) *n = *n * 10 + s->ptr[1] - '0';
  *s = slice_from(*s, two ? 2 : 1);
  return true;
}

static bool take_year(reading *r) {
  for (size_t i = 0; i < 4; i++) {
    if (!is_digit(r->rest, i)) return not_an(r, "2006", r->rest);
    r->field[0] = r->field[0] * 10 + r->rest.ptr[i] - '0';
  }
  r->rest = slice_from(r->rest, 4);
  return true;
}

typedef struct time_part {
  const char *before, *element;
  bool fixed;
  int low, high; /* low > high: checked later */
  const char *range;
} time_part;

static const time_part time_parts[] = {
    {"-", "01", true, 1, 12, "month out of range"},
    {"-", "02", true, 1, 0, NULL},
    {"T", "15", false, 0, 23, "hour out of range"},
    {":", "04", true, 0, 59, "minute out of range"},
    {":", "05", true, 0, 59, "second out of range"},
};

static bool take_part(reading *r, size_t i) {
  const time_part *p = &time_parts[i];
  if (r->rest.len == 0 || r->rest.ptr[0] != p->before[0]) return not_an(r, p->before, r->rest);
  r->rest = slice_from(r->rest, 1);
  int *n = &r->field[i + 1];
  if (!take_number(&r->rest, p->fixed, n)) return not_an(r, p->element, r->rest);
  return !p->range || (*n >= p->low && *n <= p->high) || out_of_range(r, p->range);
}

/* ".digits" of `len` bytes; at most nine digits count. */
static void take_nanos(reading *r, size_t len) {
  int32_t n = 0;
  for (size_t i = 1; i < 10; i++) n = n * 10 + (i < len ? r->rest.ptr[i] - '0' : 0);
  r->nanos = n;
  r->rest = slice_from(r->rest, len);
}

static bool is_point(slice s) { return s.len && (s.ptr[0] == '.' || s.ptr[0] == ','); }

static bool take_fraction(reading *r, bool micro) {
  size_t digits = 1;
  while (is_digit(r->rest, digits)) digits++;
  if (!micro) {
    if (is_point(r->rest) && digits > 1) take_nanos(r, digits);
    return true;
  }
  if (!is_point(r->rest) || digits < 7) return not_an(r, ".000000", r->rest);
  take_nanos(r, 7);
  return true;
}

static bool take_zone(reading *r) {
  slice s = r->rest, hold = s;
  int hours, minutes;
  if (s.len && s.ptr[0] == 'Z') {
    r->rest = slice_from(s, 1);
    return true;
  }
  if (s.len < 6 || s.ptr[3] != ':') return not_an(r, "Z07:00", hold);
  slice h = slice_of(s.ptr + 1, 2), m = slice_of(s.ptr + 4, 2);
  bool numbers = take_number(&h, true, &hours) && take_number(&m, true, &minutes);
  if (numbers && minutes > 60) return out_of_range(r, "time zone offset minute out of range");
  if (numbers && hours > 24) return out_of_range(r, "time zone offset hour out of range");
  if (!numbers || (s.ptr[0] != '+' && s.ptr[0] != '-')) return not_an(r, "Z07:00", hold);
  r->offset = (hours * 60 + minutes) * 60;
  if (s.ptr[0] == '-') r->offset = -r->offset;
  r->rest = slice_from(s, 6);
  return true;
}

static int days_in(int month, int year) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[month - 1];
}

/* On failure r says why. */
static bool read_time(reading *r, slice text, bool micro) {
  *r = (reading){.rest = text};
  if (!take_year(r)) return false;
  for (size_t i = 0; i < sizeof time_parts / sizeof time_parts[0]; i++) {
    if (!take_part(r, i)) return false;
  }
  if (!take_fraction(r, micro) || !take_zone(r)) return false;
  if (r->rest.len) return out_of_range(r, "extra text");
  int day = r->field[2];
  if (day < 1 || day > days_in(r->field[1], r->field[0])) {
    return out_of_range(r, "day out of range");
  }
  return true;
}

/* Days since 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_since_epoch(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t seconds_of(const reading *r) {
  const int *f = r->field;
  int64_t days = days_since_epoch(f[0], f[1], f[2]);
  return days * 86400 + f[3] * 3600 + f[4] * 60 + f[5] - r->offset;
}

/* Eight bytes less the shape's, each then at most 9 where the shape has a '0' and 0 elsewhere
 * (limit: 0x76 and 0x7f there); as pairs: byte i is the number that bytes i and i + 1 write. */
static bool read_pairs(const char *p, uint64_t shape, uint64_t limit, uint64_t *pairs) {
  uint64_t at;
  memcpy(&at, p, sizeof at);
  at = le64toh(at) ^ shape;
  *pairs = at * 10 + (at >> 8);
  return (((at + limit) | at) & 0x8080808080808080u) == 0;
}

static int pair_at(uint64_t pairs, unsigned i) { return (int)(pairs >> (8 * i) & 0xff); }

/* ".000000Z" */
static bool read_micros(const char *p, int32_t *nanos) {
  uint64_t pairs;
  if (!read_pairs(p, 0x5a3030303030302eu, 0x7f7676767676767fu, &pairs)) return false;
  *nanos = ((pair_at(pairs, 1) * 100 + pair_at(pairs, 3)) * 100 + pair_at(pairs, 5)) * 1000;
  return true;
}

/* The forms that the wire writes, "2006-01-02T15:04:05Z" and "2006-01-02T15:04:05.000000Z", of the
 * years 1901 to 2099 (whose leap days are every fourth year's), at once. False: it is another, or
 * no time. */
static bool read_wire(slice text, int64_t *seconds, int32_t *nanos) {
  static const short before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  const char *p = text.ptr;
  uint64_t date, middle, clock; /* "2006-01-", "01-02T15", "15:04:05" */
  *nanos = 0;
  if (text.len == 20 ? p[19] != 'Z' : text.len != 27 || !read_micros(p + 19, nanos)) return false;
  if (!read_pairs(p, 0x2d30302d30303030u, 0x7f76767f76767676u, &date) ||
      !read_pairs(p + 5, 0x30305430302d3030u, 0x76767f76767f7676u, &middle) ||
      !read_pairs(p + 11, 0x30303a30303a3030u, 0x76767f76767f7676u, &clock)) {
    return false;
  }
  int year = pair_at(date, 0) * 100 + pair_at(date, 2), day = pair_at(middle, 3);
  int hour = pair_at(clock, 0), minute = pair_at(clock, 3), second = pair_at(clock, 6);
  unsigned month = (unsigned)pair_at(middle, 0) - 1;
  bool near = year >= 1901 && year <= 2099;
  if (!near || month > 11 || hour > 23 || minute > 59 || second > 59) return false;
  int days = before[month + 1] - before[month] + (month == 1 && year % 4 == 0);
  if (day < 1 || day > days) return false;
  int past = year - (month < 2); /* leap days lie behind February; 15 fell out since year 0 */
  days = year * 365 + past / 4 - 15 + before[month] + day;
  *seconds = (days - 719528ll) * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}

static int64_t floor_div(int64_t n, int64_t by) { return n / by - (n % by < 0); }

static void put_two(char *to, int n, char behind) {
  to[0] = (char)('0' + n / 10);
  to[1] = (char)('0' + n % 10);
  if (behind) to[2] = behind;
}

static slice civil_text(arena *a, int64_t seconds, const char *tail) {
  int64_t days = floor_div(seconds, 86400);
  int left = (int)(seconds - days * 86400);
  days += 719468;
  int64_t era = floor_div(days, 146097);
  int64_t of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t month = (5 * of_year + 2) / 153;
  int day = (int)(of_year - (153 * month + 2) / 5) + 1;
  month += month < 10 ? 3 : -9;
  long long year = years + era * 400 + (month <= 2);
  if (year < 0 || year > 9999) {
    return arena_printf(a, "%s%04lld-%02d-%02dT%02d:%02d:%02d%s", year < 0 ? "-" : "",
                        year < 0 ? -year : year, (int)month, day, left / 3600, left / 60 % 60,
                        left % 60, tail);
  }
  size_t tail_len = strlen(tail);
  char *to = arena_alloc(a, 19 + tail_len + 1);
  put_two(to, (int)(year / 100), 0);
  put_two(to + 2, (int)(year % 100), '-');
  put_two(to + 5, (int)month, '-');
  put_two(to + 8, day, 'T');
  put_two(to + 11, left / 3600, ':');
  put_two(to + 14, left / 60 % 60, ':');
  put_two(to + 17, left % 60, 0);
  memcpy(to + 19, tail, tail_len + 1);
  return slice_of(to, 19 + tail_len);
}

slice time_text(arena *a, int64_t unix_seconds) { return civil_text(a, unix_seconds, "Z"); }

slice microtime_text_at(arena *a, int64_t seconds, int64_t nanos) {
  char tail[16];
  seconds += floor_div(nanos, 1000000000);
  int64_t micros = (nanos - floor_div(nanos, 1000000000) * 1000000000) / 1000;
  memcpy(tail, ".000000Z", 9);
  for (int i = 6; i > 0; i--, micros /= 10) tail[i] = (char)('0' + micros % 10);
  return civil_text(a, seconds, tail);
}

slice microtime_text(arena *a, int64_t unix_ns) { return microtime_text_at(a, 0, unix_ns); }

bool time_parse(slice text, int64_t *unix_seconds, int32_t *nanos) {
  reading r;
  if (read_wire(text, unix_seconds, nanos)) return true;
  if (!read_time(&r, text, false)) return false;
  *unix_seconds = seconds_of(&r);
  *nanos = r.nanos;
  return true;
}

slice time_quote(arena *a, slice s) {
  static const char hex[] = "0123456789abcdef";
  char *to = arena_alloc(a, s.len * 4 + 2);
  size_t n = 0;
  to[n++] = '"';
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < ' ' || c >= 0x80) {
      to[n++] = '\\';
      to[n++] = 'x';
      to[n++] = hex[c >> 4];
      to[n++] = hex[c & 15];
      continue;
    }
    if (c == '"' || c == '\\') to[n++] = '\\';
    to[n++] = (char)c;
  }
  to[n++] = '"';
  return (slice){to, n};
}

static slice explain(arena *a, const reading *r, slice text, bool micro) {
  slice value = time_quote(a, text);
  if (r->element) {
    slice at = time_quote(a, r->at);
    return arena_printf(a, "parsing time %.*s as \"%s\": cannot parse %.*s as \"%s\"",
                        SLICE_ARG(value), micro ? LAYOUT_MICRO : LAYOUT, SLICE_ARG(at),
                        r->element);
  }
  if (strcmp(r->message, "extra text") == 0) {
    slice rest = time_quote(a, r->rest);
    return arena_printf(a, "parsing time %.*s: extra text: %.*s", SLICE_ARG(value),
                        SLICE_ARG(rest));
  }
  return arena_printf(a, "parsing time %.*s: %s", SLICE_ARG(value), r->message);
}

bool time_canonical(arena *a, slice text, bool micro, slice *out, slice *error) {
  reading r;
  int64_t seconds;
  int32_t nanos;
  if (text.len == (micro ? 27u : 20u) && read_wire(text, &seconds, &nanos)) {
    *out = seconds == ZERO_TIME && nanos == 0 ? SLICE_NONE : text;
    return true;
  }
  if (!read_time(&r, text, micro)) {
    *error = explain(a, &r, text, micro);
    return false;
  }
  seconds = seconds_of(&r);
  if (seconds == ZERO_TIME && r.nanos == 0) {
    *out = SLICE_NONE;
  } else if (micro) {
    *out = microtime_text_at(a, seconds, r.nanos);
  } else {
    *out = civil_text(a, seconds, "Z");
  }
  return true;
}
