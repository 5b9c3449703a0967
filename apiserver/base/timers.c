/* A binary heap over (deadline, sequence). */
#include "base/timers.h"

#include "base/heap.h"

#include <assert.h>

void timers_init(timers *t) {
  *t = (timers){0};
}

void timers_dispose(timers *t) {
  for (uint32_t i = 0; i < t->count; i++) t->heap[i]->slot = 0;
  heap_free(t->heap);
  *t = (timers){0};
}

static bool before(const timer *a, const timer *b) {
  if (a->deadline_ns != b->deadline_ns) return a->deadline_ns < b->deadline_ns;
  return a->sequence < b->sequence;
}

static void put(timers *t, uint32_t at, timer *tm) {
  t->heap[at] = tm;
  tm->slot = at + 1;
}

static void sift_up(timers *t, uint32_t at, timer *tm) {
  while (at && before(tm, t->heap[(at - 1) / 2])) {
    put(t, at, t->heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put(t, at, tm);
}

static void sift_down(timers *t, uint32_t at, timer *tm) {
  for (;;) {
    uint32_t child = at * 2 + 1;
    if (child >= t->count) break;
    if (child + 1 < t->count && before(t->heap[child + 1], t->heap[child])) child++;
    if (!before(t->heap[child], tm)) break;
    put(t, at, t->heap[child]);
    at = child;
  }
  put(t, at, tm);
}

void timer_clear(timers *t, timer *tm) {
  if (!tm->slot) return;
  uint32_t at = tm->slot - 1;
  assert(at < t->count && t->heap[at] == tm);
  tm->slot = 0;
  timer *last = t->heap[--t->count];
  if (last == tm) return;
  if (at && before(last, t->heap[(at - 1) / 2])) sift_up(t, at, last);
  else sift_down(t, at, last);
}

void timer_set(timers *t, timer *tm, int64_t deadline_ns, timer_fn fire, void *ctx) {
  timer_clear(t, tm);
  if (t->count == t->cap) {
    t->cap = t->cap ? t->cap * 2 : 16;
    t->heap = heap_realloc(t->heap, t->cap * sizeof *t->heap);
  }
  tm->deadline_ns = deadline_ns;
  tm->sequence = t->next_sequence++;
  tm->fire = fire;
  tm->ctx = ctx;
  sift_up(t, t->count++, tm);
}

int64_t timers_next(const timers *t) {
  return t->count ? t->heap[0]->deadline_ns : INT64_MAX;
}

bool timers_fire_one(timers *t, int64_t now_ns) {
  if (t->count == 0 || t->heap[0]->deadline_ns > now_ns) return false;
  timer *due = t->heap[0];
  timer_clear(t, due);
  due->fire(due->ctx, now_ns);
  return true;
}
