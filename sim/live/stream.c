/* Watches: what a client is told, when. A frame waits when its stream is held, when frames in front
 * of it wait, or when the client's server has not reached its revision. Order is never changed and
 * nothing is ever skipped: a stream that shall not show what it held ends with 410 Expired. */
#include "sim/live/engine.h"

#include "base/heap.h"
#include "watch/watcher.h"

#define HALF_NS ((int64_t)5 * 1000000) /* for the half of an event to leave before the break */

static slice type_name(event_type t) {
  static const char *const names[] = {
      [EVENT_ADDED] = "ADDED", [EVENT_MODIFIED] = "MODIFIED", [EVENT_DELETED] = "DELETED",
      [EVENT_BOOKMARK] = "BOOKMARK", [EVENT_ERROR] = "ERROR"};
  return slice_cstr(names[t]);
}

static live_event frame_event(exchange *ex, int point, event_type type, bool initial,
                              int64_t revision, slice key, arena *a) {
  live_event ev = exchange_event(ex, point, a);
  live_target t;
  ev.type = type_name(type);
  ev.initial = initial;
  ev.revision = revision;
  if (key.len && live_target_of_stored(key, &t)) {
    ev.namespace = t.namespace;
    ev.name = t.name;
    ev.key = live_target_key(a, &t);
  }
  return ev;
}

static void frame_told(exchange *ex, event_type type, bool initial, int64_t revision, slice key) {
  live *l = ex->live;
  arena *a = arena_create();
  live_event ev = frame_event(ex, POINT_AFTER_DELIVER, type, initial, revision, key, a);
  engine_record(l, RECORD_DELIVER, ex->client, ev.type, ev.key.len ? ev.key : ex->resource_key, 0,
                revision, "%s", initial ? "initial" : "");
  if (type != EVENT_BOOKMARK || initial) engine_active(l, "an event to", ex->client, ev.key);
  if (ex->client != CLIENT_SCENARIO) engine_event(l, &ev);
  arena_destroy(a);
}

static void enqueue(exchange *ex, const tap_frame *f, int64_t not_before_ns) {
  live_frame *q = heap_zalloc(sizeof *q + f->key.len);
  q->bytes = blob_ref(f->bytes);
  q->revision = f->revision;
  q->not_before_ns = not_before_ns;
  q->type = f->type;
  q->initial = f->initial;
  if (f->key.len) memcpy(q->text, f->key.ptr, f->key.len);
  q->key = slice_of(q->text, f->key.len);
  if (!ex->last) ex->last = &ex->first;
  *ex->last = q;
  ex->last = &q->next;
  if (++ex->queued > LIVE_QUEUE_MAX) {
    ex->cut_due = ex->doomed = ex->too_slow = true;
    engine_soon(ex->live);
  }
}

/* A client that stopped reading is cut once too much waits for it. */
static void check_slow(exchange *ex, const standing *slow) {
  if (!slow || (int64_t)ex->queued <= slow->action->number) return;
  ex->cut_due = ex->doomed = ex->too_slow = true;
  engine_soon(ex->live);
}

static int64_t frame_delay(const live *l, const exchange *ex, const tap_frame *f) {
  bool end = f->type == EVENT_BOOKMARK && f->initial;
  const standing *s = NULL;
  if (end) s = standing_for(l, ACT_DELAY_INITIAL_END, ex);
  else if (f->type == EVENT_BOOKMARK) s = standing_for(l, ACT_DELAY_BOOKMARKS, ex);
  return s ? real_ns() + s->action->duration_ns : 0;
}

bool stream_frame(void *ctx, const tap_frame *f) {
  live *l = ctx;
  exchange *ex = f->stream->tapped;
  if (ex && f->type == EVENT_ERROR) lint_expired(l->lint, ex);
  if (!ex || f->type == EVENT_ERROR || l->closing) return true;
  if (ex->client == CLIENT_SCENARIO) return true;
  if (ex->doomed) return false;
  arena *a = arena_create();
  live_event ev =
      frame_event(ex, POINT_BEFORE_DELIVER, f->type, f->initial, f->revision, f->key, a);
  engine_event(l, &ev);
  arena_destroy(a);
  const standing *drop = standing_for(l, ACT_DROP_BOOKMARKS, ex);
  bool plain = f->type == EVENT_BOOKMARK && !f->initial;
  if (plain && drop && engine_chance(l, drop->action->p)) return false;
  const standing *slow = standing_for(l, ACT_SLOW_CONSUMER, ex);
  int64_t later = frame_delay(l, ex, f);
  bool waits = ex->first || ex->hold || later || slow || ex->expire_due || ex->end_due ||
               ex->cut_due || f->revision > engine_horizon(l, ex->client);
  if (waits) {
    enqueue(ex, f, later);
    check_slow(ex, slow);
    return false;
  }
  frame_told(ex, f->type, f->initial, f->revision, f->key);
  return true;
}

void stream_forget(exchange *ex) {
  while (ex->first) {
    live_frame *q = ex->first;
    ex->first = q->next;
    blob_unref(q->bytes);
    heap_free(q);
  }
  ex->last = NULL;
  ex->queued = 0;
}

static void pop_and_tell(exchange *ex) {
  live_frame *q = ex->first;
  ex->first = q->next;
  if (!ex->first) ex->last = NULL;
  ex->queued--;
  frame_told(ex, q->type, q->initial, q->revision, q->key);
  watcher_deliver(ex->x, q->bytes);
  blob_unref(q->bytes);
  heap_free(q);
}

/* Half of the event at hand leaves, then the connection breaks. */
static void write_half(exchange *ex) {
  if (!ex->first) return;
  slice bytes = blob_slice(ex->first->bytes);
  http_stream_write(ex->x, slice_upto(bytes, bytes.len / 2), NULL);
}

/* What ends the stream. True: it did, and ex is gone or about to be. */
static bool end_stream(exchange *ex) {
  if (ex->cut_due && ex->cut && ex->cut->where == CUT_MIDDLE && !ex->doomed) {
    write_half(ex);
    ex->doomed = true;
    ex->cut_at_ns = real_ns() + HALF_NS;
    return true;
  }
  if (ex->cut_at_ns > real_ns()) return true;
  if (!ex->cut_due && !ex->expire_due && !ex->end_due) return false;
  http_exchange *x = ex->x;
  bool cut = ex->cut_due, expire = ex->expire_due, whole = exchange_cuts_connection(ex);
  ex->ended = true;
  stream_forget(ex);
  if (cut) watcher_cut(x, whole);
  else if (expire) watcher_expire(x);
  else watcher_end(x);
  return true;
}

void stream_release(exchange *ex) {
  ex->hold = NULL;
  if (ex->coalesce && ex->first) ex->expire_due = true;
  ex->coalesce = false;
}

void stream_pump(exchange *ex) {
  live *l = ex->live;
  int64_t now = real_ns();
  if (ex->hold && ex->hold_until_ns && ex->hold_until_ns <= now) stream_release(ex);
  if (end_stream(ex) || ex->doomed || ex->hold) return;
  if (!l->healed && standing_for(l, ACT_SLOW_CONSUMER, ex)) return;
  while (ex->first && !ex->hold && !ex->ended) {
    live_frame *q = ex->first;
    if (q->not_before_ns > now && !l->healed) return;
    if (q->revision > engine_horizon(l, ex->client)) return;
    pop_and_tell(ex);
    if (ex->cut_due || ex->expire_due || ex->end_due) {
      engine_soon(l);
      return;
    }
  }
}
