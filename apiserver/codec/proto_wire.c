/* Reading and writing protobuf's bytes. Every length that arrives is hostile until
 * compared with what is left; no pointer is ever formed behind `limit`. */
#include "codec/proto_wire.h"

#include <assert.h>

#define OUT_FIRST ((size_t)1024)

static const char text_eof[] = "unexpected EOF";
static const char text_overflow[] = "proto: integer overflow";
static const char text_negative[] = "proto: negative length found during unmarshaling";
static const char text_group[] = "proto: unexpected end of group";
static const char *const text_illegal[] = {"proto: illegal wireType 6",
                                           "proto: illegal wireType 7"};

static bool fail(proto_in *in, const char *text) {
  if (!in->error) in->error = text;
  return false;
}

bool wire_varint_slow(proto_in *in, uint64_t *out) {
  uint64_t n = 0;
  for (unsigned i = 0;; i++) {
    if (i == VARINT_MAX) return fail(in, text_overflow);
    if (in->p >= in->limit) return fail(in, text_eof);
    uint64_t b = (unsigned char)*in->p++;
    n |= (b & 0x7f) << (7 * i); /* the tenth byte gives one bit; the rest fall off, as in Go */
    if (b < 0x80) break;
  }
  *out = n;
  return true;
}

/* True when n more bytes can be stepped over. */
static bool has_room(proto_in *in, uint64_t n) {
  uint64_t at = (uint64_t)(in->p - in->start);
  if (n > INT64_MAX || n + at > INT64_MAX) return fail(in, text_negative);
  if (n > (uint64_t)(in->limit - in->p)) return fail(in, text_eof);
  return true;
}

bool wire_bytes_slow(proto_in *in, slice *out) {
  uint64_t n;
  if (!wire_varint(in, &n) || !has_room(in, n)) return false;
  *out = slice_of(in->p, (size_t)n);
  in->p += n;
  return true;
}

bool wire_skip(proto_in *in, const char **over) {
  uint64_t wire, n, depth = 0;
  do {
    if (in->p >= in->limit) return fail(in, text_eof);
    if (!wire_varint(in, &wire)) return false;
    n = 0;
    switch (wire & 7) {
      case WIRE_VARINT:
        if (!wire_varint(in, &n)) return false;
        n = 0;
        break;
      case WIRE_FIXED64: n = 8; break;
      case WIRE_FIXED32: n = 4; break;
      case WIRE_BYTES:
        if (!wire_varint(in, &n)) return false;
        break;
      case WIRE_GROUP: depth++; break;
      case WIRE_END:
        if (depth == 0) return fail(in, text_group);
        depth--;
        break;
      default: return fail(in, text_illegal[(wire & 7) - 6]);
    }
    if (!has_room(in, n)) return false;
    in->p += n;
  } while (depth > 0);
  *over = in->p;
  return true;
}

slice wire_tag_error(arena *a, slice message, int32_t number, uint64_t wire) {
  if ((wire & 7) == WIRE_END) {
    return arena_printf(a, "proto: %.*s: wiretype end group for non-group", SLICE_ARG(message));
  }
  return arena_printf(a, "proto: %.*s: illegal tag %d (wire type %llu)", SLICE_ARG(message),
                      number, (unsigned long long)wire);
}

slice wire_type_error(arena *a, slice message, slice field, unsigned wire_type) {
  slice name = proto_go_name(a, message, field);
  return arena_printf(a, "proto: wrong wireType = %u for field %.*s", wire_type,
                      SLICE_ARG(name));
}

slice proto_message_name(const type_info *t) {
  ptrdiff_t dot = slice_find_char(t->name, '.');
  return dot < 0 ? t->name : slice_from(t->name, (size_t)dot + 1);
}

char *out_room_slow(proto_out *o, size_t n) {
  buf *b = o->out;
  if (b->overflow || n > b->ceiling - b->len - o->used) {
    b->overflow = true;
    return NULL;
  }
  if (!b->ptr || b->cap - b->len - o->used < n) {
    size_t old_cap = b->cap;
    size_t want = o->used + n;
    if (want < OUT_FIRST && b->ceiling - b->len > OUT_FIRST) want = OUT_FIRST;
    if (!buf_reserve(b, want)) return NULL;
    memmove(b->ptr + b->cap - o->used, b->ptr + old_cap - o->used, o->used);
  }
  o->used += n;
  return b->ptr + b->cap - o->used;
}

size_t varint_put(char to[VARINT_MAX], uint64_t n) {
  size_t len = 0;
  for (; n >= 0x80; n >>= 7) to[len++] = (char)(n | 0x80);
  to[len++] = (char)n;
  return len;
}

void out_varint_slow(proto_out *o, uint64_t n) {
  char bytes[VARINT_MAX];
  out_append(o, slice_of(bytes, varint_put(bytes, n)));
}

void out_append(proto_out *o, slice s) {
  if (s.len == 0) return;
  char *to = out_room(o, s.len);
  if (to) memcpy(to, s.ptr, s.len);
}

void out_finish(proto_out *o) {
  buf *b = o->out;
  if (b->overflow || o->used == 0) return;
  assert(b->len + o->used <= b->cap);
  memmove(b->ptr + b->len, b->ptr + b->cap - o->used, o->used);
  b->len += o->used;
  o->used = 0;
}
