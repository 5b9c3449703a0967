/* diff: two answers to the same request, compared at three levels.
 *
 *   status   the HTTP code
 *   json     headers that clients act on, and the body as values (order of members apart)
 *   bytes    order, spelling and spacing of the body too
 * after pairing off what varies (pairing.h). managedFields are compared sorted at every level,
 * since their order within one second is the clock's; descriptions of table columns are left
 * out. A difference has a path into the body ("$.metadata.labels.app") or names what else
 * differs ("status", "header Warning"). */
#ifndef APISIM_REPLAY_DIFF_H
#define APISIM_REPLAY_DIFF_H

#include "base/buf.h"
#include "sim/replay/jtree.h"
#include "sim/replay/pairing.h"

#define DIFF_MAX 200 /* kept of one exchange; more are counted */

typedef enum diff_level { DIFF_STATUS, DIFF_JSON, DIFF_BYTES, DIFF_LEVELS } diff_level;

typedef struct difference {
  diff_level level;
  slice path, expected, actual; /* the values as on the wire; empty when absent */
} difference;

typedef struct diff {
  arena *arena;
  pairing *pairs;
  buf path;
  uint32_t count; /* of items */
  uint32_t total[DIFF_LEVELS];
  difference *items;
  bool unscored; /* differs only in what the real server orders at random */
} diff;

/* Both are borrowed; the arena keeps what the differences point to. */
void diff_init(diff *d, arena *a, pairing *pairs);
void diff_dispose(diff *d);
/* True when nothing differs at this level or a coarser one. */
bool diff_equal(const diff *d, diff_level level);

void diff_add(diff *d, diff_level level, slice path, slice expected, slice actual);
/* Adds at the current path. */
void diff_here(diff *d, diff_level level, slice expected, slice actual);
/* Two bodies: JSON when both are, else text. `root` opens the paths: "$", "event[2]". */
void diff_bodies(diff *d, const char *root, slice expected, slice actual);
/* The name of a level: "status", "json", "bytes". */
const char *diff_level_name(diff_level level);

#endif
