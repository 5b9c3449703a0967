/* The allocator door: counts what passes and ends the process when it is empty. */
#include "base/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD ((size_t)65536) /* a multiple of every page size in use */

static size_t total_asked; /* tidy: allow-static (a counter nobody branches on) */
static const heap_hook *hooked; /* tidy: allow-static (which process of a simulated world runs) */

static void *must(void *ptr, size_t size) {
  if (ptr) return ptr;
  fprintf(stderr, "apisim: out of memory (asked for %zu bytes)\n", size);
  abort();
}

const heap_hook *heap_set_hook(const heap_hook *hook) {
  const heap_hook *before = hooked;
  hooked = hook;
  return before;
}

void *heap_alloc(size_t size) {
  total_asked += size;
  if (hooked) return hooked->resize(hooked->ctx, NULL, size ? size : 1);
  return must(malloc(size ? size : 1), size);
}

void *heap_zalloc(size_t size) {
  total_asked += size;
  if (hooked) return memset(hooked->resize(hooked->ctx, NULL, size ? size : 1), 0, size ? size : 1);
  return must(calloc(1, size ? size : 1), size);
}

void *heap_realloc(void *ptr, size_t size) {
  total_asked += size;
  if (hooked) return hooked->resize(hooked->ctx, ptr, size ? size : 1);
  return must(realloc(ptr, size ? size : 1), size);
}

void heap_free(void *ptr) {
  if (hooked && ptr) hooked->resize(hooked->ctx, ptr, 0);
  else free(ptr);
}

void *heap_stack_alloc(size_t bytes) {
  bytes = (bytes + GUARD - 1) / GUARD * GUARD;
  if (hooked && hooked->stack) return hooked->stack(hooked->ctx, NULL, bytes);
  char *low = mmap(NULL, bytes + GUARD, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (low == MAP_FAILED || mprotect(low, GUARD, PROT_NONE) != 0) must(NULL, bytes);
  return low + GUARD;
}

void heap_stack_free(void *stack, size_t bytes) {
  bytes = (bytes + GUARD - 1) / GUARD * GUARD;
  if (stack && hooked && hooked->stack) hooked->stack(hooked->ctx, stack, bytes);
  else if (stack) munmap((char *)stack - GUARD, bytes + GUARD);
}

size_t heap_total(void) {
  return total_asked;
}
