/* proto_encode: what proto_encode.c (the quick walk) and proto_encode_deep.c share. */
#ifndef APISIM_CODEC_PROTO_ENCODE_H
#define APISIM_CODEC_PROTO_ENCODE_H

#include "base/val.h"
#include "codec/proto_wire.h"

/* v's message in front of what o has, without length and tag. */
void proto_encode_deep(proto_out *o, const val *v, const type_info *t);
/* The bytes that a canonical base64 text stands for. */
void proto_encode_bytes(proto_out *o, slice base64);

#endif
