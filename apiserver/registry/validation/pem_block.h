/* pem_block: one block of a PEM text, as OpenSSL gives it. */
#ifndef APISIM_REGISTRY_VALIDATION_PEM_BLOCK_H
#define APISIM_REGISTRY_VALIDATION_PEM_BLOCK_H

#include <openssl/pem.h>
#include <stdbool.h>

typedef struct pem_block {
  char *name, *header;
  unsigned char *bytes;
  long size;
} pem_block;

/* The next block into *b, which was {0} or freed; false: there is none. Free it in either case. */
static inline bool pem_block_read(BIO *from, pem_block *b) {
  return PEM_read_bio(from, &b->name, &b->header, &b->bytes, &b->size) == 1;
}

static inline void pem_block_free(pem_block *b) {
  OPENSSL_free(b->name);
  OPENSSL_free(b->header);
  OPENSSL_free(b->bytes);
  *b = (pem_block){0};
}

#endif
