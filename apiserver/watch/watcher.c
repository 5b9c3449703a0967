/* A watcher lets go of its request once the answer has begun: it keeps a copy of the selector and a
 * few bytes of its form. What it shares with the other watchers of an event is in shared.c. */
#include "crd/crd.h"
#include "watch/watcher.h"

#include "base/heap.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "request/tap.h"
#include "respond/respond.h"
#include "respond/table.h"
#include "verb/read.h"
#include "version/version.h"
#include "watch/internal.h"

#include <assert.h>
#include <stddef.h>

#define SECOND_NS ((int64_t)1000000000)
#define BOOKMARK_PERIOD_NS (60 * SECOND_NS)
#define PROGRESS_PERIOD_NS (600 * SECOND_NS) /* etcd's --watch-progress-notify-interval */
#define BOOKMARK_BEFORE_END_NS (2 * SECOND_NS)
#define TIMEOUT_MIN_S 1800
#define TIMEOUT_MAX_S (365 * 86400)

static void send_held(outbox *o);
static void empty_outbox(watcher *w);

static struct watch_hub *hub(server *s) {
  if (!s->watches) {
    s->watches = heap_zalloc(sizeof *s->watches);
    s->watches->shared = watch_shared_create();
    s->watches->queue = (outbox_queue){.timers = &s->timers, .send = send_held};
  }
  return s->watches;
}

uint32_t watchers_count(const server *s) { return s->watches ? s->watches->count : 0; }

static void forget(watcher *w) {
  struct watch_hub *h = hub(w->server);
  store_watch_close(w->feed);
  past_destroy(w);
  outbox_dispose(&h->queue, &w->out);
  timer_clear(&w->server->timers, &w->deadline);
  timer_clear(&w->server->timers, &w->bookmark);
  if (w->prev) w->prev->next = w->next;
  else h->first = w->next;
  if (w->next) w->next->prev = w->prev;
  h->count--;
  if (!MUTANT(LEAK_WATCHER)) heap_free(w->selector_block);
  heap_free(w->socket);
  heap_free(w);
}

static void finish(watcher *w) {
  http_exchange *x = w->stream;
  empty_outbox(w);
  bool socket = w->socket != NULL;
  forget(w);
  if (socket) websocket_close(x);
  else http_stream_end(x);
}

static void on_abort(http_exchange *x) {
  forget(x->user);
}

static void on_deadline(void *ctx, int64_t now_ns) {
  (void)now_ns;
  finish(ctx);
}

/* Too far behind: the stream is cut, so that the client relists; it can't be told apart from a
 * network failure, and nothing is skipped. */
static void cut(void *ctx, int64_t now_ns) {
  watcher *w = ctx;
  (void)now_ns;
  http_exchange *x = w->stream;
  forget(w);
  http_stream_cut(x);
}

/* Ends the watch by a timer, outside of the store's callback. */
static void close_soon(watcher *w, timer_fn how) {
  if (w->closing) return;
  w->closing = true;
  timer_set(&w->server->timers, &w->deadline, w->server->env->mono_ns, how, w);
}

size_t watcher_pending(const watcher *w) {
  return http_stream_pending(w->stream) + w->out.bytes;
}

/* The length in front of a protobuf frame is the chunked stream's. */
static void put_frame(watcher *w, blob *frame) {
  slice bytes = blob_slice(frame);
  bool protobuf = w->form.format == FORMAT_PROTOBUF, cbor = w->form.format == FORMAT_CBOR;
  if (!w->socket) http_stream_write(w->stream, bytes, frame);
  else if (protobuf) websocket_write(w->stream, WEBSOCKET_BINARY, slice_from(bytes, 4), frame);
  else websocket_write(w->stream, cbor ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, bytes, frame);
}

/* `frame` is one chunk or several, where the answer is chunked. */
static void put_held(void *ctx, blob *frame) {
  watcher *w = ctx;
  if (w->chunked) http_stream_write_chunk(w->stream, frame);
  else put_frame(w, frame);
}

static bool is_behind(const watcher *w) {
  return w->out.bytes + w->unsent >= LIMIT_STREAM_PENDING;
}

static void check_pending(watcher *w) {
  w->unsent = http_stream_pending(w->stream);
  if (is_behind(w) && !w->past) close_soon(w, cut);
}

static void empty_outbox(watcher *w) {
  outbox_take(&hub(w->server)->queue, &w->out, w->chunked, put_held, w);
}

