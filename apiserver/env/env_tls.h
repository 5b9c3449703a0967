/* env_tls: the serving certificate, the TLS settings, and OpenSSL over bytes in memory.
 *
 * Settings as kube-apiserver's: what env_tls_choice says, ALPN, client certificates asked for
 * but not demanded. A client certificate that does not verify does not end the handshake: the
 * request is answered 401, so the peer is told apart (env_peer.client_cert_bad). */
#ifndef APISIM_ENV_ENV_TLS_H
#define APISIM_ENV_ENV_TLS_H

#include "base/slice.h"
#include "env/env_tls_choice.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct world_tls {
  SSL_CTX *ctx;
  char *ca_pem; /* what clients should trust: the CA's certificate, or the serving one. heap */
  tls_choice *choice; /* ctx refers to it; heap; NULL for a client's */
  bool generated;
} world_tls;

typedef struct tls_options {
  const char *cert_file, *key_file; /* both or none */
  const char *cert_dir; /* apiserver.crt and .key there are used, or written; NULL for none */
  const char *client_ca_file; /* NULL for none */
  const char *const *names; /* of a generated certificate: DNS names and IP literals */
  size_t name_count;
  const char *common_name;
  bool http2; /* ALPN offers h2 before http/1.1 */
  const tls_choice *choice; /* copied; NULL: Go's */
} tls_options;

/* False with a line in `problem`. */
bool tls_create(const tls_options *o, world_tls *out, char *problem, size_t problem_size);
void tls_destroy(world_tls *t);
/* The files of `o` read again, for connections to come; t->choice and t's certificate where `o`
 * names none stay. False with a line: nothing has changed. */
bool tls_replace(world_tls *t, const tls_options *o, char *problem, size_t problem_size);

/* Bytes for one SSL object: what came (borrowed for a call), and where records go. */
typedef struct tls_pipe {
  slice in; /* eaten from the front */
  char *out; /* a buffer of the world's, large enough for what one call writes */
  size_t out_len, out_cap;
} tls_pipe;
/* An SSL that reads and writes through the pipe; freed with SSL_free. */
SSL *tls_open(const world_tls *t, tls_pipe *pipe);
/* 0: none, 1: verified, -1: presented and refused. *der: malloc'd by OpenSSL, or NULL. */
int tls_peer_cert(SSL *ssl, unsigned char **der, int *len);

/* The settings of a client that verifies whom it talks to. */
typedef struct tls_client_options {
  const char *ca_file; /* NULL: the system's authorities */
  const char *cert_file, *key_file; /* both or none */
  bool insecure; /* verify nobody */
  slice ca_pem; /* instead of ca_file; empty: none. Names must stand in subjectAltName then */
} tls_client_options;
bool tls_create_client(const tls_client_options *o, world_tls *out, char *problem,
                       size_t problem_size);
/* An SSL of our side, for a server of this name (or IP literal) that speaks `alpn` (empty: no
 * matter). NULL when OpenSSL refuses the name. */
SSL *tls_open_client(const world_tls *t, tls_pipe *pipe, slice server_name, slice alpn);
/* Why the last call on this SSL failed: static or OpenSSL's text. */
const char *tls_failure(SSL *ssl);
/* The same of a handshake of ours with a server of that name (or IP literal), in the words of Go's
 * crypto/tls. Returns `room`. */
const char *tls_failure_words(SSL *ssl, const char *name, char *room, size_t size);

#endif
