/* generate: random values by the schema, for the mutator and the differential run. */
#ifndef APISIM_FUZZ_GENERATE_H
#define APISIM_FUZZ_GENERATE_H

#include "base/rng.h"
#include "base/val.h"
#include "schema/schema.h"

/* A value of t, not canonical: codec_conform makes it so. `size` bounds how many nodes it gets.
 * hostile: now and then a value that is none of t. */
val *generate_value(arena *a, rng *r, const type_info *t, uint32_t size, bool hostile);
/* An object with apiVersion and kind. */
val *generate_object(arena *a, rng *r, const kind_info *k, uint32_t size, bool hostile);
/* Changes one place of v, an object of type t, in place; the place is reached by the schema. */
void generate_change(arena *a, rng *r, val *v, const type_info *t);

#endif
