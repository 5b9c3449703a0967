/* rng: the seeded generator. Integers only; passed by pointer; one stream per
 * purpose (rng_split), so that a draw more in one leaves the others as they were. */
#ifndef APISIM_BASE_RNG_H
#define APISIM_BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rng {
  uint64_t s[4];
} rng;

void rng_init(rng *r, uint64_t seed);
/* A stream of its own, told apart by `purpose`; r is not advanced. */
rng rng_split(const rng *r, uint64_t purpose);
uint64_t rng_u64(rng *r);
/* Uniform in [0, n); n > 0. */
uint64_t rng_below(rng *r, uint64_t n);
/* True in `num` of `den` cases. */
bool rng_chance(rng *r, uint64_t num, uint64_t den);
void rng_bytes(rng *r, void *out, size_t len);
/* A version 4 UUID as 36 characters plus NUL. */
void rng_uuid(rng *r, char out[37]);

#endif
