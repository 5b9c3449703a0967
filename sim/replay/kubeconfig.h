/* kubeconfig: the server and credentials of a kubeconfig's current context. */
#ifndef APISIM_REPLAY_KUBECONFIG_H
#define APISIM_REPLAY_KUBECONFIG_H

#include "sim/replay/uplink.h"

typedef struct kubeconfig {
  uplink_target target; /* its PEM texts live in the arena */
  const char *server; /* "https://127.0.0.1:6443" */
  const char *token; /* NULL: none */
} kubeconfig;

/* False with a line in problem. Files named by it are read relative to the working directory. */
bool kubeconfig_load(arena *a, const char *path, kubeconfig *out, char *problem, size_t size);

#endif
