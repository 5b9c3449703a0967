/* One outcome an exchange, as in player.c, without its way of waiting. */
#include "sim/replay/taped.h"

#include "sim/replay/compare.h"
#include "sim/replay/events.h"
#include "sim/replay/request.h"

#define END_MS 20 /* a timeout may come that early */

struct taped {
  arena *arena;
  const tape *tape;
  pairing *pairs;
  outcome *outcomes;
};

static int64_t first_written_version(const tape *t) {
  int64_t first = 0;
  for (uint32_t i = 0; i < t->count; i++) {
    int64_t version = compare_written_version(&t->exchanges[i]);
    if (version > 0 && (first == 0 || version < first)) first = version;
  }
  return first;
}

taped *taped_create(const tape *t, int64_t wall_s) {
  arena *a = arena_create();
  taped *p = ARENA_NEW(a, taped);
  p->arena = a;
  p->tape = t;
  p->pairs = pairing_create(a);
  p->outcomes = ARENA_ARRAY(a, outcome, t->count + 1);
  for (uint32_t i = 0; i < t->count; i++) {
    p->outcomes[i].taped = &t->exchanges[i];
    diff_init(&p->outcomes[i].diff, a, p->pairs);
  }
  int64_t length = t->count ? t->exchanges[t->count - 1].done_ms / 1000 + 1 : 0;
  pairing_clock(p->pairs, tape_began_ms(t) / 1000, wall_s, length, length + 2);
  pairing_first_version(p->pairs, first_written_version(t));
  return p;
}

void taped_destroy(taped *p) {
  if (!p) return;
  for (uint32_t i = 0; i < p->tape->count; i++) diff_dispose(&p->outcomes[i].diff);
  pairing_destroy(p->pairs);
  arena_destroy(p->arena);
}

slice taped_request(taped *p, uint32_t i, slice host, slice token) {
  return request_make(p->arena, p->pairs, &p->tape->exchanges[i], host, token).bytes;
}

static tape_headers headers_of(arena *a, slice head) {
  slice line, name, value;
  uint32_t lines = 0;
  for (size_t i = 0; i < head.len; i++) lines += head.ptr[i] == '\n';
  tape_header *items = ARENA_ARRAY(a, tape_header, lines + 1);
  tape_headers out = {0, items};
  slice_cut(head, '\n', &line, &head); /* the status line */
  while (slice_cut(head, '\n', &line, &head)) {
    if (!slice_cut(line, ':', &name, &value)) continue;
    items[out.count++] = (tape_header){arena_copy(a, name), arena_copy(a, slice_trim(value))};
  }
  return out;
}

taped_fate taped_answered(taped *p, uint32_t i, int status, slice head, slice body,
                          int64_t wall_s) {
  outcome *x = &p->outcomes[i];
  x->answered = true;
  x->status = status;
  x->headers = headers_of(p->arena, head);
  x->body = arena_copy(p->arena, body);
  pairing_now(p->pairs, wall_s);
  compare_outcome(x, p->pairs);
  if (x->unscored) return TAPED_UNSCORED;
  if (diff_equal(&x->diff, DIFF_JSON)) return TAPED_SAME;
  return diff_equal(&x->diff, DIFF_STATUS) ? TAPED_STATUS : TAPED_OTHER;
}

bool taped_has_events(const taped *p, uint32_t i, slice body, int64_t at_ms) {
  const tape_exchange *x = &p->tape->exchanges[i];
  bool protobuf = headers_say_protobuf(&x->headers);
  return event_count(body, protobuf) >= event_count_by(x, protobuf, at_ms);
}

bool taped_ends_by_itself(const tape_exchange *x) {
  long long seconds = 0;
  return slice_to_i64(target_param(x->target, "timeoutSeconds"), &seconds) &&
         x->done_ms - x->at_ms >= seconds * 1000 - END_MS;
}
