/* Watch: one stream carries many watches. Events of one revision go in one answer; what the stream
 * does not take is not queued: the watch lets go of the store and, when the stream has drained,
 * begins again behind the last revision it sent. Texts and order: etcd's v3rpc/watch.go,
 * storage/mvcc/watcher.go. */
#include "etcd/face_internal.h"

#include "base/heap.h"

#include <assert.h>

#define BATCH_REVISIONS 1000u /* of the past, in one answer; etcd's watchBatchMaxRevs */
#define BATCH_BYTES ((size_t)16 << 20)
#define STREAM_FULL ((size_t)4 << 20) /* queued bytes above which watches wait */
#define INVALID_ID ((int64_t)-1)
#define ANSWER_CEILING ((size_t)2 << 30)

typedef struct face_watch face_watch;

typedef struct watch_stream {
  etcd_face *face;
  grpc_stream *grpc;
  face_watch *watches; /* in order of creation */
  int64_t next_id;
  struct watch_stream *next, **link;
  timer flush; /* pending events leave at the turn's end */
} watch_stream;

struct face_watch {
  watch_stream *stream;
  face_watch *next;
  int64_t id;
  blob *key, *end;
  face_range range;
  bool prev_kv, fragment, progress, no_put, no_delete;
  bool quiet; /* no event since the last progress */
  bool cancelled;
  bool catching_up; /* events are of the past: many revisions in one answer */
  bool behind; /* has let go of the store, because the stream was full */
  store_watch *store_watch;
  int64_t sent; /* everything up to this revision is sent or pending */
  struct {
    store_event *items; /* of `revision`; entries are referenced */
    uint32_t count, cap;
    uint32_t revisions;
    size_t bytes;
    int64_t revision; /* of the last one */
  } pending;
};

/* ---- answers ---- */

static void send(watch_stream *st, const etcd_watch_response *r) {
  buf out;
  buf_init(&out, ANSWER_CEILING);
  etcd_encode(&etcd_watch_response_message, r, &out);
  if (!out.overflow) grpc_stream_send(st->grpc, buf_slice(&out));
  buf_dispose(&out);
}

static void send_plain(watch_stream *st, int64_t id, int64_t revision, bool created,
                       bool cancelled, slice reason) {
  arena *a = arena_create();
  etcd_watch_response r = {.header = face_header(st->face, a, revision),
                           .watch_id = id,
                           .created = created,
                           .canceled = cancelled,
                           .cancel_reason = reason};
  send(st, &r);
  arena_destroy(a);
}

/* The watch's next revision is compacted: its last answer. */
static void send_compacted(face_watch *w) {
  arena *a = arena_create();
  etcd_watch_response r = {.header = face_header(w->stream->face, a, 0),
                           .watch_id = w->id,
                           .canceled = true,
                           .compact_revision = store_compacted(w->stream->face->o.store)};
  r.header->revision = 0; /* as etcd leaves it */
  send(w->stream, &r);
  arena_destroy(a);
}

static void fill_event(face_watch *w, arena *a, const store_event *ev, etcd_event *out) {
  etcd_face *f = w->stream->face;
  out->type = ev->deleted ? ETCD_DELETE : ETCD_PUT;
  out->kv = ARENA_NEW(a, etcd_kv);
  if (ev->deleted) {
    out->kv->key = store_entry_key(ev->entry);
    out->kv->mod_revision = ev->revision;
  } else {
    face_kv(f, a, ev->entry, false, out->kv);
  }
  bool known = ev->prev && ev->revision - 1 >= store_compacted(f->o.store);
  if (!w->prev_kv || !known) return;
  out->prev_kv = ARENA_NEW(a, etcd_kv);
  face_kv(f, a, ev->prev, false, out->prev_kv);
}

