/* A B+ tree: entries in leaves, inner nodes keep for each child its size and its first
 * entry. That first entry is borrowed from the leaf below, which holds the reference, and a
 * change below rewrites it, because the path above is in hand anyway: so no separator ever
 * keeps a dead object's bytes.
 *
 * Why 32 a node: a leaf that is copied takes a reference to each of its entries, and each
 * may be a cache miss; fewer than 32 makes the tree deeper and the separators dearer. */
#include "store/tree.h"

#include "base/heap.h"

#include <assert.h>

#define NODE_MAX 32u
#define NODE_MIN 8u /* below it a node joins or borrows from a neighbour */

struct tree_node {
  uint32_t refs;
  uint16_t count;
  uint16_t height; /* 0: a leaf */
  store_entry *first[NODE_MAX]; /* leaf: the entries, owned; inner: see above, borrowed */
  struct { /* inner nodes only: the memory of a leaf ends before */
    uint64_t size[NODE_MAX];
    tree_node *child[NODE_MAX];
  } below[];
};

static size_t node_bytes(uint16_t height) {
  return sizeof(tree_node) + (height ? sizeof(((tree_node *)0)->below[0]) : 0);
}

static tree_node *node_create(tree_heap *h, uint16_t height) {
  tree_node *n = heap_alloc(node_bytes(height));
  n->refs = 1;
  n->count = 0;
  n->height = height;
  h->bytes += node_bytes(height);
  return n;
}

static void node_free(tree_heap *h, tree_node *n) {
  h->bytes -= node_bytes(n->height);
  heap_free(n);
}

tree_node *tree_ref(tree_node *n) {
  if (n) n->refs++;
  return n;
}

void tree_unref(tree_heap *h, tree_node *n) {
  if (!n) return;
  assert(n->refs > 0);
  if (--n->refs) return;
  for (uint16_t i = 0; i < n->count; i++) {
    if (n->height) tree_unref(h, n->below->child[i]);
    else store_entry_unref(n->first[i]);
  }
  node_free(h, n);
}

/* The node at *slot, made the only owner's: copied when somebody else holds it too. */
static tree_node *node_own(tree_heap *h, tree_node **slot) {
  tree_node *old = *slot;
  if (old->refs == 1) return old;
  tree_node *n = node_create(h, old->height);
  n->count = old->count;
  memcpy(n->first, old->first, old->count * sizeof(old->first[0]));
  if (old->height) {
    memcpy(n->below->size, old->below->size, old->count * sizeof(uint64_t));
    memcpy(n->below->child, old->below->child, old->count * sizeof(tree_node *));
  }
  for (uint16_t i = 0; i < n->count; i++) {
    if (n->height) n->below->child[i]->refs++;
    else store_entry_ref(n->first[i]);
  }
  old->refs--;
  return *slot = n;
}

/* How many of the node's keys are below `key`; *equal says whether the next one is it. */
static uint16_t node_search(const tree_node *n, slice key, bool *equal) {
  uint16_t low = 0, high = n->count;
  *equal = false;
  while (low < high) {
    uint16_t mid = (uint16_t)((low + high) / 2);
    int order = slice_cmp(store_entry_key(n->first[mid]), key);
    if (order < 0) {
      low = (uint16_t)(mid + 1);
    } else {
      high = mid;
      if (order == 0) *equal = true;
    }
  }
  return low;
}

/* The child in which `key` is, or would be. */
static uint16_t child_of(const tree_node *n, slice key) {
  bool equal;
  uint16_t at = node_search(n, key, &equal);
  return equal || at == 0 ? at : (uint16_t)(at - 1);
}

uint64_t tree_size(const tree_node *n) {
  if (!n) return 0;
  if (n->height == 0) return n->count;
  uint64_t size = 0;
  for (uint16_t i = 0; i < n->count; i++) size += n->below->size[i];
  return size;
}

static void child_refresh(tree_node *n, uint16_t i) {
  n->first[i] = n->below->child[i]->first[0];
  n->below->size[i] = tree_size(n->below->child[i]);
}

