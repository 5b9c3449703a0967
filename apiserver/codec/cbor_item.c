/* Scalars and tags. The order of the checks is that of the library, because the first error is
 * the one that the client sees. */
#include "codec/cbor_item.h"

#include "base/quote.h"
#include "codec/codec.h"
#include "codec/strict.h"

#include <math.h>
#include <string.h>

#define YEAR_0_UNIX (-62167219200LL)
#define YEAR_10000_UNIX 253402300800LL

void cbor_fault_type(cbor_fault *f, cbor_major found, slice type, slice more) {
  *f = (cbor_fault){.kind = FAULT_TYPE, .found = cbor_major_name(found), .type = type,
                    .more = more};
}

slice cbor_fault_text(arena *a, const cbor_fault *f) {
  if (f->kind != FAULT_TYPE) return f->text;
  bool more = f->more.len > 0;
  if (f->field.len) {
    return arena_printf(a,
                        "cbor: cannot unmarshal %s into Go struct field %.*s of type %.*s%s%.*s%s",
                        f->found, SLICE_ARG(f->field), SLICE_ARG(f->type), more ? " (" : "",
                        SLICE_ARG(f->more), more ? ")" : "");
  }
  return arena_printf(a, "cbor: cannot unmarshal %s into Go value of type %.*s%s%.*s%s", f->found,
                      SLICE_ARG(f->type), more ? " (" : "", SLICE_ARG(f->more), more ? ")" : "");
}

static cbor_outcome other(cbor_fault *f, slice text) {
  *f = (cbor_fault){.kind = FAULT_OTHER, .text = text};
  return ITEM_FAULT;
}

static cbor_outcome mismatch(cbor_fault *f, cbor_major found, slice type) {
  cbor_fault_type(f, found, type, SLICE_NONE);
  return ITEM_FAULT;
}

/* ---- strings ---- */

bool cbor_string(cbor_in *in, slice *out, cbor_fault *fault) {
  cbor_head h = cbor_head_read(&in->p);
  bool good = true, text = h.major == CBOR_TEXT;
  if (h.info != CBOR_INFO_INDEFINITE) {
    *out = slice_of(in->p, (size_t)h.argument);
    in->p += h.argument;
    good = !text || utf8_is_valid(*out);
  } else {
    const char *first = in->p;
    size_t total = 0, n = 0;
    while (*in->p != CBOR_BREAK) {
      h = cbor_head_read(&in->p);
      total += h.argument;
      good &= !text || utf8_is_valid(slice_of(in->p, (size_t)h.argument));
      in->p += h.argument;
    }
    in->p++;
    char *joined = arena_alloc(in->a, total + 1);
    for (const char *p = first; *p != CBOR_BREAK; p += h.argument) {
      h = cbor_head_read(&p);
      memcpy(joined + n, p, (size_t)h.argument);
      n += h.argument;
    }
    *out = slice_of(joined, total);
  }
  if (!good) other(fault, SLICE_LIT("cbor: invalid UTF-8 string"));
  return good;
}

static slice base16(arena *a, slice s) {
  static const char digits[] = "0123456789abcdef";
  char *out = arena_alloc(a, s.len * 2 + 1);
  for (size_t i = 0; i < s.len; i++) {
    out[2 * i] = digits[(unsigned char)s.ptr[i] >> 4];
    out[2 * i + 1] = digits[(unsigned char)s.ptr[i] & 15];
  }
  return slice_of(out, s.len * 2);
}

static slice as_text(arena *a, slice bytes, uint8_t enc) {
  switch (enc) {
    case CBOR_TAG_BASE64URL: return base64url_encode(a, bytes);
    case CBOR_TAG_BASE64: return base64_encode(a, bytes);
    case CBOR_TAG_BASE16: return base16(a, bytes);
    default: return bytes;
  }
}

static cbor_outcome byte_string(cbor_in *in, cbor_dest dest, slice type, uint8_t enc, val **out,
                                cbor_fault *fault) {
  slice bytes = SLICE_NONE, decoded;
  size_t bad = 0;
  cbor_string(in, &bytes, fault);
  if (dest == DEST_STRING || dest == DEST_ANY) {
    *out = val_string(in->a, as_text(in->a, bytes, enc));
    return ITEM_VALUE;
  }
  if (dest != DEST_BYTES) return mismatch(fault, CBOR_BYTES, type);
  if (!enc) {
    if (!base64_decode_at(in->a, bytes, &decoded, &bad)) {
      return other(fault, arena_printf(in->a, "cbor: failed to decode base64 from byte string: "
                                       "illegal base64 data at input byte %zu", bad));
    }
    bytes = decoded;
  }
  *out = val_string(in->a, base64_encode(in->a, bytes));
  return ITEM_VALUE;
}

