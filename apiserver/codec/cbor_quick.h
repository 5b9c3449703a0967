/* cbor_quick: the way of most CBOR bodies. See cbor_quick.c. */
#ifndef APISIM_CODEC_CBOR_QUICK_H
#define APISIM_CODEC_CBOR_QUICK_H

#include "codec/codec.h"

/* The tree that cbor_decode would give without an error or an unknown field, or NULL: ask that. */
val *cbor_decode_quick(arena *a, slice bytes, const type_info *t);
/* What the first kind and apiVersion say; false: not both found so, ask cbor_type_meta. Whoever
 * takes these and then sees cbor_decode_quick give up asks cbor_type_meta again. */
bool cbor_type_meta_quick(slice bytes, slice *api_version, slice *kind);

#endif
