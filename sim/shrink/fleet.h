/* fleet: many seeds over several processes. */
#ifndef APISIM_SIM_FLEET_H
#define APISIM_SIM_FLEET_H

#include "sim/shrink/run.h"

typedef struct fleet_options {
  uint64_t first, last; /* seeds, both included */
  uint32_t jobs;
  draw_wish wish;
  const struct tape *tape; /* played in each run; NULL: none */
  slice tape_text;
  uint32_t twice_per_mille; /* of the seeds are run twice and their hashes compared */
  bool hashes; /* print one a seed, in the order of seeds */
  bool figures; /* where the time goes */
  bool stop_at_failure;
  int64_t budget_s; /* 0: until all seeds are through */
  bool budget_set;
  const char *out; /* folder of the failures' files */
  const char *argv0;
} fleet_options;

typedef struct fleet_result {
  uint64_t seeds, failed;
  uint64_t first_failed; /* seed */
  uint64_t seeds_to_first; /* how many seeds it took, in the order of seeds */
  int code; /* the worst class */
} fleet_result;

fleet_result fleet_run(const fleet_options *o, FILE *out);

#endif