static cbor_outcome text_string(cbor_in *in, cbor_dest dest, slice type, val **out,
                                cbor_fault *fault) {
  slice text;
  if (!cbor_string(in, &text, fault)) return ITEM_FAULT;
  if (dest != DEST_STRING && dest != DEST_ANY) return mismatch(fault, CBOR_TEXT, type);
  *out = val_string(in->a, text);
  return ITEM_VALUE;
}

/* ---- numbers ---- */

static bool fits(cbor_dest dest, int64_t n) {
  if (dest == DEST_INT32) return n == (int32_t)n;
  return dest != DEST_UINT8 || n == (uint8_t)n;
}

static cbor_outcome positive(cbor_in *in, cbor_dest dest, slice type, uint64_t n, val **out,
                             cbor_fault *fault) {
  bool integer = dest == DEST_INT32 || dest == DEST_INT64 || dest == DEST_UINT8;
  if (dest == DEST_ANY && n > INT64_MAX) {
    cbor_fault_type(fault, CBOR_UINT, SLICE_LIT("int64"),
                    arena_printf(in->a, "%llu overflows Go's int64", (unsigned long long)n));
    return ITEM_FAULT;
  }
  if (integer && (n > INT64_MAX || !fits(dest, (int64_t)n))) {
    cbor_fault_type(fault, CBOR_UINT, type,
                    arena_printf(in->a, "%llu overflows %.*s", (unsigned long long)n,
                                 SLICE_ARG(type)));
    return ITEM_FAULT;
  }
  if (dest == DEST_FLOAT) *out = val_float(in->a, (double)n);
  else if (integer || dest == DEST_ANY) *out = val_int(in->a, (int64_t)n);
  else return mismatch(fault, CBOR_UINT, type);
  return ITEM_VALUE;
}

static cbor_outcome negative(cbor_in *in, cbor_dest dest, slice type, uint64_t n, val **out,
                             cbor_fault *fault) {
  if (n > INT64_MAX) {
    slice more = n == UINT64_MAX ? SLICE_LIT("-18446744073709551616 overflows Go's int64")
                                 : arena_printf(in->a, "-%llu overflows Go's int64",
                                                (unsigned long long)(n + 1));
    cbor_fault_type(fault, CBOR_NINT, dest == DEST_ANY ? SLICE_LIT("int64") : type, more);
    return ITEM_FAULT;
  }
  int64_t v = -1 - (int64_t)n;
  if (dest == DEST_INT32 && !fits(dest, v)) {
    cbor_fault_type(fault, CBOR_NINT, type,
                    arena_printf(in->a, "%lld overflows %.*s", (long long)v, SLICE_ARG(type)));
    return ITEM_FAULT;
  }
  if (dest == DEST_FLOAT) *out = val_float(in->a, (double)v);
  else if (dest == DEST_INT32 || dest == DEST_INT64 || dest == DEST_ANY) *out = val_int(in->a, v);
  else return mismatch(fault, CBOR_NINT, type);
  return ITEM_VALUE;
}

static bool is_float(const cbor_head *h) {
  return h->info >= CBOR_INFO_2 && h->info <= CBOR_INFO_8;
}

static double float_of(const cbor_head *h) {
  double f;
  float narrow;
  uint32_t bits = (uint32_t)h->argument;
  if (h->info == CBOR_INFO_2) return cbor_half((uint16_t)h->argument);
  if (h->info == CBOR_INFO_4) {
    memcpy(&narrow, &bits, sizeof bits);
    return (double)narrow;
  }
  memcpy(&f, &h->argument, sizeof f);
  return f;
}

static cbor_outcome primitive(cbor_in *in, cbor_dest dest, slice type, const cbor_head *h,
                              val **out, cbor_fault *fault) {
  if (is_float(h)) {
    if (dest != DEST_FLOAT && dest != DEST_ANY) return mismatch(fault, CBOR_PRIMITIVE, type);
    *out = val_float(in->a, float_of(h));
    return ITEM_VALUE;
  }
  if (h->info < CBOR_INFO_FALSE || h->info > CBOR_INFO_NULL) {
    return other(fault, arena_printf(in->a,
                                     "cbor: data item of cbor type primitives is not accepted by "
                                     "protocol: simple value %d is not recognized",
                                     (int)h->argument));
  }
  if (h->info == CBOR_INFO_NULL) {
    *out = val_null(in->a);
    return dest == DEST_ANY ? ITEM_VALUE : ITEM_ZERO;
  }
  if (dest != DEST_BOOL && dest != DEST_ANY) return mismatch(fault, CBOR_PRIMITIVE, type);
  *out = val_bool(in->a, h->info == CBOR_INFO_TRUE);
  return ITEM_VALUE;
}

