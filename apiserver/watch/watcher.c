/* Each watcher owns an arena for its selector and form (they outlive the request's read phase as
 * texts of the exchange's arena, which lives until the stream ends) and a scratch arena for trees. */
#include "watch/watcher.h"

#include "base/heap.h"
#include "base/limits.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "version/version.h"
#include "watch/frame.h"

#include <assert.h>

#define SECOND_NS ((int64_t)1000000000)
#define BOOKMARK_PERIOD_NS (60 * SECOND_NS)
#define BOOKMARK_BEFORE_END_NS (2 * SECOND_NS)
#define TIMEOUT_MIN_S 1800

typedef struct watcher {
  struct watcher *next, *prev;
  server *server;
  http_exchange *stream;
  const resource_info *resource;
  output_form form;
  selector selector;
  slice prefix;
  store_watch *feed;
  timer deadline, bookmark;
  int64_t end_ns;
  int64_t sent_revision; /* of the newest event or bookmark told */
  bool bookmarks, began, told_columns, closing;
} watcher;

struct watch_hub {
  watcher *first;
  uint32_t count;
  arena *scratch; /* trees of one event; one thread, so one for all watchers */
};

static struct watch_hub *hub(server *s) {
  if (!s->watches) {
    s->watches = heap_zalloc(sizeof *s->watches);
    s->watches->scratch = arena_create();
  }
  return s->watches;
}

uint32_t watchers_count(const server *s) { return s->watches ? s->watches->count : 0; }

static void forget(watcher *w) {
  struct watch_hub *h = hub(w->server);
  if (w->feed) store_watch_close(w->feed);
  timer_clear(&w->server->timers, &w->deadline);
  timer_clear(&w->server->timers, &w->bookmark);
  if (w->prev) w->prev->next = w->next;
  else h->first = w->next;
  if (w->next) w->next->prev = w->prev;
  h->count--;
  heap_free(w);
}

static void finish(watcher *w) {
  http_exchange *x = w->stream;
  forget(w);
  http_stream_end(x);
}

static void on_abort(http_exchange *x) {
  forget(x->user);
}

/* Too far behind: the stream is cut, so that the client relists; it can't be told apart from a
 * network failure, and nothing is skipped. Done by a timer, outside of the store's callback. */
static void cut(void *ctx, int64_t now_ns) {
  watcher *w = ctx;
  (void)now_ns;
  http_exchange *x = w->stream;
  forget(w);
  http_stream_cut(x);
}

static void write_frame(watcher *w, blob *frame) {
  http_stream_write(w->stream, blob_slice(frame), frame);
  blob_unref(frame);
  if (w->closing || http_stream_pending(w->stream) < LIMIT_STREAM_PENDING) return;
  w->closing = true;
  timer_set(&w->server->timers, &w->deadline, w->server->env->mono_ns, cut, w);
}

static bool matches(watcher *w, const store_entry *e) {
  if (selector_is_empty(&w->selector)) return true;
  arena *a = hub(w->server)->scratch;
  if (w->selector.name.len && w->selector.label_count == 0 && w->selector.field_count == 1) {
    slice key = store_entry_key(e); /* the name is in the key: no need to look inside */
    return slice_has_suffix(key, w->selector.name) &&
           key.ptr[key.len - w->selector.name.len - 1] == '/';
  }
  val *obj = stored_decode(a, w->resource, e);
  return obj && selector_match(a, &w->selector, w->resource, obj);
}

static void tell(watcher *w, event_type type, store_entry *e, int64_t revision) {
  blob *frame = frame_of_entry(hub(w->server)->scratch, w->resource, &w->form, type, e, revision,
                               !w->told_columns, w->server->env->wall_ns / SECOND_NS);
  w->told_columns = true;
  write_frame(w, frame);
}

static void on_event(void *ctx, const store_event *ev) {
  watcher *w = ctx;
  if (w->closing) return;
  bool now = !ev->deleted && matches(w, ev->entry);
  bool before = ev->prev && matches(w, ev->prev);
  if (now) tell(w, before ? EVENT_MODIFIED : EVENT_ADDED, ev->entry, 0);
  else if (before && ev->deleted) tell(w, EVENT_DELETED, ev->entry, 0);
  else if (before) tell(w, EVENT_DELETED, ev->prev, ev->revision);
  w->sent_revision = ev->revision;
  arena_reset(hub(w->server)->scratch);
}

