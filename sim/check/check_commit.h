/* check_commit: what every commit must satisfy by itself (I1, I13, I14, I15, I16), and which
 * operation it belongs to (I2). Also where the model hears of it. */
#ifndef APISIM_SIM_CHECK_COMMIT_H
#define APISIM_SIM_CHECK_COMMIT_H

#include "sim/world/world.h"

typedef struct commit_seen {
  slice key, value; /* the object's JSON with its version inside */
  bool deleted;
  int64_t revision;
} commit_seen;

void check_commit(world *w, const commit_seen *seen);

#endif
