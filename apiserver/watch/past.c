/* The way of a watch to the present. A state of a hundred thousand objects, or minutes of history,
 * are not put before a client at once: a piece is written, and the next when that has left; between
 * pieces other clients have their turn. Nothing is kept for it but a place: a key in a view of the
 * store, later a revision of the log. Where the log has been compacted meanwhile the watch ends
 * with 410, as one that asked for that revision now. */
#include "base/heap.h"
#include "base/mutant.h"
#include "registry/stored.h"
#include "watch/internal.h"

#define PENDING_ENOUGH (4 * ENV_PENDING_LOW) /* above the mark whose passing wakes us */
#define WORK_ENOUGH 2048 /* objects looked at */

typedef struct watch_past {
  store_view *view; /* the state that is being told; NULL: it is, or none was asked for */
  char *prefix, *at; /* heap; at: the next key of the state */
  size_t prefix_len, at_len;
  bool wants_end;
  uint32_t work;
  timer timer;
} watch_past;

bool past_is_enough(watcher *w) {
  return ++w->past->work >= WORK_ENOUGH || watcher_pending(w) >= PENDING_ENOUGH;
}

static void on_timer(void *ctx, int64_t now_ns);
static bool step(watcher *w);

static void soon(watcher *w) {
  server *s = w->server;
  timer_set(&s->timers, &w->past->timer, s->env->mono_ns + 1, on_timer, w); /* in the next turn */
}

static void on_drain(http_exchange *x) {
  watcher *w = x->user;
  x->on_drain = NULL;
  if (w->past) soon(w);
}

static void go_on_later(watcher *w) {
  if (watcher_pending(w) >= PENDING_ENOUGH) w->stream->on_drain = on_drain;
  else soon(w);
}

static char *copy(const char *bytes, size_t len) {
  char *p = heap_alloc(len);
  memcpy(p, bytes, len);
  return p;
}

static bool visit(void *ctx, store_entry *e) {
  watcher *w = ctx;
  watch_past *p = w->past;
  watcher_tell_state(w, e);
  if (!w->closing && !past_is_enough(w)) return true;
  heap_free(p->at);
  p->at_len = e->key_len + 1u; /* the next key: this one with a zero behind it */
  p->at = heap_alloc(p->at_len);
  memcpy(p->at, e->key, e->key_len);
  p->at[e->key_len] = '\0';
  return false;
}

/* False: there is more. */
static bool tell_state(watcher *w) {
  watch_past *p = w->past;
  arena *a = arena_create();
  slice prefix = slice_of(p->prefix, p->prefix_len);
  slice start = p->at ? slice_of(p->at, p->at_len) : prefix, end = stored_prefix_end(a, prefix);
  char *before = p->at;
  p->at = NULL;
  store_view_walk(p->view, start, end, visit, w);
  heap_free(before);
  arena_destroy(a);
  return p->at == NULL;
}

static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  step(ctx);
}

/* What the store has dropped and the window has not. False: there is more, or it is over. */
static bool tell_window(watcher *w, const watch_window *window, int64_t *from) {
  const store_event *ev;
  slice prefix = slice_of(w->past->prefix, w->past->prefix_len);
  for (uint32_t n = 0; (ev = watch_window_after(window, *from, n)) != NULL; n++) {
    if (!slice_has_prefix(store_entry_key(ev->entry), prefix)) continue;
    watcher_on_event(w, ev);
    if (w->closing || w->told < ev->revision) return false;
  }
  *from = store_revision(watcher_store(w));
  return true;
}

/* False: the watch is over, and w is gone. */
static bool step(watcher *w) {
  watch_past *p = w->past;
  if (w->closing) return true;
  p->work = 0;
  if (p->view) {
    if (!tell_state(w)) {
      if (!w->closing) go_on_later(w);
      return true;
    }
    w->from = store_view_revision(p->view);
    store_view_close(p->view);
    p->view = NULL;
    if (p->wants_end && !w->closing) watcher_send_bookmark(w, true);
    if (p->wants_end && !w->closing && MUTANT(END_TWICE)) watcher_send_bookmark(w, true);
    if (MUTANT(INITIAL_BEHIND)) w->from++;
    if (w->closing) return true;
  }
  w->begun = true;
  int64_t from = w->told > w->from ? w->told : w->from;
  if (MUTANT(SKIP_AT_WRAP) && store_revision(watcher_store(w)) > from + 1) from++;
  const watch_window *window = watch_window_of(w->server, w->resource);
  int64_t kept = store_compacted(watcher_store(w));
  bool gone = window && from < watch_window_floor(window, kept);
  if (!gone && window && from < kept && !tell_window(w, window, &from)) {
    if (!w->closing) go_on_later(w);
    return true;
  }
  slice prefix = slice_of(p->prefix, p->prefix_len);
  store_result r = gone ? STORE_COMPACTED :
      store_watch_open(watcher_store(w), prefix, from, watcher_on_event, w, &w->feed);
  if (r != STORE_OK) {
    watcher_tell_too_old(w, from);
    return false;
  }
  if (w->feed) {
    store_watch_on_end(w->feed, watcher_on_end);
    if (w->told > w->from) w->from = w->told; /* a bookmark that says no more is none */
    past_destroy(w); /* live */
  } else if (!w->closing) {
    go_on_later(w);
  }
  return true;
}

bool past_begin(watcher *w, slice prefix, bool initial, bool wants_end) {
  watch_past *p = heap_zalloc(sizeof *p);
  w->past = p;
  p->prefix = copy(prefix.ptr, prefix.len);
  p->prefix_len = prefix.len;
  p->wants_end = wants_end;
  if (initial) {
    store_result r = store_view_open(watcher_store(w), w->stream->horizon, &p->view);
    if (r != STORE_OK) { /* gone below a lagging horizon, or the copy is being made anew */
      watcher_tell_too_old(w, w->stream->horizon);
      return false;
    }
  }
  return step(w);
}

void past_destroy(watcher *w) {
  watch_past *p = w->past;
  if (!p) return;
  w->past = NULL;
  w->stream->on_drain = NULL;
  timer_clear(&w->server->timers, &p->timer);
  store_view_close(p->view);
  heap_free(p->prefix);
  heap_free(p->at);
  heap_free(p);
}
