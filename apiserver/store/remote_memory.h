/* remote_memory: a remote (store/remote.h) in this process over the embedded store, with knobs for
 * what can go wrong on the way. For tests of the mirror; the simulator has a richer one. */
#ifndef APISIM_STORE_REMOTE_MEMORY_H
#define APISIM_STORE_REMOTE_MEMORY_H

#include "base/timers.h"
#include "env/env.h"
#include "store/remote.h"
#include "store/store.h"

typedef struct remote_memory_knobs {
  int64_t answer_ns; /* from a call to its answer; 0: the next turn */
  int64_t watch_ns; /* from a change to its event */
  bool down; /* nothing can be asked: UNAVAILABLE */
  bool no_progress; /* as an old etcd: progress can't be trusted */
  /* Of the next transactions, each knob one a transaction, in this order: */
  uint32_t lose_requests; /* UNKNOWN, and never applied */
  uint32_t lose_answers; /* applied, and UNKNOWN */
  uint32_t late; /* UNKNOWN, and applied late_ns afterwards */
  int64_t late_ns;
  uint32_t skip_events; /* changes that no watch is told of: a lying server */
  remote_result refuse; /* answer of every transaction unless OK: NO_SPACE, TOO_LARGE, DENIED */
} remote_memory_knobs;

/* clock: for mono_ns alone. data: not taken over; what other clients write to it directly is seen
 * by watches. */
remote *remote_memory_create(store *data, const env *clock, timers *timers);
remote_memory_knobs *remote_memory_knobs_of(remote *r);
/* Every watch breaks. */
void remote_memory_break(remote *r);

#endif