/* Moves `count` slots from one place to another; both nodes have the same height. */
static void slots_move(tree_node *to, uint16_t to_at, const tree_node *from, uint16_t from_at,
                       uint16_t count) {
  assert(to_at + count <= (int)NODE_MAX && from_at + count <= (int)NODE_MAX);
  memmove(to->first + to_at, from->first + from_at, count * sizeof(to->first[0]));
  if (to->height == 0) return;
  memmove(to->below->size + to_at, from->below->size + from_at, count * sizeof(uint64_t));
  memmove(to->below->child + to_at, from->below->child + from_at, count * sizeof(tree_node *));
}

static void slot_open(tree_node *n, uint16_t at) {
  assert(n->count < NODE_MAX && at <= n->count);
  slots_move(n, (uint16_t)(at + 1), n, at, (uint16_t)(n->count - at));
  n->count++;
}

static void slot_close(tree_node *n, uint16_t at) {
  assert(at < n->count);
  slots_move(n, at, n, (uint16_t)(at + 1), (uint16_t)(n->count - at - 1));
  n->count--;
}

/* Splits a full node for an insertion at `at`: the right part is given back. An insertion at
 * the end leaves the left node nearly full, since keys often arrive in order. */
static tree_node *node_split(tree_heap *h, tree_node *n, uint16_t at) {
  uint16_t keep = at == n->count ? (uint16_t)(n->count - NODE_MIN) : (uint16_t)(n->count / 2);
  tree_node *right = node_create(h, n->height);
  right->count = (uint16_t)(n->count - keep);
  slots_move(right, 0, n, keep, right->count);
  n->count = keep;
  return right;
}

static tree_node *leaf_put(tree_heap *h, tree_node *n, store_entry *e, store_entry **old) {
  bool equal;
  uint16_t at = node_search(n, store_entry_key(e), &equal);
  if (equal) {
    *old = n->first[at];
    n->first[at] = store_entry_ref(e);
    return NULL;
  }
  tree_node *right = NULL, *into = n;
  if (n->count == NODE_MAX) {
    right = node_split(h, n, at);
    if (at > n->count) {
      at = (uint16_t)(at - n->count);
      into = right;
    }
  }
  slot_open(into, at);
  into->first[at] = store_entry_ref(e);
  return right;
}

/* Puts e below *slot; when that split the node, gives the new right neighbour. */
static tree_node *node_put(tree_heap *h, tree_node **slot, store_entry *e, store_entry **old) {
  tree_node *n = node_own(h, slot);
  if (n->height == 0) return leaf_put(h, n, e, old);
  uint16_t at = child_of(n, store_entry_key(e));
  tree_node *split = node_put(h, &n->below->child[at], e, old);
  n->first[at] = n->below->child[at]->first[0];
  if (!split) {
    if (!*old) n->below->size[at]++;
    return NULL;
  }
  child_refresh(n, at);
  tree_node *right = NULL, *into = n;
  at++;
  if (n->count == NODE_MAX) {
    right = node_split(h, n, at);
    if (at > n->count) {
      at = (uint16_t)(at - n->count);
      into = right;
    }
  }
  slot_open(into, at);
  into->below->child[at] = split;
  child_refresh(into, at);
  return right;
}

store_entry *tree_put(tree_heap *h, tree_node **root, store_entry *e) {
  store_entry *old = NULL;
  if (!*root) *root = node_create(h, 0);
  tree_node *right = node_put(h, root, e, &old);
  if (right) {
    tree_node *top = node_create(h, (uint16_t)(right->height + 1));
    top->count = 2;
    top->below->child[0] = *root;
    top->below->child[1] = right;
    child_refresh(top, 0);
    child_refresh(top, 1);
    *root = top;
  }
  return old;
}

