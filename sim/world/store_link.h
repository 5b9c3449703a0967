/* store_link: how a simulated server comes by its store, and how the model hears of commits. With
 * the embedded store the model watches it from inside; with the simulated etcd, that tells. */
#ifndef APISIM_SIM_STORE_LINK_H
#define APISIM_SIM_STORE_LINK_H

#include "sim/world/world.h"

bool store_link_options(sim_server *s, server_options *o);
/* Called inside the process: right behind server_create, and before server_destroy. */
void store_link_started(sim_server *s);
void store_link_stopping(sim_server *s);
/* The process is over: it still has api. */
void store_link_gone(sim_server *s);
/* The oldest version that this server still reads at; what lies below is 410. Of one that is down
 * as it was: its last answers may still be on their way. */
int64_t store_link_compacted(const sim_server *s);
/* Drops history up to a revision. */
void store_link_compact(world *w, int64_t revision);

#endif
