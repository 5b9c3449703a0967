/* The embedded backend: the newest tree, the log of how it came to be, and who watches.
 *
 * Invariants: the tree at log.newest is `root`; a revision is readable exactly when
 * compacted <= revision <= log.newest; an entry's mod_revision is the revision of the log
 * slot that brought it. A write changes the tree, then the log, then calls the watchers, so
 * a callback that reads the store sees its own event done. */
#include "base/heap.h"
#include "base/limits.h"
#include "store/entry.h"
#include "store/log.h"
#include "store/store.h"
#include "store/watch_index.h"

#include <assert.h>

#define RECENT 8 /* roots of the latest lists: their next pages come soon */
#define COMPACT_EVERY_NS ((int64_t)300 * 1000000000) /* the real server's default */
#define TICK_STEPS 8 /* of LOG_STRIDE revisions */
#define WINDOW_EVENTS ((uint64_t)1 << 18)
#define WINDOW_BYTES ((size_t)256 << 20)

struct store_watch {
  watch_link link;
  store *store; /* not to be touched once the link is out of the index */
  uint32_t refs; /* the caller's until it closes, and one a delivery under way */
  bool closed;
  int64_t from;
  store_on_event fn;
  void *ctx;
};

struct store_view {
  store *store;
  tree_node *root;
  int64_t revision;
};

struct store {
  uint32_t refs; /* the owner's, and one a view */
  bool delivering;
  bool ticked;
  tree_heap heap;
  tree_node *root;
  revision_log log;
  int64_t compacted; /* 0: nothing was dropped yet */
  watch_index watches;
  store_watch **due; /* who gets the event at hand */
  size_t due_count, due_cap;
  struct {
    tree_node *root;
    int64_t revision;
  } recent[RECENT];
  uint32_t recent_next;
  int64_t tick_ns, tick_revision; /* of the latest round */
  int64_t tick_target; /* compact up to here */
  uint64_t window_events;
  size_t window_bytes;
};

store *store_memory_create(int64_t first_revision) {
  assert(first_revision > 0);
  store *s = heap_zalloc(sizeof *s);
  s->refs = 1;
  s->window_events = WINDOW_EVENTS;
  s->window_bytes = WINDOW_BYTES;
  log_init(&s->log, &s->heap, first_revision, NULL);
  return s;
}

void store_memory_window(store *s, uint64_t events, size_t bytes) {
  assert(events > 0);
  s->window_events = events;
  s->window_bytes = bytes;
}

int64_t store_next_revision(const store *s) { return s->log.newest + 1; }
int64_t store_revision(const store *s) { return s->log.newest; }
int64_t store_compacted(const store *s) { return s->compacted; }

/* ---- compaction ---- */

static void recent_forget(store *s, int64_t below) {
  for (uint32_t i = 0; i < RECENT; i++) {
    if (s->recent[i].revision >= below) continue;
    tree_unref(&s->heap, s->recent[i].root);
    s->recent[i].root = NULL;
    s->recent[i].revision = 0;
  }
}

void store_compact(store *s, int64_t revision) {
  if (revision > s->log.newest) revision = s->log.newest;
  if (revision <= s->compacted) return;
  if (revision > s->log.oldest) log_drop(&s->log, revision);
  s->compacted = revision;
  recent_forget(s, revision);
}

static void window_trim(store *s) {
  const revision_log *l = &s->log;
  while ((uint64_t)(l->newest - l->oldest) > s->window_events ||
         (l->superseded > s->window_bytes && l->newest > l->oldest)) {
    store_compact(s, log_next_mark(l));
  }
}

/* A long log is dropped in steps, a few a tick, so that no request waits for all of it. */
static void tick_compact(store *s) {
  for (int step = 0; step < TICK_STEPS && s->compacted < s->tick_target; step++) {
    int64_t next = log_next_mark(&s->log);
    store_compact(s, next < s->tick_target ? next : s->tick_target);
  }
}

void store_tick(store *s, int64_t mono_ns) {
  if (!s->ticked || mono_ns - s->tick_ns >= COMPACT_EVERY_NS) {
    if (s->ticked) s->tick_target = s->tick_revision;
    s->ticked = true;
    s->tick_ns = mono_ns;
    s->tick_revision = s->log.newest;
  }
  tick_compact(s);
}

/* ---- watching ---- */

static void watch_unref(store_watch *w) {
  assert(w->refs > 0);
  if (--w->refs == 0) heap_free(w);
}

static void due_add(void *ctx, watch_link *link) {
  store *s = ctx;
  if (s->due_count == s->due_cap) {
    s->due_cap = s->due_cap ? s->due_cap * 2 : 16;
    s->due = heap_realloc(s->due, s->due_cap * sizeof(store_watch *));
  }
  store_watch *w = (store_watch *)link;
  w->refs++;
  s->due[s->due_count++] = w;
}

