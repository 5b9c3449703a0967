/* A list of those that hold something and one timer for all: a round serves every one of them. */
#include "watch/outbox.h"

#include "base/heap.h"

#include <assert.h>

#define SHORTEST_NS ((int64_t)3000000)
#define PER_STREAM_NS ((int64_t)4000)
/* Frames in one outbox that end the waiting, by how many streams there are: longer saves little,
 * and clients have to work them off. */
#define ROUND_FRAMES 16000u
#define FULL_LEAST 4u
#define FULL_MOST 64u
#define CAP_FIRST 4u
#define CAP_KEPT 64u /* a larger array is freed when it is empty */

static int64_t pause_ns(uint32_t streams) {
  int64_t ns = SHORTEST_NS + PER_STREAM_NS * (int64_t)streams;
  return ns < OUTBOX_LONGEST_NS ? ns : OUTBOX_LONGEST_NS;
}

static uint32_t full(uint32_t streams) {
  uint32_t n = ROUND_FRAMES / (streams ? streams : 1);
  return n < FULL_LEAST ? FULL_LEAST : n > FULL_MOST ? FULL_MOST : n;
}

static void on_timer(void *ctx, int64_t now_ns) {
  outbox_queue *q = ctx;
  (void)now_ns;
  while (q->first) {
    outbox *o = q->first;
    q->send(o);
    assert(q->first != o);
  }
  q->round_over = true;
}

/* What was written in a turn is sent at its end, so that the round's end is known in the next. */
static void arm(outbox_queue *q, uint32_t streams, int64_t now_ns) {
  if (timer_is_set(&q->timer)) return;
  if (q->round_over) q->sent_ns = now_ns;
  bool quiet = !q->sent_ns || now_ns - q->sent_ns >= pause_ns(streams);
  q->round_over = false;
  timer_set(q->timers, &q->timer, quiet ? now_ns : q->sent_ns + pause_ns(streams), on_timer, q);
}

void outbox_put(outbox_queue *q, outbox *o, blob *frame, uint32_t streams, int64_t now_ns) {
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
    arm(q, streams, now_ns);
  }
  o->items[o->count++] = blob_ref(frame);
  o->bytes += frame->len;
  if (o->count == full(streams)) timer_set(q->timers, &q->timer, now_ns, on_timer, q);
}

static void unlist(outbox_queue *q, outbox *o) {
  if (o->prev) o->prev->next = o->next;
  else q->first = o->next;
  if (o->next) o->next->prev = o->prev;
  else q->last = o->prev;
}

void outbox_take(outbox_queue *q, outbox *o, void (*fn)(void *ctx, blob *frame), void *ctx) {
  uint32_t n = o->count;
  if (n == 0) return;
  unlist(q, o);
  o->count = 0;
  o->bytes = 0;
  for (uint32_t i = 0; i < n; i++) {
    fn(ctx, o->items[i]);
    blob_unref(o->items[i]);
  }
  if (o->cap <= CAP_KEPT) return;
  heap_free(o->items);
  o->items = NULL;
  o->cap = 0;
}

static void drop(void *ctx, blob *frame) { (void)ctx, (void)frame; }

void outbox_dispose(outbox_queue *q, outbox *o) {
  outbox_take(q, o, drop, NULL);
  heap_free(o->items);
  *o = (outbox){0};
}
