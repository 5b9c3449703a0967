/* Request helpers used in every stage. */
#include "request/request.h"

#include "store/store.h"

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

void request_keep(request *rq, struct store_entry *e) {
  if (rq->kept_count == rq->kept_cap) {
    uint32_t cap = rq->kept_cap ? rq->kept_cap * 2 : 4;
    rq->kept = arena_grow(rq->arena, rq->kept, rq->kept_cap * sizeof *rq->kept,
                          cap * sizeof *rq->kept);
    rq->kept_cap = cap;
  }
  rq->kept[rq->kept_count++] = e;
}

void request_done(request *rq) {
  for (uint32_t i = 0; i < rq->kept_count; i++) store_entry_unref(rq->kept[i]);
  rq->kept_count = 0;
}
