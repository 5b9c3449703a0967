/* check_actors: those who act on what they see: controllers (C2), leaders (C1), and what goes by
 * itself (I30). */
#ifndef APISIM_SIM_CHECK_ACTORS_H
#define APISIM_SIM_CHECK_ACTORS_H

#include "sim/workload/elector.h"

/* It has got or renewed the lease: nobody else leads. */
void check_leader(world *w, const elector *e);
/* A write reaches the etcd model: what is to go by itself has a lease, the others have none. */
void check_ttl_lease(world *w, slice key, bool removes, int64_t lease);
/* A lease of that many seconds is asked for: not much longer than events shall live. */
void check_ttl_asked(world *w, int64_t seconds);
/* A commit of an Event: it may go when its time since the request for its last write is over. */
void check_ttl_commit(world *w, const commit *c);
/* A commit of a lease or of a controller's child; others are passed over. */
void check_actor_commit(world *w, const commit *c);

#endif
