/* net_faults: what the fault plan does to connections: the sites on the way of bytes. */
#ifndef APISIM_SIM_NET_FAULTS_H
#define APISIM_SIM_NET_FAULTS_H

#include "sim/world/world.h"

/* A client opens a connection (SITE_CONNECT): where to, and how it will behave. */
void net_fault_connect(sim_conn *c);
/* A server's turn wrote bytes (SITE_ANSWER, SITE_STREAM): gives what leaves, borrowed until the
 * next call; may break the connection, slow it down, or hold the bytes back. */
slice net_fault_down(sim_conn *c, slice bytes);

#endif
