/* blob: immutable, reference-counted bytes. A stored object's encoding, a list
 * item and the frame that a thousand watchers send are the same blob. */
#ifndef APISIM_BASE_BLOB_H
#define APISIM_BASE_BLOB_H

#include "base/slice.h"

#include <stdint.h>

typedef struct blob {
  uint32_t refs;
  uint32_t len;
  char data[];
} blob;

/* The new blob has one reference, the caller's. blob_alloc leaves the bytes to
 * be filled before anybody else sees it. */
blob *blob_alloc(size_t len);
blob *blob_copy(slice s);
static inline blob *blob_ref(blob *b) {
  b->refs++;
  return b;
}
/* NULL is fine. */
void blob_unref(blob *b);
static inline slice blob_slice(const blob *b) {
  return (slice){b->data, b->len};
}

#endif
