/* A list of those that hold something and one timer for all. */
#include "watch/outbox.h"

#include "base/heap.h"

#include <assert.h>

#define SLICE 96u /* outboxes that are served in one turn of the loop: then others have theirs */
#define JOINED_FROM 16u /* streams: with fewer there is little to share */
#define MANY_FRAMES 6u /* of one outbox in a round of several slices: they come by themselves */
#define BUSY_NS ((int64_t)1000000) /* the pause then */
#define SHORTEST_NS ((int64_t)3000000)
#define PER_STREAM_NS ((int64_t)4000)
/* Frames in one outbox that end the waiting, by how many streams there are: longer saves little,
 * and clients have to work them off. */
#define ROUND_FRAMES 64000u
#define FULL_LEAST 4u
#define FULL_MOST 64u
#define CAP_FIRST 4u
#define CAP_KEPT 128u /* a larger array is freed when it is empty */

static int64_t pause_ns(const outbox_queue *q) {
  int64_t ns = SHORTEST_NS + PER_STREAM_NS * (int64_t)q->streams;
  if (q->streams > SLICE && q->latest_most >= MANY_FRAMES) return BUSY_NS;
  return ns < OUTBOX_LONGEST_NS ? ns : OUTBOX_LONGEST_NS;
}

static uint32_t full(uint32_t streams) {
  uint32_t n = ROUND_FRAMES / (streams ? streams : 1);
  return n < FULL_LEAST ? FULL_LEAST : n > FULL_MOST ? FULL_MOST : n;
}

/* ---- frames that many hold ---- */

static void joined_forget(outbox_joined *j) {
  for (uint32_t i = 0; i < j->count; i++) blob_unref(j->items[i]);
  blob_unref(j->whole);
  j->count = 0;
  j->whole = NULL;
}

static void joined_remember(outbox_queue *q, const outbox *o) {
  if (!q->joined) q->joined = heap_zalloc(OUTBOX_JOINED * sizeof *q->joined);
  outbox_joined *j = &q->joined[q->joined_next++ % OUTBOX_JOINED];
  joined_forget(j);
  for (uint32_t i = 0; i < o->count; i++) j->items[i] = blob_ref(o->items[i]);
  j->count = o->count;
}

static blob *join(const outbox *o) {
  blob *whole = blob_alloc(o->bytes);
  size_t at = 0;
  for (uint32_t i = 0; i < o->count; at += o->items[i++]->len) {
    memcpy(whole->data + at, o->items[i]->data, o->items[i]->len);
  }
  assert(at == o->bytes);
  return whole;
}

/* What it holds in one, borrowed; NULL where nobody else in this round held the same so far. */
static blob *joined_of(outbox_queue *q, const outbox *o) {
  bool fits = o->count > 1 && o->count <= OUTBOX_JOINED_FRAMES && o->bytes <= OUTBOX_JOINED_BYTES;
  if (!q->in_round || q->streams < JOINED_FROM || !fits) return NULL;
  for (uint32_t i = 0; q->joined && i < OUTBOX_JOINED; i++) {
    outbox_joined *j = &q->joined[i];
    if (j->count != o->count) continue;
    if (memcmp(j->items, o->items, o->count * sizeof(blob *)) != 0) continue;
    if (!j->whole) j->whole = join(o);
    return j->whole;
  }
  joined_remember(q, o);
  return NULL;
}

/* ---- rounds ---- */

static void on_timer(void *ctx, int64_t now_ns);

/* What was written in a turn is sent at its end, so that the round's end is known in the next. */
static void arm(outbox_queue *q, int64_t now_ns) {
  if (timer_is_set(&q->timer)) return;
  if (q->round_over) q->sent_ns = now_ns;
  bool quiet = !q->sent_ns || now_ns - q->sent_ns >= pause_ns(q);
  q->round_over = false;
  timer_set(q->timers, &q->timer, quiet ? now_ns : q->sent_ns + pause_ns(q), on_timer, q);
}

static bool is_of_round(const outbox_queue *q, const outbox *o) {
  return o && o->round != q->round;
}

/* Serves some of the round's; those that others have put something into since it began are the
 * next one's. */
static void serve(outbox_queue *q) {
  for (uint32_t n = 0; n < SLICE && is_of_round(q, q->first); n++) {
    outbox *o = q->first;
    if (o->next) __builtin_prefetch(o->next->items);
    if (o->count > q->most) q->most = o->count;
    q->send(o);
    assert(q->first != o);
  }
}

/* In the turn behind a round's last the pause begins. */
static void on_timer(void *ctx, int64_t now_ns) {
  outbox_queue *q = ctx;
  if (q->round_over) {
    arm(q, now_ns);
    return;
  }
  if (!q->in_round) q->round++;
  q->in_round = true;
  serve(q);
  if (!is_of_round(q, q->first)) {
    for (uint32_t i = 0; q->joined && i < OUTBOX_JOINED; i++) joined_forget(&q->joined[i]);
    q->in_round = false;
    q->round_over = true;
    q->latest_most = q->most;
    q->most = 0;
  }
  /* A nanosecond later is another turn. */
  if (q->first) timer_set(q->timers, &q->timer, now_ns + 1, on_timer, q);
}

void outbox_put(outbox_queue *q, outbox *o, blob *frame, uint32_t streams, int64_t now_ns) {
  q->streams = streams;
  if (o->count == o->cap) {
    o->cap = o->cap ? o->cap * 2 : CAP_FIRST;
    o->items = heap_realloc(o->items, o->cap * sizeof(blob *));
  }
  if (o->count == 0) {
    o->prev = q->last;
    o->next = NULL;
    if (q->last) q->last->next = o;
    else q->first = o;
    q->last = o;
    o->round = q->round;
    arm(q, now_ns);
  }
  o->items[o->count++] = blob_ref(frame);
  o->bytes += frame->len;
  bool waits = !q->in_round && !q->round_over;
  if (o->count == full(streams) && waits) timer_set(q->timers, &q->timer, now_ns, on_timer, q);
}

static void unlist(outbox_queue *q, outbox *o) {
  if (o->prev) o->prev->next = o->next;
  else q->first = o->next;
  if (o->next) o->next->prev = o->prev;
  else q->last = o->prev;
}

void outbox_take(outbox_queue *q, outbox *o, bool joins, void (*fn)(void *ctx, blob *frame),
                 void *ctx) {
  uint32_t n = o->count;
  if (n == 0) return;
  blob *whole = joins ? joined_of(q, o) : NULL;
  unlist(q, o);
  o->count = 0;
  o->bytes = 0;
  if (whole) fn(ctx, whole);
  for (uint32_t i = 0; i < n; i++) {
    if (!whole) fn(ctx, o->items[i]);
    blob_unref(o->items[i]);
  }
  if (o->cap <= CAP_KEPT) return;
  heap_free(o->items);
  o->items = NULL;
  o->cap = 0;
}

static void drop(void *ctx, blob *frame) { (void)ctx, (void)frame; }

void outbox_dispose(outbox_queue *q, outbox *o) {
  outbox_take(q, o, false, drop, NULL);
  heap_free(o->items);
  *o = (outbox){0};
}

void outbox_queue_dispose(outbox_queue *q) {
  timer_clear(q->timers, &q->timer);
  for (uint32_t i = 0; q->joined && i < OUTBOX_JOINED; i++) joined_forget(&q->joined[i]);
  heap_free(q->joined);
  q->joined = NULL;
}
