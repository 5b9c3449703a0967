/* Diagnostic notation (RFC 8949 section 8) of well-formed items, as errors quote bodies: byte
 * strings that are UTF-8 as '...', text as "...", all but ASCII escaped; with text that is no
 * UTF-8 anywhere in it, the body's bytes in hexadecimal instead.
 * Source: github.com/fxamacker/cbor v2.9 diagnose.go with apimachinery's options. */
#include "codec/cbor_wire.h"
#include "codec/json_write.h"

#include "base/limits.h"
#include "base/quote.h"

#include <string.h>

#define OPEN_MAX 64u /* deeper, the notation is cut off */

typedef struct open_item {
  uint64_t left; /* items; a map's keys and values */
  bool indefinite, map, tag, first;
} open_item;

static void put_u16(buf *out, unsigned c) { buf_printf(out, "\\u%04x", c); }

static void put_text(buf *out, slice s, char quote) {
  const char *end = s.len ? s.ptr + s.len : s.ptr;
  buf_char(out, quote);
  for (const char *p = s.ptr; p < end;) {
    unsigned len = utf8_sequence(p, end);
    uint32_t c = len > 1 ? utf8_get(p, len) : (unsigned char)*p;
    p += len;
    if (c == '\t' || c == '\n' || c == '\r') {
      buf_printf(out, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : 'r');
    } else if (c == '\\' || c == (unsigned char)quote) {
      buf_printf(out, "\\%c", (char)c);
    } else if (c >= ' ' && c <= '~') {
      buf_char(out, (char)c);
    } else if (c < 0x10000) {
      put_u16(out, c);
    } else {
      put_u16(out, 0xd800 + ((c - 0x10000) >> 10));
      put_u16(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  buf_char(out, quote);
}

static void put_hex(buf *out, slice s) {
  for (size_t i = 0; i < s.len; i++) buf_printf(out, "%02x", (unsigned char)s.ptr[i]);
}

static void put_string(buf *out, cbor_major major, slice s, bool *broken) {
  bool good = utf8_is_valid(s);
  if (major == CBOR_TEXT) {
    *broken |= !good;
    if (good) put_text(out, s, '"');
  } else if (s.len && good) {
    put_text(out, s, '\'');
  } else {
    buf_lit(out, "h'");
    put_hex(out, s);
    buf_char(out, '\'');
  }
}

static void put_chunks(buf *out, cbor_major major, const char **p, bool *broken) {
  buf_lit(out, "(_ ");
  for (bool first = true; **p != CBOR_BREAK; first = false) {
    cbor_head h = cbor_head_read(p);
    if (!first) buf_lit(out, ", ");
    put_string(out, major, slice_of(*p, (size_t)h.argument), broken);
    *p += h.argument;
  }
  (*p)++;
  buf_char(out, ')');
}

static void put_float(buf *out, const cbor_head *h) {
  double f = cbor_half((uint16_t)h->argument);
  float narrow;
  uint32_t bits = (uint32_t)h->argument;
  if (h->info == CBOR_INFO_4) {
    memcpy(&narrow, &bits, sizeof bits);
    f = (double)narrow;
  }
  if (h->info == CBOR_INFO_8) memcpy(&f, &h->argument, sizeof f);
  size_t from = out->len;
  json_encode_float(out, f);
  if (slice_find_char(slice_of(out->ptr + from, out->len - from), '.') < 0) buf_lit(out, ".0");
}

static void put_primitive(buf *out, const cbor_head *h) {
  switch (h->info) {
    case CBOR_INFO_FALSE: buf_lit(out, "false"); break;
    case CBOR_INFO_TRUE: buf_lit(out, "true"); break;
    case CBOR_INFO_NULL: buf_lit(out, "null"); break;
    case CBOR_INFO_UNDEFINED: buf_lit(out, "undefined"); break;
    case CBOR_INFO_2:
    case CBOR_INFO_4:
    case CBOR_INFO_8: put_float(out, h); break;
    default: buf_printf(out, "simple(%d)", (int)h->argument); break;
  }
}

/* One item, or the opening of one: true. */
static bool put_item(buf *out, const char **p, open_item *open, bool *broken) {
  cbor_major major = cbor_major_of(**p);
  cbor_head h = cbor_head_read(p);
  bool indefinite = h.info == CBOR_INFO_INDEFINITE;
  switch (major) {
    case CBOR_UINT: buf_u64(out, h.argument); return false;
    case CBOR_NINT:
      if (h.argument == UINT64_MAX) buf_lit(out, "-18446744073709551616");
      else buf_printf(out, "-%llu", (unsigned long long)(h.argument + 1));
      return false;
    case CBOR_BYTES:
    case CBOR_TEXT:
      if (indefinite) {
        put_chunks(out, major, p, broken);
      } else {
        put_string(out, major, slice_of(*p, (size_t)h.argument), broken);
        *p += h.argument;
      }
      return false;
    case CBOR_PRIMITIVE: put_primitive(out, &h); return false;
    default: break;
  }
  *open = (open_item){.left = major == CBOR_TAG ? 1 : h.argument, .indefinite = indefinite,
                      .map = major == CBOR_MAP, .tag = major == CBOR_TAG, .first = true};
  if (open->map) open->left *= 2;
  if (open->tag) buf_u64(out, h.argument);
  buf_char(out, open->tag ? '(' : open->map ? '{' : '[');
  if (indefinite) buf_lit(out, "_ ");
  return true;
}

/* What stands before the next item of o; false when there is none. */
static bool put_between(buf *out, const char **p, open_item *o) {
  bool ends = o->indefinite ? **p == CBOR_BREAK : o->left == 0;
  if (ends) {
    *p += o->indefinite;
    buf_char(out, o->tag ? ')' : o->map ? '}' : ']');
    return false;
  }
  bool value = o->map && o->left % 2 == 1;
  if (!o->first) buf_cstr(out, value ? ": " : ", ");
  o->first = false;
  o->left--; /* an indefinite map's wraps around, and its parity holds */
  return true;
}

slice cbor_diagnose(arena *a, slice bytes) {
  open_item open[OPEN_MAX];
  uint32_t depth = 0;
  bool broken = false;
  const char *p = bytes.ptr;
  buf out;
  buf_init(&out, LIMIT_REQUEST_BODY * 4);
  depth += put_item(&out, &p, &open[0], &broken);
  while (depth && depth < OPEN_MAX) {
    if (!put_between(&out, &p, &open[depth - 1])) depth--;
    else depth += put_item(&out, &p, &open[depth], &broken);
  }
  if (broken) {
    buf_clear(&out);
    put_hex(&out, bytes);
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}
