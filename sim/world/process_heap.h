/* process_heap: the memory of one simulated process. Whatever the server in it allocates is on one
 * list, so that a process can end in the middle of a call (a crash frees everything at once), an
 * allocation can fail, and what an orderly end forgot to free is counted. */
#ifndef APISIM_SIM_PROCESS_HEAP_H
#define APISIM_SIM_PROCESS_HEAP_H

#include "base/heap.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct heap_block heap_block;
#define PROCESS_STACKS 128
typedef struct process_heap {
  heap_hook hook; /* for heap_set_hook */
  heap_block *first;
  size_t live_bytes, live_blocks;
  uint64_t calls; /* allocations so far */
  size_t turn_bytes; /* asked for since somebody last set it to 0 */
  uint64_t fail_at; /* the allocation that fails: `calls` at it; 0: none */
  void *stacks[PROCESS_STACKS]; /* of its fibers */
  uint32_t stack_count;
  size_t stack_bytes; /* of each */
  jmp_buf *on_failure; /* where a failed allocation goes: the process is over */
} process_heap;

/* An allocation failed and the jump to on_failure was taken: `frame` is something on the stack of
 * who took it. For the address sanitizer. */
void process_heap_left(void *frame);
void process_heap_init(process_heap *h);
/* Frees all that is left; h can be used again. */
void process_heap_clear(process_heap *h);

#endif
