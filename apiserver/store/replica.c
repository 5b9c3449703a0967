/* A copy at somebody else's revisions.
 *
 * Invariants: the tree at `newest` is `root`, but for what is staged; staged changes are in the
 * tree and in the history, above `newest`. A revision becomes visible whole: first all of its
 * changes are staged, then `newest` moves, then the watchers are told. */
#include "store/replica.h"

#include "base/heap.h"
#include "base/mutant.h"

#include <assert.h>

#define WINDOW_CHANGES ((uint64_t)1 << 18)
#define WINDOW_BYTES ((size_t)256 << 20)

struct replica_watch {
  watch_link link;
  store_watch base;
  replica *replica;
  replica_watch *next, *before; /* all of them, in no order that shows */
  uint32_t refs; /* the caller's until it closes, and one a delivery under way */
  bool closed;
  int64_t from;
  store_on_event fn;
  void (*ended)(void *ctx);
  void *ctx;
};

replica *replica_create(void) {
  replica *r = heap_zalloc(sizeof *r);
  r->refs = 1;
  r->window_changes = WINDOW_CHANGES;
  r->window_bytes = WINDOW_BYTES;
  history_init(&r->history, &r->heap, NULL, 0);
  return r;
}

void replica_ref(replica *r) { r->refs++; }

void replica_unref(replica *r) {
  assert(r->refs > 0);
  if (--r->refs == 0) heap_free(r);
}

static void recent_forget(replica *r, int64_t below) {
  for (uint32_t i = 0; i < REPLICA_RECENT; i++) {
    if (r->recent[i].revision >= below) continue;
    tree_unref(&r->heap, r->recent[i].root);
    r->recent[i].root = NULL;
    r->recent[i].revision = 0;
  }
}

static void leave(replica *r, replica_watch *w) {
  if (!w->link.node) return;
  watch_index_remove(&r->watches, &w->link);
  if (w->before) w->before->next = w->next;
  else r->first = w->next;
  if (w->next) w->next->before = w->before;
  w->next = w->before = NULL;
}

void replica_destroy(replica *r) {
  if (!r) return;
  assert(!r->delivering);
  while (r->first) leave(r, r->first);
  watch_index_dispose(&r->watches);
  recent_forget(r, INT64_MAX);
  tree_unref(&r->heap, r->root);
  r->root = NULL;
  history_dispose(&r->history);
  heap_free(r->due);
  r->due = NULL;
  replica_unref(r);
}

/* ---- changes ---- */

void replica_stage(replica *r, int64_t revision, store_entry *entry) {
  assert(!r->delivering && revision > r->newest);
  bool gone = entry->version == 0;
  store_entry *prev = gone ? tree_remove(&r->heap, &r->root, store_entry_key(entry))
                           : tree_put(&r->heap, &r->root, entry);
  history_append(&r->history, revision, entry, prev, r->root);
}

static void due_add(void *ctx, watch_link *link) {
  replica *r = ctx;
  if (r->due_count == r->due_cap) {
    r->due_cap = r->due_cap ? r->due_cap * 2 : 16;
    r->due = heap_realloc(r->due, r->due_cap * sizeof(replica_watch *));
  }
  replica_watch *w = (replica_watch *)link;
  w->refs++;
  r->due[r->due_count++] = w;
}

static void watch_unref(replica_watch *w) {
  assert(w->refs > 0);
  if (--w->refs) return;
  replica_unref(w->replica);
  heap_free(w);
}

/* A key that was not known and is deleted is no event: nobody was told of it. */
static bool event_of(const history_change *c, store_event *ev) {
  *ev = (store_event){.deleted = c->entry->version == 0, .entry = c->entry, .prev = c->prev,
                      .revision = c->revision};
  return !ev->deleted || ev->prev;
}

static void deliver(replica *r, const history_change *c) {
  store_event ev;
  if (r->watches.count == 0 || !event_of(c, &ev)) return;
  r->delivering = true;
  r->due_count = 0;
  watch_index_match(&r->watches, store_entry_key(ev.entry), due_add, r);
  for (size_t i = 0; i < r->due_count; i++) {
    replica_watch *w = r->due[i];
    if (!w->closed && ev.revision > w->from) w->fn(w->ctx, &ev);
    watch_unref(w);
  }
  r->delivering = false;
}

static void window_trim(replica *r) {
  history *h = &r->history;
  while (h->next - h->first > r->window_changes ||
         (h->superseded > r->window_bytes && h->next - h->first > 1)) {
    uint64_t at = h->first + HISTORY_STRIDE < h->next ? h->first + HISTORY_STRIDE : h->next - 1;
    replica_drop(r, history_at(h, at)->revision);
  }
}

