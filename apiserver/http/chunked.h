/* chunked: a request body's chunked framing, undone in place.
 *
 * Data bytes are moved down to the caller's write position, so a body ends up as one run of
 * bytes; each byte moves once. Refusals carry Go's words, which the API server puts in its
 * answer. Limits: a chunk's line 4096 bytes with its CRLF, 16 hex digits, a trailer 4096
 * bytes, 16 KiB of framing beyond 16 bytes a chunk and twice the data. */
#ifndef APISIM_HTTP_CHUNKED_H
#define APISIM_HTTP_CHUNKED_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum chunked_result {
  CHUNKED_MORE,
  CHUNKED_DONE,
  CHUNKED_BAD,
  CHUNKED_FULL,
} chunked_result;

/* Zero it before a body. */
typedef struct chunked {
  uint64_t left; /* of the chunk under way */
  int64_t excess;
  size_t seen; /* bytes of the line under way without an LF */
  uint8_t phase;
} chunked;

/* Reads bytes[*at..len), writes data at bytes[*out..]; *out <= *at always. Both are moved.
 * FULL: more than max_out bytes would be written (*out - out_start is what is there).
 * BAD: *why says what Go says (constant, or in the arena). */
chunked_result chunked_decode(chunked *c, char *bytes, size_t len, size_t *at, size_t *out,
                              size_t max_out, arena *a, slice *why);

#endif
