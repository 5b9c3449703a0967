/* check_actors: those who act on what they see: controllers (C2), leaders (C1), and what goes by
 * itself (I30). */
#ifndef APISIM_SIM_CHECK_ACTORS_H
#define APISIM_SIM_CHECK_ACTORS_H

#include "sim/workload/elector.h"

/* It has got or renewed the lease: nobody else leads. */
void check_leader(world *w, const elector *e);
/* A commit of a lease or of a controller's child; others are passed over. */
void check_actor_commit(world *w, const commit *c);

#endif
