/* compare: a taped answer against the one that came, level by level, and what is not scored. */
#ifndef APISIM_REPLAY_COMPARE_H
#define APISIM_REPLAY_COMPARE_H

#include "sim/replay/player.h"

/* Fills x's diff, unscored and texts for people. */
void compare_outcome(outcome *x, pairing *pairs);
/* The resourceVersion that a write of the tape gave its object; 0 for none. */
int64_t compare_written_version(const tape_exchange *x);

#endif
