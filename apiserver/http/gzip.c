/* gzip by zlib. The output is made in one blob of the size that zlib bounds, then cut. */
#include "http/gzip.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>
#include <zlib.h>

#define LEVEL 1
#define OUT_STEP 32768u

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

struct gzip_stream {
  z_stream z;
};

gzip_stream *gzip_stream_create(void) {
  gzip_stream *g = heap_zalloc(sizeof *g);
  g->z = (z_stream){.zalloc = z_alloc, .zfree = z_free};
  int rc = deflateInit2(&g->z, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  assert(rc == Z_OK);
  (void)rc;
  return g;
}

blob *gzip_stream_put(gzip_stream *g, slice piece, bool last) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  z_stream *z = &g->z;
  z->next_in = (Bytef *)(uintptr_t)piece.ptr;
  z->avail_in = (unsigned)piece.len;
  int rc;
  do {
    z->next_out = (Bytef *)buf_reserve(&out, OUT_STEP);
    z->avail_out = OUT_STEP;
    rc = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
    assert(rc == Z_OK || rc == Z_BUF_ERROR || rc == Z_STREAM_END);
    out.len += OUT_STEP - z->avail_out;
  } while (z->avail_out == 0);
  assert(!last || rc == Z_STREAM_END);
  blob *b = blob_copy(buf_slice(&out));
  buf_dispose(&out);
  return b;
}

void gzip_stream_destroy(gzip_stream *g) {
  if (!g) return;
  deflateEnd(&g->z);
  heap_free(g);
}
