/* check_op: an operation's answer against the model (I2, I9-I12, I14, I15, I18, I28). */
#ifndef APISIM_SIM_CHECK_OP_H
#define APISIM_SIM_CHECK_OP_H

#include "sim/workload/op.h"

void check_op(world *w, op *o, const call *k);
/* A list's body against the model: its items are the state at its version. Gives that version, or
 * -1 (and a violation) when it is not. limit 0: the whole list; else a page that begins behind
 * `after` (a key id, NO_KEY: the beginning); *last is the page's last key, *more whether a continue
 * token came. */
typedef struct list_page {
  uint32_t after, last;
  bool more;
  slice token;
  uint32_t items;
  int64_t remaining; /* -1: not said */
} list_page;
int64_t check_list(world *w, const view_filter *f, slice body, uint32_t limit, list_page *page);

#endif
