/* What the files of the control address share. */
#ifndef APISIM_SIM_CONTROL_INTERNAL_H
#define APISIM_SIM_CONTROL_INTERNAL_H

#include "http/http.h"
#include "sim/control/checkpoints.h"
#include "sim/control/control.h"
#include "sim/control/fork.h"

struct control {
  serving *serving;
  http_server http;
  int port; /* -1: a unix socket */
  char address[128];
  checkpoints checkpoints;
  forks forks;
  struct saving *savings; /* snapshots that are being written (snapshot_child.c) */
};

env_acceptor control_acceptor(control *c);

#endif
