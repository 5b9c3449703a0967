/* gzip: compresses an answer's parts into one blob, at the real server's level (1). */
#ifndef APISIM_HTTP_GZIP_H
#define APISIM_HTTP_GZIP_H

#include "base/blob.h"
#include "http/http.h"

/* The caller's reference. Never NULL. Same input, same bytes (no time in the header). */
blob *gzip_parts(const http_part *parts, uint32_t count);

/* The same piece by piece: put gives what the pieces so far have become and was not given yet (it
 * may be empty), the caller's reference; `last` ends it. */
typedef struct gzip_stream gzip_stream;
gzip_stream *gzip_stream_create(void);
blob *gzip_stream_put(gzip_stream *g, slice piece, bool last);
void gzip_stream_destroy(gzip_stream *g); /* NULL is fine */

#endif
