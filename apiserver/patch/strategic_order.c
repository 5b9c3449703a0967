/* Keys of list items in a hash table, so that merging long lists stays linear, and the order
 * of a merged list. Rule: strategicpatch's normalizeElementOrder and mergeSortedSlice. */
#include "patch/strategic_order.h"

#include <assert.h>
#include <stdlib.h>

const val *item_key(const val *item, slice merge_key) {
  return merge_key.len ? val_get(item, merge_key) : item;
}

static bool hashable(const val *key) {
  return key && key->type != VAL_LIST && key->type != VAL_MAP;
}

static uint32_t key_hash(const val *key) {
  uint32_t h = 2166136261u ^ key->type;
  const char *bytes = NULL;
  size_t len = 0;
  if (key->type == VAL_STRING) {
    bytes = key->u.s;
    len = key->count;
  } else if (key->type == VAL_INT || key->type == VAL_FLOAT) {
    bytes = (const char *)&key->u;
    len = sizeof key->u.i;
  } else if (key->type == VAL_BOOL) {
    h ^= key->u.b;
  }
  for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)bytes[i]) * 16777619u;
  return h ^ (h >> 15);
}

static uint32_t slot_of(const key_index *x, const val *key) {
  uint32_t at = key_hash(key) & (x->cap - 1);
  while (x->keys[at] && !val_equal(x->keys[at], key)) at = (at + 1) & (x->cap - 1);
  return at;
}

static void slots_grow(key_index *x, uint32_t cap) {
  key_index old = *x;
  x->cap = cap;
  x->keys = ARENA_ARRAY(x->arena, const val *, cap);
  x->places = ARENA_ARRAY(x->arena, uint32_t, cap);
  for (uint32_t i = 0; i < old.cap; i++) {
    if (!old.keys[i]) continue;
    uint32_t at = slot_of(x, old.keys[i]);
    x->keys[at] = old.keys[i];
    x->places[at] = old.places[i];
  }
}

void key_index_add(key_index *x, const val *key, uint32_t place) {
  if (!hashable(key)) return;
  if ((x->count + 1) * 2 > x->cap) slots_grow(x, x->cap * 2);
  uint32_t at = slot_of(x, key);
  if (x->keys[at]) return;
  x->keys[at] = key;
  x->places[at] = place;
  x->count++;
}

key_index key_index_make(arena *a, const val *list, slice merge_key) {
  key_index x = {.arena = a, .merge_key = merge_key};
  uint32_t cap = 8;
  while (cap < val_len(list) * 2 + 2) cap *= 2;
  slots_grow(&x, cap);
  for (uint32_t i = 0; i < val_len(list); i++) {
    key_index_add(&x, item_key(list->u.items[i], merge_key), i);
  }
  return x;
}

int64_t key_index_find(const key_index *x, const val *key) {
  if (!hashable(key)) return -1;
  uint32_t at = slot_of(x, key);
  return x->keys[at] ? (int64_t)x->places[at] : -1;
}

typedef struct placed {
  val *item;
  int64_t place; /* in the order that it is sorted by, or -1 */
  int64_t server; /* in the server's order, or -1 */
  uint32_t was;
} placed;

static int placed_cmp(const void *a, const void *b) {
  const placed *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return x->was < y->was ? -1 : x->was > y->was;
}

/* The real comparison says "less" of any pair with an unknown place, which is no order; what
 * comes out is the doing of its insertion sort, and of short lists it is repeated here. */
static void placed_sort(placed *items, uint32_t count) {
  bool all_known = true;
  for (uint32_t i = 0; i < count; i++) {
    items[i].was = i;
    all_known = all_known && items[i].place >= 0;
  }
  if (all_known || count > 20) {
    if (count > 1) qsort(items, count, sizeof *items, placed_cmp);
    return;
  }
  for (uint32_t i = 1; i < count; i++) {
    for (uint32_t j = i; j > 0; j--) {
      bool both = items[j].place >= 0 && items[j - 1].place >= 0;
      if (both && items[j].place >= items[j - 1].place) break;
      placed swap = items[j];
      items[j] = items[j - 1];
      items[j - 1] = swap;
    }
  }
}

val *list_order(arena *a, const val *merged, const key_index *order, const key_index *server) {
  uint32_t count = val_len(merged), left_count = 0, right_count = 0;
  placed *left = ARENA_ARRAY(a, placed, count + 1), *right = ARENA_ARRAY(a, placed, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    const val *key = item_key(merged->u.items[i], order->merge_key);
    placed p = {.item = merged->u.items[i], .place = key_index_find(order, key)};
    p.server = key_index_find(server, key);
    if (p.place >= 0) {
      right[right_count++] = p;
    } else {
      p.place = p.server;
      left[left_count++] = p;
    }
  }
  placed_sort(left, left_count);
  placed_sort(right, right_count);
  val *out = val_list(a);
  for (uint32_t i = 0, j = 0; i < left_count || j < right_count;) {
    bool take_left = j >= right_count;
    if (i < left_count && j < right_count) {
      take_left = left[i].server >= 0 && right[j].server >= 0 && left[i].server < right[j].server;
    }
    val_append(a, out, take_left ? left[i++].item : right[j++].item);
  }
  assert(out->count == count);
  return out;
}
