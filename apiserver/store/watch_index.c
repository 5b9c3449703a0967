/* The radix tree: a node's label is what follows its parent's prefix; children differ in
 * their first byte and are sorted by it. A node with no links and fewer than two children
 * does not stay (but the root). */
#include "store/watch_index.h"

#include "base/heap.h"

#include <assert.h>

#define AHEAD 8u

struct watch_node {
  watch_node *parent;
  watch_link *head, *tail;
  watch_link **row; /* the links again, side by side, so that the next ones can be fetched early */
  uint32_t row_count, row_cap;
  bool row_stale;
  watch_node **children;
  uint32_t count, cap;
  uint32_t label_len;
  char *label;
};

static watch_node *node_create(watch_node *parent, slice label) {
  assert(label.len < UINT32_MAX);
  watch_node *n = heap_zalloc(sizeof *n);
  n->parent = parent;
  n->label_len = (uint32_t)label.len;
  n->label = heap_alloc(label.len);
  if (label.len) memcpy(n->label, label.ptr, label.len);
  return n;
}

static void node_free(watch_node *n) {
  heap_free(n->children);
  heap_free(n->row);
  heap_free(n->label);
  heap_free(n);
}

static slice label_of(const watch_node *n) {
  return (slice){n->label, n->label_len};
}

/* Where the child that starts with `byte` is or would be. */
static uint32_t child_place(const watch_node *n, char byte) {
  uint32_t low = 0, high = n->count;
  while (low < high) {
    uint32_t mid = (low + high) / 2;
    if ((unsigned char)n->children[mid]->label[0] < (unsigned char)byte) low = mid + 1;
    else high = mid;
  }
  return low;
}

static watch_node *child_find(const watch_node *n, char byte) {
  uint32_t at = child_place(n, byte);
  return at < n->count && n->children[at]->label[0] == byte ? n->children[at] : NULL;
}

static void child_insert(watch_node *n, watch_node *child) {
  if (n->count == n->cap) {
    n->cap = n->cap ? n->cap * 2 : 2;
    n->children = heap_realloc(n->children, n->cap * sizeof(watch_node *));
  }
  uint32_t at = child_place(n, child->label[0]);
  memmove(n->children + at + 1, n->children + at, (n->count - at) * sizeof(watch_node *));
  n->children[at] = child;
  n->count++;
  child->parent = n;
}

static void child_remove(watch_node *n, const watch_node *child) {
  uint32_t at = child_place(n, child->label[0]);
  assert(n->children[at] == child);
  memmove(n->children + at, n->children + at + 1, (n->count - at - 1) * sizeof(watch_node *));
  n->count--;
}

static size_t common_length(slice a, slice b) {
  size_t n = a.len < b.len ? a.len : b.len, i = 0;
  while (i < n && a.ptr[i] == b.ptr[i]) i++;
  return i;
}

/* Cuts a node's label at `at`: a new node takes the front and the node's place. */
static watch_node *node_cut(watch_node *n, size_t at) {
  watch_node *parent = n->parent, *front = node_create(parent, slice_upto(label_of(n), at));
  parent->children[child_place(parent, n->label[0])] = front;
  n->label_len -= (uint32_t)at;
  memmove(n->label, n->label + at, n->label_len);
  child_insert(front, n);
  return front;
}

static watch_node *node_for(watch_index *x, slice prefix) {
  if (!x->root) x->root = node_create(NULL, SLICE_NONE);
  watch_node *n = x->root;
  while (prefix.len) {
    watch_node *child = child_find(n, prefix.ptr[0]);
    if (!child) {
      child = node_create(n, prefix);
      child_insert(n, child);
      return child;
    }
    size_t same = common_length(label_of(child), prefix);
    if (same < child->label_len) child = node_cut(child, same);
    prefix = slice_from(prefix, same);
    n = child;
  }
  return n;
}

void watch_index_add(watch_index *x, slice prefix, watch_link *link) {
  assert(!link->node);
  watch_node *n = node_for(x, prefix);
  *link = (watch_link){.prev = n->tail, .node = n};
  if (n->tail) n->tail->next = link;
  else n->head = link;
  n->tail = link;
  n->row_stale = true;
  x->count++;
}

/* Joins a node that nobody watches with its only child. */
static void node_join(watch_node *n) {
  watch_node *child = n->children[0], *parent = n->parent;
  size_t len = (size_t)n->label_len + child->label_len;
  char *label = heap_alloc(len);
  memcpy(label, n->label, n->label_len);
  memcpy(label + n->label_len, child->label, child->label_len);
  heap_free(child->label);
  child->label = label;
  child->label_len = (uint32_t)len;
  child->parent = parent;
  parent->children[child_place(parent, label[0])] = child;
  node_free(n);
}

static void node_tidy(watch_node *n) {
  if (n->head || !n->parent) return;
  if (n->count == 1) {
    node_join(n);
  } else if (n->count == 0) {
    watch_node *parent = n->parent;
    child_remove(parent, n);
    node_free(n);
    node_tidy(parent); /* which may now have one child: no deeper than that */
  }
}

void watch_index_remove(watch_index *x, watch_link *link) {
  watch_node *n = link->node;
  assert(n && x->count > 0);
  if (link->prev) link->prev->next = link->next;
  else n->head = link->next;
  if (link->next) link->next->prev = link->prev;
  else n->tail = link->prev;
  n->row_stale = true;
  *link = (watch_link){0};
  x->count--;
  node_tidy(n);
}

static void row_fill(watch_node *n) {
  n->row_count = 0;
  for (watch_link *l = n->head; l; l = l->next) {
    if (n->row_count == n->row_cap) {
      n->row_cap = n->row_cap ? n->row_cap * 2 : 2;
      n->row = heap_realloc(n->row, n->row_cap * sizeof(watch_link *));
    }
    n->row[n->row_count++] = l;
  }
  n->row_stale = false;
}

void watch_index_match(const watch_index *x, slice key, void (*fn)(void *ctx, watch_link *link),
                       void *ctx) {
  for (watch_node *n = x->root; n;) {
    if (n->row_stale) row_fill(n);
    for (uint32_t i = 0; i < n->row_count; i++) {
      if (i + AHEAD < n->row_count) __builtin_prefetch(n->row[i + AHEAD]);
      fn(ctx, n->row[i]);
    }
    n = key.len ? child_find(n, key.ptr[0]) : NULL;
    if (!n || !slice_has_prefix(key, label_of(n))) return;
    key = slice_from(key, n->label_len);
  }
}

/* Without recursion: prefixes may be long and nested. */
void watch_index_dispose(watch_index *x) {
  watch_node *n = x->root;
  while (n) {
    if (n->count) {
      n = n->children[--n->count];
      continue;
    }
    for (watch_link *l = n->head, *next; l; l = next) {
      next = l->next;
      *l = (watch_link){0};
    }
    watch_node *parent = n->parent;
    node_free(n);
    n = parent;
  }
  *x = (watch_index){0};
}
