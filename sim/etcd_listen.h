/* etcd_listen: the addresses on which a face (etcd/face.h) is served in the real world. */
#ifndef APISIM_SIM_ETCD_LISTEN_H
#define APISIM_SIM_ETCD_LISTEN_H

#include "env/env_libevent.h"
#include "env/env_tls.h"

typedef struct etcd_tls_files {
  const char *cert, *key; /* both or none */
  const char *client_ca; /* NULL: clients show no certificate */
} etcd_tls_files;

bool etcd_listen_tls(const etcd_tls_files *files, world_tls *out, char *problem, size_t size);
/* address: "127.0.0.1:2379", with or without http:// or https://; "localhost" and an empty host
 * are 127.0.0.1; port 0: the kernel chooses. False with a line in `problem`. */
bool etcd_listen(world *w, const char *address, const world_tls *tls, const env_acceptor *acceptor,
                 int *port, char *problem, size_t size);

#endif
