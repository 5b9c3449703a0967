/* proto_schema: protobuf bodies of a replay as JSON, by the schema's tables, so that their
 * differences have names and their values can be replaced. */
#ifndef APISIM_REPLAY_PROTO_SCHEMA_H
#define APISIM_REPLAY_PROTO_SCHEMA_H

#include "base/val.h"
#include "schema/schema.h"
#include "sim/replay/pairing.h"

/* JSON text of an envelope (or of a raw watch event that holds one); SLICE_NONE when the kind is
 * unknown or the bytes are no such message. */
slice proto_to_json(arena *a, slice body);
/* An envelope to its tree and back. NULL when the kind is unknown or the bytes are no such
 * message. */
val *proto_open_body(arena *a, slice body, slice *api_version, slice *kind,
                     const type_info **type);
slice proto_close_body(arena *a, slice api_version, slice kind, const val *tree,
                       const type_info *type);
/* A tree as compact JSON, members in the tree's order. */
slice val_to_json(arena *a, const val *v);
/* The envelope with paired values replaced; `body` itself when nothing in it is paired. */
slice proto_substitute(arena *a, pairing *p, slice body);

#endif
