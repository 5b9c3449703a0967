/* Reference-counted bytes; one allocation each. */
#include "base/blob.h"

#include "base/heap.h"

#include <assert.h>

blob *blob_alloc(size_t len) {
  assert(len <= UINT32_MAX);
  blob *b = heap_alloc(sizeof(blob) + len);
  b->refs = 1;
  b->len = (uint32_t)len;
  return b;
}

blob *blob_copy(slice s) {
  blob *b = blob_alloc(s.len);
  if (s.len) memcpy(b->data, s.ptr, s.len);
  return b;
}

void blob_unref(blob *b) {
  if (!b) return;
  assert(b->refs > 0);
  if (--b->refs == 0) heap_free(b);
}