/* ---- tags ---- */

/* Whether a built-in tag may stand before this initial byte. */
static bool tag_fits(arena *a, uint64_t tag, char initial, cbor_fault *fault) {
  cbor_major found = cbor_major_of(initial);
  const char *wanted = NULL;
  bool float_head = initial >= '\xf9' && initial <= '\xfb';
  if (tag == CBOR_TAG_TIME_TEXT && found != CBOR_TEXT) wanted = "text string";
  if (tag == CBOR_TAG_TIME_EPOCH && found != CBOR_UINT && found != CBOR_NINT && !float_head) {
    wanted = "integer or floating-point number";
  }
  if (!wanted) return true;
  other(fault, arena_printf(a, "cbor: tag number %d must be followed by %s, got %s", (int)tag,
                            wanted, cbor_major_name(found)));
  return false;
}

bool cbor_tags_check(cbor_in *in, cbor_fault *fault) {
  while (cbor_major_of(*in->p) == CBOR_TAG) {
    const char *p = in->p;
    if (cbor_head_read(&p).argument != CBOR_TAG_SELF_DESCRIBED) break;
    in->p = p;
  }
  for (const char *p = in->p; cbor_major_of(*p) == CBOR_TAG;) {
    cbor_head h = cbor_head_read(&p);
    if (tag_fits(in->a, h.argument, *p, fault)) continue;
    in->p = cbor_skip(p, in->end);
    return false;
  }
  return true;
}

/* RFC 3339 with as many digits of a second as are needed. zone: "Z" or "+02:00". */
static slice nano_text(arena *a, int64_t seconds, int32_t nanos, slice zone) {
  slice text = time_text(a, seconds);
  text.len--; /* its Z */
  if (nanos == 0) return arena_printf(a, "%.*s%.*s", SLICE_ARG(text), SLICE_ARG(zone));
  slice digits = arena_printf(a, "%09d", nanos);
  while (digits.ptr[digits.len - 1] == '0') digits.len--;
  return arena_printf(a, "%.*s.%.*s%.*s", SLICE_ARG(text), SLICE_ARG(digits), SLICE_ARG(zone));
}

static cbor_outcome time_value(cbor_in *in, int64_t seconds, int32_t nanos, slice zone, val **out,
                               cbor_fault *fault) {
  if (seconds < YEAR_0_UNIX || seconds >= YEAR_10000_UNIX) {
    return other(fault, SLICE_LIT("cbor: decoded time cannot be represented in RFC3339 format with "
                                  "sub-second precision: Time.MarshalText: year outside of range "
                                  "[0,9999]"));
  }
  *out = val_string(in->a, nano_text(in->a, seconds, nanos, zone));
  return ITEM_VALUE;
}

/* "+hh:mm" behind a time that was parsed, in seconds; 0 for Z. */
static int zone_seconds(slice text, slice *zone) {
  *zone = SLICE_LIT("Z");
  if (text.ptr[text.len - 1] == 'Z') return 0;
  const char *z = text.ptr + text.len - 6;
  int n = ((z[1] - '0') * 10 + z[2] - '0') * 3600 + ((z[4] - '0') * 10 + z[5] - '0') * 60;
  if (n) *zone = slice_of(z, 6);
  return *z == '-' ? -n : n;
}

static cbor_outcome time_of_text(cbor_in *in, val **out, cbor_fault *fault) {
  slice text, zone, error, canonical;
  int64_t seconds;
  int32_t nanos;
  if (!cbor_string(in, &text, fault)) return ITEM_FAULT;
  if (!time_parse(text, &seconds, &nanos)) {
    time_canonical(in->a, text, false, &canonical, &error);
    return other(fault, arena_printf(in->a, "cbor: cannot set %.*s for time.Time: %.*s",
                                     SLICE_ARG(text), SLICE_ARG(error)));
  }
  seconds += zone_seconds(text, &zone);
  return time_value(in, seconds, nanos, zone, out, fault);
}

