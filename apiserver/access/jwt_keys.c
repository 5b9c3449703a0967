/* Keys out of PEM, by OpenSSL. Blocks that are no key are passed over, as the real one does. */
#include "access/jwt_keys.h"

#include "base/limits.h"
#include "codec/codec.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

static EVP_PKEY *key_of_certificate(const unsigned char *der, long len) {
  X509 *cert = d2i_X509(NULL, &der, len);
  EVP_PKEY *key = cert ? X509_get_pubkey(cert) : NULL;
  X509_free(cert);
  return key;
}

/* The key in one PEM block, or NULL. */
static EVP_PKEY *key_of_block(const char *name, const unsigned char *der, long len,
                              bool private_only) {
  if (!strcmp(name, "RSA PRIVATE KEY")) return d2i_PrivateKey(EVP_PKEY_RSA, NULL, &der, len);
  if (!strcmp(name, "EC PRIVATE KEY")) return d2i_PrivateKey(EVP_PKEY_EC, NULL, &der, len);
  if (!strcmp(name, "PRIVATE KEY")) return d2i_AutoPrivateKey(NULL, &der, len);
  if (private_only) return NULL;
  if (!strcmp(name, "PUBLIC KEY")) return d2i_PUBKEY(NULL, &der, len);
  if (!strcmp(name, "RSA PUBLIC KEY")) return d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, len);
  return strcmp(name, "CERTIFICATE") ? NULL : key_of_certificate(der, len);
}

static const char *alg_of(const EVP_PKEY *key) {
  if (EVP_PKEY_is_a(key, "RSA")) return "RS256";
  if (!EVP_PKEY_is_a(key, "EC")) return NULL;
  int bits = EVP_PKEY_get_bits(key);
  return bits == 256 ? "ES256" : bits == 384 ? "ES384" : bits == 521 ? "ES512" : NULL;
}

static slice kid_of(arena *a, const EVP_PKEY *key) {
  unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
  int len = i2d_PUBKEY(key, &der);
  assert(len > 0);
  SHA256(der, (size_t)len, digest);
  OPENSSL_free(der);
  return base64url_encode(a, slice_of((const char *)digest, sizeof digest));
}

static void list_add(jwt_key_list *l, arena *a, EVP_PKEY *key) {
  const char *alg = key ? alg_of(key) : NULL;
  if (!alg) {
    EVP_PKEY_free(key);
    return;
  }
  jwt_key *items = ARENA_ARRAY(a, jwt_key, l->count + 1); /* a handful at start-up */
  if (l->count) memcpy(items, l->items, l->count * sizeof *items);
  items[l->count++] = (jwt_key){key, alg, kid_of(a, key)};
  l->items = items;
}

bool jwt_keys_parse(jwt_key_list *l, arena *a, slice pem, bool private_only, slice *problem) {
  *l = (jwt_key_list){0};
  if (pem.len == 0) return true;
  assert(pem.len < INT32_MAX);
  BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  char *name, *header;
  unsigned char *der;
  long len;
  while (PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
    list_add(l, a, key_of_block(name, der, len, private_only));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
  }
  BIO_free(bio);
  ERR_clear_error();
  if (l->count == 0) {
    *problem = private_only ? SLICE_LIT("data does not contain a valid RSA or ECDSA private key")
                            : SLICE_LIT("data does not contain any valid RSA or ECDSA public keys");
  }
  return l->count > 0;
}

void jwt_keys_dispose(jwt_key_list *l) {
  for (uint32_t i = 0; i < l->count; i++) EVP_PKEY_free(l->items[i].pkey);
  *l = (jwt_key_list){0};
}

static void jwk_number(buf *out, arena *a, const jwt_key *k, const char *name, const char *param,
                       size_t width) {
  BIGNUM *n = NULL;
  if (EVP_PKEY_get_bn_param(k->pkey, param, &n) != 1) return;
  size_t len = (size_t)BN_num_bytes(n);
  if (len < width) len = width;
  unsigned char *bytes = arena_alloc(a, len);
  BN_bn2binpad(n, bytes, (int)len);
  BN_free(n);
  slice text = base64url_encode(a, slice_of((const char *)bytes, len));
  buf_printf(out, ",\"%s\":\"%.*s\"", name, SLICE_ARG(text));
}

void jwt_key_jwk(buf *out, const jwt_key *k) {
  arena *a = arena_create();
  bool rsa = k->alg[0] == 'R';
  buf_printf(out, "{\"use\":\"sig\",\"kty\":\"%s\",\"kid\":\"%.*s\"", rsa ? "RSA" : "EC",
             SLICE_ARG(k->kid));
  if (rsa) {
    buf_printf(out, ",\"alg\":\"%s\"", k->alg);
    jwk_number(out, a, k, "n", OSSL_PKEY_PARAM_RSA_N, 0);
    jwk_number(out, a, k, "e", OSSL_PKEY_PARAM_RSA_E, 0);
  } else {
    int bits = EVP_PKEY_get_bits(k->pkey);
    buf_printf(out, ",\"crv\":\"P-%d\",\"alg\":\"%s\"", bits, k->alg);
    jwk_number(out, a, k, "x", OSSL_PKEY_PARAM_EC_PUB_X, ((size_t)bits + 7) / 8);
    jwk_number(out, a, k, "y", OSSL_PKEY_PARAM_EC_PUB_Y, ((size_t)bits + 7) / 8);
  }
  buf_char(out, '}');
  arena_destroy(a);
}
