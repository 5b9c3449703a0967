/* run: one run of a plan: a fresh server, its clients, the scenario's steps, the healing, the quiet
 * after it, and what the oracles say. */
#ifndef APISIM_LIVE_RUN_H
#define APISIM_LIVE_RUN_H

#include "sim/live/live.h"
#include "sim/live/state.h"
#include "sim/live/tally.h"

typedef struct run_failure {
  struct run_failure *next;
  int oracle; /* oracle_kind; -1: the run itself could not be made */
  char text[640];
} run_failure;

/* A call that a client made, in order: what the swarm draws from. */
typedef struct run_call {
  int client;
  record_kind kind;
  char verb[RECORD_VERB_MAX];
  char resource[128];
} run_call;

typedef struct run_result {
  run_failure *failures;
  live_state state;
  live_state *step_states; /* of the reference: after each step's quiet */
  uint32_t step_count;
  tally tally;
  int64_t writes; /* commits of supervised clients */
  int64_t quiet_ns; /* from the healing to quiet */
  int64_t took_ns;
  uint32_t requests, deliveries, faults_fired;
  run_call *calls;
  uint32_t call_count;
  char *log; /* every record, a line each */
  char *lint; /* findings, a line each */
  bool interrupted;
  bool hurried; /* it had failed: that the rest becomes as it should was not waited for */
  char late[320]; /* the first wait for quiet that was given up; empty: none */
} run_result;

typedef struct run_options {
  const char *directory; /* of kubeconfigs and outputs; exists */
  const run_result *reference; /* NULL: this is it, oracles that compare are left out */
  const state_difference *unstable; /* what differs between two reference runs */
  bool without_faults;
  uint64_t seed;
  int verbosity;
} run_options;

/* False: it could not be made at all (no port, no program): one line was printed. */
bool live_run(const live_plan *p, const run_options *o, run_result *out);
void run_result_free(run_result *r);
void run_fail(run_result *r, int oracle, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool run_failed_by(const run_result *r, int oracle);

/* oracles.c: what a finished run is judged by. */
void live_judge(live *l, const run_options *o, run_result *r);
/* Whether it fails by now whatever comes: what must never happen did, a client is gone for good,
 * equal objects were alive at once. */
bool live_violated(live *l, const run_options *o, const run_result *r);
void live_read_state(live *l, live_state *out); /* with the plan's masks */
/* Whether it is the reference's but for what is not judged. */
bool live_state_agrees(live *l, const run_options *o, const live_state *expected);
const live_oracle *live_oracle_of(const live_plan *p, oracle_kind kind, live_oracle *standard);

/* steps.c: one step of the scenario. */
typedef enum step_state { STEP_DONE, STEP_WAITS, STEP_FAILED } step_state;
step_state live_step_run(live *l, const live_step *s, bool first, char *why, size_t size);
const char *live_step_name(const live_step *s);
bool live_condition_holds(live *l, const live_condition *c);

#endif