/* Parts below the size of a request, if the client can put them together. */
static void send_fragments(face_watch *w, etcd_watch_response *r) {
  size_t max = w->stream->face->o.max_request_bytes + ((size_t)512 << 10);
  etcd_list all = r->events;
  if (!w->fragment || all.count < 2 || etcd_size(&etcd_watch_response_message, r) < max) {
    send(w->stream, r);
    return;
  }
  etcd_event *events = all.items;
  for (uint32_t at = 0; at < all.count;) {
    uint32_t n = 1;
    r->fragment = true;
    r->events = (etcd_list){events + at, 1, 1};
    size_t size = etcd_size(&etcd_watch_response_message, r);
    while (at + n < all.count) {
      etcd_watch_response one = {.events = {events + at + n, 1, 1}};
      size += etcd_size(&etcd_watch_response_message, &one);
      if (size >= max) break;
      n++;
    }
    r->events = (etcd_list){events + at, n, n};
    at += n;
    r->fragment = at < all.count;
    send(w->stream, r);
  }
}

static void pending_clear(face_watch *w) {
  for (uint32_t i = 0; i < w->pending.count; i++) {
    store_entry_unref(w->pending.items[i].entry);
    store_entry_unref(w->pending.items[i].prev);
  }
  w->pending.count = w->pending.revisions = 0;
  w->pending.bytes = 0;
}

static void pending_send(face_watch *w) {
  if (w->pending.count == 0) return;
  arena *a = arena_create();
  etcd_event *events = ARENA_ARRAY(a, etcd_event, w->pending.count);
  for (uint32_t i = 0; i < w->pending.count; i++) {
    fill_event(w, a, &w->pending.items[i], &events[i]);
  }
  int64_t revision = w->catching_up ? 0 : w->pending.revision; /* 0: the newest */
  etcd_watch_response r = {.header = face_header(w->stream->face, a, revision),
                           .watch_id = w->id,
                           .events = {events, w->pending.count, w->pending.count}};
  send_fragments(w, &r);
  arena_destroy(a);
  pending_clear(w);
  w->quiet = false;
}

static void flush_stream(watch_stream *st) {
  for (face_watch *w = st->watches; w; w = w->next) pending_send(w);
}

static void on_flush(void *ctx, int64_t now_ns) {
  (void)now_ns;
  flush_stream(ctx);
}

/* ---- events ---- */

static void let_go(face_watch *w) {
  store_watch_close(w->store_watch);
  w->store_watch = NULL;
}

static void on_event(void *ctx, const store_event *ev) {
  face_watch *w = ctx;
  watch_stream *st = w->stream;
  if (ev->revision != w->pending.revision) {
    bool room = w->pending.revisions < BATCH_REVISIONS && w->pending.bytes < BATCH_BYTES;
    if (!w->catching_up || !room) pending_send(w);
    if (grpc_stream_pending(st->grpc) > STREAM_FULL) {
      w->behind = true;
      let_go(w);
      return;
    }
  }
  w->sent = ev->revision;
  bool filtered = ev->deleted ? w->no_delete : w->no_put;
  if (filtered || !face_range_has(&w->range, store_entry_key(ev->entry))) return;
  if (w->pending.count == w->pending.cap) {
    w->pending.cap = w->pending.cap ? w->pending.cap * 2 : 4;
    w->pending.items = heap_realloc(w->pending.items, w->pending.cap * sizeof(store_event));
  }
  if (ev->revision != w->pending.revision || w->pending.count == 0) w->pending.revisions++;
  w->pending.bytes += ev->entry->value->len;
  w->pending.revision = ev->revision;
  w->pending.items[w->pending.count++] =
      (store_event){.deleted = ev->deleted,
                    .entry = store_entry_ref(ev->entry),
                    .prev = ev->prev ? store_entry_ref(ev->prev) : NULL,
                    .revision = ev->revision};
  const etcd_face *f = st->face;
  if (!timer_is_set(&st->flush)) {
    timer_set(f->o.timers, &st->flush, f->o.env->mono_ns, on_flush, st);
  }
}

/* The longest prefix that all keys of the range have. */
static slice common_prefix(const face_range *r) {
  if (r->single) return r->key;
  if (r->open) return SLICE_NONE;
  size_t n = 0;
  while (n < r->key.len && n < r->end.len && r->key.ptr[n] == r->end.ptr[n]) n++;
  /* [a/, a0): the ends differ by one in the last byte of a prefix */
  if (n + 1 == r->end.len && n + 1 <= r->key.len &&
      (unsigned char)r->key.ptr[n] + 1 == (unsigned char)r->end.ptr[n]) {
    n++;
    return slice_upto(r->key, n);
  }
  return slice_upto(r->key, n);
}