static void send_bookmark(watcher *w, bool initial_end) {
  arena *a = hub(w->server)->scratch;
  w->sent_revision = store_revision(w->server->store);
  write_frame(w, frame_of_bookmark(a, w->resource, &w->form, w->sent_revision, initial_end));
  arena_reset(a);
}

static void set_bookmark_timer(watcher *w, int64_t now_ns);

static void on_bookmark(void *ctx, int64_t now_ns) {
  watcher *w = ctx;
  if (!w->closing) send_bookmark(w, false);
  set_bookmark_timer(w, now_ns);
}

static void set_bookmark_timer(watcher *w, int64_t now_ns) {
  int64_t last = w->end_ns - BOOKMARK_BEFORE_END_NS;
  int64_t at = now_ns + BOOKMARK_PERIOD_NS;
  if (now_ns < last && at > last) at = last;
  if (now_ns < w->end_ns && at < w->end_ns) {
    timer_set(&w->server->timers, &w->bookmark, at, on_bookmark, w);
  }
}

static void on_deadline(void *ctx, int64_t now_ns) {
  (void)now_ns;
  finish(ctx);
}

static bool visit_initial(void *ctx, store_entry *e) {
  watcher *w = ctx;
  if (matches(w, e)) tell(w, EVENT_ADDED, e, 0);
  arena_reset(hub(w->server)->scratch);
  return !w->closing;
}

static int64_t send_state(watcher *w) {
  store_view *view = NULL;
  store_result result = store_view_open(w->server->store, 0, &view);
  assert(result == STORE_OK);
  (void)result;
  slice end = arena_copy(w->stream->arena, w->prefix);
  ((char *)(uintptr_t)end.ptr)[end.len - 1]++;
  store_view_walk(view, w->prefix, end, visit_initial, w);
  int64_t revision = store_view_revision(view);
  store_view_close(view);
  return revision;
}

static void tell_too_old(watcher *w, int64_t from) {
  status_error err = {0};
  arena *a = w->stream->arena;
  status_set(&err, a, STATUS_EXPIRED, "too old resource version: %lld (%lld)", (long long)from,
             (long long)store_compacted(w->server->store) + 1);
  write_frame(w, frame_of_error(a, &w->form, &err));
  finish(w);
}

static int64_t lifetime_ns(server *s, const list_options *o) {
  if (o->timeout_set && o->timeout_s > 0) {
    return (o->timeout_s < 365 * 86400 ? o->timeout_s : 365 * 86400) * SECOND_NS;
  }
  return (TIMEOUT_MIN_S + (int64_t)rng_below(&s->audit_rng, TIMEOUT_MIN_S)) * SECOND_NS;
}

static watcher *watcher_create(request *rq, const watch_args *args) {
  server *s = rq->server;
  struct watch_hub *h = hub(s);
  watcher *w = heap_zalloc(sizeof *w);
  w->server = s;
  w->stream = rq->http;
  w->resource = rq->resource;
  w->form = args->form;
  w->bookmarks = args->options.allow_bookmarks;
  w->prefix = stored_prefix(rq->arena, rq->resource,
                            rq->resource->namespaced ? rq->info.namespace : SLICE_NONE);
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

void watcher_start(request *rq, const watch_args *args) {
  watcher *w = watcher_create(rq, args);
  server *s = rq->server;
  selector_parse(rq->arena, rq->resource, args->options.label_selector, args->options.field_selector,
                 &w->selector, &rq->error);
  if (rq->info.name.len) selector_require_name(rq->arena, &w->selector, rq->info.name, &rq->error);
  respond_stream_begin(rq, &w->form);
  int64_t from = args->initial ? send_state(w) : args->from;
  if (args->initial && args->wants_end && !w->closing) send_bookmark(w, true);
  store_result result = store_watch_open(s->store, w->prefix, from, on_event, w, &w->feed);
  if (result == STORE_COMPACTED) {
    tell_too_old(w, from);
    return;
  }
  if (w->bookmarks) set_bookmark_timer(w, s->env->mono_ns);
}

void watchers_stop(server *s) {
  struct watch_hub *h = hub(s);
  while (h->first) finish(h->first);
  arena_destroy(h->scratch);
  heap_free(h);
  s->watches = NULL;
}
