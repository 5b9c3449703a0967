/* The CA bundle of a conversion webhook: certificates that Go's crypto/x509 takes into a pool.
 * Source: apiserver pkg/util/webhook (ValidateCABundle), client-go transport. */
#include "codec/codec.h"
#include "registry/validation/extension_internal.h"
#include "registry/validation/pem_block.h"

#include <openssl/x509.h>
#include <string.h>

/* Is the block a certificate, with nothing behind it? */
static bool is_certificate(const pem_block *b) {
  const unsigned char *at = b->bytes;
  X509 *certificate = d2i_X509(NULL, &at, b->size);
  X509_free(certificate);
  return certificate && at == b->bytes + b->size;
}

const char *crd_ca_problem(arena *a, slice base64) {
  slice pem;
  const char *problem = NULL;
  bool good = false, any = false;
  if (!base64_decode(a, base64, &pem)) return "unable to parse bytes as PEM block";
  BIO *from = BIO_new_mem_buf(pem.ptr, (int)pem.len);
  pem_block b = {0};
  while (pem_block_read(from, &b)) {
    any = true;
    if (strcmp(b.name, "CERTIFICATE") == 0 && !*b.header) {
      if (is_certificate(&b)) good = true;
      else if (!problem) problem = "failed to parse certificate: x509: malformed certificate";
    }
    pem_block_free(&b);
  }
  pem_block_free(&b);
  BIO_free(from);
  if (good) return NULL;
  if (problem) return problem;
  return any ? "no valid certificate authority data seen" : "unable to parse bytes as PEM block";
}