/* From the watch's `sent` on. False: compacted, it is over. */
static bool take_up(face_watch *w) {
  etcd_face *f = w->stream->face;
  w->behind = false;
  slice prefix = common_prefix(&w->range);
  w->catching_up = true;
  store_result r = store_watch_open(f->o.store, prefix, w->sent, on_event, w, &w->store_watch);
  pending_send(w);
  w->catching_up = false;
  if (r == STORE_OK) return true;
  assert(r == STORE_COMPACTED);
  send_compacted(w);
  w->cancelled = true;
  return false;
}

/* A watch may begin at the compacted revision itself: its change is told, without what was
 * before. */
static void replay_compaction(face_watch *w, int64_t revision) {
  w->catching_up = true;
  store_memory_at_compaction(w->stream->face->o.store, on_event, w);
  w->sent = revision;
}

/* ---- requests ---- */

static face_watch *find_watch(const watch_stream *st, int64_t id) {
  for (face_watch *w = st->watches; w; w = w->next) {
    if (w->id == id && !w->cancelled) return w;
  }
  return NULL;
}

static void watch_free(face_watch *w) {
  store_watch_close(w->store_watch);
  pending_clear(w);
  heap_free(w->pending.items);
  blob_unref(w->key);
  blob_unref(w->end);
  heap_free(w);
}

/* Those that are over leave the list, outside of any walk over it. */
static void sweep(watch_stream *st) {
  for (face_watch **at = &st->watches; *at;) {
    face_watch *w = *at;
    if (w->cancelled) {
      *at = w->next;
      watch_free(w);
    } else {
      at = &w->next;
    }
  }
}

static void refuse(watch_stream *st, slice reason) {
  send_plain(st, INVALID_ID, 0, true, true, reason);
}

static bool take_id(watch_stream *st, int64_t asked, int64_t *id) {
  if (asked) {
    *id = asked;
    return !find_watch(st, asked);
  }
  while (find_watch(st, st->next_id)) st->next_id++;
  *id = st->next_id++;
  return true;
}

static face_watch *make_watch(watch_stream *st, const etcd_watch_create *c, int64_t id) {
  face_watch *w = heap_zalloc(sizeof *w);
  w->stream = st;
  w->id = id;
  /* \0 is the smallest key */
  w->key = blob_copy(c->key.len ? c->key : slice_of("\0", 1));
  w->end = blob_copy(c->range_end);
  w->range = face_range_of(blob_slice(w->key), blob_slice(w->end));
  w->prev_kv = c->prev_kv;
  w->fragment = c->fragment;
  w->progress = c->progress_notify;
  const int32_t *filters = c->filters.items;
  for (uint32_t i = 0; i < c->filters.count; i++) {
    if (filters[i] == ETCD_NOPUT) w->no_put = true;
    if (filters[i] == ETCD_NODELETE) w->no_delete = true;
  }
  face_watch **at = &st->watches;
  while (*at) at = &(*at)->next;
  *at = w;
  return w;
}

static void on_progress_timer(void *ctx, int64_t now_ns);

static void arm_progress(etcd_face *f) {
  if (timer_is_set(&f->progress_timer)) return;
  timer_set(f->o.timers, &f->progress_timer, f->o.env->mono_ns + f->o.progress_interval_ns,
            on_progress_timer, f);
}

static void create_watch(watch_stream *st, const etcd_watch_create *c) {
  etcd_face *f = st->face;
  int64_t now = store_revision(f->o.store), id;
  slice key = c->key.len ? c->key : slice_of("\0", 1);
  face_range range = face_range_of(key, c->range_end);
  if (c->start_revision < 0) {
    refuse(st, etcd_error_text(ETCD_ERROR_COMPACTED));
    return;
  }
  if (!range.single && !range.open && slice_cmp(key, c->range_end) >= 0) {
    refuse(st, SLICE_LIT("mvcc: watcher range is empty"));
    return;
  }
  if (!take_id(st, c->watch_id, &id)) {
    refuse(st, SLICE_LIT("mvcc: duplicate watch ID provided on the WatchStream"));
    return;
  }
  face_watch *w = make_watch(st, c, id);
  if (w->progress) arm_progress(f);
  send_plain(st, id, now, true, false, SLICE_NONE);
  w->sent = c->start_revision ? c->start_revision - 1 : now;
  int64_t compacted = store_compacted(f->o.store);
  if (compacted && c->start_revision == compacted) replay_compaction(w, compacted);
  take_up(w);
  sweep(st);
}

