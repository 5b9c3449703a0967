/* writer: the client that makes the traffic; writer_build.c has the requests. */
#ifndef APISIM_SIM_WRITER_H
#define APISIM_SIM_WRITER_H

#include "sim/workload/client.h"
#include "sim/workload/op.h"

#define MEMORY_MAX 64

typedef struct seen_object { /* what the writer last saw of an object */
  uint32_t key;
  slice body; /* as it was answered; empty: nothing */
} seen_object;

typedef struct writer {
  client base;
  uint32_t at, total; /* operations */
  bool finished;
  op *op; /* under way */
  call_request request;
  rng gaps;
  seen_object memory[MEMORY_MAX];
  uint32_t memory_next;
} writer;

/* How many of a run's operations are the index-th writer's. */
uint32_t writer_share(const draw *d, uint32_t index);
/* Fills t->request and what the checkers need in o. */
void writer_build(writer *t, op *o, rng *r);
/* Remembers what the answer showed. */
void writer_learn(writer *t, const op *o, const call *k);

#endif
