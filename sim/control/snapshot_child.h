/* snapshot_child: a snapshot written by a child process from the memory of the moment in which it
 * was forked, so that neither writing nor syncing keeps a client of the server waiting. A small
 * state is written at once: that is quicker than a fork. */
#ifndef APISIM_SIM_CONTROL_SNAPSHOT_CHILD_H
#define APISIM_SIM_CONTROL_SNAPSHOT_CHILD_H

#include "sim/control/control.h"

struct saving;

/* `snapshot file`: answers in this turn or a later one. */
void snapshot_run(control_call *c, const char *path);
/* Waits for those under way, whose clients are gone. */
void snapshot_children_end(control *k);

#endif
