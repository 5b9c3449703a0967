/* patch_case: the input of the patch targets: a head (kind; flags: bit 0 fieldValidation=Ignore,
 * bit 1 a strict report; bit 2 force), the live object, a newline, the patch. */
#ifndef APISIM_FUZZ_PATCH_CASE_H
#define APISIM_FUZZ_PATCH_CASE_H

#include "fuzz/fuzz.h"
#include "patch/patch.h"

typedef struct patch_case {
  fuzz_head head;
  arena *arena;
  slice patch;
  val *live; /* typed and canonical */
  val *before; /* a copy, to see that nobody changed it */
  const resource_info *resource; /* of the kind */
  strict_report report;
  patch_options options;
  status_error err;
} patch_case;

/* False when there is nothing to do; then nothing is to be closed. */
bool patch_case_open(patch_case *p, const uint8_t *data, size_t size);
/* The oracles that every patch shares: a refusal has words and a code; the live object is as it
 * was; the result is typed and defaulted as a request's, gets managed fields, and is a fixed point
 * in every format. Returns the typed result, or NULL. */
val *patch_case_check(patch_case *p, val *result);
void patch_case_close(patch_case *p);

#endif
