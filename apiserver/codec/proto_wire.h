/* proto_wire: the bytes of protobuf, read forwards and written backwards.
 *
 * Private to codec/proto*.c and to who cuts protobuf documents (route/openapi_filter.c). Reading
 * never touches a byte at or behind `limit`; the order of the checks, and so which error a broken
 * message gets, is gogo's (github.com/gogo/protobuf, plugin/unmarshal), because clients see it.
 * Writing goes from the last byte to the first: a nested message's length is
 * then known when its turn comes, and the whole costs one pass. */
#ifndef APISIM_CODEC_PROTO_WIRE_H
#define APISIM_CODEC_PROTO_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "schema/schema.h"

#include <stdint.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_GROUP = 3, WIRE_END = 4,
       WIRE_FIXED32 = 5 };

typedef struct proto_in {
  const char *start, *p; /* of the message being read */
  const char *limit; /* no read may pass this */
  const char *error; /* static text; set once, then every read fails */
} proto_in;

/* All return false and set in->error on failure. */
bool wire_varint_slow(proto_in *in, uint64_t *out);
static inline bool wire_varint(proto_in *in, uint64_t *out) {
  if (in->p < in->limit && !(*in->p & 0x80)) {
    *out = (unsigned char)*in->p++;
    return true;
  }
  if (in->limit - in->p > 1 && !(in->p[1] & 0x80)) { /* two bytes: tags from 16 on */
    *out = ((unsigned char)in->p[0] & 0x7fu) | (uint64_t)(unsigned char)in->p[1] << 7;
    in->p += 2;
    return true;
  }
  return wire_varint_slow(in, out);
}
/* A length, and the bytes it announces, which are stepped over. */
bool wire_bytes_slow(proto_in *in, slice *out);
static inline bool wire_bytes(proto_in *in, slice *out) {
  const char *p = in->p;
  size_t left = (size_t)(in->limit - p);
  if (left > 0 && !(*p & 0x80) && (unsigned char)*p < left) {
    *out = slice_of(p + 1, (unsigned char)*p);
    in->p = p + 1 + (unsigned char)*p;
    return true;
  }
  return wire_bytes_slow(in, out);
}
/* Steps over one whole field, tag included, as an unknown field is. *over is its end. */
bool wire_skip(proto_in *in, const char **over);

/* What went wrong where, in gogo's words; `number` and `wire` belong to a tag. */
slice wire_tag_error(arena *a, slice message, int32_t number, uint64_t wire);
slice wire_type_error(arena *a, slice message, slice field, unsigned wire_type);
/* "v1.PodSpec" -> "PodSpec". */
slice proto_message_name(const type_info *t);
/* The Go name of a field, as gogo's errors give it: "podIP" of v1.PodStatus -> "PodIP". */
slice proto_go_name(arena *a, slice message, slice field);

/* The varint's bytes, in reading order; returns how many. */
#define VARINT_MAX 10
size_t varint_put(char to[VARINT_MAX], uint64_t n);

/* The backward writer fills the spare room behind out->len from its far end. */
typedef struct proto_out {
  buf *out;
  size_t used; /* bytes written so far; they are the last `used` of out's capacity */
} proto_out;

/* Makes room for n bytes in front of what is written; NULL when out overflowed. */
char *out_room_slow(proto_out *o, size_t n);
static inline char *out_room(proto_out *o, size_t n) {
  buf *b = o->out;
  if (b->cap - b->len - o->used < n || !b->ptr) return out_room_slow(o, n);
  o->used += n;
  return b->ptr + b->cap - o->used;
}
static inline void out_byte(proto_out *o, uint8_t c) {
  char *to = out_room(o, 1);
  if (to) *to = (char)c;
}
void out_varint_slow(proto_out *o, uint64_t n);
static inline void out_varint(proto_out *o, uint64_t n) {
  if (n < 0x80) out_byte(o, (uint8_t)n);
  else out_varint_slow(o, n);
}
static inline void out_tag(proto_out *o, uint32_t number, unsigned wire_type) {
  out_varint(o, ((uint64_t)number << 3) | wire_type);
}
void out_append(proto_out *o, slice s);
/* Closes a message opened when o->used was `mark`: its length, then its tag. */
static inline void out_close(proto_out *o, size_t mark, uint32_t number) {
  out_varint(o, o->used - mark);
  out_tag(o, number, WIRE_BYTES);
}
static inline void out_string(proto_out *o, uint32_t number, slice s) {
  size_t mark = o->used;
  out_append(o, s);
  out_close(o, mark, number);
}
static inline void out_number(proto_out *o, uint32_t number, uint64_t n) {
  out_varint(o, n);
  out_tag(o, number, WIRE_VARINT);
}
/* Moves what was written to out->len and raises that. */
void out_finish(proto_out *o);

#endif
