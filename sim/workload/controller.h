/* controller: keeps one ConfigMap a parent object, as controllers do: two informers (parents and
 * children), a queue of parents to look at, one request at a time.
 *
 * Wanted: for every parent of its kind the child "of-NAME" in the parent's namespace, which names
 * the parent's uid and carries its tier as a number; nothing for a parent that is gone.
 *
 * The correct one trusts no cache where it destroys: it asks the server for the parent, without a
 * version, and deletes the child by its uid. The wrong ones (enum wrong_controller) are known bugs
 * of controllers; `apisim sim fleet --controller NAME` must find each. */
#ifndef APISIM_SIM_CONTROLLER_H
#define APISIM_SIM_CONTROLLER_H

#include "sim/workload/informer.h"
#include "sim/workload/recorder.h"

typedef struct controller {
  client base;
  informer parents, children;
  recorder events;
  const kind_row *of;
  uint8_t bug; /* wrong_controller */
  uint8_t step; /* enum in controller.c */
  uint32_t *todo; /* parents' key ids, each once */
  uint32_t todo_count, todo_cap;
  uint32_t at; /* the parent that the request under way is about */
  slice child_uid, child_name; /* that are to go */
  uint32_t tries;
} controller;

/* What stands in a child. */
typedef struct child_link {
  slice parent; /* its name */
  slice uid; /* the parent's */
  int64_t number;
} child_link;
bool controller_is_child(const model *m, uint32_t key);
child_link controller_link(const commit *child);
/* The parent's key: of this kind, in the child's namespace. */
uint32_t controller_parent_key(world *w, const kind_row *of, const commit *child);

#endif
