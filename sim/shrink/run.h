/* run: one run of the simulator from its options to its verdict. */
#ifndef APISIM_SIM_RUN_H
#define APISIM_SIM_RUN_H

#include "sim/world/world.h"

enum run_code { /* the exit codes */
  RUN_OK = 0,
  RUN_USAGE = 1,
  RUN_CRASH = 127, /* the library failed an assertion, or the process died */
  RUN_LIVENESS = 128, /* somebody did not get on after healing, or waited too long */
  RUN_WRONG = 129, /* an invariant does not hold */
  RUN_DIFFERS = 130, /* the same seed gave two runs */
};

typedef struct run_result {
  int code;
  uint8_t check; /* the check_id, of LIVENESS and WRONG */
  uint64_t hash, turns, lines;
  int64_t virtual_ns;
  int64_t revisions;
  uint64_t server_ns, start_ns; /* wall time inside the servers, and in making them */
  char text[400];
} run_result;

typedef struct run_counts { /* added up over runs */
  uint64_t checks[CHECKS], probes[PROBES], faults[FAULT_CLASSES];
} run_counts;

/* counts may be NULL. */
run_result run_once(const sim_options *o, run_counts *counts);
int run_code_of(const world *w);
/* Runs it twice; where the two are not the same to the byte, says the first line that differs. */
bool run_tell_divergence(const sim_options *o, FILE *out);
/* Makes a crash of this process tell which run it was, with its last events, and exit with 127.
 * o: the run; reproduce: the line that repeats it. Both must stay. */
void run_crash_guard(const sim_options *o, const char *reproduce);
/* Ends the process with RUN_LIVENESS when one turn takes the processor for half a minute or more: a
 * loop that does not end must not fill the memory. run_crash_guard does that too. */
void run_stuck_guard(void);
/* The real clock, for budgets and rates; no run sees it. */
int64_t run_wall_ns(void);
/* The world that is running, or NULL. */
world *run_current(void);
void run_set_current(world *w);
const char *run_code_name(int code);
/* The checker of a LIVENESS or WRONG; else "-". */
const char *run_check_name(int code, uint8_t check);

#endif
