/* repro: a failing run as a file of its own. Lines of text:
 *
 *   apisim-sim 1
 *   commit HASH                what it was seen with
 *   failed CODE CHECK          the class and the checker
 *   text WORDS                 what it said
 *   draw NAME VALUE            every option of the run (draw.h)
 *   fault NUMBER CLASS VARIANT TARGET VISIT AT_NS LASTS_NS ARG
 *                              an entry of the plan (fault.h), each that was kept; the rest of the
 *                              line is its name
 *   until NS                   the safety phase's length; events NUMBER: turns at most
 *   without client ID          left out by shrinking
 *   without ops WRITER A B     the writer's operations A to B
 *   tape NAME                  a tape is played too; each of its lines follows behind `taped `,
 *                              but for exchanges that shrinking left out
 *
 * The workload comes from the seed; the faults are all here, so that a change of how they are drawn
 * does not change the run. */
#ifndef APISIM_SIM_REPRO_H
#define APISIM_SIM_REPRO_H

#include "sim/replay/tape.h"
#include "sim/shrink/run.h"

typedef struct repro {
  arena *arena;
  tape *tape; /* the options' */
  sim_options options;
  int code;
  char check[32];
  char commit[64];
} repro;

/* The plan that a run would draw, and the length of its safety phase, so that they can be written
 * and cut. */
void repro_plan(arena *a, sim_options *o);
bool repro_write(const char *path, const sim_options *o, const run_result *r);
/* NULL with a line in problem. */
repro *repro_read(const char *path, char *problem, size_t size);
void repro_free(repro *r);
/* The report of a failure: draw, faults that struck, the last events, how to repeat it. w: the
 * world as it stood, or NULL; r NULL: it crashed. */
void repro_tell_failure(FILE *out, const sim_options *o, const world *w, const run_result *r,
                        const char *reproduce);
extern const char sim_commit[]; /* of this build */

#endif
