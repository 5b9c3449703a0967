/* See openapi_custom.h. */
#include "route/openapi_custom.h"

#include "base/buf.h"
#include "crd/crd_openapi.h"
#include "http/gzip.h"
#include "server.h"

#define DOCUMENT_MAX ((size_t)64 << 20)
#define DEFINITIONS SLICE_LIT("\"definitions\":{")

static const route_entry *make(request *rq, slice plain, slice key) {
  slice more = crd_openapi_v2_definitions(rq->arena, rq->server->customs);
  ptrdiff_t at = slice_find(plain, DEFINITIONS); /* the first is the document's own */
  if (more.len == 0 || at < 0) return NULL;
  size_t cut = (size_t)at + DEFINITIONS.len;
  buf b;
  buf_init(&b, DOCUMENT_MAX);
  buf_append(&b, slice_upto(plain, cut));
  buf_append(&b, more);
  if (plain.ptr[cut] != '}') buf_char(&b, ',');
  buf_append(&b, slice_from(plain, cut));
  slice json = buf_slice(&b);
  const route_entry *e = route_cache_put(rq->server->routes, key, blob_copy(json), json);
  buf_dispose(&b);
  return e;
}

const route_entry *openapi_custom_v2(request *rq, slice plain, bool gzip) {
  slice key = SLICE_LIT("v2 with customs"), packed = SLICE_LIT("v2 with customs, gzip");
  const crd_registry *g = rq->server->customs;
  if (!g || g->count == 0) return NULL;
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (!e) e = make(rq, plain, key);
  if (!e || !gzip) return e;
  const route_entry *z = route_cache_get(rq->server->routes, packed);
  if (z) return z;
  http_part part = {blob_slice(e->bytes), NULL};
  return route_cache_put(rq->server->routes, packed, gzip_parts(&part, 1), blob_slice(e->bytes));
}
