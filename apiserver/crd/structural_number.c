/* Numbers. Source: kube-openapi pkg/validation/validate/{validator,values}.go. A bound that the
 * type can't hold is itself an error, and is then compared as a float. */
#include "crd/structural_result.h"

#include "codec/codec.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEGER_MAX 9007199254740991.0 /* 2^53 - 1 */

/* The fewest digits that give f again; with an exponent below 1e-4 and from 1e6 on, as Go. */
slice number_text(arena *a, double f) {
  char text[40], *e;
  int precision = 0;
  for (; precision < 17; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, f);
    if (strtod(text, NULL) == f) break;
  }
  e = strchr(text, 'e');
  long exponent = e ? strtol(e + 1, NULL, 10) : 0;
  if (e && (exponent < -4 || exponent >= 6))
    return arena_copy(a, slice_cstr(text));
  return arena_printf(a, "%.*f", precision > exponent ? (int)(precision - exponent) : 0, f);
}

bool float_is_integer(double f) {
  if (isnan(f) || isinf(f) || fabs(f) > INTEGER_MAX) return false;
  double g = trunc(f);
  if (f == g) return true;
  if (g == 0) return false;
  if (f < 0) g = 18446744073709551616.0 + g; /* Go's uint64 of a negative float wraps */
  return fabs(f - g) / fmin(fabs(f) + fabs(g), DBL_MAX) < 1e-9;
}

static int64_t to_i64(double f) {
  if (!(f >= -9223372036854775808.0 && f < 9223372036854775808.0)) return INT64_MIN;
  return (int64_t)f;
}

static bool is_whole(double f) { return f == trunc(f) && !isinf(f); }

/* Does the type (with its format) hold the number? */
static bool in_range(const val *v, double f, slice type, slice format) {
  bool integer = val_is_int(v);
  if (slice_is(type, "integer")) {
    if (!integer && !is_whole(f)) return false;
    if (slice_is(format, "int32")) return f >= INT32_MIN && f <= INT32_MAX;
    return integer || (f >= -9223372036854775808.0 && f < 9223372036854775808.0);
  }
  return !slice_is(format, "float") || fabs(f) < 3.4028235677973366e38;
}

typedef struct compared {
  arena *a;
  result *r;
  const place *at;
  slice type, format;
  const val *v;
  double f;
} compared;

static void whole(arena *a, result *r, slice where, slice text) {
  result_add(a, r, (finding){.kind = FOUND_WHOLE, .where = where, .text = text});
}

/* An error when the type can't hold it. */
static bool range_check(const compared *c, const val *v, double f, const char *what) {
  if (in_range(v, f, c->type, c->format)) return true;
  arena *a = c->a;
  result *r = c->r;
  slice where = place_text(a, c->at), type = c->type, format = c->format;
  if (format.len) {
    whole(a, r, where,
          arena_printf(a, "%s value must be of type %.*s with format %.*s in %.*s", what,
                       SLICE_ARG(type), SLICE_ARG(format), SLICE_ARG(where)));
  } else {
    whole(a, r, where,
          arena_printf(a, "%s value must be of type %.*s (default format) in %.*s", what,
                       SLICE_ARG(type), SLICE_ARG(where)));
  }
  return false;
}

static void found(const compared *c, bool as_int, const char *what, slice bound) {
  const val *bad = as_int ? c->v : val_float(c->a, c->f);
  slice where = place_text(c->a, c->at);
  slice text = arena_printf(c->a, "%.*s in body should be %s %.*s", SLICE_ARG(where), what,
                            SLICE_ARG(bound));
  result_add(c->a, c->r,
             (finding){.kind = FOUND_INVALID, .where = where, .text = text, .bad = bad});
}

/* Is it compared as an integer? */
static bool bound_is_int(const compared *c, double bound, const char *what) {
  return range_check(c, NULL, bound, what) && val_is_int(c->v);
}

static slice bound_text(arena *a, double bound, bool as_int) {
  return as_int ? arena_printf(a, "%lld", (long long)to_i64(bound)) : number_text(a, bound);
}

