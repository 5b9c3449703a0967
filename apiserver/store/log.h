/* log: the revisions since the last compaction, oldest first, in pieces of LOG_STRIDE.
 *
 * Slot r holds what revision r changed. Each piece begins with the root before its first change,
 * so that any revision's tree is that root plus at most LOG_STRIDE changes: a root a revision
 * would keep a copied leaf for each write alive, this keeps one a piece. Pieces are shared between
 * copies of a log (log_copy) and copied by who writes into a shared one. */
#ifndef APISIM_STORE_LOG_H
#define APISIM_STORE_LOG_H

#include "store/tree.h"

#define LOG_STRIDE 256

typedef struct log_change {
  store_entry *entry; /* owned; a tombstone (version 0) for a deletion */
  store_entry *prev; /* owned, or NULL */
} log_change;

/* A revision is one change; those that the etcd face's transactions make may have more. */
typedef struct log_slot {
  log_change change;
  struct log_rest *rest; /* the further ones, or NULL */
} log_slot;

typedef struct log_piece log_piece;

typedef struct revision_log {
  tree_heap *heap;
  log_piece **pieces; /* ring of cap, a power of two, by piece number */
  size_t cap;
  int64_t oldest; /* its tree is known, its change no more */
  int64_t newest;
  size_t superseded; /* bytes of entries that only the log keeps */
} revision_log;

/* root: the tree at `revision`, borrowed. */
void log_init(revision_log *l, tree_heap *heap, int64_t revision, tree_node *root);
void log_dispose(revision_log *l);
/* A log of its own with the same content: O(pieces). */
void log_copy(const revision_log *from, revision_log *to);
/* The next revision's changes, at least one; takes their references over. root: the tree after
 * them, borrowed. */
void log_append(revision_log *l, const log_change *changes, uint32_t count, tree_node *root);
/* oldest < revision <= newest. */
const log_slot *log_at(const revision_log *l, int64_t revision);
/* A copy with references of its own, and its end (an empty slot is fine). */
log_slot log_slot_ref(const log_slot *s);
void log_slot_unref(log_slot *s);
uint32_t log_slot_count(const log_slot *s);
const log_change *log_slot_change(const log_slot *s, uint32_t n);
/* The tree at a revision in [oldest, newest], a new reference. */
tree_node *log_root(revision_log *l, int64_t revision);
/* Makes `revision`, in (oldest, newest], the oldest. */
void log_drop(revision_log *l, int64_t revision);
/* The end of the oldest piece, or the newest revision: cheap to drop to. */
int64_t log_next_mark(const revision_log *l);
size_t log_bytes(const revision_log *l);

#endif
