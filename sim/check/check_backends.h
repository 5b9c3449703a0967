/* check_backends: the same requests, one after the other and without faults, to a server on its
 * embedded store and to one on the simulated etcd: the answers are the same, byte for byte, but for
 * uids (I26). */
#ifndef APISIM_SIM_CHECK_BACKENDS_H
#define APISIM_SIM_CHECK_BACKENDS_H

#include "sim/workload/op.h"

/* What a run's writer was answered. */
typedef struct answer {
  uint32_t op;
  uint8_t kind; /* op_kind */
  int status;
  slice body; /* uids by the order in which they came up */
} answer;

typedef struct answers {
  arena *arena;
  answer *all;
  uint32_t count, cap;
  slice *uids;
  uint32_t uid_count, uid_cap;
  int64_t base; /* the store's revision before the first request; 0: none began */
} answers;

/* An operation begins. */
void answers_begin(world *w);
/* How many revisions back a list may ask for: in a comparison not into the first content. */
int64_t answers_back(const world *w, int64_t back);

/* Remembers an answer where somebody asks for them (w->answers). */
void answers_add(world *w, const op *o, const call *k);
/* Makes both runs from this run's seed and compares them. */
void check_backends(world *w);

#endif
