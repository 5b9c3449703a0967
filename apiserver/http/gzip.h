/* gzip: compresses an answer's parts into one blob, at the real server's level (1). */
#ifndef APISIM_HTTP_GZIP_H
#define APISIM_HTTP_GZIP_H

#include "base/blob.h"
#include "http/http.h"

/* The caller's reference. Never NULL. Same input, same bytes (no time in the header). */
blob *gzip_parts(const http_part *parts, uint32_t count);

#endif
