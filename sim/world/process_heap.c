/* Blocks in a list, each behind a header of 32 bytes. */
#include "sim/world/process_heap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#if SANITIZED
#include <sanitizer/asan_interface.h>
#endif

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

/* Stacks are kept for the next fiber of any process: a mapping costs more than a run's turn. */
#define POOL_MAX 256
static struct {
  void *stack;
  size_t bytes;
} pool[POOL_MAX];
static uint32_t pooled;

static void *stack_new(size_t bytes) {
  for (uint32_t i = pooled; i-- > 0;) {
    if (pool[i].bytes != bytes) continue;
    void *stack = pool[i].stack;
    pool[i] = pool[--pooled];
    return stack;
  }
  return heap_stack_alloc(bytes);
}

static void stack_give(void *stack, size_t bytes) {
#if SANITIZED /* who died on it left its frames' marks */
  ASAN_UNPOISON_MEMORY_REGION(stack, bytes);
#endif
  if (pooled == POOL_MAX) {
    heap_stack_free(stack, bytes);
    return;
  }
  pool[pooled].stack = stack;
  pool[pooled++].bytes = bytes;
}

#define LEFT_BYTES ((size_t)512 << 10)

void process_heap_left(void *frame) {
#if SANITIZED /* who left by a jump from another stack left the marks of the frames in between */
  ASAN_UNPOISON_MEMORY_REGION((char *)frame - LEFT_BYTES, LEFT_BYTES);
#endif
  (void)frame;
}

static void *stack(void *ctx, void *old, size_t bytes) {
  process_heap *h = ctx;
  const heap_hook *before = heap_set_hook(NULL);
  void *fresh = NULL;
  if (old) {
    for (uint32_t i = 0; i < h->stack_count; i++) {
      if (h->stacks[i] == old) h->stacks[i] = h->stacks[--h->stack_count];
    }
    stack_give(old, bytes);
  } else {
    fresh = stack_new(bytes);
    h->stack_bytes = bytes;
    if (h->stack_count < PROCESS_STACKS) h->stacks[h->stack_count++] = fresh;
  }
  heap_set_hook(before);
  return fresh;
}

void process_heap_init(process_heap *h) {
  *h = (process_heap){.hook = {.resize = resize, .stack = stack}};
  h->hook.ctx = h;
}

void process_heap_clear(process_heap *h) {
  while (h->first) {
    heap_block *b = h->first;
    h->first = b->next;
    free(b);
  }
  h->live_bytes = h->live_blocks = 0;
  while (h->stack_count) stack_give(h->stacks[--h->stack_count], h->stack_bytes);
}
