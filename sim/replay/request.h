/* request: a taped request made ready for another server: the tape's values replaced by what
 * they became, credentials added. */
#ifndef APISIM_REPLAY_REQUEST_H
#define APISIM_REPLAY_REQUEST_H

#include "sim/replay/pairing.h"
#include "sim/replay/tape.h"

typedef struct request_text {
  slice target, body; /* as sent, for reports */
  slice bytes; /* all of it */
} request_text;

/* All in arena a. host: for the Host header. token: empty for none. */
request_text request_make(arena *a, pairing *p, const tape_exchange *x, slice host, slice token);

#endif