static void send_held(outbox *o) {
  watcher *w = (watcher *)((char *)o - offsetof(watcher, out));
  empty_outbox(w);
  check_pending(w);
}

/* At once, behind what is held. */
static void write_frame(watcher *w, blob *frame) {
  empty_outbox(w);
  put_frame(w, frame);
  check_pending(w);
}

/* With those that follow soon. `frame` is the shared event's. */
static void hold_frame(watcher *w, blob *frame) {
  struct watch_hub *h = hub(w->server);
  if (MUTANT(SLOW_SKIPS) && watcher_pending(w) >= LIMIT_STREAM_PENDING) return;
  blob *as_sent = w->chunked ? watch_shared_chunk(h->shared, frame) : frame;
  outbox_put(&h->queue, &w->out, as_sent, h->count, w->server->env->mono_ns);
  if (is_behind(w)) check_pending(w);
}

/* Past the tap, where there is one. */
static bool offer_frame(watcher *w, blob *frame, event_type type, int64_t revision, slice key) {
  const server_tap *tap = w->server->tap;
  if (!tap) return true;
  tap_frame f = {w->stream, type, !w->begun, revision, key, frame};
  return tap->frame(tap->ctx, &f);
}

static void on_socket_data(http_exchange *x, slice bytes) {
  watcher *w = x->user;
  if (!websocket_take(w->socket, x, bytes)) finish(w);
  else if (http_stream_pending(x) >= LIMIT_STREAM_PENDING) close_soon(w, cut);
  else w->unsent = http_stream_pending(x);
}

/* Whether the entry after (or before) the shared event is selected. A selector of nothing but a
 * name looks at the key. */
static bool matches(watcher *w, const store_entry *e, bool is_prev) {
  const selector *s = &w->selector;
  if (selector_is_empty(s)) return true;
  if (s->name.len && s->label_count == 0 && s->field_count == 1) {
    slice key = store_entry_key(e);
    assert(key.len > s->name.len);
    return slice_has_suffix(key, s->name) && key.ptr[key.len - s->name.len - 1] == '/';
  }
  watch_shared *shared = hub(w->server)->shared;
  const val *obj = watch_shared_tree(shared, w->resource, is_prev);
  return obj && selector_match(watch_shared_arena(shared), s, w->resource, obj);
}

/* An event is no list: the real server fails to encode the first one and ends the stream. */
static bool has_no_form(watcher *w) {
  if (w->form.as != AS_PARTIAL_LIST) return false;
  close_soon(w, on_deadline);
  return true;
}

/* revision: replaces the object's own above 0. */
static void tell(watcher *w, event_type type, bool of_prev, int64_t revision,
                 const store_entry *e) {
  if (has_no_form(w)) return;
  blob *frame =
      watch_shared_frame(hub(w->server)->shared, w->resource, &w->form, type, of_prev, revision,
                         !w->told_columns);
  w->told_columns = true;
  if (!offer_frame(w, frame, type, e->mod_revision, store_entry_key(e))) return;
  if (w->past) write_frame(w, frame);
  else hold_frame(w, frame);
}

/* The store has lost the history that the watch needs: the stream ends, and who comes back with its
 * version is told that it is too old. */
void watcher_on_end(void *ctx) {
  watcher *w = ctx;
  store_watch_close(w->feed);
  w->feed = NULL;
  close_soon(w, on_deadline);
}

/* What lies in the past comes in pieces: the feed is closed at the end of one. */
void watcher_on_event(void *ctx, const store_event *ev) {
  watcher *w = ctx;
  assert(ev->revision >= w->told && ev->revision > w->from);
  bool next = ev->revision > w->told; /* a piece holds all of a revision, or none */
  if (w->past && !w->closing && next && past_is_enough(w)) {
    store_watch_close(w->feed);
    w->feed = NULL;
    return;
  }
  w->told = ev->revision;
  if (w->closing) return;
  if (MUTANT(DROP_DELETE) && ev->deleted && ev->revision % 4 == 0) return;
  if (store_entry_damage(ev->entry).ptr) { /* what can't be shown ends it: nothing is skipped */
    close_soon(w, on_deadline);
    return;
  }
  watch_shared_turn(hub(w->server)->shared, ev->entry, ev->prev,
                    w->server->env->wall_ns / SECOND_NS);
  bool now = !ev->deleted && matches(w, ev->entry, false);
  bool before = ev->prev && matches(w, ev->prev, true);
  if (now) tell(w, before ? EVENT_MODIFIED : EVENT_ADDED, false, 0, ev->entry);
  else if (before && ev->deleted) {
    if (MUTANT(DELETED_OLD_VERSION)) tell(w, EVENT_DELETED, true, 0, ev->prev);
    else tell(w, EVENT_DELETED, false, 0, ev->entry);
  }
  else if (before && !MUTANT(NO_SELECTOR_EXIT)) {
    tell(w, EVENT_DELETED, true, ev->revision, ev->entry);
  }
  if (now && MUTANT(EVENT_TWICE) && ev->revision % 16 == 0) {
    tell(w, EVENT_MODIFIED, false, 0, ev->entry);
  }
}

