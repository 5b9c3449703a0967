/* tree: a copy-on-write B+ tree of store entries in key order.
 *
 * A root is a whole version of the tree. Taking a reference to a root freezes it: later
 * changes copy the nodes between the root and the leaf that they touch and share all the
 * rest. Nodes that nobody else holds are changed in place, so a run of writes with no
 * reader in between copies nothing. NULL is the empty tree.
 *
 *   root 1        one reference more, then put(k3)        root 1   root 2
 *    |  \                                                   |  \   /  |
 *  [k1] [k2 k4]                                           [k1] ----- [k2 k3 k4]
 *                                                            \ [k2 k4]
 *
 * Costs: find, put, remove and rank O(log n); ref O(1). */
#ifndef APISIM_STORE_TREE_H
#define APISIM_STORE_TREE_H

#include "store/store.h"

typedef struct tree_node tree_node;

/* Counts the bytes of all nodes made through it. */
typedef struct tree_heap {
  size_t bytes;
} tree_heap;

/* NULL is fine for all of them. */
tree_node *tree_ref(tree_node *root);
void tree_unref(tree_heap *h, tree_node *root);

/* Borrowed, or NULL. */
store_entry *tree_find(const tree_node *root, slice key);
/* Puts e under its key (the tree takes its own reference) and gives the entry that it replaced,
 * whose reference is now the caller's, or NULL. */
store_entry *tree_put(tree_heap *h, tree_node **root, store_entry *e);
/* Takes the key out; its reference is now the caller's. NULL when it was not there. */
store_entry *tree_remove(tree_heap *h, tree_node **root, slice key);

/* Keys below `key`. */
uint64_t tree_rank(const tree_node *root, slice key);
uint64_t tree_size(const tree_node *root);
/* Visits [start, end), an empty end being none; entries are borrowed. */
void tree_walk(const tree_node *root, slice start, slice end, store_visit visit, void *ctx);
/* Asserts order, fill, counts and separators of every node; for tests. */
void tree_check(const tree_node *root);

#endif
