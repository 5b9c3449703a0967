/* check_removed: the answer of an update that ended a deletion. It shows a state that never was
 * stored: the object as it was under deletion, without finalizers, as the update made it, and with
 * the version that it began from (so does the real server: registry/store.go,
 * deleteWithoutFinalizers). It can't be looked up; this says which answers are legal. */
#ifndef APISIM_SIM_CHECK_REMOVED_H
#define APISIM_SIM_CHECK_REMOVED_H

#include "sim/model/model.h"
#include "sim/workload/op.h"

/* Whether `body` is what the operation o could be answered when it ended, or came too late to end,
 * a deletion of o->key that began and ended as follows: the version that the answer names was the
 * key's state at some moment in [low, high] and under deletion with nothing to wait for but its
 * finalizers, and its object was gone at a moment of the same time. Of operations that only take
 * finalizers off or set the mark, everything else is that version's to the byte, but for who owns
 * what; of the others, what no update can change is. Scratch comes from a. */
bool check_removed(const model *m, const op *o, slice body, int64_t low, int64_t high, arena *a);

#endif
