/* watch_index: who watches a key, found in the time of walking the key once.
 *
 * A radix tree over the watched prefixes: the nodes on the way down a key are exactly the
 * prefixes that match it, so ten thousand watches elsewhere cost a write nothing. */
#ifndef APISIM_STORE_WATCH_INDEX_H
#define APISIM_STORE_WATCH_INDEX_H

#include "store/store.h"

typedef struct watch_node watch_node;

/* Embedded as the first field of what watches. */
typedef struct watch_link {
  struct watch_link *next, *prev; /* of the same prefix, in order of adding */
  watch_node *node; /* NULL: not in an index */
} watch_link;

typedef struct watch_index {
  watch_node *root;
  size_t count;
} watch_index;

/* In place; zeroed is empty. dispose frees nodes and leaves all links unlinked. */
void watch_index_dispose(watch_index *x);
void watch_index_add(watch_index *x, slice prefix, watch_link *link);
void watch_index_remove(watch_index *x, watch_link *link);
/* Calls for every link whose prefix the key has: shorter prefixes first, then in order of
 * adding. The callback must not change the index. */
void watch_index_match(const watch_index *x, slice key, void (*fn)(void *ctx, watch_link *link),
                       void *ctx);

#endif
