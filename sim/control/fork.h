/* fork: the whole server a second time, as a process of its own that shares its memory until one
 * of the two writes: the same objects, history, clock and random streams, other ports and another
 * control address. For tests that run beside each other from one warm state. A fork ends by its
 * control command `stop`, by SIGTERM, or with the server it was made from. */
#ifndef APISIM_SIM_CONTROL_FORK_H
#define APISIM_SIM_CONTROL_FORK_H

#include "sim/control/control.h"

#define FORKS_MAX 256

typedef struct fork_info {
  int pid;
  char url[128], control[128];
} fork_info;

typedef struct forks {
  uint32_t made; /* ever, for their names */
  uint32_t count;
  fork_info items[FORKS_MAX]; /* those that run */
} forks;

/* `fork kubeconfig?`; answers in a later turn. */
void fork_run(control_call *c);
/* Those that run, for `status`. */
json_t *fork_list(forks *f);

#endif