static void cancel_watch(watch_stream *st, int64_t id) {
  face_watch *w = find_watch(st, id);
  if (!w) return;
  pending_send(w);
  w->cancelled = true;
  sweep(st);
  send_plain(st, id, 0, false, true, SLICE_NONE);
}

/* For all watches of the stream at once, if all are up to date; else it is dropped. */
static void answer_progress(watch_stream *st) {
  flush_stream(st);
  if (!st->watches) return;
  for (face_watch *w = st->watches; w; w = w->next) {
    if (w->behind) return;
  }
  send_plain(st, INVALID_ID, 0, false, false, SLICE_NONE);
}

static void on_progress_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  etcd_face *f = ctx;
  bool any = false;
  for (watch_stream *st = f->streams; st; st = st->next) {
    for (face_watch *w = st->watches; w; w = w->next) {
      if (!w->progress) continue;
      any = true;
      if (w->quiet && !w->behind && w->pending.count == 0) {
        send_plain(st, w->id, 0, false, false, SLICE_NONE);
      }
      w->quiet = true;
    }
  }
  if (any) arm_progress(f);
}

/* ---- the stream ---- */

static void stream_free(watch_stream *st) {
  timer_clear(st->face->o.timers, &st->flush);
  while (st->watches) {
    face_watch *w = st->watches;
    st->watches = w->next;
    watch_free(w);
  }
  *st->link = st->next;
  if (st->next) st->next->link = st->link;
  heap_free(st);
}

static void on_abort(grpc_stream *s) {
  stream_free(s->user);
}

/* The stream has room again: those behind go on, until it is full. */
static void on_drain(grpc_stream *s) {
  watch_stream *st = s->user;
  for (face_watch *w = st->watches; w; w = w->next) {
    if (grpc_stream_pending(s) > STREAM_FULL) break;
    if (w->behind) take_up(w);
  }
  sweep(st);
}

static watch_stream *stream_of(grpc_stream *s) {
  if (s->user) return s->user;
  etcd_face *f = face_of(s);
  watch_stream *st = heap_zalloc(sizeof *st);
  st->face = f;
  st->grpc = s;
  st->next = f->streams;
  st->link = &f->streams;
  if (st->next) st->next->link = &st->next;
  f->streams = st;
  s->user = st;
  s->on_abort = on_abort;
  s->on_drain = on_drain;
  return st;
}

void face_watch_call(grpc_stream *s, slice message) {
  watch_stream *st = stream_of(s);
  arena *a = arena_create();
  etcd_watch_request r;
  const char *problem = etcd_decode(&etcd_watch_request_message, message, a, &r);
  if (problem) {
    stream_free(st);
    grpc_stream_finish(s, GRPC_INTERNAL,
                       arena_printf(a, "grpc: failed to unmarshal the received message: %s",
                                    problem));
  } else if (r.which == ETCD_WATCH_CREATE) {
    create_watch(st, r.create);
  } else if (r.which == ETCD_WATCH_CANCEL) {
    cancel_watch(st, r.cancel->watch_id);
  } else if (r.which == ETCD_WATCH_PROGRESS) {
    answer_progress(st);
  }
  arena_destroy(a);
}

void face_watch_end(grpc_stream *s) {
  watch_stream *st = stream_of(s);
  flush_stream(st);
  stream_free(st);
  grpc_stream_finish(s, GRPC_OK, SLICE_NONE);
}

void etcd_face_reset(etcd_face *f) {
  while (f->streams) {
    grpc_stream *s = f->streams->grpc;
    stream_free(f->streams);
    grpc_stream_finish(s, GRPC_UNAVAILABLE, SLICE_LIT("apisim: the store was put back"));
  }
  f->compacted_at_0 = false;
  face_lease_arm(f);
}

void face_watch_dispose(etcd_face *f) {
  timer_clear(f->o.timers, &f->progress_timer);
  assert(!f->streams);
}
