/* serve_plan: the fault engine of `apisim serve` and `apisim exec`: opened for --plan, and for
 * --control without one (no faults, but a log, quiesce, advance, and faults added at run time). */
#ifndef APISIM_LIVE_SERVE_PLAN_H
#define APISIM_LIVE_SERVE_PLAN_H

#include "sim/live/live.h"

typedef struct serve_plan {
  bool wanted;
  arena *a;
  live_plan plan;
  buf tokens; /* for serving_start_with */
  char directory[64]; /* of supervised clients; empty: none */
  live *live;
} serve_plan;

/* False: one line was printed. */
bool serve_plan_prepare(serve_plan *p, const flags *f);
bool serve_plan_open(serve_plan *p, serving *s);
/* Says what fired and what lint found, if there was a plan. */
void serve_plan_close(serve_plan *p, serving *s);

#endif