/* The store tells its watchers in the write's own turn: its revision is never ahead of what they
 * were told. */
void watcher_send_bookmark(watcher *w, bool initial_end) {
  if (has_no_form(w)) return;
  arena *a = arena_create();
  int64_t revision = initial_end ? w->from : store_revision(watcher_store(w));
  if (MUTANT(BOOKMARK_EARLY) && !initial_end) revision++;
  if (MUTANT(BOOKMARK_BEHIND) && !initial_end) revision -= 3;
  blob *frame =
      frame_of_bookmark(a, w->resource, &w->form, revision, initial_end, !w->told_columns);
  w->told_columns = true;
  if (offer_frame(w, frame, EVENT_BOOKMARK, revision, SLICE_NONE)) write_frame(w, frame);
  blob_unref(frame);
  arena_destroy(a);
}

static void set_bookmark_timer(watcher *w, int64_t now_ns);

static void on_bookmark(void *ctx, int64_t now_ns) {
  watcher *w = ctx;
  bool due = !w->closing && !w->past && store_revision(watcher_store(w)) > w->from;
  if (due) watcher_send_bookmark(w, false);
  set_bookmark_timer(w, now_ns);
}

/* Once a minute, and two seconds before the end. Where the real server has no watch cache its
 * bookmarks are etcd's own notices of progress, every ten minutes. */
static void set_bookmark_timer(watcher *w, int64_t now_ns) {
  if (!w->cached) {
    timer_set(&w->server->timers, &w->bookmark, now_ns + PROGRESS_PERIOD_NS, on_bookmark, w);
    return;
  }
  int64_t last = w->end_ns - BOOKMARK_BEFORE_END_NS;
  int64_t at = now_ns + BOOKMARK_PERIOD_NS;
  if (at > last) at = last;
  if (at > now_ns) timer_set(&w->server->timers, &w->bookmark, at, on_bookmark, w);
}

void watcher_tell_state(watcher *w, store_entry *e) {
  if (store_entry_damage(e).ptr) close_soon(w, on_deadline);
  if (w->closing) return;
  watch_shared_turn(hub(w->server)->shared, e, NULL, w->server->env->wall_ns / SECOND_NS);
  if (matches(w, e, false)) tell(w, EVENT_ADDED, false, 0, e);
}

/* An ERROR is the last event of a watch. */
void watcher_tell_error(watcher *w, const status_error *err) {
  arena *a = arena_create();
  blob *frame = frame_of_error(a, &w->form, err);
  if (offer_frame(w, frame, EVENT_ERROR, 0, SLICE_NONE)) write_frame(w, frame);
  blob_unref(frame);
  arena_destroy(a);
  finish(w);
}

void watcher_tell_too_old(watcher *w, int64_t from) {
  status_error err = {0};
  arena *a = arena_create();
  const watch_window *window = watch_window_of(w->server, w->resource);
  int64_t kept = store_compacted(watcher_store(w));
  if (window) kept = watch_window_floor(window, kept);
  status_set(&err, a, STATUS_EXPIRED, "too old resource version: %lld (%lld)", (long long)from,
             (long long)kept);
  watcher_tell_error(w, &err);
  arena_destroy(a);
}

void watcher_deliver(http_exchange *x, blob *frame) {
  watcher *w = x->user;
  if (!w->closing) write_frame(w, frame);
}

void watcher_end(http_exchange *x) {
  finish(x->user);
}

void watcher_cut(http_exchange *x, bool connection) {
  forget(x->user);
  if (connection) http_connection_cut(x, false);
  else http_stream_cut(x);
}

void watcher_expire(http_exchange *x) {
  watcher *w = x->user;
  watcher_tell_too_old(w, w->told > w->from ? w->told : w->from);
}

