/* A binary heap; equal times leave in the order in which they were pushed. */
#include "sim/world/queue.h"

#include "base/heap.h"

#define QUEUE_FIRST 256u

static bool before(const due *a, const due *b) {
  return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

void queue_push(queue *q, int64_t at, uint8_t what, void *ptr, uint64_t arg) {
  if (q->count == q->cap) {
    q->cap = q->cap ? q->cap * 2 : QUEUE_FIRST;
    q->heap = heap_realloc(q->heap, q->cap * sizeof *q->heap);
  }
  due d = {.at = at, .sequence = q->next_sequence++, .what = what, .arg = arg, .ptr = ptr};
  uint32_t i = q->count++;
  for (; i > 0 && before(&d, &q->heap[(i - 1) / 2]); i = (i - 1) / 2) {
    q->heap[i] = q->heap[(i - 1) / 2];
  }
  q->heap[i] = d;
}

bool queue_pop(queue *q, due *out) {
  if (q->count == 0) return false;
  *out = q->heap[0];
  due last = q->heap[--q->count];
  uint32_t i = 0;
  for (;;) {
    uint32_t child = i * 2 + 1;
    if (child >= q->count) break;
    if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child])) child++;
    if (!before(&q->heap[child], &last)) break;
    q->heap[i] = q->heap[child];
    i = child;
  }
  q->heap[i] = last;
  return true;
}

void queue_dispose(queue *q) {
  heap_free(q->heap);
  *q = (queue){0};
}
