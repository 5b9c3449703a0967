/* gzip by zlib. The output is made in one blob of the size that zlib bounds, then cut. */
#include "http/gzip.h"

#include "base/heap.h"

#include <assert.h>
#include <zlib.h>

#define LEVEL 1

static void *z_alloc(void *ctx, unsigned count, unsigned size) {
  (void)ctx;
  return heap_alloc((size_t)count * size);
}

static void z_free(void *ctx, void *ptr) {
  (void)ctx;
  heap_free(ptr);
}

blob *gzip_parts(const http_part *parts, uint32_t count) {
  size_t total = 0;
  for (uint32_t i = 0; i < count; i++) total += parts[i].bytes.len;
  z_stream z = {.zalloc = z_alloc, .zfree = z_free};
  int rc = deflateInit2(&z, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  assert(rc == Z_OK);
  size_t bound = deflateBound(&z, total);
  assert(bound <= UINT32_MAX);
  char *out = heap_alloc(bound);
  z.next_out = (Bytef *)out;
  z.avail_out = (unsigned)bound;
  for (uint32_t i = 0; i < count; i++) {
    z.next_in = (Bytef *)(uintptr_t)parts[i].bytes.ptr;
    z.avail_in = (unsigned)parts[i].bytes.len;
    rc = deflate(&z, Z_NO_FLUSH);
    assert(rc == Z_OK || rc == Z_BUF_ERROR);
  }
  rc = deflate(&z, Z_FINISH);
  assert(rc == Z_STREAM_END);
  blob *b = blob_copy(slice_of(out, bound - z.avail_out));
  deflateEnd(&z);
  heap_free(out);
  return b;
}
