/* player: one tape sent to one server, and what came of it.
 *
 * Requests leave in the tape's order, each once everything that the tape had finished before it
 * is finished here too, so that what ran side by side does so again. A stream stays open while
 * later requests are sent; its events are compared as they come. One that the client had ended
 * is ended by us, when its events are here and the tape's time for it has come. */
#ifndef APISIM_REPLAY_PLAYER_H
#define APISIM_REPLAY_PLAYER_H

#include "sim/replay/diff.h"
#include "sim/replay/uplink.h"
#include "sim/replay/tape.h"

typedef struct outcome { /* of one exchange */
  const tape_exchange *taped;
  slice sent_target, sent_body;
  bool answered;
  slice problem; /* why not */
  int status;
  tape_headers headers;
  slice body;
  slice expected_text, actual_text; /* bodies for people: protobuf as JSON */
  int64_t took_ms;
  diff diff;
  const char *unscored; /* why it does not count; NULL: it does */
} outcome;

typedef struct session {
  arena *arena;
  const tape *tape;
  pairing *pairs;
  uint32_t count;
  outcome *outcomes;
  uint32_t scored, unscored, same[DIFF_LEVELS];
  int64_t took_ms;
  slice problem; /* the server could not be reached at all; nothing was scored */
} session;

typedef struct play_options {
  slice host, token;
  int64_t speed; /* 0: as fast as possible; n: n times as fast as the tape */
  bool virtual_time; /* the link's clock is ours to move */
  void (*progress)(void *ctx, const tape *t, uint32_t done);
  void *ctx;
} play_options;

session *session_play(const tape *t, uplink *l, const play_options *o);
void session_destroy(session *s);
/* When the tape began, in ms since 1970, as its own timestamps tell. */
int64_t tape_began_ms(const tape *t);

#endif
