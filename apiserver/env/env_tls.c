/* TLS settings and the memory pipe. The pipe is a BIO of our own: no buffers of its own, so an
 * idle connection costs the SSL object alone. */
#include "env/env_tls.h"

#include "base/heap.h"
#include "env/env_cert.h"

#include <arpa/inet.h>
#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static int pipe_read(BIO *b, char *to, size_t n, size_t *got) {
  tls_pipe *p = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  if (p->in.len == 0) {
    BIO_set_retry_read(b);
    return 0;
  }
  if (n > p->in.len) n = p->in.len;
  memcpy(to, p->in.ptr, n);
  p->in = slice_from(p->in, n);
  *got = n;
  return 1;
}

static int pipe_write(BIO *b, const char *from, size_t n, size_t *put) {
  tls_pipe *p = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  if (p->out_cap - p->out_len < n) return 0; /* the caller sees to it that this can't be */
  memcpy(p->out + p->out_len, from, n);
  p->out_len += n;
  *put = n;
  return 1;
}

static long pipe_ctrl(BIO *b, int cmd, long n, void *ptr) {
  (void)b;
  (void)n;
  (void)ptr;
  return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *pipe_method(void) {
  static BIO_METHOD *method; /* the process's one method table, as OpenSSL wants it */
  if (method) return method;
  method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "apisim pipe");
  BIO_meth_set_read_ex(method, pipe_read);
  BIO_meth_set_write_ex(method, pipe_write);
  BIO_meth_set_ctrl(method, pipe_ctrl);
  return method;
}

static SSL *open_pipe(const world_tls *t, tls_pipe *pipe) {
  SSL *ssl = SSL_new(t->ctx);
  BIO *b = BIO_new(pipe_method());
  if (!ssl || !b) {
    SSL_free(ssl);
    BIO_free(b);
    return NULL;
  }
  BIO_set_data(b, pipe);
  BIO_set_init(b, 1);
  SSL_set_bio(ssl, b, b);
  return ssl;
}

SSL *tls_open(const world_tls *t, tls_pipe *pipe) {
  SSL *ssl = open_pipe(t, pipe);
  if (ssl) SSL_set_accept_state(ssl);
  return ssl;
}

SSL *tls_open_client(const world_tls *t, tls_pipe *pipe, slice server_name, slice alpn) {
  char name[256];
  unsigned char protocols[32];
  if (server_name.len >= sizeof name || alpn.len >= sizeof protocols) return NULL;
  memcpy(name, server_name.ptr, server_name.len);
  name[server_name.len] = '\0';
  SSL *ssl = open_pipe(t, pipe);
  if (!ssl) return NULL;
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
  bool ok = true;
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, name) != 1) {
    ok = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
  }
  if (alpn.len) {
    protocols[0] = (unsigned char)alpn.len;
    memcpy(protocols + 1, alpn.ptr, alpn.len);
    ok = ok && SSL_set_alpn_protos(ssl, protocols, (unsigned)alpn.len + 1) == 0;
  }
  ERR_clear_error();
  if (ok) return ssl;
  SSL_free(ssl);
  return NULL;
}

const char *tls_failure(SSL *ssl) {
  long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const char *text = ERR_reason_error_string(ERR_peek_last_error());
  return text ? text : "the connection broke";
}

/* "a.example.com, b.example.com", of the names of one type. */
static int names_text(X509 *cert, int type, char *room, size_t size) {
  GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
  size_t len = 0;
  int count = 0;
  room[0] = '\0';
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
    const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
    char one[INET6_ADDRSTRLEN + 256] = "";
    if (n->type != type) continue;
    const ASN1_STRING *s = type == GEN_IPADD ? n->d.iPAddress : n->d.dNSName;
    const unsigned char *p = ASN1_STRING_get0_data(s);
    int n_bytes = ASN1_STRING_length(s);
    if (type != GEN_IPADD) snprintf(one, sizeof one, "%.*s", n_bytes, (const char *)p);
    else inet_ntop(n_bytes == 4 ? AF_INET : AF_INET6, p, one, sizeof one);
    int put = snprintf(room + len, size - len, "%s%s", count ? ", " : "", one);
    if (put < 0 || (size_t)put >= size - len) break;
    len += (size_t)put;
    count++;
  }
  GENERAL_NAMES_free(names);
  return count;
}

