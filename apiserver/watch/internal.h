/* What the files of watch/ share about a watcher. */
#ifndef APISIM_WATCH_INTERNAL_H
#define APISIM_WATCH_INTERNAL_H

#include "http/websocket.h"
#include "server_stores.h"
#include "watch/outbox.h"
#include "watch/shared.h"
#include "watch/watcher.h"
#include "watch/window.h"

typedef struct watcher {
  /* What each event looks at stands together. */
  server *server;
  int64_t from; /* told of are changes behind it: no bookmark at or below */
  int64_t told; /* the revision of the newest event; they come in order, each once */
  struct watch_past *past; /* what is still to be told of the past (past.c); NULL: live */
  const resource_info *resource;
  frame_form form;
  bool bookmarks, told_columns;
  bool cached; /* in the real server: a watch of events, say, is not */
  bool begun; /* the initial state is told */
  bool closing; /* nothing is told any more; the deadline timer ends it */
  bool chunked; /* the answer is: frames are sent as chunks that all share */
  outbox out;
  size_t unsent; /* at most so much of what was sent still waits: asked for at the latest sending */
  selector selector;
  http_exchange *stream;
  websocket *socket; /* NULL: no upgrade */
  void *selector_block;
  store_watch *feed;
  struct watcher *next, *prev;
  timer deadline, bookmark;
  int64_t end_ns;
} watcher;

static inline store *watcher_store(const watcher *w) {
  return server_store(w->server, w->resource);
}

struct watch_hub {
  watcher *first;
  uint32_t count;
  watch_shared *shared;
  outbox_queue queue;
};

/* Bytes that wait for the client. */
size_t watcher_pending(const watcher *w);
/* The object of an entry, as an ADDED event of the initial state, if it is selected. */
void watcher_tell_state(watcher *w, store_entry *e);
void watcher_send_bookmark(watcher *w, bool initial_end);
/* The store's events come here. */
void watcher_on_end(void *ctx);
void watcher_on_event(void *ctx, const store_event *ev);
/* The ERROR for a revision below the history, and the end: w is gone. */
void watcher_tell_too_old(watcher *w, int64_t from);
void watcher_tell_error(watcher *w, const status_error *err);

/* past.c: the initial state (initial) and the changes behind w->from, piece by piece as the client
 * takes them; then the watch is live. False: it is over, and w is gone. prefix: of its
 * keys, copied. */
bool past_begin(watcher *w, slice prefix, bool initial, bool wants_end);
/* Whether an event of the history was the last for this time: the feed must be closed. */
bool past_is_enough(watcher *w);
void past_destroy(watcher *w); /* NULL past is fine */

#endif
