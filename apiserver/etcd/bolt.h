/* bolt: writes a bbolt file, the database of an etcd: pages of 4 KiB, a B+ tree a bucket, no free
 * pages, both metas at its beginning. Written once and from the front, so that equal content gives
 * equal bytes. Source of the format: go.etcd.io/bbolt, page.go, meta.go, bucket.go. */
#ifndef APISIM_ETCD_BOLT_H
#define APISIM_ETCD_BOLT_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct bolt_place { /* a page of the level below, by its first key */
  slice key;
  uint64_t page;
} bolt_place;

typedef struct bolt_level {
  bolt_place *items;
  uint32_t count, cap;
} bolt_level;

typedef struct bolt {
  buf *out; /* the whole file; look at its overflow at the end */
  arena *a;
  buf heads, data; /* of the leaf under way */
  uint32_t count;
  slice first; /* its first key */
  slice bucket; /* its name */
  bool in_bucket;
  bolt_level leaves; /* of the bucket under way */
  bolt_level buckets; /* name and root */
} bolt;

/* `out` is empty and stays the caller's; `a` holds what is needed until the end. */
void bolt_begin(bolt *b, buf *out, arena *a);
/* The next bucket; names ascend. */
void bolt_bucket(bolt *b, slice name);
/* Into the bucket under way; keys ascend. */
void bolt_put(bolt *b, slice key, slice value);
void bolt_end(bolt *b);

#endif