/* The receivers are fixed before the first is called: a watch opened by a callback has the
 * event from the log already, and one closed by a callback gets nothing more. */
static void event_deliver(store *s, const store_event *ev) {
  if (s->watches.count == 0) return;
  assert(!s->delivering);
  s->delivering = true;
  s->due_count = 0;
  watch_index_match(&s->watches, store_entry_key(ev->entry), due_add, s);
  for (size_t i = 0; i < s->due_count; i++) {
    store_watch *w = s->due[i];
    if (!w->closed && ev->revision > w->from) w->fn(w->ctx, ev);
    watch_unref(w);
  }
  s->delivering = false;
}

static store_event event_of(const log_slot *slot) {
  return (store_event){.deleted = slot->entry->version == 0, .entry = slot->entry,
                       .prev = slot->prev, .revision = slot->entry->mod_revision};
}

static void watch_catch_up(store *s, store_watch *w, slice prefix) {
  bool outer = s->delivering;
  int64_t start = w->from < s->log.oldest ? s->log.oldest : w->from;
  s->delivering = true; /* so that a callback that writes is caught */
  for (int64_t r = start + 1; r <= s->log.newest && !w->closed; r++) {
    store_event ev = event_of(log_at(&s->log, r));
    if (slice_has_prefix(store_entry_key(ev.entry), prefix)) w->fn(w->ctx, &ev);
  }
  s->delivering = outer;
}

store_result store_watch_open(store *s, slice prefix, int64_t from, store_on_event fn, void *ctx,
                              store_watch **out) {
  assert(fn && out);
  *out = NULL;
  if (from < s->compacted || from < 0) return STORE_COMPACTED;
  store_watch *w = heap_zalloc(sizeof *w);
  *w = (store_watch){.store = s, .refs = 2, .from = from, .fn = fn, .ctx = ctx};
  watch_index_add(&s->watches, prefix, &w->link);
  *out = w; /* before the first callback, which may close it */
  watch_catch_up(s, w, prefix);
  if (w->closed) *out = NULL;
  watch_unref(w);
  return STORE_OK;
}

void store_watch_close(store_watch *w) {
  if (!w) return;
  assert(!w->closed);
  w->closed = true;
  if (w->link.node) watch_index_remove(&w->store->watches, &w->link);
  watch_unref(w);
}

/* ---- writing ---- */

static bool too_large(const blob *value) {
  return value->len > LIMIT_STORED_OBJECT;
}

/* Puts the change, whose tree is already made, into the log and tells the watchers. Takes
 * both references over. */
static void write_commit(store *s, store_entry *entry, store_entry *prev) {
  assert(!s->delivering); /* a watch callback must not write */
  log_append(&s->log, entry, prev, s->root);
  store_event ev = event_of(log_at(&s->log, s->log.newest));
  event_deliver(s, &ev);
  window_trim(s);
}

static void write_put(store *s, slice key, blob *value, const store_entry *current,
                      store_entry **out) {
  store_entry *e = store_entry_create(key, value);
  e->mod_revision = s->log.newest + 1;
  e->create_revision = current ? current->create_revision : e->mod_revision;
  e->version = current ? current->version + 1 : 1;
  if (out) *out = store_entry_ref(e);
  store_entry *prev = tree_put(&s->heap, &s->root, e);
  assert(prev == current);
  write_commit(s, e, prev);
}

store_result store_create(store *s, slice key, blob *value, store_entry **out) {
  if (too_large(value)) return STORE_TOO_LARGE;
  if (tree_find(s->root, key)) return STORE_EXISTS;
  write_put(s, key, value, NULL, out);
  return STORE_OK;
}

store_result store_update(store *s, slice key, int64_t expect_mod, blob *value,
                          store_entry **out) {
  if (too_large(value)) return STORE_TOO_LARGE;
  const store_entry *current = tree_find(s->root, key);
  if (!current) return STORE_NOT_FOUND;
  if (current->mod_revision != expect_mod) return STORE_CONFLICT;
  write_put(s, key, value, current, out);
  return STORE_OK;
}

store_result store_delete(store *s, slice key, int64_t expect_mod, blob *final,
                          store_entry **last) {
  const store_entry *current = tree_find(s->root, key);
  if (!current) return STORE_NOT_FOUND;
  if (current->mod_revision != expect_mod) return STORE_CONFLICT;
  store_entry *prev = tree_remove(&s->heap, &s->root, key);
  assert(prev == current);
  store_entry *tombstone = store_entry_create(key, final ? final : prev->value);
  tombstone->mod_revision = s->log.newest + 1;
  tombstone->create_revision = prev->create_revision;
  if (last) *last = store_entry_ref(prev);
  write_commit(s, tombstone, prev);
  return STORE_OK;
}

