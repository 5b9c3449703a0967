/* env_tls_choice: which suite, group and signature a handshake takes, by the rules of Go's
 * crypto/tls, which is kube-apiserver's and etcd's TLS.
 *
 * - Suites: the server's order. ChaCha20 stands before AES unless the first suite of the client's
 *   list that is known is one of AES-GCM. Suites without ECDHE, with 3DES or with CBC and SHA-256
 *   count only where they are named.
 * - Groups: with TLS 1.3 the first of the server's order for which the client sent a share, else
 *   the first that both have; with TLS 1.2 the first of the client's list.
 * - Signatures: the first of the client's list that fits the certificate.
 *
 * Not here, as OpenSSL 3.0 lacks them: the post-quantum groups, RC4 and 3DES. Clients that offer a
 * post-quantum group offer X25519 beside it. */
#ifndef APISIM_ENV_ENV_TLS_CHOICE_H
#define APISIM_ENV_ENV_TLS_CHOICE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_SUITE_MAX = 32, TLS_GROUP_MAX = 8, TLS_LIST_TEXT_MAX = 1024 };

typedef struct tls_choice {
  uint16_t min_version; /* 0: TLS 1.2 */
  uint16_t suites[TLS_SUITE_MAX]; /* below TLS 1.3; those that were named, in any order */
  size_t suite_count; /* 0 and not suites_given: Go's */
  bool suites_given;
  uint16_t groups[TLS_GROUP_MAX]; /* IANA's numbers, as Go's CurveID; in any order */
  size_t group_count; /* 0: all */
  /* filled in by tls_choice_install: OpenSSL's lists, AES first and ChaCha20 first */
  char aes[TLS_LIST_TEXT_MAX], chacha[TLS_LIST_TEXT_MAX];
} tls_choice;

/* Values of kube-apiserver's flags; false with its words in `problem`. A suite, version or group
 * that Go has and OpenSSL lacks is taken and *lacking (may be NULL) is set. */
bool tls_choice_version(tls_choice *c, const char *name, char *problem, size_t size);
bool tls_choice_suite(tls_choice *c, const char *name, bool *lacking, bool *insecure,
                      char *problem, size_t size);
bool tls_choice_group(tls_choice *c, long id, bool *lacking, char *problem, size_t size);
/* HTTP/2 wants one of the suites that RFC 9113 names, where TLS 1.2 is spoken. */
bool tls_choice_fits_http2(const tls_choice *c);

/* c is referred to by each handshake of ctx: it lives as long as ctx. False: none of the named
 * suites or groups is there. */
bool tls_choice_install(tls_choice *c, SSL_CTX *ctx);

#endif
