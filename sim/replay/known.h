/* known: the ledger of differences that are listed and accepted for now.
 *
 * conformance/known_differences.txt, one a line: session, exchange number, path pattern, reason;
 * columns parted by spaces, '*' in a pattern standing for anything, '#' opening a comment. The
 * ledger must match exactly: an entry of a replayed session that no longer differs fails the
 * run, as an unlisted difference does. */
#ifndef APISIM_REPLAY_KNOWN_H
#define APISIM_REPLAY_KNOWN_H

#include "sim/replay/player.h"

typedef struct known_entry {
  slice session, path, reason;
  int64_t seq; /* -1: any */
  int line;
  uint32_t hits; /* differences that it covers in this run */
  bool replayed; /* its session was part of this run */
} known_entry;

typedef struct known_list {
  arena *arena;
  uint32_t count;
  known_entry *entries;
} known_list;

/* NULL with a line in problem when the file can't be read or a line is malformed. A path of NULL
 * gives an empty list. */
known_list *known_load(const char *path, char *problem, size_t problem_size);
void known_destroy(known_list *k);
/* Marks what the session's differences hit; answers how many are not listed. */
uint32_t known_apply(known_list *k, const session *s);
/* Whether one difference is listed: its entry, or NULL. */
known_entry *known_find(const known_list *k, slice session, int64_t seq, slice path);
/* Entries of replayed sessions that nothing hit. */
uint32_t known_stale(const known_list *k);

#endif