/* ---- reading ---- */

static store_result revision_check(const store *s, int64_t revision) {
  if (revision > s->log.newest) return STORE_FUTURE;
  return revision < s->compacted || revision < 0 ? STORE_COMPACTED : STORE_OK;
}

/* The tree at a readable revision, a new reference; kept among the recent ones. */
static tree_node *root_at(store *s, int64_t revision) {
  for (uint32_t i = 0; i < RECENT; i++) {
    if (s->recent[i].revision == revision && s->recent[i].root) return tree_ref(s->recent[i].root);
  }
  int64_t known = revision < s->log.oldest ? s->log.oldest : revision;
  tree_node *root = known == s->log.newest ? tree_ref(s->root) : log_root(&s->log, known);
  uint32_t at = s->recent_next++ % RECENT;
  tree_unref(&s->heap, s->recent[at].root);
  s->recent[at].root = tree_ref(root);
  s->recent[at].revision = revision;
  return root;
}

store_result store_get(store *s, slice key, int64_t revision, store_entry **out) {
  assert(out);
  *out = NULL;
  if (revision == 0) revision = s->log.newest;
  store_result r = revision_check(s, revision);
  if (r != STORE_OK) return r;
  bool current = revision == s->log.newest;
  tree_node *root = current ? tree_ref(s->root) : root_at(s, revision);
  store_entry *e = tree_find(root, key);
  if (e) *out = store_entry_ref(e);
  tree_unref(&s->heap, root);
  return e ? STORE_OK : STORE_NOT_FOUND;
}

store_result store_view_open(store *s, int64_t revision, store_view **out) {
  assert(out);
  *out = NULL;
  if (revision == 0) revision = s->log.newest;
  store_result r = revision_check(s, revision);
  if (r != STORE_OK) return r;
  store_view *v = heap_alloc(sizeof *v);
  *v = (store_view){.store = s, .root = root_at(s, revision), .revision = revision};
  s->refs++;
  *out = v;
  return STORE_OK;
}

int64_t store_view_revision(const store_view *v) { return v->revision; }

void store_view_walk(const store_view *v, slice start, slice end, store_visit visit, void *ctx) {
  tree_walk(v->root, start, end, visit, ctx);
}

uint64_t store_view_count(const store_view *v, slice start, slice end) {
  uint64_t below = tree_rank(v->root, start);
  uint64_t upto = end.len ? tree_rank(v->root, end) : tree_size(v->root);
  return upto > below ? upto - below : 0;
}

/* ---- checkpoints ---- */

static void store_unref(store *s) {
  assert(s->refs > 0);
  if (--s->refs == 0) heap_free(s);
}

struct store_checkpoint {
  store *store; /* a reference, for the tree's heap */
  tree_node *root;
  revision_log log;
  int64_t compacted;
};

store_checkpoint *store_memory_checkpoint(store *s) {
  assert(!s->delivering);
  store_checkpoint *c = heap_alloc(sizeof *c);
  *c = (store_checkpoint){.store = s, .root = tree_ref(s->root), .compacted = s->compacted};
  log_copy(&s->log, &c->log);
  s->refs++;
  return c;
}

int64_t store_checkpoint_revision(const store_checkpoint *c) { return c->log.newest; }

void store_memory_restore(store *s, const store_checkpoint *c) {
  assert(!s->delivering && c->store == s);
  recent_forget(s, INT64_MAX);
  tree_unref(&s->heap, s->root);
  log_dispose(&s->log);
  s->root = tree_ref(c->root);
  log_copy(&c->log, &s->log);
  s->compacted = c->compacted;
  s->ticked = false; /* the timer's round begins anew: its revision may lie ahead */
  s->tick_target = 0;
}

void store_checkpoint_free(store_checkpoint *c) {
  if (!c) return;
  tree_unref(&c->store->heap, c->root);
  log_dispose(&c->log);
  store_unref(c->store);
  heap_free(c);
}

/* ---- the end ---- */

void store_view_close(store_view *v) {
  if (!v) return;
  tree_unref(&v->store->heap, v->root);
  store_unref(v->store);
  heap_free(v);
}

size_t store_overhead(const store *s) {
  return sizeof *s + s->heap.bytes + log_bytes(&s->log) + s->log.superseded +
         tree_size(s->root) * (sizeof(store_entry) + sizeof(blob)) +
         s->watches.count * sizeof(store_watch);
}

void store_destroy(store *s) {
  if (!s) return;
  assert(!s->delivering);
  watch_index_dispose(&s->watches);
  recent_forget(s, INT64_MAX);
  tree_unref(&s->heap, s->root);
  s->root = NULL;
  log_dispose(&s->log);
  heap_free(s->due);
  store_unref(s);
}
