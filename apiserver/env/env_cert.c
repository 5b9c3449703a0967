/* The generated pair. Two certificates and not one self-signed: some clients refuse an
 * authority's certificate as a server's, others refuse a server's as an authority. */
#include "env/env_cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value) {
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
  bool ok = e && X509_add_ext(cert, e, -1) == 1;
  X509_EXTENSION_free(e);
  return ok;
}

static bool add_names(X509 *cert, const char *const *names, size_t count) {
  GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
  for (size_t i = 0; all && i < count; i++) {
    unsigned char ip[16];
    GENERAL_NAME *g = GENERAL_NAME_new();
    int size = inet_pton(AF_INET, names[i], ip) == 1    ? 4
               : inet_pton(AF_INET6, names[i], ip) == 1 ? 16
                                                        : 0;
    ASN1_STRING *s = size ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (!g || !s) return false;
    if (size) ASN1_STRING_set(s, ip, size);
    else ASN1_STRING_set(s, names[i], -1);
    GENERAL_NAME_set0_value(g, size ? GEN_IPADD : GEN_DNS, s);
    sk_GENERAL_NAME_push(all, g);
  }
  bool ok = all && X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) == 1;
  GENERAL_NAMES_free(all);
  return ok;
}

static X509 *new_cert(const char *name, EVP_PKEY *key) {
  X509 *cert = X509_new();
  unsigned char serial[16];
  if (!cert || RAND_bytes(serial, sizeof serial) != 1) return cert;
  serial[0] &= 0x7f;
  BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
  BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
  BN_free(n);
  X509_set_version(cert, 2);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 365L * 86400);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             (const unsigned char *)name, -1, -1, 0);
  X509_set_pubkey(cert, key);
  return cert;
}

static bool finish_ca(X509 *ca, EVP_PKEY *key) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, ca, ca, NULL, NULL, 0);
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  return add_extension(ca, &ctx, NID_key_usage,
                       "critical,digitalSignature,keyEncipherment,keyCertSign") &&
         add_extension(ca, &ctx, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(ca, &ctx, NID_subject_key_identifier, "hash") &&
         X509_sign(ca, key, EVP_sha256()) > 0;
}

static bool finish_leaf(X509 *leaf, X509 *ca, EVP_PKEY *ca_key, const char *const *names,
                        size_t count) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, ca, leaf, NULL, NULL, 0);
  X509_set_issuer_name(leaf, X509_get_subject_name(ca));
  return add_extension(leaf, &ctx, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
         add_extension(leaf, &ctx, NID_ext_key_usage, "serverAuth") &&
         add_extension(leaf, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(leaf, &ctx, NID_authority_key_identifier, "keyid") &&
         add_names(leaf, names, count) && X509_sign(leaf, ca_key, EVP_sha256()) > 0;
}

bool cert_generate(const char *common_name, const char *const *names, size_t count,
                   cert_pair *out) {
  char leaf_name[64], ca_name[64];
  long long now = (long long)time(NULL); /* the world's own file: not the server's clock */
  snprintf(leaf_name, sizeof leaf_name, "%.38s@%lld", common_name, now);
  snprintf(ca_name, sizeof ca_name, "%.38s-ca@%lld", common_name, now);
  EVP_PKEY *ca_key = EVP_EC_gen("P-256");
  *out = (cert_pair){.key = EVP_EC_gen("P-256")};
  bool ok = ca_key && out->key;
  if (ok) {
    out->ca = new_cert(ca_name, ca_key);
    out->leaf = new_cert(leaf_name, out->key);
    ok = out->ca && out->leaf && finish_ca(out->ca, ca_key) &&
         finish_leaf(out->leaf, out->ca, ca_key, names, count);
  }
  EVP_PKEY_free(ca_key);
  if (!ok) cert_dispose(out);
  return ok;
}

void cert_dispose(cert_pair *p) {
  X509_free(p->ca);
  X509_free(p->leaf);
  EVP_PKEY_free(p->key);
  *p = (cert_pair){0};
}

bool cert_file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

static bool make_parents(const char *path) {
  char part[4096];
  snprintf(part, sizeof part, "%s", path);
  for (char *p = part + 1; *p; p++) {
    if (*p != '/') continue;
    *p = '\0';
    if (mkdir(part, 0755) != 0 && errno != EEXIST) return false;
    *p = '/';
  }
  return true;
}

static FILE *open_file(const char *path, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  return fd >= 0 ? fdopen(fd, "w") : NULL;
}

bool cert_write(const cert_pair *p, const char *cert, const char *key, char *problem,
                size_t size) {
  bool made = make_parents(cert);
  FILE *c = made ? open_file(cert, 0644) : NULL;
  FILE *k = c ? open_file(key, 0600) : NULL;
  bool ok = c && k && PEM_write_X509(c, p->leaf) && PEM_write_X509(c, p->ca) &&
            PEM_write_PKCS8PrivateKey(k, p->key, NULL, NULL, 0, NULL, NULL);
  int error = errno;
  if (c && fclose(c) != 0) ok = false;
  if (k && fclose(k) != 0) ok = false;
  if (!ok) snprintf(problem, size, "can't write %s: %s", cert, strerror(error));
  return ok;
}
