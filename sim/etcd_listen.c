/* Addresses as etcd's flags write them, and TLS that offers HTTP/2. */
#include "sim/etcd_listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool etcd_listen_tls(const etcd_tls_files *files, world_tls *out, char *problem, size_t size) {
  if (!files->cert != !files->key) {
    snprintf(problem, size, "a certificate and its key go together");
    return false;
  }
  tls_options o = {.cert_file = files->cert,
                   .key_file = files->key,
                   .client_ca_file = files->client_ca,
                   .http2 = true};
  return tls_create(&o, out, problem, size);
}

static bool split(const char *address, char host[64], int *port, bool *tls) {
  const char *scheme = strstr(address, "://");
  *tls = scheme && strncmp(address, "https", 5) == 0;
  const char *at = scheme ? scheme + 3 : address;
  const char *colon = strrchr(at, ':');
  size_t len = colon ? (size_t)(colon - at) : 0;
  if (!colon || len >= 64) return false;
  if (len >= 2 && at[0] == '[' && at[len - 1] == ']') {
    at++;
    len -= 2;
  }
  snprintf(host, 64, "%.*s", (int)len, at);
  if (!*host || strcmp(host, "localhost") == 0) snprintf(host, 64, "127.0.0.1");
  char *end;
  long n = strtol(colon + 1, &end, 10);
  *port = (int)n;
  return end != colon + 1 && (*end == '\0' || *end == '/') && n >= 0 && n <= 65535;
}

bool etcd_listen(world *w, const char *address, const world_tls *tls, const env_acceptor *acceptor,
                 int *port, char *problem, size_t size) {
  char host[64];
  bool wants_tls;
  const char *why;
  if (!split(address, host, port, &wants_tls)) {
    snprintf(problem, size, "not an address to listen on (127.0.0.1:2379): %s", address);
    return false;
  }
  if (wants_tls && !tls) {
    snprintf(problem, size, "%s needs a certificate and a key", address);
    return false;
  }
  bool plain = strncmp(address, "http://", 7) == 0;
  if (world_listen(w, host, port, plain ? NULL : tls, acceptor, &why)) return true;
  snprintf(problem, size, "%s", why);
  return false;
}
