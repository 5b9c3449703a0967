/* serve: a server in the real world, made from flags. What `serve` and `exec` share. */
#ifndef APISIM_SIM_SERVE_H
#define APISIM_SIM_SERVE_H

#include "env/env_libevent.h"
#include "env/env_tls.h"
#include "etcd/face.h"
#include "server.h"
#include "sim/flags.h"

typedef struct serving {
  world *world;
  server *server;
  world_tls tls;
  flags *flags;
  int secure_port, http_port; /* -1: none */
  char url[128]; /* where clients go: https://127.0.0.1:6443 */
  char token[48]; /* an administrator's, made when a kubeconfig is asked for */
  struct encryption *encryption;
  struct encryption_reload *reload; /* NULL: not asked for */
  struct tls_reload *tls_reload; /* NULL: no files that could change */
  world_tls etcd_client_tls; /* for --etcd-servers */
  struct control *control; /* NULL: none asked for */
  etcd_face *etcd; /* NULL: none asked for */
  world_tls etcd_tls;
  int etcd_port;
  void *files; /* bytes that the options borrow */
  void *clock_hook;
  slice more_tokens; /* lines of a token file, borrowed */
  struct live *live; /* the fault engine (sim/live/live.h); NULL: none */
} serving;

/* Takes the flags over. False: one line has been printed to stderr; exit code 1. */
bool serving_start(serving *s, flags *f, bool with_token);
/* The same; more_tokens: further lines of --token-auth-file, borrowed. */
bool serving_start_with(serving *s, flags *f, bool with_token, slice more_tokens);
/* In the child of a fork, behind world_forked: listens as before, on ports that the kernel chooses.
 * False with *problem. */
bool serving_listen_anew(serving *s, const char **problem);
/* One line a listener: the address and how to use it. */
void serving_announce(const serving *s);
bool serving_write_kubeconfig(const serving *s, const char *path);
/* Writes --snapshot-out, where asked for, once the world has run. False as above. */
bool serving_save(serving *s);
void serving_stop(serving *s);

#endif