static void multiple_check(const compared *c, double factor) {
  bool as_int = bound_is_int(c, factor, "MultipleOf"), good;
  int64_t n = to_i64(factor);
  if (as_int ? n <= 0 : factor <= 0) {
    slice where = place_text(c->a, c->at);
    slice text = arena_printf(c->a, "factor MultipleOf declared for %.*s must be positive: %.*s",
                              SLICE_ARG(where), SLICE_ARG(bound_text(c->a, factor, as_int)));
    const val *bad = as_int ? val_int(c->a, n) : val_float(c->a, factor);
    result_add(c->a, c->r,
               (finding){.kind = FOUND_INVALID, .where = where, .text = text, .bad = bad});
    return;
  }
  if (as_int) good = c->v->u.i % n == 0;
  else good = float_is_integer(factor < 1 ? 1 / factor * c->f : c->f / factor);
  if (!good) found(c, as_int, "a multiple of", bound_text(c->a, factor, as_int));
}

static void minimum_check(const compared *c, double bound, bool exclusive) {
  bool as_int = bound_is_int(c, bound, "Minimum boundary");
  int64_t n = to_i64(bound), i = val_i64(c->v);
  bool bad = as_int ? (exclusive ? i <= n : i < n) : (exclusive ? c->f <= bound : c->f < bound);
  if (bad)
    found(c, as_int, exclusive ? "greater than" : "greater than or equal to",
          bound_text(c->a, bound, as_int));
}

static void maximum_check(const compared *c, double bound, bool exclusive) {
  bool as_int = bound_is_int(c, bound, "Maximum boundary");
  int64_t n = to_i64(bound), i = val_i64(c->v);
  bool bad = as_int ? (exclusive ? i >= n : i > n) : (exclusive ? c->f >= bound : c->f > bound);
  if (bad)
    found(c, as_int, exclusive ? "less than" : "less than or equal to",
          bound_text(c->a, bound, as_int));
}

void number_validate(arena *a, result *r, const structural *s, const place *at, const val *v,
                     slice type, slice format) {
  compared c = {a, r, at, type, format, v, val_is_int(v) ? (double)v->u.i : v->u.f};
  range_check(&c, v, c.f, "Checked");
  if (s->multiple_of.set) multiple_check(&c, s->multiple_of.f);
  if (s->minimum.set) minimum_check(&c, s->minimum.f, s->exclusive_minimum);
  if (s->maximum.set) maximum_check(&c, s->maximum.f, s->exclusive_maximum);
  r->matches++;
}

/* Go compares after a conversion of the value to the type of the enum's: a number becomes a
 * character, a float loses its fraction. */
bool enum_has(arena *a, const val *enums, const val *v) {
  for (uint32_t i = 0; i < val_len(enums); i++) {
    const val *e = val_at(enums, i);
    if (val_is_null(v) || val_is_null(e)) continue;
    if (val_equal(v, e)) return true;
    if (val_is_int(v) && val_is_float(e) && (double)v->u.i == e->u.f) return true;
    if (val_is_float(v) && val_is_int(e) && to_i64(v->u.f) == e->u.i) return true;
    if (val_is_int(v) && val_is_string(e)) {
      bool rune = v->u.i >= 0 && v->u.i <= 0x10ffff && (v->u.i < 0xd800 || v->u.i > 0xdfff);
      if (slice_eq(rune_text(a, rune ? (uint32_t)v->u.i : 0xfffd), val_str(e))) return true;
    }
  }
  return false;
}

slice rune_text(arena *a, uint32_t rune) {
  char b[4];
  size_t n = 0;
  if (rune < 0x80) {
    b[n++] = (char)rune;
  } else {
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    b[n++] = (char)(lead[more] | rune >> (6 * more));
    while (more--) b[n++] = (char)(0x80 | (rune >> (6 * more) & 0x3f));
  }
  return arena_copy(a, slice_of(b, n));
}
