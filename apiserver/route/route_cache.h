/* route_cache: documents that change with what is served only, encoded once.
 *
 * server->routes. Bounded: one entry a document and form, and there are as many documents
 * as groups and versions. Entries live until the cache goes. */
#ifndef APISIM_ROUTE_ROUTE_CACHE_H
#define APISIM_ROUTE_ROUTE_CACHE_H

#include "base/blob.h"
#include "base/slice.h"

#include <stdint.h>

#define ROUTE_CACHE_MAX 4096
#define ROUTE_CUSTOM_MAX 1024u /* of these, OpenAPI documents of custom resources */
#define ROUTE_ETAG_LEN 130 /* 128 hexadecimal digits in quotes */

typedef struct route_entry {
  slice key; /* owned */
  blob *bytes;
  char etag[ROUTE_ETAG_LEN]; /* quoted SHA-512 of `bytes`, where asked for */
} route_entry;

typedef struct route_cache route_cache;

/* wall_ns: the server's start, which OpenAPI tells as Last-Modified. */
route_cache *route_cache_create(int64_t wall_ns);
void route_cache_destroy(route_cache *c);
int64_t route_cache_started(const route_cache *c);
/* NULL when it is not there. */
const route_entry *route_cache_get(const route_cache *c, slice key);
/* Takes the reference to `bytes` over and keeps a copy of key. The etag is made from `etag_of`
 * (empty: none). Aborts nothing: NULL, and the reference given up, when the cache is full. */
const route_entry *route_cache_put(route_cache *c, slice key, blob *bytes, slice etag_of);
/* Forgets what is made from the set of kinds when `changes` is another than the last time. The
 * OpenAPI documents stay ("openapi ", "gzip ", "cut " of compiled kinds, "custom " of others, whose
 * keys say what they were made from): but of the last kind not too many. */
void route_cache_follow(route_cache *c, uint64_t changes, int64_t wall_ns);
/* When that was last, in seconds since 1970: the start, if never. Each time is later than the one
 * before, by a second at least, because clients ask by it ("modified since?"). */
int64_t route_cache_changed_s(const route_cache *c);
/* Forgets those whose key begins so. */
void route_cache_drop(route_cache *c, slice prefix);
/* "D1E2..." without quotes: SHA-512 in upper-case hexadecimal. */
void route_hash(slice bytes, char out[128]);

#endif
