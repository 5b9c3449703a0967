/* A ring whose oldest event goes first; whether a watch may begin before all of it, the store
 * says. */
#include "watch/window.h"

#include "base/heap.h"
#include "base/mutant.h"
#include "server_stores.h"

#include <assert.h>

static struct window_event *at(const watch_window *w, uint32_t n) {
  return &w->ring[(w->first + n) % w->cap];
}

static void event_unref(const store_event *ev) {
  store_entry_unref(ev->entry);
  if (ev->prev) store_entry_unref(ev->prev);
}

/* The oldest goes. Several of one revision leave together, as far as anybody can begin there. */
static void drop_oldest(watch_window *w) {
  int64_t dropped = at(w, 0)->event.revision;
  event_unref(&at(w, 0)->event);
  w->first = (w->first + 1) % w->cap;
  w->count--;
  int64_t next = w->count ? at(w, 0)->event.revision - 1 : dropped;
  w->floor = next > dropped ? next : dropped;
}

static void resize(watch_window *w, uint32_t cap) {
  while (w->count > cap) drop_oldest(w);
  struct window_event *ring = heap_alloc(cap * sizeof *ring);
  for (uint32_t i = 0; i < w->count; i++) ring[i] = *at(w, i);
  heap_free(w->ring);
  w->ring = ring;
  w->first = 0;
  w->cap = cap;
}

static void make_room(watch_window *w, int64_t now_ns) {
  if (w->cap == 0) resize(w, WINDOW_EVENTS_MIN);
  if (w->count < w->cap) return;
  int64_t quarter_ns = at(w, w->count - w->cap / 4)->at_ns;
  if (now_ns - at(w, 0)->at_ns < WINDOW_FRESH_NS) {
    uint32_t more = w->cap * 2 < WINDOW_EVENTS_MAX ? w->cap * 2 : WINDOW_EVENTS_MAX;
    if (more > w->cap) resize(w, more);
  } else if (now_ns - quarter_ns > WINDOW_FRESH_NS) {
    uint32_t less = w->cap / 2 > WINDOW_EVENTS_MIN ? w->cap / 2 : WINDOW_EVENTS_MIN;
    if (less < w->cap) resize(w, less);
  }
  if (w->count == w->cap) drop_oldest(w);
}

void watch_window_begin(watch_window *w, int64_t kept, int64_t revision) {
  watch_window_dispose(w);
  w->floor = kept;
  w->since = revision;
}

void watch_window_add(watch_window *w, const store_event *ev, int64_t now_ns) {
  make_room(w, now_ns);
  w->count++;
  struct window_event *e = at(w, w->count - 1);
  *e = (struct window_event){*ev, now_ns};
  store_entry_ref(e->event.entry);
  if (e->event.prev) store_entry_ref(e->event.prev);
}

void watch_window_dispose(watch_window *w) {
  for (uint32_t i = 0; i < w->count; i++) event_unref(&at(w, i)->event);
  heap_free(w->ring);
  *w = (watch_window){0};
}

int64_t watch_window_floor(const watch_window *w, int64_t kept) {
  int64_t known = kept < w->since ? kept : w->since;
  if (MUTANT(WINDOW_SHORT) && w->count > 4) return at(w, w->count - 4)->event.revision - 1;
  return w->floor > known ? w->floor : known;
}

const store_event *watch_window_after(const watch_window *w, int64_t revision, uint32_t n) {
  assert(revision >= w->since);
  uint32_t low = 0, high = w->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (at(w, middle)->event.revision > revision) high = middle;
    else low = middle + 1;
  }
  if (MUTANT(WINDOW_SKIPS)) low++;
  return low + n < w->count ? &at(w, low + n)->event : NULL;
}

/* ---- the server's ---- */

void watch_windows_open(server *s) {
  if (!s->options.watch_window) return;
  s->windows = heap_zalloc(schema_resource_count * sizeof(watch_window));
  watch_windows_reset(s, NULL);
}

void watch_windows_close(server *s) {
  for (uint16_t i = 0; s->windows && i < schema_resource_count; i++) {
    watch_window_dispose(&s->windows[i]);
  }
  heap_free(s->windows);
  s->windows = NULL;
}

void watch_windows_reset(server *s, const store *of) {
  for (uint16_t i = 0; s->windows && i < schema_resource_count; i++) {
    const store *st = server_store(s, schema_resources + i);
    if (of && st != of) continue;
    watch_window_begin(&s->windows[i], store_compacted(st), store_revision(st));
  }
}

void watch_windows_add(server *s, const resource_info *r, const store_event *ev) {
  if (s->windows) watch_window_add(&s->windows[r->id], ev, s->env->mono_ns);
}

const watch_window *watch_window_of(const server *s, const resource_info *r) {
  return s->windows && !r->custom ? &s->windows[r->storage->id] : NULL;
}

void watch_windows_cut(server *s, int64_t revision) {
  for (uint16_t i = 0; s->windows && i < schema_resource_count; i++) {
    if (s->windows[i].floor < revision) s->windows[i].floor = revision;
  }
}
