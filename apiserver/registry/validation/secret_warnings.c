/* A TLS secret whose key does not go with its certificate is stored, with Go's words for what is
 * wrong. Sources: pkg/registry/core/secret/strategy.go, Go's crypto/tls (X509KeyPair). */
#include "registry/strategy_hooks.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

typedef struct pem_find {
  arena *a;
  bool (*wanted)(slice name);
  buf skipped; /* the names of other blocks, with spaces between */
  uint32_t skipped_count;
  slice last_skipped;
  slice der; /* of the first block that is wanted */
  slice name;
} pem_find;

static bool is_certificate(slice name) {
  return slice_is(name, "CERTIFICATE");
}

static bool is_private_key(slice name) {
  return slice_is(name, "PRIVATE KEY") || slice_has_suffix(name, SLICE_LIT(" PRIVATE KEY"));
}

static void pem_read(pem_find *f, slice pem) {
  BIO *bio = BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len);
  char *name, *header;
  unsigned char *der;
  long len;
  while (!f->name.len) {
    if (PEM_read_bio(bio, &name, &header, &der, &len) != 1) {
      /* Go passes a block over that it can't read, and looks for the next one. */
      bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ERR_clear_error();
      if (ended || BIO_pending(bio) == 0) break;
      continue;
    }
    slice own = arena_copy(f->a, slice_cstr(name));
    if (f->wanted(own)) {
      f->name = own;
      f->der = arena_copy(f->a, slice_of((const char *)der, (size_t)len));
    } else {
      if (f->skipped_count++) buf_lit(&f->skipped, " ");
      buf_append(&f->skipped, own);
      f->last_skipped = own;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
  }
  BIO_free(bio);
  ERR_clear_error();
}

static slice no_certificate(const pem_find *f) {
  if (f->skipped_count == 0)
    return SLICE_LIT("tls: failed to find any PEM data in certificate input");
  if (f->skipped_count == 1 && slice_has_suffix(f->last_skipped, SLICE_LIT("PRIVATE KEY"))) {
    return SLICE_LIT("tls: failed to find certificate PEM data in certificate input, but did find "
                     "a private key; PEM inputs may have been switched");
  }
  slice names = buf_slice(&f->skipped);
  return arena_printf(f->a,
                      "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after "
                      "skipping PEM blocks of the following types: [%.*s]",
                      SLICE_ARG(names));
}

static slice no_key(const pem_find *f) {
  if (f->skipped_count == 0) return SLICE_LIT("tls: failed to find any PEM data in key input");
  if (f->skipped_count == 1 && is_certificate(f->last_skipped))
    return SLICE_LIT("tls: found a certificate rather than a key in the PEM for the private key");
  slice names = buf_slice(&f->skipped);
  return arena_printf(f->a,
                      "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key "
                      "input after skipping PEM blocks of the following types: [%.*s]",
                      SLICE_ARG(names));
}

static slice keys_compare(const EVP_PKEY *public, const EVP_PKEY *private) {
  static const char *const known[] = {"RSA", "EC", "ED25519"};
  const char *type = NULL;
  for (size_t i = 0; i < 3; i++)
    if (EVP_PKEY_is_a(public, known[i])) type = known[i];
  if (!type) return SLICE_LIT("tls: unknown public key algorithm");
  if (!EVP_PKEY_is_a(private, type))
    return SLICE_LIT("tls: private key type does not match public key type");
  if (EVP_PKEY_eq(public, private) != 1)
    return SLICE_LIT("tls: private key does not match public key");
  return SLICE_NONE;
}

static slice pair_compare(slice cert_der, slice key_der) {
  const unsigned char *at = (const unsigned char *)cert_der.ptr;
  X509 *cert = d2i_X509(NULL, &at, (long)cert_der.len);
  EVP_PKEY *public = cert ? X509_get_pubkey(cert) : NULL;
  at = (const unsigned char *)key_der.ptr;
  EVP_PKEY *private = d2i_AutoPrivateKey(NULL, &at, (long)key_der.len);
  slice why = SLICE_NONE;
  if (!cert) why = SLICE_LIT("x509: malformed certificate");
  else if (!private) why = SLICE_LIT("tls: failed to parse private key");
  else if (!public) why = SLICE_LIT("tls: unknown public key algorithm");
  else why = keys_compare(public, private);
  EVP_PKEY_free(private);
  EVP_PKEY_free(public);
  X509_free(cert);
  ERR_clear_error();
  return why;
}

static slice decoded(arena *a, const val *data, const char *key) {
  slice out = SLICE_NONE;
  return base64_decode(a, val_get_str(data, key), &out) ? out : SLICE_NONE;
}

void secret_warn(request *rq, val *obj, const val *old) {
  (void)old;
  if (!slice_is(val_get_str(obj, "type"), "kubernetes.io/tls")) return;
  arena *a = rq->arena;
  const val *data = val_getc(obj, "data");
  pem_find cert = {.a = a, .wanted = is_certificate}, key = {.a = a, .wanted = is_private_key};
  buf_init(&cert.skipped, LIMIT_BUFFER);
  buf_init(&key.skipped, LIMIT_BUFFER);
  pem_read(&cert, decoded(a, data, "tls.crt"));
  pem_read(&key, decoded(a, data, "tls.key"));
  slice why = !cert.name.len  ? no_certificate(&cert)
              : !key.name.len ? no_key(&key)
                              : pair_compare(cert.der, key.der);
  if (why.len) request_warn(rq, why);
  buf_dispose(&cert.skipped);
  buf_dispose(&key.skipped);
}
