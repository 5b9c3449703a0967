/* shrink: from a failing run to the smallest that still fails the same check: faults are left out,
 * then clients, then operations (delta debugging: halves, quarters, ... single ones, until nothing
 * more can go or the time is over). */
#ifndef APISIM_SIM_SHRINK_H
#define APISIM_SIM_SHRINK_H

#include "sim/shrink/run.h"

#define SHRINK_BUDGET_S 50 /* unless it is said */

/* Reads `path`, writes the result to `out_path` (NULL: beside it, with ".min" appended). Gives 0
 * when it was written, RUN_USAGE when the run does not fail or can't be read. Behind budget_s of
 * wall time (0: no bound) what has been reached is written, though more may go. */
int shrink_file(const char *path, const char *out_path, const char *argv0, int64_t budget_s,
                FILE *out);

#endif
