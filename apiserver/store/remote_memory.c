/* Answers and events are jobs: made at once, told later by a timer, so that no call answers before
 * it has returned. */
#include "store/remote_memory.h"

#include "base/arena.h"
#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>

typedef struct memory_remote memory_remote;

struct remote_call {
  memory_remote *r;
  remote_call *next, *before;
  timer timer;
  remote_done done;
  void *ctx;
  arena *arena; /* of the answer */
  remote_answer answer;
};

typedef struct news {
  struct news *next;
  remote_watch *w;
  timer timer;
  remote_event_kind kind;
  int64_t revision;
  store_entry *entry, *prev;
} news;

struct remote_watch {
  memory_remote *r;
  remote_watch *next, *before;
  slice prefix; /* all keys between key and end share it; owned */
  store_watch *feed;
  int64_t from, told; /* delivered up to here */
  remote_on_event event;
  void *ctx;
  news *first, *last; /* not told yet, in order */
};

/* A transaction that is applied after it was given up. */
typedef struct late {
  struct late *next;
  memory_remote *r;
  timer timer;
  blob *key, *value; /* NULL: deletes */
  int64_t guard;
} late;

struct memory_remote {
  remote base;
  store *data;
  const env *clock;
  timers *timers;
  remote_call *calls;
  remote_watch *watches;
  late *lates;
  remote_memory_knobs knobs;
};

static memory_remote *of(remote *r) { return (memory_remote *)r; }

/* ---- calls ---- */

static void call_free(remote_call *c) {
  timer_clear(c->r->timers, &c->timer);
  if (c->before) c->before->next = c->next;
  else c->r->calls = c->next;
  if (c->next) c->next->before = c->before;
  arena_destroy(c->arena);
  heap_free(c);
}

static void on_answer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  remote_call *c = ctx;
  c->done(c->ctx, &c->answer);
  call_free(c);
}

static remote_call *call_new(memory_remote *r, remote_done done, void *ctx) {
  remote_call *c = heap_zalloc(sizeof *c);
  c->r = r;
  c->done = done;
  c->ctx = ctx;
  c->arena = arena_create();
  c->next = r->calls;
  if (r->calls) r->calls->before = c;
  r->calls = c;
  timer_set(r->timers, &c->timer, r->clock->mono_ns + r->knobs.answer_ns, on_answer, c);
  if (r->knobs.down) {
    c->answer.result = REMOTE_UNAVAILABLE;
    c->answer.message = SLICE_LIT("connection refused");
  }
  return c;
}

static void cancel(remote *r, remote_call *c) {
  (void)r;
  call_free(c);
}

static remote_kv kv_of(const store_entry *e) {
  return (remote_kv){.key = store_entry_key(e), .value = blob_slice(e->value),
                     .create_revision = e->create_revision, .mod_revision = e->mod_revision,
                     .version = e->version};
}

static void add_kv(remote_call *c, const store_entry *e, uint32_t *cap, bool keys_only) {
  remote_kv *all = arena_more(c->arena, (void *)(uintptr_t)c->answer.kvs, c->answer.count, cap,
                              sizeof *all);
  remote_kv kv = kv_of(e);
  kv.key = arena_copy(c->arena, kv.key);
  kv.value = keys_only ? SLICE_NONE : arena_copy(c->arena, kv.value);
  all[c->answer.count++] = kv;
  c->answer.kvs = all;
}

typedef struct walk {
  remote_call *call;
  const remote_range *range;
  uint32_t cap;
} walk;

static bool visit(void *ctx, store_entry *e) {
  walk *w = ctx;
  remote_answer *a = &w->call->answer;
  a->total++;
  if (w->range->count_only) return true;
  if (w->range->limit && a->count == w->range->limit) a->more = true;
  else add_kv(w->call, e, &w->cap, w->range->keys_only);
  return true;
}

static remote_result result_of(store_result r) {
  switch (r) {
    case STORE_OK: return REMOTE_OK;
    case STORE_COMPACTED: return REMOTE_COMPACTED;
    case STORE_FUTURE: return REMOTE_FUTURE;
    case STORE_TOO_LARGE: return REMOTE_TOO_LARGE;
    default: return REMOTE_GUARD_FAILED;
  }
}

static remote_call *range(remote *base, const remote_range *q, remote_done done, void *ctx) {
  memory_remote *r = of(base);
  remote_call *c = call_new(r, done, ctx);
  if (c->answer.result != REMOTE_OK) return c;
  store_view *view = NULL;
  c->answer.result = result_of(store_view_open(r->data, q->revision, &view));
  if (c->answer.result == REMOTE_COMPACTED) {
    c->answer.message = SLICE_LIT("etcdserver: mvcc: required revision has been compacted");
  }
  if (!view) return c;
  slice end = q->end.len ? q->end : arena_concat(c->arena, q->key, slice_of("\0", 1));
  walk w = {c, q, 0};
  store_view_walk(view, q->key, end, visit, &w);
  store_view_close(view);
  c->answer.revision = store_revision(r->data);
  return c;
}