static cbor_outcome time_of_number(cbor_in *in, val **out, cbor_fault *fault) {
  cbor_head h = cbor_head_read(&in->p);
  int64_t seconds = 0, nanos = 0;
  if (h.major == CBOR_PRIMITIVE) {
    double f = float_of(&h), whole, part = modf(f, &whole);
    bool far = fabs(whole) > 1e15; /* no year that can be written */
    seconds = far ? INT64_MAX : (int64_t)whole;
    nanos = (int64_t)(part * 1e9);
    if (nanos < 0) {
      nanos += 1000000000;
      seconds--;
    }
  } else if (h.argument > INT64_MAX) {
    bool minus = h.major == CBOR_NINT;
    slice more = minus && h.argument == UINT64_MAX
                     ? SLICE_LIT("-18446744073709551616 overflows Go's int64")
                     : arena_printf(in->a, "%s%llu overflows Go's int64", minus ? "-" : "",
                                    (unsigned long long)(h.argument + minus));
    cbor_fault_type(fault, (cbor_major)h.major, SLICE_LIT("time.Time"), more);
    return ITEM_FAULT;
  } else {
    seconds = h.major == CBOR_NINT ? -1 - (int64_t)h.argument : (int64_t)h.argument;
  }
  return time_value(in, seconds, (int32_t)nanos, SLICE_LIT("Z"), out, fault);
}

/* ---- items ---- */

/* A byte slice may come as an array of numbers. */
static cbor_outcome byte_array(cbor_in *in, const cbor_head *h, uint8_t enc, val **out,
                               cbor_fault *fault) {
  bool indefinite = h->info == CBOR_INFO_INDEFINITE, good = true;
  size_t n = 0, count = indefinite ? 0 : (size_t)h->argument;
  for (const char *p = in->p; indefinite && *p != CBOR_BREAK; count++) p = cbor_skip(p, in->end);
  char *bytes = arena_alloc(in->a, count + 1);
  for (; n < count; n++) {
    val *item = NULL;
    cbor_head opened;
    cbor_fault first;
    uint8_t inner = enc;
    cbor_outcome o = cbor_item(in, DEST_UINT8, SLICE_LIT("uint8"), &inner, &item, &opened, &first);
    bytes[n] = o == ITEM_VALUE ? (char)item->u.i : 0;
    if (o == ITEM_FAULT && good) *fault = first;
    good &= o != ITEM_FAULT;
  }
  if (indefinite) in->p++;
  if (!good) return ITEM_FAULT;
  *out = val_string(in->a, base64_encode(in->a, slice_of(bytes, n)));
  return ITEM_VALUE;
}

static cbor_outcome container(cbor_in *in, cbor_dest dest, slice type, uint8_t enc,
                              cbor_head *opened, val **out, cbor_fault *fault) {
  const char *start = in->p;
  cbor_major major = cbor_major_of(*start);
  *opened = cbor_head_read(&in->p);
  bool array = major == CBOR_ARRAY;
  if (dest == DEST_ANY || dest == (array ? DEST_LIST : DEST_MAP)) return ITEM_OPEN;
  if (!array && (dest == DEST_STRUCT || dest == DEST_ANY_MAP)) return ITEM_OPEN;
  if (array && dest == DEST_BYTES) return byte_array(in, opened, enc, out, fault);
  in->p = cbor_skip(start, in->end);
  mismatch(fault, major, type);
  if (array && dest == DEST_STRUCT) {
    fault->more = SLICE_LIT("cannot decode CBOR array to struct without toarray option");
  }
  return ITEM_FAULT;
}

cbor_outcome cbor_item(cbor_in *in, cbor_dest dest, slice type, uint8_t *enc, val **out,
                       cbor_head *opened, cbor_fault *fault) {
  for (;;) {
    if (!cbor_tags_check(in, fault)) return ITEM_FAULT;
    if (cbor_major_of(*in->p) != CBOR_TAG) break;
    uint64_t tag = cbor_head_read(&in->p).argument;
    if (dest == DEST_ANY && tag == CBOR_TAG_TIME_TEXT) return time_of_text(in, out, fault);
    if (dest == DEST_ANY && tag == CBOR_TAG_TIME_EPOCH) return time_of_number(in, out, fault);
    if (tag >= CBOR_TAG_BASE64URL && tag <= CBOR_TAG_BASE16) *enc = (uint8_t)tag;
  }
  cbor_major major = cbor_major_of(*in->p);
  if (major == CBOR_BYTES) return byte_string(in, dest, type, *enc, out, fault);
  if (major == CBOR_TEXT) return text_string(in, dest, type, out, fault);
  if (major == CBOR_ARRAY || major == CBOR_MAP) {
    return container(in, dest, type, *enc, opened, out, fault);
  }
  cbor_head h = cbor_head_read(&in->p);
  if (major == CBOR_UINT) return positive(in, dest, type, h.argument, out, fault);
  if (major == CBOR_NINT) return negative(in, dest, type, h.argument, out, fault);
  return primitive(in, dest, type, &h, out, fault);
}
