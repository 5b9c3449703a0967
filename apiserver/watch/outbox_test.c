/* The rounds alone: streams that count what they get, and writers that wait for a turn's end. */
#include "watch/outbox.h"

#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define STREAMS 1000u
#define TURN_NS ((int64_t)100000)
#define SEND_NS ((int64_t)14000)
#define MS ((int64_t)1000000)

typedef struct stream {
  outbox out; /* first */
  struct crowd *crowd;
  uint32_t next; /* the number of the frame that comes next */
} stream;

typedef struct crowd {
  timers timers;
  outbox_queue queue;
  int64_t now_ns;
  uint32_t count; /* of the streams that are there */
  uint32_t written, sends, in_turn, most_in_turn;
  stream streams[STREAMS];
} crowd;

static void take(void *ctx, blob *frames) {
  stream *s = ctx;
  assert_int_equal(frames->len % sizeof(uint32_t), 0);
  for (size_t at = 0; at < frames->len; at += sizeof(uint32_t)) {
    uint32_t number;
    memcpy(&number, frames->data + at, sizeof number);
    assert_int_equal(number, s->next++); /* none skipped, doubled or out of order */
  }
}

static void send_one(outbox *o) {
  stream *s = (stream *)o;
  s->crowd->sends++;
  s->crowd->in_turn++;
  outbox_take(&s->crowd->queue, o, true, take, s);
}

static crowd *crowd_create(uint32_t count) {
  crowd *c = heap_zalloc(sizeof *c);
  timers_init(&c->timers);
  c->now_ns = MS;
  c->count = count;
  c->queue = (outbox_queue){.timers = &c->timers, .send = send_one};
  for (uint32_t i = 0; i < STREAMS; i++) c->streams[i].crowd = c;
  return c;
}

static void crowd_destroy(crowd *c) {
  for (uint32_t i = 0; i < STREAMS; i++) outbox_dispose(&c->queue, &c->streams[i].out);
  outbox_queue_dispose(&c->queue);
  timers_dispose(&c->timers);
  heap_free(c);
}

static void write_one(crowd *c) {
  blob *b = blob_copy(slice_of((const char *)&c->written, sizeof c->written));
  c->written++;
  for (uint32_t i = 0; i < c->count; i++) {
    outbox_put(&c->queue, &c->streams[i].out, b, c->count, c->now_ns);
  }
  blob_unref(b);
}

/* The writers' requests, then the timers: one turn of the loop. */
static void turn(crowd *c, uint32_t writes) {
  c->in_turn = 0;
  while (writes--) write_one(c);
  while (timers_fire_one(&c->timers, c->now_ns)) {}
  if (c->in_turn > c->most_in_turn) c->most_in_turn = c->in_turn;
  c->now_ns += TURN_NS + SEND_NS * c->in_turn;
}

static void settle(crowd *c) {
  for (int i = 0; i < 200; i++) turn(c, 0);
  for (uint32_t i = 0; i < c->count; i++) assert_int_equal(c->streams[i].next, c->written);
}

/* Frames a send, where so many write as soon as they are answered. */
static uint32_t sent_together(uint32_t writers) {
  crowd *c = crowd_create(STREAMS);
  for (int i = 0; i < 300; i++) turn(c, writers);
  uint32_t before = c->sends, frames = c->written;
  for (int i = 0; i < 1000; i++) turn(c, writers);
  uint32_t each = (c->written - frames) * STREAMS / (c->sends - before);
  settle(c);
  assert_true(c->most_in_turn <= STREAMS / 3);
  crowd_destroy(c);
  return each;
}

static void a_send_is_worth_it_and_no_round_is_long(void **state) {
  (void)state;
  assert_in_range(sent_together(1), 24, 34);
  assert_in_range(sent_together(4), 24, 34);
  assert_in_range(sent_together(8), 24, 44);
  assert_in_range(sent_together(64), 200, 400); /* requests do not wait for more than that */
}

/* The first leaves at once, but not all in one turn; the second with what comes until its time. */
static void rounds_keep_their_distance(void **state) {
  (void)state;
  enum { FEW = 100 };
  crowd *c = crowd_create(FEW);
  turn(c, 1);
  assert_int_equal(c->streams[0].next, 1);
  assert_int_equal(c->streams[FEW - 1].next, 0);
  settle(c);
  int64_t began_ns = c->now_ns;
  turn(c, 1);
  assert_int_equal(c->streams[0].next, 2);
  for (int i = 0; i < 3; i++) turn(c, 1);
  while (c->now_ns < began_ns + 3 * MS) {
    assert_int_equal(c->streams[0].next, 2);
    turn(c, 0);
  }
  settle(c);
  assert_in_range(c->sends, 2 * FEW, 3 * FEW);
  crowd_destroy(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_send_is_worth_it_and_no_round_is_long),
      cmocka_unit_test(rounds_keep_their_distance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
