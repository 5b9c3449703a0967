/* Durations as Go's time package reads and writes them: "1h2m0.5s". */
#include "base/ascii.h"
#include "codec/codec.h"

#include "codec/strict.h"

typedef struct duration_unit {
  const char *name;
  uint64_t ns;
} duration_unit;

static const duration_unit units[] = {
    {"ns", 1},          {"us", 1000},        {"\xC2\xB5s", 1000},    {"\xCE\xBCs", 1000},
    {"ms", 1000000},    {"s", 1000000000},   {"m", 60000000000},     {"h", 3600000000000},
};

#define LIMIT (1ull << 63)

static bool read_whole(slice *s, uint64_t *n) {
  size_t i = 0;
  *n = 0;
  for (; i < s->len && ascii_is_digit(s->ptr[i]); i++) {
    if (*n > LIMIT / 10) return false;
    *n = *n * 10 + (uint64_t)(s->ptr[i] - '0');
    if (*n > LIMIT) return false;
  }
  *s = slice_from(*s, i);
  return true;
}

/* Digits behind the point, as many as fit, over *scale. */
static void read_fraction(slice *s, uint64_t *n, double *scale) {
  size_t i = 0;
  bool full = false;
  *n = 0;
  *scale = 1;
  for (; i < s->len && ascii_is_digit(s->ptr[i]); i++) {
    if (full || *n > (LIMIT - 1) / 10) {
      full = true;
      continue;
    }
    uint64_t next = *n * 10 + (uint64_t)(s->ptr[i] - '0');
    if (next > LIMIT) {
      full = true;
      continue;
    }
    *n = next;
    *scale *= 10;
  }
  *s = slice_from(*s, i);
}

/* One number with its unit. NULL when good; *unit is the unit's text for the message. */
static const char *read_part(slice *s, uint64_t *ns, slice *unit) {
  static const char invalid[] = "invalid duration";
  uint64_t whole, fraction = 0;
  double scale = 1;
  size_t before = s->len;
  if (!ascii_is_digit(s->ptr[0]) && s->ptr[0] != '.') return invalid;
  if (!read_whole(s, &whole)) return invalid;
  bool digits = s->len < before;
  if (s->len && s->ptr[0] == '.') {
    *s = slice_from(*s, 1);
    before = s->len;
    read_fraction(s, &fraction, &scale);
    digits |= s->len < before;
  }
  if (!digits) return invalid;
  size_t n = 0;
  while (n < s->len && s->ptr[n] != '.' && !ascii_is_digit(s->ptr[n])) n++;
  if (n == 0) return "missing unit in duration";
  *unit = slice_upto(*s, n);
  *s = slice_from(*s, n);
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (!slice_is(*unit, units[i].name)) continue;
    if (whole > LIMIT / units[i].ns) return invalid;
    *ns = whole * units[i].ns;
    if (fraction) *ns += (uint64_t)((double)fraction * ((double)units[i].ns / scale));
    return *ns > LIMIT ? invalid : NULL;
  }
  return "unknown unit";
}

static const char *duration_read(slice text, int64_t *out, slice *unit) {
  bool negative = text.len && text.ptr[0] == '-';
  if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) text = slice_from(text, 1);
  uint64_t total = 0;
  *out = 0;
  if (slice_is(text, "0")) return NULL;
  if (text.len == 0) return "invalid duration";
  while (text.len) {
    uint64_t ns = 0;
    const char *wrong = read_part(&text, &ns, unit);
    if (wrong) return wrong;
    total += ns;
    if (total > LIMIT) return "invalid duration";
  }
  if (!negative && total == LIMIT) return "invalid duration";
  *out = negative ? (int64_t)(0 - total) : (int64_t)total;
  return NULL;
}

bool duration_parse(slice text, int64_t *ns) {
  slice unit;
  return duration_read(text, ns, &unit) == NULL;
}

bool duration_canonical(arena *a, slice text, slice *out, slice *error) {
  int64_t ns;
  slice unit = SLICE_NONE;
  const char *wrong = duration_read(text, &ns, &unit);
  if (!wrong) {
    *out = duration_text(a, ns);
    return true;
  }
  slice whole = time_quote(a, text);
  if (strcmp(wrong, "unknown unit") == 0) {
    slice quoted = time_quote(a, unit);
    *error = arena_printf(a, "time: unknown unit %.*s in duration %.*s", SLICE_ARG(quoted),
                          SLICE_ARG(whole));
  } else {
    *error = arena_printf(a, "time: %s %.*s", wrong, SLICE_ARG(whole));
  }
  return false;
}

/* n / 10^places without trailing zeros, then the unit. */
static slice with_fraction(arena *a, const char *head, uint64_t n, int places, const char *unit) {
  uint64_t scale = 1;
  for (int i = 0; i < places; i++) scale *= 10;
  uint64_t fraction = n % scale;
  while (fraction && fraction % 10 == 0) {
    fraction /= 10;
    places--;
  }
  if (!fraction) {
    char room[SLICE_U64_ROOM];
    slice digits = slice_of_u64(room, n / scale);
    return arena_concat(a, arena_concat(a, slice_cstr(head), digits), slice_cstr(unit));
  }
  return arena_printf(a, "%s%llu.%0*llu%s", head, (unsigned long long)(n / scale), places,
                      (unsigned long long)fraction, unit);
}

slice duration_text(arena *a, int64_t ns) {
  uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
  const char *sign = ns < 0 ? "-" : "";
  if (u == 0) return SLICE_LIT("0s");
  if (u < 1000) return with_fraction(a, sign, u, 0, "ns");
  if (u < 1000000) return with_fraction(a, sign, u, 3, "\xC2\xB5s");
  if (u < 1000000000) return with_fraction(a, sign, u, 6, "ms");
  uint64_t minutes = u / 60000000000ull, hours = minutes / 60;
  slice head = slice_cstr(sign);
  if (hours) {
    head = arena_printf(a, "%s%lluh%llum", sign, (unsigned long long)hours,
                        (unsigned long long)(minutes % 60));
  } else if (minutes) {
    head = arena_printf(a, "%s%llum", sign, (unsigned long long)minutes);
  }
  return with_fraction(a, head.ptr, u % 60000000000ull, 9, "s");
}
