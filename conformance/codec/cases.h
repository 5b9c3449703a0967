/* cases: what the differential run asks, by seed and number.
 *
 * Object number n of a seed is the same in every run: a kind in turn, a tree by the schema
 * (fuzz/generate.h), then one of the flavours below. Each gives one case or more. */
#ifndef APISIM_CONFORMANCE_CODEC_CASES_H
#define APISIM_CONFORMANCE_CODEC_CASES_H

#include "base/rng.h"
#include "base/val.h"
#include "conformance/codec/oracle.h"

#define CASES_MAX 4u /* an object */

typedef enum cases_flavour {
  CASES_VALID, /* as JSON in a form that is not canonical, then as we encode it in the others */
  CASES_JSON, /* JSON text with duplicates, unknown fields, odd tokens, broken grammar */
  CASES_YAML,
  CASES_PROTOBUF,
  CASES_CBOR,
  CASES_FLAVOURS,
} cases_flavour;

/* The cases of object n; bodies live in a. Returns how many. */
uint32_t cases_make(arena *a, uint64_t seed, uint64_t n, uint16_t kind, oracle_case *out);

/* listed.c: the cases of a file, a line each: "FORMAT KIND HEX", as "json/strict apps/v1/Deployment
 * 7b7d" (without /strict: lax). NULL with a line on stderr when a line is none. */
oracle_case *listed_read(arena *a, const char *path, uint32_t *count);

/* hostile.c: text and messages that decoders stumble over, by chance. */
void hostile_json(buf *out, rng *r, const val *v);
slice hostile_bytes(arena *a, rng *r, slice s); /* a few bytes changed, put in or cut away */
slice hostile_yaml(arena *a, rng *r, slice text); /* lines and scalars of a YAML document */
slice hostile_message(arena *a, rng *r, slice message); /* a protobuf message's fields */

/* A protobuf message's top fields, tags included; false where it is broken. */
typedef struct message_fields {
  slice *fields;
  uint32_t count, cap;
} message_fields;
bool message_split(arena *a, slice message, message_fields *out);
/* The bytes of a length-delimited field; *tag is what stands before its length. False for others. */
bool message_field_body(slice field, slice *tag, slice *body);
slice message_join(arena *a, const message_fields *m);

/* minimise.c: the smallest body found for which `differs` still holds. */
typedef bool (*minimise_test)(void *context, slice body);
slice minimise(arena *a, unsigned format, slice body, minimise_test differs, void *context);

#endif
