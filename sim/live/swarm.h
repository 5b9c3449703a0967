/* swarm: faults drawn by a seed. What there is to disturb is learned from a fault-free run: its
 * calls, its commits, what its watches were told. The draw is a list of ordinary faults, so that it
 * can be printed, shrunk and kept as a plan. */
#ifndef APISIM_LIVE_SWARM_H
#define APISIM_LIVE_SWARM_H

#include "sim/live/run.h"

/* The plan's tree with drawn faults behind its own, and what they need (an apiserver "stale").
 * `what` gets the classes drawn, a line. */
node *live_swarm_draw(arena *a, const live_plan *p, const run_result *reference, uint64_t seed,
                      buf *what);

/* Whether a class of this name, or one that the glob fits, exists; all their names, " a b c". */
bool live_swarm_has(slice name);
slice live_swarm_classes(arena *a);

/* A fault that kills the client behind its n-th write and starts it again. */
node *live_crash_fault(arena *a, slice client, int64_t n);
/* The tree with this fault behind its own. */
node *live_with_fault(arena *a, const node *tree, node *fault);

#endif
