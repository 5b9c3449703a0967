/* queue: what is due when in a simulated world, ordered by (time, sequence). One event is taken a
 * turn; the clock jumps to it. */
#ifndef APISIM_SIM_QUEUE_H
#define APISIM_SIM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct due {
  int64_t at; /* virtual nanoseconds */
  uint64_t sequence;
  uint8_t what; /* enum due_kind, world.h */
  uint64_t arg;
  void *ptr; /* lives as long as the world */
} due;

typedef struct queue {
  due *heap;
  uint32_t count, cap;
  uint64_t next_sequence;
} queue;

void queue_push(queue *q, int64_t at, uint8_t what, void *ptr, uint64_t arg);
/* False when nothing is due any more. */
bool queue_pop(queue *q, due *out);
void queue_dispose(queue *q);

#endif
