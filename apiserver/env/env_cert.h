/* env_cert: a fresh certificate authority and a serving certificate signed by it, ECDSA P-256,
 * valid for a year, in about a millisecond. */
#ifndef APISIM_ENV_ENV_CERT_H
#define APISIM_ENV_ENV_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct cert_pair {
  X509 *ca, *leaf;
  EVP_PKEY *key; /* the leaf's; the authority's is thrown away */
} cert_pair;

/* names: DNS names and IP literals. False: OpenSSL's error queue says why. */
bool cert_generate(const char *common_name, const char *const *names, size_t count,
                   cert_pair *out);
void cert_dispose(cert_pair *p);
/* Writes leaf and authority into one file and the key (mode 0600, PKCS#8) into another. */
bool cert_write(const cert_pair *p, const char *cert, const char *key, char *problem, size_t size);
bool cert_file_exists(const char *path);

#endif
