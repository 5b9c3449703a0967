/* A list of those that hold something and one timer for all. */
#include "watch/outbox.h"

#include "base/heap.h"

#include <assert.h>

#define JOINED_FROM 16u /* streams: with fewer there is little to share */
/* From one round's beginning to the next one's; where a round takes longer, the next follows. */
#define PERIOD_NS ((int64_t)3000000)
#define PER_STREAM_NS ((int64_t)3000)
/* Frames in one outbox that end the waiting, by how many streams there are: longer saves little,
 * and clients have to work them off. */
#define ROUND_FRAMES 64000u
#define FULL_LEAST 4u
#define FULL_MOST 32u
/* Outboxes that are served in one turn of the loop. A send costs as much as seventy frames, so a
 * round should bring many to each stream; but each of them makes it longer. The busiest writers
 * wait for their answers, which leave once a turn: in short turns they write more during a round,
 * in long ones less. AIM frames to a stream are sought: most of what sharing can save is saved
 * then, and a round of a thousand streams takes 8 to 12 ms. */
#define TURN_LEAST 32u
#define TURN_MOST 256u
#define AIM 28u
/* The first rounds after a quiet time meet cold connections and take long, so fewer frames are
 * sought in them: a quarter, then half. */
#define WARM 2u
#define CAP_FIRST 4u
#define CAP_KEPT 128u /* a larger array is freed when it is empty */

static int64_t period_ns(const outbox_queue *q) {
  int64_t ns = PERIOD_NS + PER_STREAM_NS * (int64_t)q->streams;
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

static void arm(outbox_queue *q, int64_t earliest_ns) {
  int64_t at = q->began_ns ? q->began_ns + period_ns(q) : 0;
  timer_set(q->timers, &q->timer, at > earliest_ns ? at : earliest_ns, on_timer, q);
}

static bool is_of_round(const outbox_queue *q, const outbox *o) {
  return o && o->round != q->round;
}

/* How many this turn serves: the round has come as far as what was written during it has come to
 * AIM frames a stream. */
static uint32_t turn_length(const outbox_queue *q) {
  uint32_t aim = AIM >> (q->warm < WARM ? WARM - q->warm : 0);
  uint64_t due = q->puts / aim;
  uint64_t n = due > q->served ? due - q->served : 0;
  return n < TURN_LEAST ? TURN_LEAST : n > TURN_MOST ? TURN_MOST : (uint32_t)n;
}

/* Serves some of the round's; those that others have put something into since it began are the
 * next one's. */
static void serve(outbox_queue *q) {
  for (uint32_t n = turn_length(q); n > 0 && is_of_round(q, q->first); n--) {
    outbox *o = q->first;
    if (o->next) __builtin_prefetch(o->next->items);
    q->send(o);
    q->served++;
    assert(q->first != o);
  }
}

static void round_begin(outbox_queue *q, int64_t now_ns) {
  q->round++;
  q->in_round = true;
  q->puts = q->served = 0;
  q->began_ns = now_ns;
}

static void round_end(outbox_queue *q) {
  for (uint32_t i = 0; q->joined && i < OUTBOX_JOINED; i++) joined_forget(&q->joined[i]);
  q->in_round = false;
  if (q->warm < WARM) q->warm++;
}

/* What was written in a turn is sent at its end. A nanosecond later is another turn. */
static void on_timer(void *ctx, int64_t now_ns) {
  outbox_queue *q = ctx;
  if (!q->in_round) round_begin(q, now_ns);
  serve(q);
  if (!is_of_round(q, q->first)) round_end(q);
  if (!q->first) q->warm = 0;
  if (!q->first) return;
  if (q->in_round || q->first->count >= full(q->streams)) {
    timer_set(q->timers, &q->timer, now_ns + 1, on_timer, q);
  } else {
    arm(q, now_ns + 1);
  }
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
    if (!timer_is_set(&q->timer)) arm(q, now_ns);
  }
  q->puts++;
  o->items[o->count++] = blob_ref(frame);
  o->bytes += frame->len;
  bool enough = o->count == full(streams) && !q->in_round;
  if (enough) timer_set(q->timers, &q->timer, now_ns, on_timer, q);
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