void replica_publish(replica *r, int64_t revision) {
  assert(!r->delivering);
  if (revision <= r->newest) return;
  uint64_t number = history_after(&r->history, r->newest);
  r->newest = revision;
  for (; number < r->history.next; number++) deliver(r, history_at(&r->history, number));
  window_trim(r);
}

void replica_drop(replica *r, int64_t revision) {
  if (revision > r->newest) revision = r->newest;
  if (revision <= replica_base(r)) return;
  history_drop(&r->history, revision);
  recent_forget(r, revision);
}

/* The end of a watch may close others, and open new ones, which belong to the new history: all are
 * taken out of the index before the first is told. */
static void end_watches(replica *r) {
  size_t count = 0, cap = r->watches.count;
  replica_watch **all = heap_alloc(cap * sizeof *all);
  while (r->first) {
    assert(count < cap);
    all[count] = r->first;
    all[count++]->refs++;
    leave(r, r->first);
  }
  for (size_t i = count; i-- > 0;) { /* the first opened first */
    replica_watch *w = all[i];
    if (!w->closed && w->ended) w->ended(w->ctx);
    watch_unref(w);
  }
  heap_free(all);
}

void replica_replace(replica *r, tree_node *root, int64_t revision) {
  assert(!r->delivering);
  recent_forget(r, INT64_MAX);
  history_dispose(&r->history);
  tree_unref(&r->heap, r->root);
  r->root = root;
  r->newest = revision;
  history_init(&r->history, &r->heap, tree_ref(root), revision);
  if (!MUTANT(REINIT_KEEPS_WATCHES)) end_watches(r);
}

/* ---- reading ---- */

tree_node *replica_root(replica *r, int64_t revision) {
  assert(revision >= replica_base(r) && revision <= r->newest);
  for (uint32_t i = 0; i < REPLICA_RECENT; i++) {
    if (r->recent[i].revision == revision && r->recent[i].root) return tree_ref(r->recent[i].root);
  }
  tree_node *root =
      revision == r->newest ? tree_ref(r->root) : history_root(&r->history, revision);
  uint32_t at = r->recent_next++ % REPLICA_RECENT;
  tree_unref(&r->heap, r->recent[at].root);
  r->recent[at].root = tree_ref(root);
  r->recent[at].revision = revision;
  return root;
}

const history_change *replica_change_after(const replica *r, slice key, int64_t revision) {
  const history *h = &r->history;
  for (uint64_t n = history_after(h, revision); n < h->next; n++) {
    const history_change *c = history_at(h, n);
    if (slice_eq(store_entry_key(c->entry), key)) return c;
  }
  return NULL;
}

/* ---- watching ---- */

static void catch_up(replica *r, replica_watch *w, slice prefix) {
  bool outer = r->delivering;
  r->delivering = true; /* so that a callback that writes is caught */
  uint64_t number = history_after(&r->history, w->from);
  for (; number < r->history.next && !w->closed; number++) {
    const history_change *c = history_at(&r->history, number);
    if (c->revision > r->newest) break;
    store_event ev;
    if (slice_has_prefix(store_entry_key(c->entry), prefix) && event_of(c, &ev)) w->fn(w->ctx, &ev);
  }
  r->delivering = outer;
  if (w->from < r->newest) w->from = r->newest; /* what is being told just now it has had */
}

store_watch *replica_watch_open(replica *r, const store_backend *ops, slice prefix, int64_t from,
                                store_on_event fn, void *ctx, store_watch **out) {
  assert(from >= replica_base(r));
  replica_watch *w = heap_zalloc(sizeof *w);
  *w = (replica_watch){.base.ops = ops, .replica = r, .refs = 2, .from = from, .fn = fn,
                       .ctx = ctx};
  replica_ref(r);
  watch_index_add(&r->watches, prefix, &w->link);
  w->next = r->first;
  if (r->first) r->first->before = w;
  r->first = w;
  *out = &w->base; /* before the first callback, which may close it */
  catch_up(r, w, prefix);
  if (w->closed) *out = NULL;
  watch_unref(w);
  return *out;
}

static replica_watch *watch_of(store_watch *base) {
  return (replica_watch *)((char *)base - offsetof(replica_watch, base));
}

void replica_watch_on_end(store_watch *base, void (*ended)(void *ctx)) {
  watch_of(base)->ended = ended;
}

void replica_watch_close(store_watch *base) {
  replica_watch *w = watch_of(base);
  assert(!w->closed);
  w->closed = true;
  leave(w->replica, w);
  watch_unref(w);
}

size_t replica_overhead(const replica *r) {
  return sizeof *r + r->heap.bytes + history_bytes(&r->history) +
         tree_size(r->root) * (sizeof(store_entry) + sizeof(blob)) +
         r->watches.count * sizeof(replica_watch);
}
