/* strategic_order: the lists of a strategic merge patch, told apart by their merge key (or by
 * value), and put into the order that the real server gives them. */
#ifndef APISIM_PATCH_STRATEGIC_ORDER_H
#define APISIM_PATCH_STRATEGIC_ORDER_H

#include "base/val.h"

/* Where a key first occurs in a list of items. Lives in the arena. */
typedef struct key_index {
  arena *arena;
  slice merge_key; /* "": items are their own keys */
  uint32_t count, cap; /* of keys held; of slots, a power of two */
  const val **keys; /* slots */
  uint32_t *places;
} key_index;

/* The item's key: NULL when it has none. */
const val *item_key(const val *item, slice merge_key);
/* An index of the items of `list` (NULL is empty); later additions by key_index_add. */
key_index key_index_make(arena *a, const val *list, slice merge_key);
/* Keeps the earlier place when the key is there already; NULL keys are not kept. */
void key_index_add(key_index *x, const val *key, uint32_t place);
/* The place, or -1. A key that is a list or a map is never found. */
int64_t key_index_find(const key_index *x, const val *key);

/* Splits `merged` by presence in `order`, sorts what is present by it and the rest by `server`,
 * and merges the two so that pairs known to `server` keep its order. */
val *list_order(arena *a, const val *merged, const key_index *order, const key_index *server);

#endif
