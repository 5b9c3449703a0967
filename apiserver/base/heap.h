/* heap: the one door to the allocator. Nothing else in apiserver/ calls malloc.
 *
 * Running out of memory ends the process with one line, as it ends the real
 * server; what keeps that from happening is that every buffer has a ceiling. */
#ifndef APISIM_BASE_HEAP_H
#define APISIM_BASE_HEAP_H

#include <stddef.h>

/* Never NULL. heap_zalloc clears. Sizes in bytes; 0 is treated as 1. */
void *heap_alloc(size_t size);
void *heap_zalloc(size_t size);
void *heap_realloc(void *ptr, size_t size);
/* NULL is fine. */
void heap_free(void *ptr);
/* A stack's memory, `bytes` rounded up to whole pages: the lowest byte, below which a page stands
 * that may not be touched. Real memory only where it was touched. heap_total counts none of it. */
void *heap_stack_alloc(size_t bytes);
void heap_stack_free(void *stack, size_t bytes);
/* Bytes asked for since the process began (for the fuzzers' allocation bound). */
size_t heap_total(void);

/* Another allocator in malloc's place, for a world that holds several servers in one process and
 * ends some of them in the middle of a call. ptr NULL: a new block; size 0: free it. What one hook
 * gave goes back to that hook; `resize` never returns NULL for a size above 0 (it may not return at
 * all). NULL: malloc. Gives the hook that was set before. */
typedef struct heap_hook {
  void *(*resize)(void *ctx, void *ptr, size_t size);
  /* The same for stacks: stack NULL: a new one of `bytes`; else it is given back. NULL: as without
   * a hook. */
  void *(*stack)(void *ctx, void *stack, size_t bytes);
  void *ctx;
} heap_hook;
const heap_hook *heap_set_hook(const heap_hook *hook);

#endif
