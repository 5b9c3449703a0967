/* check_end: what must hold now and then, and when a run ends (I12, I17, I21, I23, I27). */
#ifndef APISIM_SIM_CHECK_END_H
#define APISIM_SIM_CHECK_END_H

#include "sim/world/world.h"

/* Every server's copy is the model's state at its version. */
void check_caches(world *w);
/* Whether nobody wants anything more. */
bool check_all_caught_up(world *w);
/* The liveness phase's time is over: says who has not. */
void check_liveness_failed(world *w);
/* The run came to its end. */
void check_end(world *w);
/* Everybody has left: nothing of them is left in the servers. */
void check_quiet(world *w);

#endif