/* Go looks at the name first, OpenSSL last. */
static bool name_words(X509 *cert, const char *name, char *room, size_t size) {
  unsigned char ip[16];
  char all[1024];
  bool is_ip = inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1;
  if (is_ip ? X509_check_ip_asc(cert, name, 0) == 1
            : X509_check_host(cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1) {
    return false;
  }
  int count = names_text(cert, is_ip ? GEN_IPADD : GEN_DNS, all, sizeof all);
  char common[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, common, sizeof common);
  bool bare = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) < 0;
  if (is_ip && !count) {
    snprintf(room, size, "x509: cannot validate certificate for %s because it doesn't contain any "
                         "IP SANs", name);
  } else if (!is_ip && bare && common[0]) {
    snprintf(room, size, "x509: certificate relies on legacy Common Name field, use SANs instead");
  } else if (!count) {
    snprintf(room, size, "x509: certificate is not valid for any names, but wanted to match %s",
             name);
  } else {
    snprintf(room, size, "x509: certificate is valid for %s, not %s", all, name);
  }
  return true;
}

const char *tls_failure_words(SSL *ssl, const char *name, char *room, size_t size) {
  static const char lead[] = "tls: failed to verify certificate: ";
  long verdict = SSL_get_verify_result(ssl);
  X509 *cert = SSL_get0_peer_certificate(ssl);
  const char *text = ERR_reason_error_string(ERR_peek_last_error());
  if (verdict == X509_V_OK) {
    snprintf(room, size, "%s%s", text ? "tls: " : "", text ? text : "EOF");
    return room;
  }
  size_t at = (size_t)snprintf(room, size, "%s", lead);
  if (cert && name_words(cert, name, room + at, size - at)) return room;
  bool time = verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID;
  snprintf(room + at, size - at, "x509: %s",
           time ? "certificate has expired or is not yet valid"
                : "certificate signed by unknown authority");
  return room;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg) {
  (void)ssl;
  static const unsigned char both[] = "\x02h2\x08http/1.1";
  size_t skip = arg ? 0 : 3; /* h2 only where it was asked for */
  unsigned char *chosen;
  int rc = SSL_select_next_proto(&chosen, out_len, both + skip,
                                 (unsigned)(sizeof both - 1 - skip), in, in_len);
  *out = chosen;
  return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The chain is judged, the verdict kept (SSL_get_verify_result), the handshake goes on. */
static int verify_and_go_on(X509_STORE_CTX *store, void *arg) {
  (void)arg;
  if (X509_verify_cert(store) == 1) X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

static bool ask_client_certs(SSL_CTX *ctx, const char *ca_file) {
  STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);
  if (!names || SSL_CTX_load_verify_file(ctx, ca_file) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return false;
  }
  SSL_CTX_set_client_CA_list(ctx, names);
  /* A leaf may stand in the file as its own authority. */
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(ctx, verify_and_go_on, NULL);
  return true;
}

static SSL_CTX *new_context(tls_choice *choice, bool http2) {
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  assert(ctx);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"apisim", 6);
  SSL_CTX_set_num_tickets(ctx, 1);
  if (!tls_choice_install(choice, ctx)) {
    SSL_CTX_free(ctx);
    return NULL;
  }
  SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, http2 ? ctx : NULL);
  return ctx;
}

static char *pem_of(X509 *cert) {
  BIO *b = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(b, cert);
  char *data;
  long n = BIO_get_mem_data(b, &data);
  char *copy = heap_alloc((size_t)n + 1);
  memcpy(copy, data, (size_t)n);
  copy[n] = '\0';
  BIO_free(b);
  return copy;
}

/* The last certificate of the chain, which is the authority if the file holds one. */
static char *trust_pem(SSL_CTX *ctx) {
  STACK_OF(X509) *chain = NULL;
  SSL_CTX_get0_chain_certs(ctx, &chain);
  int n = chain ? sk_X509_num(chain) : 0;
  return pem_of(n > 0 ? sk_X509_value(chain, n - 1) : SSL_CTX_get0_certificate(ctx));
}

static bool use_files(SSL_CTX *ctx, const char *cert, const char *key, char *problem,
                      size_t size) {
  if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
    snprintf(problem, size, "can't read a certificate from %s: %s", cert,
             ERR_reason_error_string(ERR_get_error()));
    return false;
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(ctx) != 1) {
    snprintf(problem, size, "can't use the private key in %s: %s", key,
             ERR_reason_error_string(ERR_get_error()));
    return false;
  }
  return true;
}

static bool load_pair(const tls_options *o, SSL_CTX *ctx, bool *generated, char *problem,
                      size_t size) {
  char cert[4096], key[4096];
  if (o->cert_file) return use_files(ctx, o->cert_file, o->key_file, problem, size);
  if (o->cert_dir) {
    snprintf(cert, sizeof cert, "%s/apiserver.crt", o->cert_dir);
    snprintf(key, sizeof key, "%s/apiserver.key", o->cert_dir);
    if (cert_file_exists(cert) && cert_file_exists(key)) {
      return use_files(ctx, cert, key, problem, size);
    }
  }
  cert_pair pair;
  if (!cert_generate(o->common_name, o->names, o->name_count, &pair)) {
    snprintf(problem, size, "can't generate a certificate: %s",
             ERR_reason_error_string(ERR_get_error()));
    return false;
  }
  *generated = true;
  bool ok = SSL_CTX_use_certificate(ctx, pair.leaf) == 1 &&
            SSL_CTX_use_PrivateKey(ctx, pair.key) == 1 &&
            SSL_CTX_add1_chain_cert(ctx, pair.ca) == 1;
  assert(ok);
  if (o->cert_dir) ok = cert_write(&pair, cert, key, problem, size);
  cert_dispose(&pair);
  return ok;
}

