/* The embedded backend: the newest tree, the log of how it came to be, and who watches.
 *
 * Invariants: the tree at log.newest is `root`; a revision is readable exactly when
 * compacted <= revision <= log.newest; an entry's mod_revision is the revision of the log
 * slot that brought it. A write changes the tree, then the log, then calls the watchers, so
 * a callback that reads the store sees its own event done. */
#include "base/heap.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "store/backend.h"
#include "store/entry.h"
#include "store/lease.h"
#include "store/log.h"
#include "store/watch_index.h"

#include <assert.h>
#include <limits.h>

#define RECENT 8 /* roots of the latest lists: their next pages come soon */
#define COMPACT_EVERY_NS ((int64_t)300 * 1000000000) /* the real server's default */
#define TICK_STEPS 8 /* of LOG_STRIDE revisions */
#define GARBAGE_STEPS 64 /* likewise */
#define EXPIRE_STEPS 16 /* leases */
#define LEASE_IDS ((int64_t)0x5e << 56) /* of our own leases: far from etcd's */
#define WINDOW_EVENTS ((uint64_t)1 << 18)
#define WINDOW_BYTES ((size_t)256 << 20)

typedef struct memory memory;

typedef struct memory_watch {
  watch_link link;
  store_watch base;
  memory *store; /* not to be touched once the link is out of the index */
  uint32_t refs; /* the caller's until it closes, and one a delivery under way */
  bool closed;
  int64_t from;
  store_on_event fn;
  void *ctx;
} memory_watch;

typedef struct memory_view {
  store_view base;
  memory *store;
  tree_node *root;
} memory_view;

/* A content that was replaced by another one. */
typedef struct memory_garbage {
  struct memory_garbage *next;
  tree_node *root;
  revision_log log;
} memory_garbage;

