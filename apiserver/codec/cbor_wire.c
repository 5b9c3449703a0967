/* Well-formedness without recursion: the open arrays and maps stand on a stack of their own. */
#include "codec/cbor_wire.h"

#include "base/heap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OPEN_FIRST 96u

typedef struct open_item {
  uint64_t left; /* items to come; indefinite: those that came */
  uint32_t depth;
  bool indefinite, map;
} open_item;

typedef struct scan {
  const char *p, *end, *start;
  arena *a; /* of the error */
  slice error;
  open_item *open;
  uint32_t count, cap;
  open_item first[OPEN_FIRST];
} scan;

const char *cbor_major_name(cbor_major major) {
  static const char *const names[] = {"positive integer", "negative integer", "byte string",
                                      "UTF-8 text string", "array", "map", "tag", "primitives"};
  return names[major];
}

static uint64_t big_endian(const char *p, unsigned n) {
  uint64_t v = 0;
  for (unsigned i = 0; i < n; i++) v = v << 8 | (unsigned char)p[i];
  return v;
}

static unsigned argument_size(unsigned info) {
  return info >= CBOR_INFO_1 && info <= CBOR_INFO_8 ? 1u << (info - CBOR_INFO_1) : 0;
}

cbor_head cbor_head_read(const char **p) {
  unsigned char initial = (unsigned char)*(*p)++;
  cbor_head h = {(uint8_t)(initial >> 5), initial & 31, initial & 31};
  unsigned size = argument_size(h.info);
  if (size) h.argument = big_endian(*p, size);
  *p += size;
  return h;
}

double cbor_half(uint16_t bits) {
  unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double v = exponent == 0    ? ldexp(mantissa, -24)
             : exponent != 31 ? ldexp(mantissa + 1024, (int)exponent - 25)
             : mantissa       ? NAN
                              : INFINITY;
  return bits & 0x8000 ? -v : v;
}

bool cbor_half_of(float f, uint16_t *bits) {
  uint32_t wide;
  memcpy(&wide, &f, sizeof wide);
  uint16_t sign = (uint16_t)(wide >> 16 & 0x8000);
  int exponent = (int)(wide >> 23 & 255) - 127;
  uint32_t mantissa = wide & 0x7fffff;
  if ((wide & 0x7fffffff) == 0) {
    *bits = sign;
    return true;
  }
  if (exponent >= -14 && exponent <= 15 && (mantissa & 0x1fff) == 0) {
    *bits = (uint16_t)(sign | (unsigned)(exponent + 15) << 10 | mantissa >> 13);
    return true;
  }
  if (exponent < -24 || exponent >= -14) return false;
  mantissa |= 0x800000;
  unsigned shift = (unsigned)(-1 - exponent);
  if (mantissa & ((1u << shift) - 1)) return false;
  *bits = (uint16_t)(sign | mantissa >> shift);
  return true;
}

/* ---- the check ---- */

static bool fail(scan *s, slice text) {
  s->error = text;
  return false;
}

static bool fail_at_end(scan *s) { return fail(s, SLICE_LIT("unexpected EOF")); }

static bool fail_info(scan *s, const cbor_head *h) {
  return fail(s, arena_printf(s->a, "cbor: invalid additional information %d for type %s", h->info,
                              cbor_major_name((cbor_major)h->major)));
}

static bool unacceptable(scan *s, cbor_major major, const char *what) {
  return fail(s, arena_printf(s->a,
                              "cbor: data item of cbor type %s is not accepted by protocol: %s",
                              cbor_major_name(major), what));
}

