/* session: what `apisim sim live` does with a plan: the reference runs, the runs under faults, the
 * crash-point sweep, shrinking what failed, and the report with the one line that repeats it. */
#ifndef APISIM_LIVE_SESSION_H
#define APISIM_LIVE_SESSION_H

#include "sim/live/run.h"

typedef struct session_options {
  const char *file; /* the plan */
  const char *out; /* directory for what failed; made */
  char **command; /* argv of the first client; NULL: the plan's */
  bool seeds_set;
  uint64_t seed_first, seed_last;
  bool sweep_writes, only_reference, no_shrink, keep_going;
  int64_t shrink_for_ns; /* 0: no bound */
  const char *junit; /* a file for CI; NULL: none */
  const char *classes; /* "hold*,lag": what the swarm draws from; NULL: the plan's */
  int64_t tries; /* of a run that is to fail again, while shrinking */
  int verbosity;
} session_options;

/* Exit codes. */
enum {
  SESSION_PASSED = 0,
  SESSION_UNUSABLE = 1, /* options, plan, a server that can't start */
  SESSION_REFERENCE = 2, /* the run without faults fails already */
  SESSION_CORRECTNESS = 3, /* end state, counts, duplicates, flaps, expectations */
  SESSION_LIVENESS = 4, /* no quiet in time */
  SESSION_CRASH = 5, /* a client ended by itself */
  SESSION_LINT = 6,
  SESSION_UNSTEADY = 7, /* it failed once and did not when it was repeated */
  SESSION_INTERRUPTED = 130,
};

int session_run(const session_options *o);

#endif
