/* A ring of changes with a root at every HISTORY_STRIDEth of them. */
#include "store/history.h"

#include "base/heap.h"

#include <assert.h>

void history_init(history *h, tree_heap *heap, tree_node *base, int64_t base_revision) {
  *h = (history){.heap = heap, .base = base, .base_revision = base_revision};
}

static history_change *slot(const history *h, uint64_t number) {
  assert(number >= h->first && number < h->next);
  return h->ring + (number & (h->cap - 1));
}

static size_t weight(const store_entry *e) {
  return e ? sizeof *e + e->key_len + sizeof(blob) + e->value->len : 0;
}

static void change_release(history *h, history_change *c) {
  h->superseded -= weight(c->prev);
  store_entry_unref(c->entry);
  if (c->prev) store_entry_unref(c->prev);
  tree_unref(h->heap, c->root);
}

void history_dispose(history *h) {
  for (uint64_t n = h->first; n < h->next; n++) change_release(h, slot(h, n));
  tree_unref(h->heap, h->base);
  heap_free(h->ring);
  *h = (history){0};
}

static void grow(history *h) {
  size_t cap = h->cap ? h->cap * 2 : 64;
  history_change *ring = heap_alloc(cap * sizeof *ring);
  for (uint64_t n = h->first; n < h->next; n++) ring[n & (cap - 1)] = *slot(h, n);
  heap_free(h->ring);
  h->ring = ring;
  h->cap = cap;
}

void history_append(history *h, int64_t revision, store_entry *entry, store_entry *prev,
                    tree_node *root) {
  assert(revision > h->base_revision);
  assert(h->next == h->first || revision >= slot(h, h->next - 1)->revision);
  if (h->next - h->first == h->cap) grow(h);
  uint64_t number = h->next++;
  bool mark = number % HISTORY_STRIDE == HISTORY_STRIDE - 1;
  *slot(h, number) = (history_change){revision, entry, prev, mark ? tree_ref(root) : NULL};
  h->superseded += weight(prev);
}

const history_change *history_at(const history *h, uint64_t number) { return slot(h, number); }

uint64_t history_after(const history *h, int64_t revision) {
  uint64_t low = h->first, high = h->next;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (slot(h, middle)->revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void apply(history *h, tree_node **root, const history_change *c) {
  store_entry *old = c->entry->version ? tree_put(h->heap, root, c->entry)
                                       : tree_remove(h->heap, root, store_entry_key(c->entry));
  if (old) store_entry_unref(old);
}

/* The tree after the changes below number `upto`. */
static tree_node *root_before(history *h, uint64_t upto) {
  uint64_t from = upto;
  while (from > h->first && !slot(h, from - 1)->root) from--;
  tree_node *root = tree_ref(from > h->first ? slot(h, from - 1)->root : h->base);
  for (; from < upto; from++) apply(h, &root, slot(h, from));
  return root;
}

tree_node *history_root(history *h, int64_t revision) {
  assert(revision >= h->base_revision);
  return root_before(h, history_after(h, revision));
}

void history_drop(history *h, int64_t revision) {
  if (revision <= h->base_revision) return;
  uint64_t upto = history_after(h, revision);
  tree_node *base = root_before(h, upto);
  tree_unref(h->heap, h->base);
  h->base = base;
  h->base_revision = revision;
  for (; h->first < upto; h->first++) change_release(h, slot(h, h->first));
}

size_t history_bytes(const history *h) { return h->cap * sizeof *h->ring + h->superseded; }
