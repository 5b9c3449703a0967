/* shrink: from a failing run to the smallest that still fails the same check: faults are left out,
 * then clients, then operations (delta debugging: halves, quarters, ... single ones, until nothing
 * more can go). */
#ifndef APISIM_SIM_SHRINK_H
#define APISIM_SIM_SHRINK_H

#include "sim/shrink/run.h"

/* Reads `path`, writes the result to `out_path` (NULL: beside it, with ".min" appended). Gives 0
 * when it was written, RUN_USAGE when the run does not fail or can't be read. */
int shrink_file(const char *path, const char *out_path, const char *argv0, FILE *out);

#endif