/* ---- transactions ---- */

static store_result apply(store *s, slice key, slice value, bool remove, int64_t guard) {
  if (remove) return store_delete(s, key, guard, NULL, NULL);
  blob *b = blob_copy(value);
  store_result r = guard ? store_update(s, key, guard, b, NULL) : store_create(s, key, b, NULL);
  blob_unref(b);
  return r;
}

static void late_free(late *l) {
  late **at = &l->r->lates;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
  timer_clear(l->r->timers, &l->timer);
  blob_unref(l->key);
  blob_unref(l->value);
  heap_free(l);
}

static void on_late(void *ctx, int64_t now_ns) {
  (void)now_ns;
  late *l = ctx;
  apply(l->r->data, blob_slice(l->key), l->value ? blob_slice(l->value) : SLICE_NONE, !l->value,
        l->guard);
  late_free(l);
}

static void apply_late(memory_remote *r, const remote_txn *t) {
  late *l = heap_zalloc(sizeof *l);
  *l = (late){.next = r->lates, .r = r, .key = blob_copy(t->key), .guard = t->guard,
              .value = t->remove ? NULL : blob_copy(t->value)};
  r->lates = l;
  timer_set(r->timers, &l->timer, r->clock->mono_ns + r->knobs.late_ns, on_late, l);
}

static bool spend(uint32_t *knob) {
  if (*knob == 0) return false;
  --*knob;
  return true;
}

static void answer_unknown(remote_call *c) {
  c->answer = (remote_answer){.result = REMOTE_UNKNOWN, .message = SLICE_LIT("connection reset")};
}

static remote_call *txn(remote *base, const remote_txn *t, remote_done done, void *ctx) {
  memory_remote *r = of(base);
  remote_call *c = call_new(r, done, ctx);
  if (c->answer.result != REMOTE_OK) return c;
  if (r->knobs.refuse != REMOTE_OK) {
    c->answer.result = r->knobs.refuse;
    return c;
  }
  if (spend(&r->knobs.lose_requests)) {
    answer_unknown(c);
    return c;
  }
  bool loses = spend(&r->knobs.lose_answers);
  if (!loses && spend(&r->knobs.late)) {
    apply_late(r, t);
    answer_unknown(c);
    return c;
  }
  c->answer.result = result_of(apply(r->data, t->key, t->value, t->remove, t->guard));
  c->answer.revision = store_revision(r->data);
  store_entry *e = NULL;
  uint32_t cap = 0;
  if (c->answer.result == REMOTE_GUARD_FAILED && store_get(r->data, t->key, 0, &e) == STORE_OK) {
    add_kv(c, e, &cap, false);
    store_entry_unref(e);
  }
  if (loses) answer_unknown(c);
  return c;
}

static remote_call *compact(remote *base, int64_t revision, remote_done done, void *ctx) {
  memory_remote *r = of(base);
  remote_call *c = call_new(r, done, ctx);
  if (c->answer.result != REMOTE_OK) return c;
  if (revision > store_revision(r->data)) c->answer.result = REMOTE_FUTURE;
  else if (revision <= store_compacted(r->data)) c->answer.result = REMOTE_COMPACTED;
  else store_compact(r->data, revision);
  c->answer.revision = store_revision(r->data);
  return c;
}

static remote_call *lease_grant(remote *base, int64_t ttl_s, remote_done done, void *ctx) {
  memory_remote *r = of(base);
  remote_call *c = call_new(r, done, ctx);
  if (c->answer.result != REMOTE_OK) return c;
  c->answer.lease = 7000 + r->clock->mono_ns / 1000000000;
  c->answer.ttl_s = ttl_s;
  c->answer.revision = store_revision(r->data);
  return c;
}

/* ---- watches ---- */

static void news_free(news *n) {
  remote_watch *w = n->w;
  news **at = &w->first;
  news *before = NULL;
  while (*at != n) {
    before = *at;
    at = &(*at)->next;
  }
  *at = n->next;
  if (w->last == n) w->last = before;
  timer_clear(w->r->timers, &n->timer);
  if (n->entry) store_entry_unref(n->entry);
  if (n->prev) store_entry_unref(n->prev);
  heap_free(n);
}

static void watch_close(remote *base, remote_watch *w) {
  memory_remote *r = of(base);
  while (w->first) news_free(w->first);
  store_watch_close(w->feed);
  if (w->before) w->before->next = w->next;
  else r->watches = w->next;
  if (w->next) w->next->before = w->before;
  heap_free((void *)(uintptr_t)w->prefix.ptr);
  heap_free(w);
}

