/* timers: what is due when, ordered by (deadline, sequence), so that two timers
 * for the same moment fire in the order in which they were set. */
#ifndef APISIM_BASE_TIMERS_H
#define APISIM_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct timer timer;
typedef void (*timer_fn)(void *ctx, int64_t now_ns);

/* Embed one in what owns it and zero it; it must outlive its being set. */
struct timer {
  int64_t deadline_ns;
  uint64_t sequence;
  timer_fn fire;
  void *ctx;
  uint32_t slot; /* place in the heap plus one; 0 is unset */
};

typedef struct timers {
  timer **heap;
  uint32_t count, cap;
  uint64_t next_sequence;
} timers;

void timers_init(timers *t);
void timers_dispose(timers *t);
/* Sets or moves. Deadlines are on the monotonic clock, in nanoseconds. */
void timer_set(timers *t, timer *tm, int64_t deadline_ns, timer_fn fire, void *ctx);
void timer_clear(timers *t, timer *tm);
static inline bool timer_is_set(const timer *tm) { return tm->slot != 0; }
/* The earliest deadline, or INT64_MAX. */
int64_t timers_next(const timers *t);
/* Fires the earliest timer due at now_ns, if any, and says whether it did.
 * A timer is unset before it fires, so it may set itself again. */
bool timers_fire_one(timers *t, int64_t now_ns);

#endif