static bool check_primitive(scan *s, const cbor_head *h) {
  double f = 0;
  if (h->info == CBOR_INFO_1 && h->argument < 32) {
    return fail(s, arena_printf(s->a, "cbor: invalid simple value %d for type primitives",
                                (int)h->argument));
  }
  if (h->info == CBOR_INFO_2) f = cbor_half((uint16_t)h->argument);
  if (h->info == CBOR_INFO_4) {
    float narrow;
    uint32_t bits = (uint32_t)h->argument;
    memcpy(&narrow, &bits, sizeof bits);
    f = (double)narrow;
  }
  if (h->info == CBOR_INFO_8) memcpy(&f, &h->argument, sizeof f);
  if (isnan(f)) return unacceptable(s, CBOR_PRIMITIVE, "floating-point NaN");
  return isinf(f) ? unacceptable(s, CBOR_PRIMITIVE, "floating-point infinity") : true;
}

static bool check_head(scan *s, cbor_head *h) {
  if (s->p == s->end) return fail_at_end(s);
  unsigned info = (unsigned char)*s->p & 31, size = argument_size(info);
  if ((size_t)(s->end - s->p) <= size) return fail_at_end(s);
  *h = cbor_head_read(&s->p);
  if (info < CBOR_INFO_1) return true;
  if (size) return h->major == CBOR_PRIMITIVE ? check_primitive(s, h) : true;
  if (info != CBOR_INFO_INDEFINITE) return fail_info(s, h);
  switch ((cbor_major)h->major) {
    case CBOR_UINT:
    case CBOR_NINT:
    case CBOR_TAG: return fail_info(s, h);
    case CBOR_PRIMITIVE: return fail(s, SLICE_LIT("cbor: unexpected \"break\" code"));
    default: return true;
  }
}

static bool check_length(scan *s, const cbor_head *h) {
  if (h->argument > INT64_MAX) {
    return fail(s, arena_printf(s->a,
                                "cbor: %s length %llu is too large, causing integer overflow",
                                cbor_major_name((cbor_major)h->major),
                                (unsigned long long)h->argument));
  }
  if ((uint64_t)(s->end - s->p) < h->argument) return fail_at_end(s);
  s->p += h->argument;
  return true;
}

static bool check_chunks(scan *s, cbor_major major) {
  const char *name = cbor_major_name(major);
  for (;;) {
    cbor_head h;
    if (s->p == s->end) return fail_at_end(s);
    if (*s->p == CBOR_BREAK) {
      s->p++;
      return true;
    }
    if (cbor_major_of(*s->p) != major) {
      return fail(s, arena_printf(s->a, "cbor: wrong element type %s for indefinite-length %s",
                                  cbor_major_name(cbor_major_of(*s->p)), name));
    }
    if (((unsigned char)*s->p & 31) == CBOR_INFO_INDEFINITE) {
      return fail(s, arena_printf(s->a, "cbor: indefinite-length %s chunk is not definite-length",
                                  name));
    }
    if (!check_head(s, &h) || !check_length(s, &h)) return false;
  }
}

static bool too_deep(scan *s) {
  return fail(s, arena_printf(s->a, "cbor: exceeded max nested level %u", CBOR_DEPTH_MAX));
}

static void push_open(scan *s, open_item item) {
  if (s->count == s->cap) {
    size_t size = s->cap * sizeof *s->open;
    if (s->open == s->first) {
      s->open = heap_alloc(size * 2);
      memcpy(s->open, s->first, size);
    } else {
      s->open = heap_realloc(s->open, size * 2);
    }
    s->cap *= 2;
  }
  s->open[s->count++] = item;
}

static bool check_counts(scan *s, bool map, uint64_t n) {
  if (!map && n > CBOR_ARRAY_MAX) {
    return fail(s, arena_printf(s->a,
                                "cbor: exceeded max number of elements %u for CBOR array",
                                CBOR_ARRAY_MAX));
  }
  if (map && n > CBOR_PAIRS_MAX) {
    return fail(s, arena_printf(s->a,
                                "cbor: exceeded max number of key-value pairs %u for CBOR map",
                                CBOR_PAIRS_MAX));
  }
  return true;
}