void watchers_expire(server *s) {
  watch_windows_reset(s, NULL);
  while (s->watches && s->watches->first) {
    watcher *w = s->watches->first;
    if (w->closing) finish(w);
    else watcher_expire(w->stream);
  }
}

/* 0 is as good as none. */
static int64_t lifetime_ns(server *s, const list_options *o) {
  if (o->timeout_set && o->timeout_s != 0) {
    return (o->timeout_s < TIMEOUT_MAX_S ? o->timeout_s : TIMEOUT_MAX_S) * SECOND_NS;
  }
  int64_t least = s->options.min_request_timeout_s;
  if (least < 0) return (int64_t)TIMEOUT_MAX_S * SECOND_NS;
  if (least == 0) least = TIMEOUT_MIN_S;
  return (least + (int64_t)rng_below(&s->audit_rng, (uint64_t)least)) * SECOND_NS;
}

static watcher *watcher_create(request *rq, const watch_args *args) {
  server *s = rq->server;
  struct watch_hub *h = hub(s);
  watcher *w = heap_zalloc(sizeof *w);
  w->server = s;
  w->stream = rq->http;
  w->resource = rq->resource;
  w->form = frame_form_of(&args->form, http_query_get(rq->http, "includeObject"));
  w->bookmarks = args->options.allow_bookmarks;
  w->cached = read_is_cached(rq);
  selector_copy(&args->selector, &w->selector, &w->selector_block);
  w->next = h->first;
  if (h->first) h->first->prev = w;
  h->first = w;
  h->count++;
  w->end_ns = s->env->mono_ns + lifetime_ns(s, &args->options);
  timer_set(&s->timers, &w->deadline, w->end_ns, on_deadline, w);
  rq->http->user = w;
  rq->http->on_abort = on_abort;
  return w;
}

/* The answer's head. False: a handshake was refused and everything is over. */
static bool begin(request *rq, watcher *w, const output_form *form) {
  if (!websocket_asked(rq->http)) {
    respond_stream_begin(rq, form);
    w->chunked = http_stream_frames(rq->http);
    return true;
  }
  rq->http->on_data = on_socket_data;
  w->socket = heap_zalloc(sizeof *w->socket);
  rq->http->on_abort = NULL;
  if (!websocket_accept(rq->http)) {
    forget(w);
    return false;
  }
  rq->http->on_abort = on_abort;
  return true;
}

static slice prefix_of(request *rq, const watch_args *args) {
  slice ns = rq->resource->namespaced ? rq->info.namespace : SLICE_NONE;
  if (rq->resource->namespaced && ns.len == 0) ns = args->selector.namespace;
  return stored_prefix(rq->arena, rq->resource, ns);
}

void watcher_start(request *rq, const watch_args *args) {
  watcher *w = watcher_create(rq, args);
  if (!begin(rq, w, &args->form)) return;
  if (args->over) {
    if (rq->error.set) watcher_tell_error(w, &rq->error);
    else finish(w);
    return;
  }
  if (args->initial && !read_reached(rq, args->from)) {
    rq->error.retry_after_seconds = 1; /* without a cache, too: there it is one to three */
    watcher_tell_error(w, &rq->error);
    return;
  }
  w->from = args->from >= INT64_MAX ? INT64_MAX - 1 : (int64_t)args->from; /* room for the next */
  if (w->bookmarks || MUTANT(BOOKMARK_UNASKED)) set_bookmark_timer(w, rq->server->env->mono_ns);
  http_exchange *x = rq->http;
  bool live = past_begin(w, prefix_of(rq, args), args->initial, args->wants_end);
  if (live) http_stream_settle(x); /* rq is gone with it */
}

uint32_t watchers_end(server *s, uint32_t n) {
  for (; n && watchers_count(s); n--) finish(hub(s)->first);
  return watchers_count(s);
}

void watchers_end_of(server *s, const crd_kind *k) {
  for (watcher *w = hub(s)->first; w; w = w->next) {
    const crd_version *v = w->resource->custom;
    if (v && v->kind == k) close_soon(w, on_deadline);
  }
}

void watchers_stop(server *s) {
  struct watch_hub *h = hub(s);
  while (h->first) finish(h->first);
  outbox_queue_dispose(&h->queue);
  watch_shared_destroy(h->shared);
  heap_free(h);
  s->watches = NULL;
}
