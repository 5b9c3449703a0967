/* conform: what conform.c (the walk) and conform_scalar.c (the leaves) share. */
#ifndef APISIM_CODEC_CONFORM_H
#define APISIM_CODEC_CONFORM_H

#include "codec/codec.h"

typedef enum conform_outcome {
  CONFORM_KEEP, /* *slot holds the typed value */
  CONFORM_NULL, /* Go's zero value, which it writes null (zero time) */
  CONFORM_MISMATCH, /* a kind that Go notes and passes over; `why` fills in the error */
  CONFORM_FATAL, /* a hand-written decoder refused: decoding ends */
} conform_outcome;

typedef struct conform_why {
  const char *value; /* "string", "number 1.5": of "cannot unmarshal VALUE into" */
  slice value_text; /* used where value is NULL */
  slice type; /* "of type TYPE" */
  slice text; /* the whole error instead, when not empty */
} conform_why;

/* A leaf of type t (neither struct, list, map nor schema union). v is not null. */
conform_outcome conform_scalar(arena *a, val **slot, const type_info *t, conform_why *why);
/* Go's name for what JSON has here: "string", "number 5" where `digits`. */
void conform_describe(arena *a, const val *v, bool digits, conform_why *why);
/* What null becomes where Go has no pointer to be nil: "" or 0, an empty struct, or null. */
val *conform_zero(arena *a, const type_info *t);
/* Is v, typed as t, the value that a Go field has when nothing set it? */
bool conform_is_zero(const val *v, const type_info *t);
/* Is f's value v absent from a canonical tree? */
bool conform_is_dropped(const field_info *f, const val *v);
/* Does null set a value of t that is no pointer to Go's nil or zero? Else it does nothing. */
bool conform_is_nullable(const type_info *t);
/* conform_repeat.c: v is typed as t, but below it structs have fields more than once, one entry a
 * time, nothing is dropped yet, and `nil` stands where null came last. Merges them as Go's decoder
 * does, which reads a later value into the earlier one; then v is canonical. */
void conform_resolve(arena *a, val *v, const type_info *t, const val *nil);

#endif
