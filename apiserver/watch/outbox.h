/* outbox: frames that are about to be sent to one stream.
 *
 * Sending costs a system call and a TLS record a stream, which is ten times what a frame costs. So
 * the first event after a quiet moment leaves in its own turn, and those that follow within some
 * milliseconds of it leave together. How long depends on how many streams there are: about as
 * long as serving all of them takes, OUTBOX_LONGEST_NS at most, and not longer than until one
 * holds a good number of frames. */
#ifndef APISIM_WATCH_OUTBOX_H
#define APISIM_WATCH_OUTBOX_H

#include "base/blob.h"
#include "base/timers.h"

#include <stdbool.h>
#include <stddef.h>

#define OUTBOX_LONGEST_NS ((int64_t)8000000)

typedef struct outbox {
  struct outbox *next, *prev; /* of those that hold something, oldest first */
  blob **items;
  uint32_t count, cap;
  size_t bytes;
} outbox;

/* All outboxes of a server. `send` empties one by outbox_take. */
typedef struct outbox_queue {
  timers *timers;
  void (*send)(outbox *o);
  outbox *first, *last;
  timer timer;
  int64_t sent_ns; /* when the latest round was over */
  bool round_over; /* a round has been made, and the time of its end is not known yet */
} outbox_queue;

/* Takes a reference. streams: how many there are. now_ns: the turn's. */
void outbox_put(outbox_queue *q, outbox *o, blob *frame, uint32_t streams, int64_t now_ns);
/* Empties it: calls for each frame in order and gives the references back. */
void outbox_take(outbox_queue *q, outbox *o, void (*fn)(void *ctx, blob *frame), void *ctx);
/* Drops what is in it, and its memory. */
void outbox_dispose(outbox_queue *q, outbox *o);

#endif
