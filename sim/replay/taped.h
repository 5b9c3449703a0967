/* taped: a tape as somebody else plays it: the simulator, who has connections and a clock of its
 * own. What varies between two runs is paired off as `apisim replay` does it (pairing.h): each
 * request is made from what the answers so far have shown, each answer is compared. */
#ifndef APISIM_REPLAY_TAPED_H
#define APISIM_REPLAY_TAPED_H

#include "sim/replay/tape.h"

typedef struct taped taped;

typedef enum taped_fate { /* of one exchange */
  TAPED_LOST, /* there was no whole answer */
  TAPED_OTHER, /* the status is another */
  TAPED_STATUS, /* the status is the same, the body is not */
  TAPED_SAME, /* the same values */
  TAPED_UNSCORED, /* no two servers agree there */
  TAPED_FATES
} taped_fate;

/* The tape is borrowed. wall_s: seconds since 1970 when the replay begins. */
taped *taped_create(const tape *t, int64_t wall_s);
void taped_destroy(taped *p);
/* The request's bytes, head and body; valid as long as `p`. */
slice taped_request(taped *p, uint32_t i, slice host, slice token);
/* An answer is over, or (a stream) as long as it will be. head: its status line and headers. */
taped_fate taped_answered(taped *p, uint32_t i, int status, slice head, slice body,
                          int64_t wall_s);
/* Whether the events that the tape has by at_ms are in a stream's body. */
bool taped_has_events(const taped *p, uint32_t i, slice body, int64_t at_ms);
/* The server ended that stream by itself, at its timeout. */
bool taped_ends_by_itself(const tape_exchange *x);

#endif
