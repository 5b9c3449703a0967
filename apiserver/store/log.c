/* The revision log as a ring of pieces. Piece n holds the changes of the revisions in
 * (n * LOG_STRIDE, (n + 1) * LOG_STRIDE]; the one that the newest revision closes is followed by
 * an empty one at once, because only then its root is in hand. */
#include "store/log.h"

#include "base/heap.h"

#include <assert.h>

#define PIECES_FIRST 4u

/* Immutable, shared by the copies of a slot. */
struct log_rest {
  uint32_t refs, count;
  log_change changes[];
};

struct log_piece {
  uint32_t refs;
  int64_t from; /* the revision of `root`: at the piece's begin or behind it */
  tree_node *root; /* owned */
  log_slot slots[LOG_STRIDE]; /* those in (from, newest] are set */
};

static int64_t piece_number(int64_t revision) { return (revision - 1) / LOG_STRIDE; }
static size_t place(int64_t revision) { return (size_t)((revision - 1) % LOG_STRIDE); }

static log_piece **piece_at(const revision_log *l, int64_t number) {
  return &l->pieces[(uint64_t)number & (l->cap - 1)];
}

/* The piece that says how the tree at `revision` came to be: for the oldest revision the one
 * whose root that is. */
static int64_t number_for(const revision_log *l, int64_t revision) {
  return revision == l->oldest ? piece_number(revision + 1) : piece_number(revision);
}

static int64_t last_number(const revision_log *l) { return piece_number(l->newest + 1); }

static log_piece *piece_create(int64_t from, tree_node *root) {
  log_piece *p = heap_alloc(sizeof *p);
  p->refs = 1;
  p->from = from;
  p->root = tree_ref(root);
  return p;
}

uint32_t log_slot_count(const log_slot *s) {
  return 1 + (s->rest ? s->rest->count : 0);
}

const log_change *log_slot_change(const log_slot *s, uint32_t n) {
  assert(n < log_slot_count(s));
  return n == 0 ? &s->change : &s->rest->changes[n - 1];
}

static void change_unref(const log_change *c) {
  store_entry_unref(c->entry);
  store_entry_unref(c->prev);
}

void log_slot_unref(log_slot *s) {
  if (!s->change.entry) return;
  change_unref(&s->change);
  if (!s->rest || --s->rest->refs) return;
  for (uint32_t i = 0; i < s->rest->count; i++) change_unref(&s->rest->changes[i]);
  heap_free(s->rest);
}

log_slot log_slot_ref(const log_slot *s) {
  store_entry_ref(s->change.entry);
  if (s->change.prev) store_entry_ref(s->change.prev);
  if (s->rest) s->rest->refs++;
  return *s;
}

static void slots_unref(log_piece *p, int64_t from, int64_t to) {
  for (int64_t r = from + 1; r <= to; r++) log_slot_unref(&p->slots[place(r)]);
}

/* The end of piece `number`'s used part. */
static int64_t piece_end(const revision_log *l, int64_t number) {
  int64_t end = (number + 1) * LOG_STRIDE;
  return end < l->newest ? end : l->newest;
}

static void piece_unref(revision_log *l, int64_t number) {
  log_piece *p = *piece_at(l, number);
  *piece_at(l, number) = NULL;
  if (--p->refs) return;
  slots_unref(p, p->from, piece_end(l, number));
  tree_unref(l->heap, p->root);
  heap_free(p);
}

/* The piece for writing. */
static log_piece *piece_own(revision_log *l, int64_t number) {
  log_piece **at = piece_at(l, number), *p = *at;
  if (p->refs == 1) return p;
  log_piece *own = piece_create(p->from, p->root);
  for (int64_t r = p->from + 1; r <= piece_end(l, number); r++) {
    own->slots[place(r)] = log_slot_ref(&p->slots[place(r)]);
  }
  p->refs--;
  *at = own;
  return own;
}

static void pieces_grow(revision_log *l) {
  size_t cap = l->cap ? l->cap * 2 : PIECES_FIRST;
  log_piece **pieces = heap_zalloc(cap * sizeof(log_piece *));
  for (int64_t n = piece_number(l->oldest + 1); l->cap && n <= last_number(l); n++) {
    pieces[(uint64_t)n & (cap - 1)] = *piece_at(l, n);
  }
  heap_free(l->pieces);
  l->pieces = pieces;
  l->cap = cap;
}

void log_init(revision_log *l, tree_heap *heap, int64_t revision, tree_node *root) {
  *l = (revision_log){.heap = heap, .oldest = revision, .newest = revision};
  pieces_grow(l);
  *piece_at(l, piece_number(revision + 1)) = piece_create(revision, root);
}

