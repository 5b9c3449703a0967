/* checkpoints: states of the server under names, kept by its control address. */
#ifndef APISIM_SIM_CONTROL_CHECKPOINTS_H
#define APISIM_SIM_CONTROL_CHECKPOINTS_H

#include "server_state.h"
#include "sim/serve.h"

#define CHECKPOINTS_MAX 1024
#define CHECKPOINT_NAME_MAX 64

typedef struct checkpoint {
  char name[CHECKPOINT_NAME_MAX + 1];
  server_state *state;
  int64_t virtual_ns; /* of the world's clock */
} checkpoint;

typedef struct checkpoints {
  checkpoint *items;
  uint32_t count;
} checkpoints;

/* Letters, digits, '-', '_', '.'. */
bool checkpoint_name_ok(slice name);
/* Keeps the server's state under the name, in place of an older one. NULL: too many, or a store
 * that can't. */
const checkpoint *checkpoint_take(checkpoints *cs, serving *s, slice name);
const checkpoint *checkpoint_find(const checkpoints *cs, slice name);
void checkpoint_put(serving *s, const checkpoint *c);
void checkpoint_drop(checkpoints *cs, slice name);
void checkpoints_dispose(checkpoints *cs);

#endif
