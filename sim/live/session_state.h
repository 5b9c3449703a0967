/* session_state: what the files of a session share: prepare.c (plan and folder), session.c (modes),
 * reduce.c (a failing plan made small), report.c (what people and CI read). Private to sim/live. */
#ifndef APISIM_LIVE_SESSION_STATE_H
#define APISIM_LIVE_SESSION_STATE_H

#include "base/buf.h"
#include "sim/live/session.h"

#define SESSION_TEXT_MAX ((size_t)64 << 20)

typedef struct session {
  const session_options *o;
  arena *a;
  live_plan plan;
  run_result reference;
  state_difference *unstable; /* between two reference runs: not judged */
  char work[512];
  uint32_t runs, failed;
  bool interrupted; /* by a signal during a run: no other one begins */
  buf cases; /* of the JUnit file */
  uint32_t case_count, case_failures;
  double case_seconds;
} session;

/* prepare.c */
/* The plan and what the command line adds to it. False with *problem, one line. */
bool session_read_plan(session *s, node **tree, slice *problem);
/* Makes the folder for what the runs leave, and keeps others out. False: one line was printed. */
bool session_open_folder(session *s);

/* One run of a tree. False: it could not be made. */
bool session_run_tree(session *s, node *tree, bool faults, run_result *out);

/* reduce.c */
typedef struct reduction {
  node *tree;
  bool steady; /* it failed again in most tries, as it was */
  bool cut_short; /* by --shrink-for */
  uint32_t steps_before;
} reduction;
/* Makes a plan that failed by the oracle small: fewer faults, actions, lags, steps. *kept is the
 * run to show; the newest that failed takes its place. */
reduction session_reduce(session *s, node *tree, int oracle, run_result *kept);

/* report.c */
const char *oracle_name(int oracle);
/* The end of what each client printed in the newest run. */
void report_outputs(const session *s, const live_plan *p, buf *out);
void report_failures(const run_result *r, buf *out, const char *indent);
/* Prints what failed, and writes the plan and the log beside it. The text goes to *out too. */
void report_failed(session *s, const char *label, const reduction *small, const run_result *r,
                   int oracle, buf *out);
/* A case of the JUnit file; failure empty: it passed. */
void report_case(session *s, const char *label, double seconds, const char *oracle,
                 slice first_line, slice failure);
bool report_write_cases(const session *s);
bool report_write_file(const char *path, slice text);

#endif
