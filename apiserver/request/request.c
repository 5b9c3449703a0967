/* Request helpers used in every stage. */
#include "request/request.h"

#include "base/limits.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "store/store.h"

val *request_timestamp(const request *rq) {
  return val_string(rq->arena, time_text(rq->arena, request_now_s(rq)));
}

static uint32_t rune_count(slice s) {
  uint32_t n = 0;
  for (size_t i = 0; i < s.len; i++) n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
  return n;
}

bool request_warnings_cut(const request *rq) { return rq->warning_runes > LIMIT_WARNING_RUNES; }

bool request_warnings_full(const request *rq) {
  return request_warnings_cut(rq) && rq->warning_runes_cut >= LIMIT_WARNING_RUNES;
}

/* What may stand in the header: UTF-8 without controls. */
static bool can_warn(slice text) {
  const char *end = text.ptr + text.len;
  unsigned n = 0;
  for (const char *p = text.ptr; p < end; p += n) {
    n = utf8_sequence(p, end);
    uint32_t c = n ? utf8_get(p, n) : 0;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
  }
  return true;
}

void request_warn(request *rq, slice text) {
  if (request_warnings_full(rq) || !can_warn(text)) return;
  for (uint32_t i = 0; i < rq->warning_count; i++) {
    if (slice_eq(rq->warnings[i], text)) return;
  }
  rq->warnings =
      arena_more(rq->arena, rq->warnings, rq->warning_count, &rq->warning_cap,
                 sizeof *rq->warnings);
  rq->warnings[rq->warning_count++] = arena_copy(rq->arena, text);
  uint32_t runes = rune_count(text);
  rq->warning_runes += runes;
  rq->warning_runes_cut += runes < LIMIT_WARNING_ITEM_RUNES ? runes : LIMIT_WARNING_ITEM_RUNES;
}

void request_warn_strict(request *rq, slice text) {
  slice prefix = SLICE_LIT("yaml: unmarshal errors:\n"), line;
  if (!slice_has_prefix(text, prefix)) {
    request_warn(rq, text);
    return;
  }
  for (text = slice_from(text, prefix.len); text.len;) {
    slice_cut(text, '\n', &line, &text);
    request_warn(rq, slice_trim(line));
  }
}

void request_keep(request *rq, struct store_entry *e) {
  rq->kept = arena_more(rq->arena, rq->kept, rq->kept_count, &rq->kept_cap, sizeof *rq->kept);
  rq->kept[rq->kept_count++] = e;
}

void request_done(request *rq) {
  for (uint32_t i = 0; i < rq->kept_count; i++) store_entry_unref(rq->kept[i]);
  rq->kept_count = 0;
}