/* Child `at` has become small: joins it with a neighbour, or takes half of the rest. */
static void child_balance(tree_heap *h, tree_node *n, uint16_t at) {
  if (n->below->child[at]->count >= NODE_MIN || n->count < 2) return;
  uint16_t l = at ? (uint16_t)(at - 1) : 0, r = (uint16_t)(l + 1);
  tree_node *left = node_own(h, &n->below->child[l]);
  tree_node *right = node_own(h, &n->below->child[r]);
  uint16_t total = (uint16_t)(left->count + right->count);
  if (total <= NODE_MAX - NODE_MIN) {
    slots_move(left, left->count, right, 0, right->count);
    left->count = total;
    node_free(h, right); /* its slots moved on: nothing to unref */
    slot_close(n, r);
    child_refresh(n, l);
    return;
  }
  uint16_t keep = (uint16_t)(total / 2);
  if (left->count < keep) {
    uint16_t take = (uint16_t)(keep - left->count);
    slots_move(left, left->count, right, 0, take);
    slots_move(right, 0, right, take, (uint16_t)(right->count - take));
  } else {
    uint16_t give = (uint16_t)(left->count - keep);
    slots_move(right, give, right, 0, right->count);
    slots_move(right, 0, left, keep, give);
  }
  left->count = keep;
  right->count = (uint16_t)(total - keep);
  child_refresh(n, l);
  child_refresh(n, r);
}

/* The key is known to be there. */
static store_entry *node_remove(tree_heap *h, tree_node **slot, slice key) {
  tree_node *n = node_own(h, slot);
  if (n->height == 0) {
    bool equal;
    uint16_t at = node_search(n, key, &equal);
    assert(equal);
    store_entry *old = n->first[at];
    slot_close(n, at);
    return old;
  }
  uint16_t at = child_of(n, key);
  store_entry *old = node_remove(h, &n->below->child[at], key);
  assert(n->below->child[at]->count > 0);
  n->first[at] = n->below->child[at]->first[0];
  n->below->size[at]--;
  child_balance(h, n, at);
  return old;
}

store_entry *tree_remove(tree_heap *h, tree_node **root, slice key) {
  if (!tree_find(*root, key)) return NULL; /* so that a miss copies nothing */
  store_entry *old = node_remove(h, root, key);
  tree_node *n = *root;
  if (n->count == 0) {
    *root = NULL;
    tree_unref(h, n);
  } else if (n->height && n->count == 1) {
    *root = tree_ref(n->below->child[0]);
    tree_unref(h, n);
  }
  return old;
}

store_entry *tree_find(const tree_node *n, slice key) {
  if (!n) return NULL;
  while (n->height) n = n->below->child[child_of(n, key)];
  bool equal;
  uint16_t at = node_search(n, key, &equal);
  return equal ? n->first[at] : NULL;
}

uint64_t tree_rank(const tree_node *n, slice key) {
  uint64_t rank = 0;
  if (!n) return 0;
  while (n->height) {
    uint16_t at = child_of(n, key);
    for (uint16_t i = 0; i < at; i++) rank += n->below->size[i];
    n = n->below->child[at];
  }
  bool equal;
  return rank + node_search(n, key, &equal);
}

static bool node_walk(const tree_node *n, slice start, slice end, store_visit visit, void *ctx) {
  bool equal;
  uint16_t at = n->height ? child_of(n, start) : node_search(n, start, &equal);
  for (; at < n->count; at++) {
    if (end.len && slice_cmp(store_entry_key(n->first[at]), end) >= 0) return false;
    bool more = n->height ? node_walk(n->below->child[at], start, end, visit, ctx)
                          : visit(ctx, n->first[at]);
    if (!more) return false;
    start = SLICE_NONE; /* behind the first child everything is in */
  }
  return true;
}

void tree_walk(const tree_node *root, slice start, slice end, store_visit visit, void *ctx) {
  if (root) node_walk(root, start, end, visit, ctx);
}

static void node_check(const tree_node *n, bool is_root) {
  assert(n->refs > 0 && n->count > 0 && n->count <= NODE_MAX);
  assert(is_root || n->count >= NODE_MIN);
  for (uint16_t i = 0; i < n->count; i++) {
    assert(i == 0 || slice_cmp(store_entry_key(n->first[i - 1]), store_entry_key(n->first[i])) < 0);
    if (n->height == 0) continue;
    const tree_node *c = n->below->child[i];
    assert(c->height + 1 == n->height);
    assert(c->first[0] == n->first[i] && tree_size(c) == n->below->size[i]);
    node_check(c, false);
  }
}

void tree_check(const tree_node *root) {
  if (root) node_check(root, true);
}
