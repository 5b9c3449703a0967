/* Leases in an array by id, each with its keys in an array by name: look-ups are binary, and both
 * are small (kube-apiserver puts a thousand keys on a lease at most). */
#include "store/lease.h"

#include "base/heap.h"

#include <assert.h>

#define SECOND_NS ((int64_t)1000000000)

/* The place of the id, or where it would be. */
static uint32_t place(const lease_table *t, int64_t id) {
  uint32_t low = 0, high = t->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (t->items[middle]->id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

lease *lease_find(const lease_table *t, int64_t id) {
  uint32_t at = place(t, id);
  return at < t->count && t->items[at]->id == id ? t->items[at] : NULL;
}

lease *lease_add(lease_table *t, int64_t id, int64_t ttl_s, int64_t now_ns) {
  uint32_t at = place(t, id);
  assert(at == t->count || t->items[at]->id != id);
  if (t->count == t->cap) {
    t->cap = t->cap ? t->cap * 2 : 16;
    t->items = heap_realloc(t->items, t->cap * sizeof(lease *));
  }
  memmove(t->items + at + 1, t->items + at, (t->count - at) * sizeof(lease *));
  t->count++;
  lease *l = t->items[at] = heap_zalloc(sizeof *l);
  l->id = id;
  l->ttl_s = ttl_s < LEASE_TTL_MIN ? LEASE_TTL_MIN : ttl_s;
  lease_renew(l, now_ns);
  return l;
}

static void lease_free(lease *l) {
  for (uint32_t i = 0; i < l->key_count; i++) blob_unref(l->keys[i]);
  heap_free(l->keys);
  heap_free(l);
}

void lease_drop(lease_table *t, lease *l) {
  uint32_t at = place(t, l->id);
  assert(at < t->count && t->items[at] == l);
  memmove(t->items + at, t->items + at + 1, (t->count - at - 1) * sizeof(lease *));
  t->count--;
  lease_free(l);
}

void lease_table_dispose(lease_table *t) {
  for (uint32_t i = 0; i < t->count; i++) lease_free(t->items[i]);
  heap_free(t->items);
  *t = (lease_table){0};
}

void lease_table_copy(const lease_table *from, int64_t shift_ns, lease_table *to) {
  *to = (lease_table){.count = from->count, .cap = from->count};
  to->items = heap_alloc((to->cap + 1) * sizeof(lease *));
  for (uint32_t i = 0; i < from->count; i++) {
    const lease *l = from->items[i];
    lease *own = to->items[i] = heap_alloc(sizeof *own);
    *own = *l;
    if (l->ends_ns != INT64_MAX) own->ends_ns += shift_ns;
    own->key_cap = l->key_count;
    own->keys = heap_alloc((l->key_count + 1) * sizeof(blob *));
    for (uint32_t k = 0; k < l->key_count; k++) own->keys[k] = blob_ref(l->keys[k]);
  }
}

void lease_renew(lease *l, int64_t now_ns) {
  l->ends_ns = l->ttl_s > (INT64_MAX - now_ns) / SECOND_NS ? INT64_MAX
                                                            : now_ns + l->ttl_s * SECOND_NS;
}

int64_t lease_remaining(const lease *l, int64_t now_ns) {
  int64_t left = l->ends_ns - now_ns;
  return left < 0 ? -1 : left / SECOND_NS;
}

static uint32_t key_place(const lease *l, slice key, bool *found) {
  uint32_t low = 0, high = l->key_count;
  *found = false;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = slice_cmp(blob_slice(l->keys[middle]), key);
    if (order == 0) *found = true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

void lease_attach(lease *l, slice key) {
  bool found;
  uint32_t at = key_place(l, key, &found);
  if (found) return;
  if (l->key_count == l->key_cap) {
    l->key_cap = l->key_cap ? l->key_cap * 2 : 4;
    l->keys = heap_realloc(l->keys, l->key_cap * sizeof(blob *));
  }
  memmove(l->keys + at + 1, l->keys + at, (l->key_count - at) * sizeof(blob *));
  l->keys[at] = blob_copy(key);
  l->key_count++;
}

void lease_detach(lease *l, slice key) {
  bool found;
  uint32_t at = key_place(l, key, &found);
  if (!found) return;
  blob_unref(l->keys[at]);
  memmove(l->keys + at, l->keys + at + 1, (l->key_count - at - 1) * sizeof(blob *));
  l->key_count--;
}

lease *lease_next(const lease_table *t) {
  lease *first = NULL;
  for (uint32_t i = 0; i < t->count; i++) {
    if (!first || t->items[i]->ends_ns < first->ends_ns) first = t->items[i];
  }
  return first;
}

/* ---- one lease for many objects ---- */

#define REUSE_KEYS_MAX 1000

int64_t lease_reuse_s_of(int64_t option) {
  if (option == 0) return LEASE_REUSE_S;
  return option < 0 ? 0 : option;
}

int64_t lease_extra_s(int64_t ttl_s, int64_t reuse_s) {
  int64_t extra = ttl_s / 20;
  return extra < reuse_s ? extra : reuse_s;
}

bool lease_reuse_take(lease_reuse *r, int64_t ttl_s, int64_t extra_s, int64_t now_ns) {
  bool lives = now_ns + ttl_s * SECOND_NS < r->until_ns;
  bool fits = now_ns + (ttl_s + extra_s) * SECOND_NS >= r->until_ns; /* also in the same turn */
  if (!r->id || !lives || !fits || r->keys >= REUSE_KEYS_MAX) return false;
  r->keys++;
  return true;
}

void lease_reuse_begin(lease_reuse *r, int64_t id, int64_t whole_s, int64_t now_ns) {
  *r = (lease_reuse){.id = id, .until_ns = now_ns + whole_s * SECOND_NS, .keys = 1};
}
