/* Blocks in a list, each behind a header of 32 bytes. */
#include "sim/world/process_heap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heap_block {
  heap_block *next, *prev;
  size_t size, pad; /* pad: keeps what follows aligned to 16 */
};

static void unlink_block(process_heap *h, heap_block *b) {
  if (b->prev) b->prev->next = b->next;
  else h->first = b->next;
  if (b->next) b->next->prev = b->prev;
  h->live_bytes -= b->size;
  h->live_blocks--;
}

static void link_block(process_heap *h, heap_block *b, size_t size) {
  b->size = size;
  b->prev = NULL;
  b->next = h->first;
  if (h->first) h->first->prev = b;
  h->first = b;
  h->live_bytes += size;
  h->live_blocks++;
}

static heap_block *must(heap_block *b) {
  if (b) return b;
  fprintf(stderr, "apisim sim: out of memory\n");
  abort();
}

static void *resize(void *ctx, void *ptr, size_t size) {
  process_heap *h = ctx;
  heap_block *b = ptr ? (heap_block *)ptr - 1 : NULL;
  if (size == 0) {
    unlink_block(h, b);
    free(b);
    return NULL;
  }
  h->calls++;
  h->turn_bytes += size;
  if (h->fail_at && h->calls >= h->fail_at && h->on_failure) {
    h->fail_at = 0;
    longjmp(*h->on_failure, 1);
  }
  if (b) {
    unlink_block(h, b);
    b = must(realloc(b, sizeof *b + size));
  } else {
    b = must(malloc(sizeof *b + size));
  }
  link_block(h, b, size);
  return b + 1;
}

void process_heap_init(process_heap *h) {
  *h = (process_heap){.hook = {.resize = resize}};
  h->hook.ctx = h;
}

void process_heap_clear(process_heap *h) {
  while (h->first) {
    heap_block *b = h->first;
    h->first = b->next;
    free(b);
  }
  h->live_bytes = h->live_blocks = 0;
}
