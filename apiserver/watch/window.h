/* window: how far back a watch may begin: the newest events of each resource, as the real server's
 * watch caches keep them, apart from what the store can still be read at.
 *
 * A ring a resource, of 100 to 102,400 events. Full, it doubles while its oldest event is younger
 * than 75 seconds, halves when the newest quarter alone is older than that, and forgets the oldest
 * else. So a quiet resource keeps its last hundred events for ever, whatever happens to others and
 * whatever the store compacts, and a busy one keeps 75 seconds and little more.
 * Source: apiserver pkg/storage/cacher/watch_cache.go (resizeCacheLocked, updateCache,
 * getAllEventsSinceLocked). */
#ifndef APISIM_WATCH_WINDOW_H
#define APISIM_WATCH_WINDOW_H

#include "schema/schema.h"
#include "server.h"

#define WINDOW_EVENTS_MIN 100u
#define WINDOW_EVENTS_MAX 102400u
#define WINDOW_FRESH_NS ((int64_t)75 * 1000000000)

/* One resource's. All zero is empty. */
typedef struct watch_window {
  struct window_event {
    store_event event; /* its entries owned */
    int64_t at_ns;
  } *ring;
  uint32_t cap, count, first; /* cap a multiple of WINDOW_EVENTS_MIN; 0: not yet made */
  int64_t floor; /* the oldest revision to begin at, if nothing before `since` is missing */
  int64_t since; /* everything behind it was seen here; before it the store must know */
} watch_window;

/* Empty, and what is before `revision` unknown: `kept` is the oldest that the store remembers. */
void watch_window_begin(watch_window *w, int64_t kept, int64_t revision);
/* Events in the order of their revisions. */
void watch_window_add(watch_window *w, const store_event *ev, int64_t now_ns);
void watch_window_dispose(watch_window *w);
/* The oldest revision that a watch may begin at, where the store's log begins at `kept`. */
int64_t watch_window_floor(const watch_window *w, int64_t kept);
/* The nth event behind a revision of `since` or later; NULL: none. O(log n). */
const store_event *watch_window_after(const watch_window *w, int64_t revision, uint32_t n);

/* The server's windows, by resource; none where options.watch_window is false. */
void watch_windows_open(server *s);
void watch_windows_close(server *s);
/* The store's content was replaced by another. Of this store; NULL: of all. */
void watch_windows_reset(server *s, const store *of);
/* What the store tells of a resource. */
void watch_windows_add(server *s, const resource_info *r, const store_event *ev);
/* Of a resource; NULL: there are none. */
const watch_window *watch_window_of(const server *s, const resource_info *r);
/* No watch may begin before this any more: a fault. */
void watch_windows_cut(server *s, int64_t revision);

#endif
