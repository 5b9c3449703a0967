/* history: changes in the order of revisions, for a copy of a store elsewhere.
 *
 * Unlike log.h, whose every revision is one change, there may be revisions without a change here
 * (the other store has other keys too) and revisions with several (its transactions). Every
 * HISTORY_STRIDE changes a root is kept, so that any revision's tree is the root before it and at
 * most HISTORY_STRIDE changes. */
#ifndef APISIM_STORE_HISTORY_H
#define APISIM_STORE_HISTORY_H

#include "store/tree.h"

#define HISTORY_STRIDE 256

typedef struct history_change {
  int64_t revision;
  store_entry *entry; /* owned; a tombstone (version 0) for a deletion */
  store_entry *prev; /* owned, or NULL */
  tree_node *root; /* the tree after it, on every HISTORY_STRIDEth; else NULL */
} history_change;

typedef struct history {
  tree_heap *heap;
  history_change *ring; /* of cap, a power of two */
  size_t cap;
  uint64_t first, next; /* changes are numbered; kept are [first, next) */
  int64_t base_revision; /* the tree before the first kept change, readable */
  tree_node *base;
  size_t superseded; /* bytes of entries that only the history keeps */
} history;

/* base: the tree at base_revision; takes the reference over. */
void history_init(history *h, tree_heap *heap, tree_node *base, int64_t base_revision);
void history_dispose(history *h);
/* The next change, of a revision not below the latest; takes both references over. root: the tree
 * after it, borrowed. */
void history_append(history *h, int64_t revision, store_entry *entry, store_entry *prev,
                    tree_node *root);
/* first <= number < next. */
const history_change *history_at(const history *h, uint64_t number);
/* The number of the first kept change behind `revision` (next: none). O(log n). */
uint64_t history_after(const history *h, int64_t revision);
/* The tree at a revision of base_revision or later, a new reference. */
tree_node *history_root(history *h, int64_t revision);
/* Forgets what is before `revision`, which becomes the base; nothing for an older one. */
void history_drop(history *h, int64_t revision);
size_t history_bytes(const history *h);

#endif
