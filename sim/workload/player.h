/* player: a client that replays a tape (sim/replay/tape.h) at virtual times, whatever the fault
 * plan does to it. As on the tape, a request leaves once everything is over that had ended before
 * it, and not before its time; streams stay open beside it. An answer that differs from the taped
 * one is no violation (the faults made another history); it is counted and stands in the
 * transcript. The checkers see its answers and commits as they see everybody's. */
#ifndef APISIM_SIM_PLAYER_H
#define APISIM_SIM_PLAYER_H

#include "sim/replay/taped.h"
#include "sim/workload/client.h"

#define PLAYER_WRITER 255u /* in run_cuts: an exchange, by its place on the tape */

typedef struct player {
  client base;
  const tape *tape;
  taped *taped; /* made at the first request */
  uint32_t next; /* exchange to send */
  uint32_t first_open; /* all before it are over */
  call **calls; /* by exchange: under way */
  bool *over;
  int64_t *waiting_ns; /* since when somebody waits for its end or events */
  int64_t due_ns; /* when the latest request was due */
  int64_t sent_ms; /* and where on the tape it is */
  bool began;
  bool healed;
  uint32_t writes_open, writes_unknown; /* may commit; unknown: nobody waits for them any more */
  uint32_t fates[TAPED_FATES];
} player;

/* Whether a write of the tape may have made a commit now. */
bool player_may_write(const world *w);
/* NULL without a tape in this run. */
const player *player_of(const world *w);
/* How long the tape runs. */
int64_t player_length_ns(const tape *t);

#endif