static bool open_container(scan *s, const cbor_head *h, uint32_t depth) {
  bool map = h->major == CBOR_MAP, indefinite = h->info == CBOR_INFO_INDEFINITE;
  if (++depth > CBOR_DEPTH_MAX) return too_deep(s);
  if (!indefinite && h->argument > INT64_MAX) {
    return fail(s, arena_printf(
        s->a, "cbor: %s length %llu is too large, it would cause integer overflow",
        cbor_major_name((cbor_major)h->major), (unsigned long long)h->argument));
  }
  if (!indefinite && !check_counts(s, map, h->argument)) return false;
  uint64_t left = indefinite ? 0 : map ? h->argument * 2 : h->argument;
  push_open(s, (open_item){left, depth, indefinite, map});
  return true;
}

/* Tag numbers up to their content. */
static bool check_tags(scan *s, cbor_head h, uint32_t *depth) {
  for (;;) {
    if (s->p == s->end) return fail_at_end(s);
    if (h.argument == CBOR_TAG_BIGNUM || h.argument == CBOR_TAG_NEGATIVE_BIGNUM) {
      return unacceptable(s, CBOR_TAG, "bignum");
    }
    if (cbor_major_of(*s->p) != CBOR_TAG) return true;
    if (!check_head(s, &h)) return false;
    if (++*depth > CBOR_DEPTH_MAX) return too_deep(s);
  }
}

/* One item, or the opening of one. */
static bool check_item(scan *s) {
  cbor_head h;
  uint32_t depth = s->count ? s->open[s->count - 1].depth : 0;
  if (!check_head(s, &h)) return false;
  if (h.major == CBOR_TAG && (!check_tags(s, h, &depth) || !check_head(s, &h))) return false;
  switch ((cbor_major)h.major) {
    case CBOR_BYTES:
    case CBOR_TEXT:
      return h.info == CBOR_INFO_INDEFINITE ? check_chunks(s, (cbor_major)h.major)
                                            : check_length(s, &h);
    case CBOR_ARRAY:
    case CBOR_MAP: return open_container(s, &h, depth);
    default: return true;
  }
}

/* An item of the innermost open one is complete (or it was just opened): closes what ends here. */
static bool settle(scan *s, bool opened) {
  while (s->count) {
    open_item *o = &s->open[s->count - 1];
    if (!o->indefinite) {
      if (!opened) o->left--;
      if (o->left) return true;
    } else {
      if (!opened) o->left++;
      bool whole = !o->map || o->left % 2 == 0;
      if (whole && !check_counts(s, o->map, o->map ? o->left / 2 : o->left)) return false;
      if (s->p == s->end) return fail_at_end(s);
      if (*s->p != CBOR_BREAK) return true;
      s->p++;
      if (!whole) return fail(s, SLICE_LIT("cbor: unexpected \"break\" code"));
    }
    s->count--;
    opened = false;
  }
  return true;
}

static bool scan_item(scan *s) {
  bool good = true;
  s->open = s->first;
  s->count = 0;
  s->cap = OPEN_FIRST;
  do {
    uint32_t before = s->count;
    good = check_item(s) && settle(s, s->count > before);
  } while (good && s->count);
  if (s->open != s->first) heap_free(s->open);
  return good;
}

const char *cbor_skip(const char *p, const char *end) {
  scan s;
  s.p = s.start = p;
  s.end = end;
  s.a = NULL; /* no error can be */
  scan_item(&s);
  return s.p;
}

bool cbor_well_formed(arena *a, slice bytes, slice *error) {
  scan s;
  if (bytes.len == 0) {
    *error = SLICE_LIT("EOF");
    return false;
  }
  s.p = s.start = bytes.ptr;
  s.end = bytes.ptr + bytes.len;
  s.a = a;
  if (!scan_item(&s)) {
    *error = s.error;
    return false;
  }
  if (s.p == s.end) return true;
  *error = arena_printf(a, "cbor: %zu bytes of extraneous data starting at index %zu",
                        (size_t)(s.end - s.p), (size_t)(s.p - s.start));
  return false;
}
