/* outbox: frames that are about to be sent to one stream.
 *
 * Sending costs a system call and a TLS record a stream, which is ten times what a frame costs. So
 * the first event after a quiet moment leaves in its own turn, and those that follow within some
 * milliseconds of it leave together: rounds begin no sooner after one another, the more streams
 * there are the longer (up to OUTBOX_LONGEST_NS), unless one holds a good number of frames.
 * A round serves every stream that held something when it began; many are served some a turn of the
 * loop, so that requests do not wait for all of them, and what is written meanwhile still comes
 * with the round to those whose turn has not come. How many a turn follows from how much was
 * written during the round: enough to be worth a send, and not so much that the last stream waits
 * for long.
 * Streams that hold the same frames are sent one blob of them. */
#ifndef APISIM_WATCH_OUTBOX_H
#define APISIM_WATCH_OUTBOX_H

#include "base/blob.h"
#include "base/timers.h"

#include <stdbool.h>
#include <stddef.h>

#define OUTBOX_LONGEST_NS ((int64_t)10000000)

typedef struct outbox {
  struct outbox *next, *prev; /* of those that hold something, oldest first */
  blob **items;
  uint32_t count, cap;
  uint32_t round; /* in which it came to hold something: it is served in a later one */
  size_t bytes;
} outbox;

#define OUTBOX_JOINED_FRAMES 160u /* at most, and their bytes */
#define OUTBOX_JOINED_BYTES ((size_t)1 << 20)
#define OUTBOX_JOINED 4u /* sequences that are remembered during a round */

/* Frames that several outboxes of a round hold, in one blob from the second of them on. */
typedef struct outbox_joined {
  uint32_t count;
  blob *items[OUTBOX_JOINED_FRAMES];
  blob *whole; /* NULL: met once */
} outbox_joined;

/* All outboxes of a server. `send` empties one by outbox_take. */
typedef struct outbox_queue {
  timers *timers;
  void (*send)(outbox *o);
  outbox *first, *last;
  timer timer;
  int64_t began_ns; /* the latest round; 0: there was none */
  bool in_round;
  uint32_t round; /* the number of the latest */
  uint32_t streams; /* how many there are */
  uint32_t warm; /* rounds since the latest quiet time, as far as they count */
  uint64_t puts, served; /* frames and outboxes since the latest round began */
  uint32_t joined_next;
  outbox_joined *joined; /* OUTBOX_JOINED of them; NULL until the first round */
} outbox_queue;

/* Takes a reference. streams: how many there are. now_ns: the turn's. */
void outbox_put(outbox_queue *q, outbox *o, blob *frame, uint32_t streams, int64_t now_ns);
/* Empties it: calls for each frame in order and gives the references back. joins: frames may come
 * in one, as in a round they do where other outboxes hold the same. */
void outbox_take(outbox_queue *q, outbox *o, bool joins, void (*fn)(void *ctx, blob *frame),
                 void *ctx);
/* Drops what is in it, and its memory. */
void outbox_dispose(outbox_queue *q, outbox *o);
/* Of the queue itself; all outboxes are disposed of. */
void outbox_queue_dispose(outbox_queue *q);

#endif
