/* openapi: /openapi/v2, /openapi/v3 and the documents behind it.
 *
 * The documents are made at build time from facts (without prose) and lie compressed in the
 * program; the first request for one inflates it into the cache. Headers, redirect and
 * choice of form as kube-openapi pkg/handler and pkg/handler3. */
#ifndef APISIM_ROUTE_OPENAPI_H
#define APISIM_ROUTE_OPENAPI_H

#include "route/route.h"

/* One document in one form, as the generator emits it. */
typedef struct openapi_document {
  slice path; /* "v2", "v3/apis/apps/v1" */
  const char *hash; /* of the JSON form: 128 hexadecimal digits */
  struct openapi_bytes {
    const unsigned char *zlib;
    uint32_t zlib_len, len;
    uint32_t crc; /* CRC-32 of the inflated bytes, which gzip wants behind them */
  } json, protobuf;
} openapi_document;

/* v2, v2/all (every version), then v3's in index order. */
extern const openapi_document openapi_documents[];
extern const uint16_t openapi_document_count;

/* False: not an OpenAPI path. */
bool openapi_route(request *rq, slice path, route_answer *out);

#endif
