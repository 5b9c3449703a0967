/* jwt: compact JSON Web Tokens, read and written. Linear in the token's length. */
#ifndef APISIM_ACCESS_JWT_H
#define APISIM_ACCESS_JWT_H

#include "access/jwt_keys.h"
#include "base/val.h"

typedef struct jwt {
  slice alg, kid;
  slice issuer; /* not to be trusted before jwt_verify */
  val *claims; /* a map */
  slice signed_part, signature;
} jwt;

/* False when the text is no such token. Nothing is verified. */
bool jwt_open(arena *a, slice text, jwt *out);
bool jwt_verify(const jwt *t, const jwt_key *key);
/* The token for claims that are JSON already. */
slice jwt_sign(arena *a, const jwt_key *key, slice claims_json);

/* A numeric date claim; false when it is absent. */
bool jwt_date(const val *claims, const char *name, int64_t *seconds);

#endif
