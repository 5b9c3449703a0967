/* Request helpers used in every stage. */
#include "request/request.h"

void request_warn(request *rq, slice text) {
  for (uint32_t i = 0; i < rq->warning_count; i++) {
    if (slice_eq(rq->warnings[i], text)) return;
  }
  if (rq->warning_count == rq->warning_cap) {
    uint32_t cap = rq->warning_cap ? rq->warning_cap * 2 : 4;
    rq->warnings = arena_grow(rq->arena, rq->warnings, rq->warning_cap * sizeof(slice),
                              cap * sizeof(slice));
    rq->warning_cap = cap;
  }
  rq->warnings[rq->warning_count++] = arena_copy(rq->arena, text);
}
