/* json_string: JSON string literals, both ways. */
#ifndef APISIM_CODEC_JSON_STRING_H
#define APISIM_CODEC_JSON_STRING_H

#include "base/arena.h"
#include "base/slice.h"

/* p is at the opening quote. Fills *out (borrowed where nothing needs unescaping, else in the
 * arena; malformed UTF-8 and lone surrogates become U+FFFD) and returns what follows the
 * closing quote, or NULL when the literal is malformed. */
const char *json_string_scan(arena *a, const char *p, const char *end, slice *out);

#endif
