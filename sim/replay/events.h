/* events: a streamed body cut into what a watcher would see, whatever pieces it came in.
 *
 * JSON streams are lines, protobuf streams are frames with a length of four bytes before them. */
#ifndef APISIM_REPLAY_EVENTS_H
#define APISIM_REPLAY_EVENTS_H

#include "sim/replay/tape.h"

/* The next whole event of body[*at..], moved past; false when there is none (yet). */
bool event_next(slice body, bool protobuf, size_t *at, slice *event);
uint32_t event_count(slice body, bool protobuf);
/* How many of a taped stream's events had come by at_ms. */
uint32_t event_count_by(const tape_exchange *x, bool protobuf, int64_t at_ms);
bool headers_say_protobuf(const tape_headers *h);

#endif
