/* cbor_wire: the inner pieces of CBOR (RFC 8949): heads, and the check that bytes are one
 * well-formed item, which comes before any of them is read, so that nothing behind it looks at
 * bounds again.
 *
 * Why not libcbor here: the real server's answer names what is malformed (which simple value, which
 * additional information of which type), keeps well-formed from acceptable, and lets maps hold
 * 2,097,152 pairs and items nest 10,000 deep; libcbor's streaming decoder gives one error for all
 * of it and takes no simple value but four. It is the second opinion of cbor_test.c instead.
 *
 * Sources: RFC 8949; github.com/fxamacker/cbor v2.9 with the options of apimachinery
 * pkg/runtime/serializer/cbor/internal/modes. */
#ifndef APISIM_CODEC_CBOR_WIRE_H
#define APISIM_CODEC_CBOR_WIRE_H

#include "codec/codec.h"

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define CBOR_DEPTH_MAX 10000u
#define CBOR_ARRAY_MAX 2147483647u
#define CBOR_PAIRS_MAX 2097152u

typedef enum cbor_major {
  CBOR_UINT,
  CBOR_NINT,
  CBOR_BYTES,
  CBOR_TEXT,
  CBOR_ARRAY,
  CBOR_MAP,
  CBOR_TAG,
  CBOR_PRIMITIVE,
} cbor_major;

enum cbor_info { /* the low five bits of a head */
  CBOR_INFO_FALSE = 20,
  CBOR_INFO_TRUE = 21,
  CBOR_INFO_NULL = 22,
  CBOR_INFO_UNDEFINED = 23,
  CBOR_INFO_1 = 24, /* an argument of one byte follows */
  CBOR_INFO_2 = 25, /* two; of a primitive: a half float */
  CBOR_INFO_4 = 26,
  CBOR_INFO_8 = 27,
  CBOR_INFO_INDEFINITE = 31,
};

enum cbor_tag {
  CBOR_TAG_TIME_TEXT = 0,
  CBOR_TAG_TIME_EPOCH = 1,
  CBOR_TAG_BIGNUM = 2,
  CBOR_TAG_NEGATIVE_BIGNUM = 3,
  CBOR_TAG_BASE64URL = 21, /* of the byte strings inside: how they look as text */
  CBOR_TAG_BASE64 = 22,
  CBOR_TAG_BASE16 = 23,
  CBOR_TAG_SELF_DESCRIBED = 55799,
};

#define CBOR_BREAK '\xff'
#define CBOR_NULL '\xf6'
#define CBOR_UNDEFINED '\xf7'
#define CBOR_TRUE '\xf5'
#define CBOR_FALSE '\xf4'

typedef struct cbor_head {
  uint8_t major; /* cbor_major */
  uint8_t info;
  uint64_t argument; /* a count, a length, a number; the bits of a float */
} cbor_head;

static inline cbor_major cbor_major_of(char initial) {
  return (cbor_major)((unsigned char)initial >> 5);
}

/* The texts of Go's errors: "UTF-8 text string". */
const char *cbor_major_name(cbor_major major);

/* Reads a head and moves *p behind it. Of well-formed bytes only. */
cbor_head cbor_head_read(const char **p);
/* Behind the well-formed item at p. */
const char *cbor_skip(const char *p, const char *end);
/* Is `bytes` one well-formed, acceptable item and nothing more? *error in Go's words. */
bool cbor_well_formed(arena *a, slice bytes, slice *error);

/* Diagnostic notation of a well-formed item, as errors quote it. */
slice cbor_diagnose(arena *a, slice bytes);

double cbor_half(uint16_t bits);
/* The half float that is exactly f; false when there is none. */
bool cbor_half_of(float f, uint16_t *bits);

/* cbor_encode_deep.c: the same as cbor_encode at any depth and order; and the zero value of a type
 * (pointer: nil). */
void cbor_encode_deep(buf *out, const val *v, const type_info *t);
void cbor_encode_zero(buf *out, const type_info *t, bool pointer);

#endif
