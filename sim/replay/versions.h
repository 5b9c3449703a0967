/* versions: the resource versions of a tape and what they became.
 *
 * Kept sorted by the tape's number, so that order is checked between neighbours. Numbers below
 * `first` (the tape's first own write) belong to objects that the server made by itself while it
 * started, in an order of its own: they are only paired one to one. */
#ifndef APISIM_REPLAY_VERSIONS_H
#define APISIM_REPLAY_VERSIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct version_pair {
  int64_t expected, actual;
} version_pair;

typedef struct versions {
  version_pair *items; /* of writes, by expected */
  uint32_t count, cap;
  version_pair *lists; /* of lists, by expected: the latest meeting of each */
  uint32_t list_count, list_cap;
  int64_t first; /* 0: unknown, everything is in order */
} versions;

void versions_init(versions *v);
void versions_dispose(versions *v);
/* An object's version. False when it contradicts what is known. */
bool versions_match(versions *v, int64_t expected, int64_t actual);
/* A list's (or bookmark's): at or behind every write that the tape had by then. */
bool versions_match_list(versions *v, int64_t expected, int64_t actual);
/* What the tape's number became; false when it has not been met. */
bool versions_find(const versions *v, int64_t expected, int64_t *actual);

#endif