struct memory {
  store base;
  memory_garbage *garbage;
  uint32_t refs; /* the owner's, and one a view */
  bool delivering;
  bool ticked;
  bool batch; /* between store_memory_begin and _commit: `root` is ahead of the log */
  log_change *batch_changes;
  uint32_t batch_count, batch_cap;
  tree_heap heap;
  tree_node *root;
  revision_log log;
  int64_t compacted; /* 0: nothing was dropped yet */
  log_slot last_compacted; /* what changed at that revision, or empty */
  lease_table leases;
  store_leasing leasing;
  lease_reuse lease; /* for the next object with a time to live */
  int64_t lease_count;
  watch_index watches;
  memory_watch **due; /* who gets the event at hand */
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

static const store_backend backend;

static memory *of(store *s) {
  assert(store_is_memory(s));
  return (memory *)s;
}
static const memory *of_const(const store *s) { return (const memory *)s; }

store *store_memory_create(int64_t first_revision) {
  assert(first_revision > 0);
  memory *s = heap_zalloc(sizeof *s);
  s->base.ops = &backend;
  s->refs = 1;
  s->window_events = WINDOW_EVENTS;
  s->window_bytes = WINDOW_BYTES;
  log_init(&s->log, &s->heap, first_revision, NULL);
  return &s->base;
}

void store_memory_window(store *base, uint64_t events, size_t bytes) {
  memory *s = of(base);
  assert(events > 0);
  s->window_events = events;
  s->window_bytes = bytes;
}

static int64_t memory_next_revision(const store *s) { return of_const(s)->log.newest + 1; }
static int64_t memory_revision(const store *s) { return of_const(s)->log.newest; }
static int64_t memory_compacted(const store *s) { return of_const(s)->compacted; }

/* ---- compaction ---- */

static void recent_forget(memory *s, int64_t below) {
  for (uint32_t i = 0; i < RECENT; i++) {
    if (s->recent[i].revision >= below) continue;
    tree_unref(&s->heap, s->recent[i].root);
    s->recent[i].root = NULL;
    s->recent[i].revision = 0;
  }
}

static void compact(memory *s, int64_t revision) {
  if (revision > s->log.newest) revision = s->log.newest;
  if (revision <= s->compacted) return;
  if (revision > s->log.oldest) {
    log_slot last = log_slot_ref(log_at(&s->log, revision));
    log_slot_unref(&s->last_compacted);
    s->last_compacted = last;
    log_drop(&s->log, revision);
  }
  s->compacted = revision;
  recent_forget(s, revision);
}

static void memory_compact(store *s, int64_t revision) { compact(of(s), revision); }

static void window_trim(memory *s) {
  const revision_log *l = &s->log;
  while ((uint64_t)(l->newest - l->oldest) > s->window_events ||
         (l->superseded > s->window_bytes && l->newest > l->oldest)) {
    compact(s, log_next_mark(l));
  }
}

/* A long log is dropped in steps, a few a tick, so that no request waits for all of it. */
static void tick_compact(memory *s) {
  for (int step = 0; step < TICK_STEPS && s->compacted < s->tick_target; step++) {
    int64_t next = log_next_mark(&s->log);
    compact(s, next < s->tick_target ? next : s->tick_target);
  }
}

/* Frees some of what was let go of: history in pieces, then the tree. */
static void garbage_step(memory *s, int steps) {
  while (s->garbage && steps > 0) {
    memory_garbage *g = s->garbage;
    for (; steps > 0 && g->log.oldest < g->log.newest; steps--) {
      log_drop(&g->log, log_next_mark(&g->log));
    }
    if (g->log.oldest < g->log.newest) return;
    s->garbage = g->next;
    log_dispose(&g->log);
    tree_unref(&s->heap, g->root);
    heap_free(g);
    steps--;
  }
}

static void memory_tick(store *base, int64_t mono_ns) {
  memory *s = of(base);
  if (!s->ticked || mono_ns - s->tick_ns >= COMPACT_EVERY_NS) {
    if (s->ticked) s->tick_target = s->tick_revision;
    s->ticked = true;
    s->tick_ns = mono_ns;
    s->tick_revision = s->log.newest;
  }
  tick_compact(s);
  garbage_step(s, GARBAGE_STEPS);
  store_memory_expire(base, mono_ns);
}

/* ---- watching ---- */

static void watch_unref(memory_watch *w) {
  assert(w->refs > 0);
  if (--w->refs == 0) heap_free(w);
}

#define DUE_AHEAD 4u /* receivers whose memory is on its way while another is told */

static void due_add(void *ctx, watch_link *link) {
  memory *s = ctx;
  if (s->due_count == s->due_cap) {
    s->due_cap = s->due_cap ? s->due_cap * 2 : 16;
    s->due = heap_realloc(s->due, s->due_cap * sizeof(memory_watch *));
  }
  memory_watch *w = (memory_watch *)link;
  w->refs++;
  s->due[s->due_count++] = w;
}

/* The receivers are fixed before the first is called: a watch opened by a callback has the
 * event from the log already, and one closed by a callback gets nothing more. */
static void event_deliver(memory *s, const store_event *ev) {
  if (s->watches.count == 0) return;
  assert(!s->delivering);
  s->delivering = true;
  s->due_count = 0;
  watch_index_match(&s->watches, store_entry_key(ev->entry), due_add, s);
  for (size_t i = 0; i < s->due_count; i++) {
    memory_watch *w = s->due[i];
    if (i + DUE_AHEAD < s->due_count) __builtin_prefetch(s->due[i + DUE_AHEAD]->ctx, 1);
    if (!w->closed && ev->revision > w->from) w->fn(w->ctx, ev);
    watch_unref(w);
  }
  s->delivering = false;
}

static store_event event_of(const log_change *c) {
  return (store_event){.deleted = c->entry->version == 0, .entry = c->entry,
                       .prev = c->prev, .revision = c->entry->mod_revision};
}

static void watch_catch_up(memory *s, memory_watch *w, slice prefix) {
  bool outer = s->delivering;
  int64_t start = w->from < s->log.oldest ? s->log.oldest : w->from;
  s->delivering = true; /* so that a callback that writes is caught */
  for (int64_t r = start + 1; r <= s->log.newest && !w->closed; r++) {
    const log_slot *slot = log_at(&s->log, r);
    for (uint32_t i = 0; i < log_slot_count(slot) && !w->closed; i++) {
      store_event ev = event_of(log_slot_change(slot, i));
      if (slice_has_prefix(store_entry_key(ev.entry), prefix)) w->fn(w->ctx, &ev);
    }
  }
  s->delivering = outer;
}

static store_result memory_watch_open(store *base, slice prefix, int64_t from, store_on_event fn,
                                      void *ctx, store_watch **out) {
  memory *s = of(base);
  assert(fn && out);
  *out = NULL;
  int64_t kept = s->compacted - MUTANT(GONE_TOO_LATE) + MUTANT(GONE_TOO_EARLY);
  if (from < kept || from < 0) return STORE_COMPACTED;
  memory_watch *w = heap_zalloc(sizeof *w);
  *w = (memory_watch){.base.ops = &backend, .store = s, .refs = 2, .from = from, .fn = fn,
                      .ctx = ctx};
  watch_index_add(&s->watches, prefix, &w->link);
  *out = &w->base; /* before the first callback, which may close it */
  watch_catch_up(s, w, prefix);
  if (w->closed) *out = NULL;
  watch_unref(w);
  return STORE_OK;
}

static void memory_watch_on_end(store_watch *base, void (*ended)(void *ctx)) {
  (void)base;
  (void)ended; /* its history goes by compaction alone, which an open watch does not need */
}

static void memory_watch_close(store_watch *base) {
  memory_watch *w = (memory_watch *)((char *)base - offsetof(memory_watch, base));
  assert(!w->closed);
  w->closed = true;
  if (w->link.node) watch_index_remove(&w->store->watches, &w->link);
  watch_unref(w);
}

/* ---- writing ---- */

static bool too_large(const blob *value) {
  return value->len > LIMIT_STORED_OBJECT;
}

/* Puts the changes of a revision, whose tree is already made, into the log and tells the watchers.
 * Takes all references over. */
static void write_commit(memory *s, const log_change *changes, uint32_t count) {
  assert(!s->delivering); /* a watch callback must not write */
  log_append(&s->log, changes, count, s->root);
  for (uint32_t i = 0; i < count; i++) {
    store_event ev = event_of(&changes[i]);
    event_deliver(s, &ev);
  }
  window_trim(s);
}

static void lease_let_go(memory *s, const store_entry *e) {
  lease *l = e && e->lease ? lease_find(&s->leases, e->lease) : NULL;
  if (l) lease_detach(l, store_entry_key(e));
}

/* Puts a new entry on a lease, where there is one with that id. */
static void lease_hold(memory *s, store_entry *e, int64_t id) {
  lease *l = id ? lease_find(&s->leases, id) : NULL;
  e->lease = id;
  if (l) lease_attach(l, store_entry_key(e));
}

/* The tree with the new entry; both references are the caller's. */
static log_change tree_change_put(memory *s, slice key, blob *value,
                                  const store_entry *current, int64_t on_lease) {
  store_entry *e = store_entry_create(key, value);
  lease_let_go(s, current);
  lease_hold(s, e, on_lease);
  e->mod_revision = s->log.newest + 1;
  e->create_revision = current ? current->create_revision : e->mod_revision;
  e->version = current ? current->version + 1 : 1;
  store_entry *prev = tree_put(&s->heap, &s->root, e);
  assert(prev == current);
  return (log_change){e, prev};
}

static log_change tree_change_remove(memory *s, slice key, blob *final) {
  store_entry *prev = tree_remove(&s->heap, &s->root, key);
  lease_let_go(s, prev);
  store_entry *tombstone = store_entry_create(key, final ? final : prev->value);
  tombstone->mod_revision = s->log.newest + 1;
  tombstone->create_revision = prev->create_revision;
  return (log_change){tombstone, prev};
}

/* 0: none. */
static int64_t lease_for(memory *s, int64_t ttl_s) {
  if (ttl_s <= 0 || !s->leasing.now_ns) return 0;
  int64_t now = *s->leasing.now_ns, extra = lease_extra_s(ttl_s, s->leasing.reuse_s);
  bool there = lease_find(&s->leases, s->lease.id) != NULL; /* else an etcd client revoked it */
  if (there && lease_reuse_take(&s->lease, ttl_s, extra, now)) return s->lease.id;
  int64_t id;
  do id = LEASE_IDS + ++s->lease_count;
  while (lease_find(&s->leases, id));
  lease *l = lease_add(&s->leases, id, ttl_s + extra, now);
  lease_reuse_begin(&s->lease, id, l->ttl_s, now);
  return id;
}

static void write_put(memory *s, slice key, blob *value, const store_entry *current, int64_t ttl_s,
                      store_entry **out) {
  assert(!s->batch);
  log_change c = tree_change_put(s, key, value, current, lease_for(s, ttl_s));
  if (out) *out = store_entry_ref(c.entry);
  write_commit(s, &c, 1);
}

static store_result memory_create(store *base, slice key, blob *value, int64_t ttl_s,
                                  store_entry **out) {
  memory *s = of(base);
  if (too_large(value)) return STORE_TOO_LARGE;
  if (tree_find(s->root, key)) return STORE_EXISTS;
  write_put(s, key, value, NULL, ttl_s, out);
  return STORE_OK;
}

static store_result memory_update(store *base, slice key, int64_t expect_mod, blob *value,
                                  int64_t ttl_s, store_entry **out) {
  memory *s = of(base);
  if (too_large(value)) return STORE_TOO_LARGE;
  const store_entry *current = tree_find(s->root, key);
  if (!current) return STORE_NOT_FOUND;
  if (current->mod_revision != expect_mod) return STORE_CONFLICT;
  write_put(s, key, value, current, ttl_s, out);
  return STORE_OK;
}

static store_result memory_delete(store *base, slice key, int64_t expect_mod, blob *final,
                                  store_entry **last) {
  memory *s = of(base);
  const store_entry *current = tree_find(s->root, key);
  if (!current) return STORE_NOT_FOUND;
  if (current->mod_revision != expect_mod) return STORE_CONFLICT;
  assert(!s->batch);
  log_change c = tree_change_remove(s, key, final);
  if (last) *last = store_entry_ref(c.prev);
  write_commit(s, &c, 1);
  return STORE_OK;
}

/* ---- several changes at one revision ---- */

void store_memory_begin(store *base) {
  memory *s = of(base);
  assert(!s->batch && !s->delivering);
  s->batch = true;
}

static void batch_add(memory *s, log_change c) {
  if (s->batch_count == s->batch_cap) {
    s->batch_cap = s->batch_cap ? s->batch_cap * 2 : 16;
    s->batch_changes = heap_realloc(s->batch_changes, s->batch_cap * sizeof(log_change));
  }
  s->batch_changes[s->batch_count++] = c;
}

store_entry *store_memory_put(store *base, slice key, blob *value, int64_t on_lease) {
  memory *s = of(base);
  assert(s->batch);
  log_change c = tree_change_put(s, key, value, tree_find(s->root, key), on_lease);
  batch_add(s, c);
  return c.entry;
}

bool store_memory_remove(store *base, slice key, blob *final) {
  memory *s = of(base);
  assert(s->batch);
  if (!tree_find(s->root, key)) return false;
  batch_add(s, tree_change_remove(s, key, final));
  return true;
}

int64_t store_memory_commit(store *base) {
  memory *s = of(base);
  assert(s->batch);
  s->batch = false;
  uint32_t count = s->batch_count;
  s->batch_count = 0;
  if (count) write_commit(s, s->batch_changes, count);
  return s->log.newest;
}

/* ---- leases ---- */

lease_table *store_memory_leases(store *s) { return &of(s)->leases; }

void store_memory_leasing(store *base, const store_leasing *l) {
  memory *s = of(base);
  s->leasing = *l;
  s->leasing.reuse_s = lease_reuse_s_of(l->reuse_s);
}

void store_memory_revoke(store *base, lease *l) {
  memory *s = of(base);
  uint32_t n = l->key_count;
  blob **keys = l->keys;
  l->keys = NULL; /* ours: nothing is to be detached from it any more */
  l->key_count = l->key_cap = 0;
  lease_drop(&s->leases, l);
  store_memory_begin(base);
  for (uint32_t i = 0; i < n; i++) {
    const store_entry *e = tree_find(s->root, blob_slice(keys[i]));
    blob *final = e && s->leasing.final ? s->leasing.final(e, s->log.newest + 1) : NULL;
    store_memory_remove(base, blob_slice(keys[i]), final);
    blob_unref(final);
    blob_unref(keys[i]);
  }
  store_memory_commit(base);
  heap_free(keys);
}

void store_memory_expire(store *base, int64_t now_ns) {
  memory *s = of(base);
  for (int step = 0; step < EXPIRE_STEPS; step++) {
    lease *l = lease_next(&s->leases);
    if (!l || l->ends_ns > now_ns) return;
    store_memory_revoke(base, l);
  }
}

/* ---- reading ---- */

static store_result revision_check(const memory *s, int64_t revision) {
  if (revision > s->log.newest) return STORE_FUTURE;
  return revision < s->compacted || revision < 0 ? STORE_COMPACTED : STORE_OK;
}

/* The tree at a readable revision, a new reference; kept among the recent ones. */
static tree_node *root_at(memory *s, int64_t revision) {
  if (s->batch && revision == s->log.newest) return tree_ref(s->root); /* not to be kept */
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

static store_result memory_get(store *base, slice key, int64_t revision, store_entry **out) {
  memory *s = of(base);
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

static store_result memory_get_fresh(store *s, slice key, store_entry **out) {
  return memory_get(s, key, 0, out);
}

static store_result memory_view_open(store *base, int64_t revision, store_view **out) {
  memory *s = of(base);
  assert(out);
  *out = NULL;
  if (revision == 0) revision = s->log.newest;
  store_result r = revision_check(s, revision);
  if (r != STORE_OK) return r;
  memory_view *v = heap_alloc(sizeof *v);
  *v = (memory_view){.base = {&backend, revision}, .store = s, .root = root_at(s, revision)};
  s->refs++;
  *out = &v->base;
  return STORE_OK;
}

static store_result memory_view_walk(store_view *v, slice start, slice end, store_visit visit,
                                     void *ctx) {
  tree_walk(((memory_view *)v)->root, start, end, visit, ctx);
  return STORE_OK;
}

static uint64_t memory_view_count(store_view *base, slice start, slice end) {
  const memory_view *v = (const memory_view *)base;
  uint64_t below = tree_rank(v->root, start);
  uint64_t upto = end.len ? tree_rank(v->root, end) : tree_size(v->root);
  return upto > below ? upto - below : 0;
}

/* ---- checkpoints ---- */

static void memory_unref(memory *s) {
  assert(s->refs > 0);
  if (--s->refs == 0) heap_free(s);
}

struct store_checkpoint {
  memory *store; /* a reference, for the tree's heap */
  tree_node *root;
  revision_log log;
  int64_t compacted;
  lease_table leases;
  lease_reuse lease;
  int64_t lease_count, taken_ns;
};

static int64_t now_of(const memory *s) { return s->leasing.now_ns ? *s->leasing.now_ns : 0; }

/* Also behind a table that wraps some of its functions. */
bool store_is_memory(const store *s) { return s->ops->destroy == backend.destroy; }

store_checkpoint *store_memory_checkpoint(store *base) {
  memory *s = of(base);
  assert(!s->delivering);
  store_checkpoint *c = heap_alloc(sizeof *c);
  *c = (store_checkpoint){.store = s, .root = tree_ref(s->root), .compacted = s->compacted,
                          .lease = s->lease, .lease_count = s->lease_count,
                          .taken_ns = now_of(s)};
  log_copy(&s->log, &c->log);
  lease_table_copy(&s->leases, 0, &c->leases);
  s->refs++;
  return c;
}

int64_t store_checkpoint_revision(const store_checkpoint *c) { return c->log.newest; }

/* Lets go of everything; the caller fills in another content. What only the old one held is freed
 * by later ticks: ten thousand entries would take longer than all the rest. */
static void content_drop(memory *s) {
  assert(!s->delivering);
  recent_forget(s, INT64_MAX);
  memory_garbage *g = heap_alloc(sizeof *g);
  *g = (memory_garbage){s->garbage, s->root, s->log};
  s->garbage = g;
  s->root = NULL;
  lease_table_dispose(&s->leases);
  s->lease = (lease_reuse){0};
  log_slot_unref(&s->last_compacted);
  s->last_compacted = (log_slot){0};
  s->ticked = false; /* the timer's round begins anew: its revision may lie ahead */
  s->tick_target = 0;
}

void store_memory_restore(store *base, const store_checkpoint *c) {
  memory *s = of(base);
  assert(c->store == s);
  content_drop(s);
  s->root = tree_ref(c->root);
  log_copy(&c->log, &s->log);
  s->compacted = c->compacted;
  int64_t later = now_of(s) - c->taken_ns; /* what was left of a lease then is left now */
  lease_table_copy(&c->leases, later, &s->leases);
  s->lease = c->lease;
  s->lease.until_ns += later;
  s->lease_count = c->lease_count;
}

void store_memory_load(store *base, int64_t revision, bool (*next)(void *ctx, store_row *row),
                       void *ctx) {
  memory *s = of(base);
  store_row row;
  content_drop(s);
  while (next(ctx, &row)) {
    blob *value = blob_copy(row.value);
    store_entry *e = store_entry_create(row.key, value);
    blob_unref(value);
    e->create_revision = row.create_revision;
    e->mod_revision = row.mod_revision;
    e->version = row.version;
    lease_hold(s, e, lease_for(s, row.ttl_s));
    store_entry *before = tree_put(&s->heap, &s->root, e);
    assert(!before);
    (void)before;
    store_entry_unref(e);
  }
  log_init(&s->log, &s->heap, revision, s->root);
  s->compacted = revision;
}

void store_checkpoint_free(store_checkpoint *c) {
  if (!c) return;
  tree_unref(&c->store->heap, c->root);
  log_dispose(&c->log);
  lease_table_dispose(&c->leases);
  memory_unref(c->store);
  heap_free(c);
}

void store_memory_at_compaction(store *base, store_on_event fn, void *ctx) {
  memory *s = of(base);
  const log_slot *slot = &s->last_compacted;
  if (!slot->change.entry || slot->change.entry->mod_revision != s->compacted) return;
  for (uint32_t i = 0; i < log_slot_count(slot); i++) {
    store_event ev = event_of(log_slot_change(slot, i));
    fn(ctx, &ev);
  }
}

/* ---- the end ---- */

static void memory_view_close(store_view *base) {
  memory_view *v = (memory_view *)base;
  tree_unref(&v->store->heap, v->root);
  memory_unref(v->store);
  heap_free(v);
}

static size_t memory_overhead(const store *base) {
  const memory *s = of_const(base);
  return sizeof *s + s->heap.bytes + log_bytes(&s->log) + s->log.superseded +
         tree_size(s->root) * (sizeof(store_entry) + sizeof(blob)) +
         s->watches.count * sizeof(memory_watch);
}

static void memory_destroy(store *base) {
  memory *s = of(base);
  assert(!s->delivering);
  watch_index_dispose(&s->watches);
  garbage_step(s, INT_MAX);
  recent_forget(s, INT64_MAX);
  tree_unref(&s->heap, s->root);
  s->root = NULL;
  log_slot_unref(&s->last_compacted);
  log_dispose(&s->log);
  lease_table_dispose(&s->leases);
  heap_free(s->due);
  heap_free(s->batch_changes);
  memory_unref(s);
}

/* ---- what never happens here ---- */

static slice memory_problem(const store *s) {
  (void)s;
  return SLICE_NONE;
}

static bool memory_is_ready(const store *s, slice *why) {
  (void)s;
  (void)why;
  return true;
}

static store_result memory_sync(store *s, int64_t *at) {
  (void)s;
  *at = 0;
  return STORE_OK;
}

static store_result memory_wait_revision(store *s, int64_t revision, int64_t for_ns) {
  (void)for_ns;
  return revision <= memory_revision(s) ? STORE_OK : STORE_TIMEOUT;
}

static void memory_cancel(store *s, struct fiber *f) {
  (void)s;
  (void)f;
}

static const store_backend backend = {
    .waits = false,
    .next_revision = memory_next_revision,
    .revision = memory_revision,
    .compacted = memory_compacted,
    .problem = memory_problem,
    .is_ready = memory_is_ready,
    .sync = memory_sync,
    .wait_revision = memory_wait_revision,
    .create = memory_create,
    .update = memory_update,
    .remove = memory_delete,
    .written = memory_revision,
    .get = memory_get,
    .get_fresh = memory_get_fresh,
    .view_open = memory_view_open,
    .view_close = memory_view_close,
    .view_walk = memory_view_walk,
    .view_count = memory_view_count,
    .watch_open = memory_watch_open,
    .watch_on_end = memory_watch_on_end,
    .watch_close = memory_watch_close,
    .compact = memory_compact,
    .tick = memory_tick,
    .overhead = memory_overhead,
    .cancel = memory_cancel,
    .destroy = memory_destroy,
};
