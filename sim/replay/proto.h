/* proto: protobuf bodies in a replay, read without the schema's help.
 *
 * The wire format alone (fields, lengths, varints) is enough to compare two messages byte for
 * byte after pairing, and keeps the judge apart from the codec under test. Names for the
 * differences come from the schema (proto_json). */
#ifndef APISIM_REPLAY_PROTO_H
#define APISIM_REPLAY_PROTO_H

#include "sim/replay/diff.h"

/* Begins with the magic bytes "k8s\0". */
bool proto_is_envelope(slice body);
/* Compares two envelopes; differences are of the given level. */
void proto_diff(diff *d, const char *root, slice expected, slice actual);

#endif
