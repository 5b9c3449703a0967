/* The revision log as a ring of changes and a ring of roots. */
#include "store/log.h"

#include "base/heap.h"

#include <assert.h>

#define LOG_FIRST 256u

void log_init(revision_log *l, tree_heap *heap, int64_t revision) {
  *l = (revision_log){.heap = heap, .oldest = revision, .newest = revision};
}

static log_slot *slot_of(const revision_log *l, int64_t revision) {
  assert(revision > l->oldest && revision <= l->newest);
  return &l->slots[(uint64_t)revision & (l->cap - 1)];
}

const log_slot *log_at(const revision_log *l, int64_t revision) {
  return slot_of(l, revision);
}

static tree_node **mark_of(const revision_log *l, int64_t revision) {
  assert(revision % LOG_STRIDE == 0);
  return &l->marks[(uint64_t)(revision / LOG_STRIDE) & (l->mark_cap - 1)];
}

/* What the log alone keeps alive by holding a replaced entry. */
static size_t slot_superseded(const log_slot *s) {
  size_t bytes = s->prev ? sizeof(store_entry) + s->prev->key_len + s->prev->value->len : 0;
  if (s->entry->version == 0) bytes += sizeof(store_entry) + s->entry->key_len;
  return bytes;
}

static void slots_grow(revision_log *l) {
  size_t cap = l->cap ? l->cap * 2 : LOG_FIRST;
  log_slot *slots = heap_alloc(cap * sizeof *slots);
  for (int64_t r = l->oldest + 1; r <= l->newest; r++) {
    slots[(uint64_t)r & (cap - 1)] = *slot_of(l, r);
  }
  heap_free(l->slots);
  l->slots = slots;
  l->cap = cap;
}

static void marks_grow(revision_log *l) {
  size_t cap = l->mark_cap ? l->mark_cap * 2 : 4;
  tree_node **marks = heap_alloc(cap * sizeof(tree_node *));
  for (int64_t m = l->oldest / LOG_STRIDE + 1; m <= l->newest / LOG_STRIDE; m++) {
    marks[(uint64_t)m & (cap - 1)] = *mark_of(l, m * LOG_STRIDE);
  }
  heap_free(l->marks);
  l->marks = marks;
  l->mark_cap = cap;
}

void log_append(revision_log *l, store_entry *entry, store_entry *prev, tree_node *root) {
  assert(entry->mod_revision == l->newest + 1);
  if ((uint64_t)(l->newest - l->oldest) == l->cap) slots_grow(l);
  int64_t next = l->newest + 1, marks = next / LOG_STRIDE - l->oldest / LOG_STRIDE;
  if (next % LOG_STRIDE == 0 && (uint64_t)marks > l->mark_cap) marks_grow(l);
  l->newest = next;
  log_slot *s = slot_of(l, next);
  *s = (log_slot){entry, prev};
  l->superseded += slot_superseded(s);
  if (next % LOG_STRIDE == 0) *mark_of(l, next) = tree_ref(root);
}

static void change_apply(revision_log *l, tree_node **root, int64_t revision) {
  const log_slot *s = slot_of(l, revision);
  store_entry *old = s->entry->version
                         ? tree_put(l->heap, root, s->entry)
                         : tree_remove(l->heap, root, store_entry_key(s->entry));
  store_entry_unref(old);
}

tree_node *log_root(revision_log *l, int64_t revision) {
  assert(revision >= l->oldest && revision <= l->newest);
  int64_t mark = revision / LOG_STRIDE * LOG_STRIDE, from = l->oldest;
  tree_node *root = l->base;
  if (mark > l->oldest) {
    root = *mark_of(l, mark);
    from = mark;
  }
  tree_ref(root);
  while (from < revision) change_apply(l, &root, ++from);
  return root;
}

void log_drop(revision_log *l, int64_t revision) {
  tree_node *base = log_root(l, revision);
  tree_unref(l->heap, l->base);
  l->base = base;
  for (int64_t m = l->oldest / LOG_STRIDE + 1; m <= revision / LOG_STRIDE; m++) {
    tree_unref(l->heap, *mark_of(l, m * LOG_STRIDE));
  }
  for (int64_t r = l->oldest + 1; r <= revision; r++) {
    log_slot *s = slot_of(l, r);
    l->superseded -= slot_superseded(s);
    store_entry_unref(s->entry);
    store_entry_unref(s->prev);
  }
  l->oldest = revision;
}

int64_t log_next_mark(const revision_log *l) {
  int64_t mark = (l->oldest / LOG_STRIDE + 1) * LOG_STRIDE;
  return mark < l->newest ? mark : l->newest;
}

size_t log_bytes(const revision_log *l) {
  return l->cap * sizeof(log_slot) + l->mark_cap * sizeof(tree_node *);
}

void log_dispose(revision_log *l) {
  if (l->newest > l->oldest) log_drop(l, l->newest);
  tree_unref(l->heap, l->base);
  heap_free(l->slots);
  heap_free(l->marks);
  *l = (revision_log){0};
}