static void on_news(void *ctx, int64_t now_ns) {
  (void)now_ns;
  news *n = ctx;
  remote_watch *w = n->w;
  remote_change change = {0};
  remote_watch_event ev = {.kind = n->kind, .revision = n->revision};
  store_entry *entry = n->entry, *prev = n->prev;
  if (entry) {
    change.deleted = entry->version == 0;
    change.kv = kv_of(entry);
    if (change.deleted) change.kv.value = SLICE_NONE;
    if (prev) change.prev = kv_of(prev);
    change.has_prev = prev != NULL;
    ev.count = 1;
    ev.changes = &change;
  }
  n->entry = n->prev = NULL;
  news_free(n);
  remote_on_event event = w->event;
  void *event_ctx = w->ctx;
  w->told = ev.revision ? ev.revision : w->told;
  if (ev.kind == REMOTE_WATCH_BROKEN || ev.kind == REMOTE_WATCH_COMPACTED) {
    watch_close(&w->r->base, w);
  }
  event(event_ctx, &ev);
  if (entry) store_entry_unref(entry);
  if (prev) store_entry_unref(prev);
}

static void news_add(remote_watch *w, remote_event_kind kind, int64_t revision,
                     store_entry *entry, store_entry *prev) {
  news *n = heap_zalloc(sizeof *n);
  *n = (news){.w = w, .kind = kind, .revision = revision, .entry = entry, .prev = prev};
  if (entry) store_entry_ref(entry);
  if (prev) store_entry_ref(prev);
  if (w->last) w->last->next = n;
  else w->first = n;
  w->last = n;
  timer_set(w->r->timers, &n->timer, w->r->clock->mono_ns + w->r->knobs.watch_ns, on_news, n);
}

static void on_change(void *ctx, const store_event *ev) {
  remote_watch *w = ctx;
  if (spend(&w->r->knobs.skip_events)) return;
  news_add(w, REMOTE_EVENTS, ev->revision, ev->entry, ev->prev);
}

static slice common_prefix(slice key, slice end) {
  size_t n = 0;
  while (n < key.len && n < end.len && key.ptr[n] == end.ptr[n]) n++;
  return slice_upto(key, n + 1); /* "/a/" and "/a0" */
}

static remote_watch *watch_open(remote *base, slice key, slice end, int64_t from,
                                remote_on_event event, void *ctx) {
  memory_remote *r = of(base);
  remote_watch *w = heap_zalloc(sizeof *w);
  slice prefix = common_prefix(key, end);
  char *bytes = heap_alloc(prefix.len);
  memcpy(bytes, prefix.ptr, prefix.len);
  *w = (remote_watch){.r = r, .next = r->watches, .prefix = slice_of(bytes, prefix.len),
                      .from = from, .event = event, .ctx = ctx};
  if (r->watches) r->watches->before = w;
  r->watches = w;
  store_watch *feed = NULL;
  if (r->knobs.down) {
    news_add(w, REMOTE_WATCH_BROKEN, 0, NULL, NULL);
  } else if (store_watch_open(r->data, w->prefix, from - 1, on_change, w, &feed) != STORE_OK) {
    news_add(w, REMOTE_WATCH_COMPACTED, store_compacted(r->data), NULL, NULL);
  }
  w->feed = feed;
  return w;
}

/* Behind what is not told yet, so that it never overtakes. */
static void watch_progress(remote *base, remote_watch *w) {
  memory_remote *r = of(base);
  if (!w->feed || r->knobs.down || store_revision(r->data) < w->from - 1) return;
  news_add(w, REMOTE_PROGRESS, store_revision(r->data), NULL, NULL);
}

void remote_memory_break(remote *base) {
  for (remote_watch *w = of(base)->watches; w; w = w->next) {
    while (w->first) news_free(w->first);
    store_watch_close(w->feed);
    w->feed = NULL;
    news_add(w, REMOTE_WATCH_BROKEN, 0, NULL, NULL);
  }
}

/* ---- the rest ---- */

static void status(const remote *base, remote_status *out) {
  const memory_remote *r = (const memory_remote *)base;
  *out = (remote_status){.connected = !r->knobs.down, .progress = !r->knobs.no_progress,
                         .version = SLICE_LIT("3.6.0"), .endpoint = SLICE_LIT("memory")};
}

static void destroy(remote *base) {
  memory_remote *r = of(base);
  while (r->calls) call_free(r->calls);
  while (r->watches) watch_close(base, r->watches);
  while (r->lates) late_free(r->lates);
  heap_free(r);
}

static const remote_ops memory_ops = {
    .txn = txn,
    .range = range,
    .compact = compact,
    .lease_grant = lease_grant,
    .cancel = cancel,
    .watch_open = watch_open,
    .watch_progress = watch_progress,
    .watch_close = watch_close,
    .status = status,
    .destroy = destroy,
};

remote *remote_memory_create(store *data, const env *clock, timers *t) {
  memory_remote *r = heap_zalloc(sizeof *r);
  r->base.ops = &memory_ops;
  r->data = data;
  r->clock = clock;
  r->timers = t;
  return &r->base;
}

remote_memory_knobs *remote_memory_knobs_of(remote *r) { return &of(r)->knobs; }
