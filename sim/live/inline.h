/* inline: see inline.c. */
#ifndef APISIM_LIVE_INLINE_H
#define APISIM_LIVE_INLINE_H

#include "sim/live/node.h"

#include <stdbool.h>

/* Changes the tree in place. False with *problem. dir: where relative names are found. */
bool live_plan_inline(arena *a, const char *dir, node *tree, slice *problem);

#endif
