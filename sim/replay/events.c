/* Cutting streams. A recorder writes down chunks, and one chunk may hold several events or a part
 * of one; comparing events and not chunks keeps the network's mood out of the score. */
#include "sim/replay/events.h"

bool event_next(slice body, bool protobuf, size_t *at, slice *event) {
  slice rest = slice_from(body, *at);
  if (!protobuf) {
    ptrdiff_t end = slice_find_char(rest, '\n');
    if (end < 0) {
      return false;
    }
    *event = slice_upto(rest, (size_t)end + 1);
    *at += (size_t)end + 1;
    return true;
  }
  if (rest.len < 4) {
    return false;
  }
  const unsigned char *p = (const unsigned char *)rest.ptr;
  size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
  if (rest.len - 4 < n) {
    return false;
  }
  *event = slice_of(rest.ptr + 4, n);
  *at += n + 4;
  return true;
}

uint32_t event_count(slice body, bool protobuf) {
  uint32_t n = 0;
  slice event;
  for (size_t at = 0; event_next(body, protobuf, &at, &event);) {
    n++;
  }
  return n;
}

uint32_t event_count_by(const tape_exchange *x, bool protobuf, int64_t at_ms) {
  size_t len = 0;
  for (uint32_t i = 0; i < x->frame_count && x->frames[i].at_ms <= at_ms; i++) {
    len += x->frames[i].data.len;
  }
  return event_count(slice_upto(x->body, len), protobuf);
}

bool headers_say_protobuf(const tape_headers *h) {
  slice type = tape_header_get(h, "Content-Type");
  return slice_find(type, SLICE_LIT("protobuf")) >= 0;
}
