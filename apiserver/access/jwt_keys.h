/* jwt_keys: the public keys that verify service account tokens, and the one that signs.
 *
 * PEM of all the kinds that the real server takes: certificates, PKCS#1, PKCS#8, SEC 1,
 * public keys; of a private key the public half counts. Rules: client-go util/keyutil,
 * pkg/serviceaccount (keyIDFromPublicKey, openidmetadata.go). */
#ifndef APISIM_ACCESS_JWT_KEYS_H
#define APISIM_ACCESS_JWT_KEYS_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

#include <openssl/types.h>

typedef struct jwt_key {
  EVP_PKEY *pkey; /* owned by the list */
  const char *alg; /* RS256, ES256, ES384 or ES512 */
  slice kid; /* base64url of SHA-256 of the public key's DER */
} jwt_key;

typedef struct jwt_key_list {
  jwt_key *items; /* in the order of the file */
  uint32_t count;
} jwt_key_list;

/* False and *problem when there is no usable key in it. Empty PEM: an empty list. */
bool jwt_keys_parse(jwt_key_list *l, arena *a, slice pem, bool private_only, slice *problem);
void jwt_keys_dispose(jwt_key_list *l);
/* The JSON of one public key as a JWK, in go-jose's field order. */
void jwt_key_jwk(buf *out, const jwt_key *k);


#endif
