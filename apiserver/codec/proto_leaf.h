/* proto_leaf: the small messages that are one value in JSON: quantities, times,
 * durations, int-or-strings, raw JSON. Private to codec/proto*.c. */
#ifndef APISIM_CODEC_PROTO_LEAF_H
#define APISIM_CODEC_PROTO_LEAF_H

#include "base/val.h"
#include "codec/proto_wire.h"

#define UNIX_OF_YEAR_1 (-62135596800LL) /* Go's zero time */

/* True when a value of t is a message of its own in protobuf, but a leaf in the tree. */
bool leaf_is_message(const type_info *t);
/* The value that the message stands for; *out is NULL where the tree has nothing (a zero
 * time, empty raw JSON). `old` is what an earlier message for the same field gave, or
 * NULL. False with *error set when the message is broken. */
bool leaf_decode(arena *a, slice message, const type_info *t, const val *old, val **out,
                 slice *error);
/* Is this an error that gogo would not have met: of raw JSON, which it does not read, or of a time
 * that it cannot print? Then it counts after those of the message. */
bool leaf_error_waits(const type_info *t, slice error);
/* The message of v (NULL: the zero value), without length and tag. */
void leaf_encode(proto_out *o, const val *v, const type_info *t);

#endif
