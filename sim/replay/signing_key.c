/* RSA because the taped server's key was: the answer at /openid/v1/jwks says so. */
#include "sim/replay/signing_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

typedef struct key_pair {
  BIO *private_pem, *public_pem;
} key_pair;

static const key_pair *keys(void) {
  static key_pair made;
  if (!made.private_pem) {
    EVP_PKEY *key = EVP_RSA_gen(2048);
    made.private_pem = BIO_new(BIO_s_mem());
    made.public_pem = BIO_new(BIO_s_mem());
    if (!key || PEM_write_bio_PrivateKey(made.private_pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_PUBKEY(made.public_pem, key) != 1) {
      abort();
    }
    EVP_PKEY_free(key);
  }
  return &made;
}

static slice contents(BIO *bio) {
  char *bytes;
  long len = BIO_get_mem_data(bio, &bytes);
  return slice_of(bytes, (size_t)len);
}

slice signing_key_private(void) {
  return contents(keys()->private_pem);
}

slice signing_key_public(void) {
  return contents(keys()->public_pem);
}
