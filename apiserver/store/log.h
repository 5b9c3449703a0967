/* log: the revisions since the last compaction, oldest first, in a growing ring.
 *
 * Slot r holds what revision r changed. Every LOG_STRIDE revisions a root is kept, so that
 * any revision's tree is the root before it plus at most LOG_STRIDE changes: a root a
 * revision would keep a copied leaf for each write alive, this keeps one a stride. */
#ifndef APISIM_STORE_LOG_H
#define APISIM_STORE_LOG_H

#include "store/tree.h"

#define LOG_STRIDE 256

typedef struct log_slot {
  store_entry *entry; /* owned; a tombstone (version 0) for a deletion */
  store_entry *prev; /* owned, or NULL */
} log_slot;

typedef struct revision_log {
  tree_heap *heap;
  log_slot *slots; /* ring of cap, a power of two */
  size_t cap;
  int64_t oldest; /* the base: its tree is kept, its change no more */
  int64_t newest;
  tree_node *base; /* the tree at `oldest` */
  tree_node **marks; /* ring: roots at the multiples of LOG_STRIDE in (oldest, newest] */
  size_t mark_cap;
  size_t superseded; /* bytes of entries that only the log keeps */
} revision_log;

void log_init(revision_log *l, tree_heap *heap, int64_t revision);
void log_dispose(revision_log *l);
/* The next revision's change; takes both references over. root: the tree after it, borrowed. */
void log_append(revision_log *l, store_entry *entry, store_entry *prev, tree_node *root);
/* oldest < revision <= newest. */
const log_slot *log_at(const revision_log *l, int64_t revision);
/* The tree at a revision in [oldest, newest], a new reference. */
tree_node *log_root(revision_log *l, int64_t revision);
/* Makes `revision`, in (oldest, newest], the oldest. */
void log_drop(revision_log *l, int64_t revision);
/* The first mark behind the oldest, or the newest revision: cheap to drop to. */
int64_t log_next_mark(const revision_log *l);
size_t log_bytes(const revision_log *l);

#endif