void log_copy(const revision_log *from, revision_log *to) {
  *to = *from;
  to->pieces = heap_zalloc(to->cap * sizeof(log_piece *));
  for (int64_t n = piece_number(from->oldest + 1); n <= last_number(from); n++) {
    log_piece *p = *piece_at(from, n);
    p->refs++;
    *piece_at(to, n) = p;
  }
}

const log_slot *log_at(const revision_log *l, int64_t revision) {
  assert(revision > l->oldest && revision <= l->newest);
  const log_piece *p = *piece_at(l, piece_number(revision));
  assert(revision > p->from);
  return &p->slots[place(revision)];
}

/* What the log alone keeps alive by holding a replaced entry. */
static size_t slot_superseded(const log_slot *s) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < log_slot_count(s); i++) {
    const log_change *c = log_slot_change(s, i);
    if (c->prev) bytes += sizeof(store_entry) + c->prev->key_len + c->prev->value->len;
    if (c->entry->version == 0) bytes += sizeof(store_entry) + c->entry->key_len;
  }
  return bytes;
}

static log_slot slot_make(const log_change *changes, uint32_t count) {
  log_slot s = {.change = changes[0]};
  if (count == 1) return s;
  s.rest = heap_alloc(sizeof *s.rest + (count - 1) * sizeof *changes);
  s.rest->refs = 1;
  s.rest->count = count - 1;
  memcpy(s.rest->changes, changes + 1, (count - 1) * sizeof *changes);
  return s;
}

void log_append(revision_log *l, const log_change *changes, uint32_t count, tree_node *root) {
  assert(count > 0 && changes[0].entry->mod_revision == l->newest + 1);
  int64_t next = l->newest + 1, number = piece_number(next);
  log_piece *p = piece_own(l, number);
  l->newest = next;
  log_slot *s = &p->slots[place(next)];
  *s = slot_make(changes, count);
  l->superseded += slot_superseded(s);
  if (next % LOG_STRIDE) return;
  int64_t pieces = number + 2 - piece_number(l->oldest + 1);
  l->newest--; /* the next piece is none of those that move */
  if ((uint64_t)pieces > l->cap) pieces_grow(l);
  l->newest++;
  *piece_at(l, number + 1) = piece_create(next, root);
}

static void changes_apply(revision_log *l, tree_node **root, const log_slot *s) {
  for (uint32_t i = 0; i < log_slot_count(s); i++) {
    store_entry *e = log_slot_change(s, i)->entry;
    store_entry *old = e->version ? tree_put(l->heap, root, e)
                                  : tree_remove(l->heap, root, store_entry_key(e));
    store_entry_unref(old);
  }
}

tree_node *log_root(revision_log *l, int64_t revision) {
  assert(revision >= l->oldest && revision <= l->newest);
  const log_piece *p = *piece_at(l, number_for(l, revision));
  tree_node *root = tree_ref(p->root);
  for (int64_t r = p->from + 1; r <= revision; r++) changes_apply(l, &root, &p->slots[place(r)]);
  return root;
}

void log_drop(revision_log *l, int64_t revision) {
  assert(revision > l->oldest && revision <= l->newest);
  for (int64_t r = l->oldest + 1; r <= revision; r++) {
    l->superseded -= slot_superseded(log_at(l, r));
  }
  int64_t keep = piece_number(revision + 1);
  for (int64_t n = piece_number(l->oldest + 1); n < keep; n++) piece_unref(l, n);
  log_piece *p = *piece_at(l, keep);
  if (p->from < revision) {
    p = piece_own(l, keep);
    for (int64_t r = p->from + 1; r <= revision; r++) {
      changes_apply(l, &p->root, &p->slots[place(r)]);
    }
    slots_unref(p, p->from, revision);
    p->from = revision;
  }
  l->oldest = revision;
}

int64_t log_next_mark(const revision_log *l) {
  int64_t mark = (l->oldest / LOG_STRIDE + 1) * LOG_STRIDE;
  return mark < l->newest ? mark : l->newest;
}

size_t log_bytes(const revision_log *l) {
  int64_t pieces = last_number(l) - piece_number(l->oldest + 1) + 1;
  return l->cap * sizeof(log_piece *) + (size_t)pieces * sizeof(log_piece);
}

void log_dispose(revision_log *l) {
  if (l->cap) {
    for (int64_t n = piece_number(l->oldest + 1); n <= last_number(l); n++) piece_unref(l, n);
  }
  heap_free(l->pieces);
  *l = (revision_log){0};
}
