/* mime: the media type of a Content-Type header. Rule: Go's mime.ParseMediaType. */
#ifndef APISIM_CODEC_MIME_H
#define APISIM_CODEC_MIME_H

#include "base/arena.h"
#include "base/slice.h"

/* The type in lower case, without its parameters, or false where Go reports an error:
 * a type that is none, a parameter without a value, one that comes twice with two values. */
bool mime_media_type(arena *a, slice header, slice *media);

#endif