static SSL_CTX *make_context(const tls_options *o, world_tls *t, char *problem, size_t size) {
  SSL_CTX *ctx = new_context(t->choice, o->http2);
  if (!ctx) {
    snprintf(problem, size, "none of --tls-curve-preferences is there");
    return NULL;
  }
  bool again = t->ctx && !o->cert_file; /* the certificate that was generated stays */
  bool ok;
  if (again) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(t->ctx, &chain);
    ok = SSL_CTX_use_cert_and_key(ctx, SSL_CTX_get0_certificate(t->ctx),
                                  SSL_CTX_get0_privatekey(t->ctx), chain, 1) == 1;
    if (!ok) snprintf(problem, size, "the certificate can't be used again");
  } else {
    ok = load_pair(o, ctx, &t->generated, problem, size);
  }
  if (ok && o->client_ca_file && !ask_client_certs(ctx, o->client_ca_file)) {
    snprintf(problem, size, "can't read certificates from --client-ca-file %s: %s",
             o->client_ca_file, ERR_reason_error_string(ERR_get_error()));
    ok = false;
  }
  ERR_clear_error();
  if (ok) return ctx;
  SSL_CTX_free(ctx);
  return NULL;
}

bool tls_create(const tls_options *o, world_tls *out, char *problem, size_t problem_size) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  *out = (world_tls){0};
  out->choice = heap_alloc(sizeof *out->choice);
  *out->choice = o->choice ? *o->choice : (tls_choice){0};
  SSL_CTX *ctx = make_context(o, out, problem, problem_size);
  if (!ctx) {
    tls_destroy(out);
    return false;
  }
  out->ctx = ctx;
  out->ca_pem = trust_pem(ctx);
  return true;
}

bool tls_replace(world_tls *t, const tls_options *o, char *problem, size_t problem_size) {
  SSL_CTX *ctx = make_context(o, t, problem, problem_size);
  if (!ctx) return false;
  SSL_CTX_free(t->ctx); /* open connections hold it */
  t->ctx = ctx;
  heap_free(t->ca_pem);
  t->ca_pem = trust_pem(ctx);
  return true;
}

static bool trust_pem_text(SSL_CTX *ctx, slice pem) {
  BIO *b = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
  X509_STORE *store = SSL_CTX_get_cert_store(ctx);
  bool any = false;
  X509 *cert;
  while (b && (cert = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
    any = X509_STORE_add_cert(store, cert) == 1 || any;
    X509_free(cert);
  }
  BIO_free(b);
  ERR_clear_error();
  return any;
}

static bool client_trust(SSL_CTX *ctx, const tls_client_options *o, char *problem, size_t size) {
  if (o->insecure) return true;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
  bool ok = o->ca_pem.len ? trust_pem_text(ctx, o->ca_pem)
            : o->ca_file  ? SSL_CTX_load_verify_file(ctx, o->ca_file) == 1
                          : SSL_CTX_set_default_verify_paths(ctx) == 1;
  if (ok) return true;
  if (o->ca_pem.len) {
    snprintf(problem, size, "unable to load root certificates: unable to parse bytes as PEM block");
    return false;
  }
  snprintf(problem, size, "can't read certificates from %s: %s", o->ca_file,
           ERR_reason_error_string(ERR_get_error()));
  return false;
}

bool tls_create_client(const tls_client_options *o, world_tls *out, char *problem,
                       size_t problem_size) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  *out = (world_tls){0};
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  assert(ctx);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  bool ok = client_trust(ctx, o, problem, problem_size);
  if (ok && o->cert_file) ok = use_files(ctx, o->cert_file, o->key_file, problem, problem_size);
  if (!ok) {
    SSL_CTX_free(ctx);
    return false;
  }
  out->ctx = ctx;
  return true;
}

void tls_destroy(world_tls *t) {
  SSL_CTX_free(t->ctx);
  heap_free(t->ca_pem);
  heap_free(t->choice);
  *t = (world_tls){0};
}

int tls_peer_cert(SSL *ssl, unsigned char **der, int *len) {
  *der = NULL;
  X509 *cert = SSL_get0_peer_certificate(ssl);
  if (!cert) return 0;
  if (SSL_get_verify_result(ssl) != X509_V_OK) return -1;
  *len = i2d_X509(cert, der);
  return *len > 0 ? 1 : -1;
}
