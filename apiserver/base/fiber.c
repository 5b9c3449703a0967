/* Fibers. What a switch must keep are the registers that a call keeps: they are pushed onto the
 * stack that is left, its pointer is stored, and the other's are popped. The sanitizers are told
 * of each switch, or they would take another stack for an overflow. */
#include "base/fiber.h"

#include "base/heap.h"

#include <assert.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) && !defined(__aarch64__)
#define FIBER_UCONTEXT 1
#endif
#ifdef FIBER_UCONTEXT
#include <ucontext.h>
#endif

#define POOL_IDLE 64 /* stacks kept for the next fibers */

/* Where a stack was left. */
typedef struct place {
#ifdef FIBER_UCONTEXT
  ucontext_t context;
#else
  void *sp;
#endif
  const void *low; /* of its stack, for the sanitizer */
  size_t size;
  void *fake; /* the sanitizer's own */
} place;

struct fiber {
  place at;
  fiber_pool *pool;
  fiber *next; /* idle */
  fiber *caller; /* who goes on when this one waits or ends; NULL: the thread */
  void (*fn)(void *ctx);
  void *ctx;
  int64_t deadline;
  void *waits_for;
  bool running, ended; /* running: it, or one that it runs */
  void *stack;
};

struct fiber_pool {
  size_t stack_bytes;
  place home; /* the thread's own stack */
  fiber *current;
  fiber *idle;
  uint32_t idle_count, count;
};

fiber_pool *fiber_pool_create(size_t stack_bytes) {
  assert(stack_bytes > 0);
  fiber_pool *p = heap_zalloc(sizeof *p);
  p->stack_bytes = (stack_bytes + 65535) & ~(size_t)65535;
  return p;
}

static void fiber_free(fiber *f) {
  heap_stack_free(f->stack, f->pool->stack_bytes);
  heap_free(f);
}

void fiber_pool_destroy(fiber_pool *p) {
  if (!p) return;
  assert(p->count == 0 && !p->current);
  while (p->idle) {
    fiber *f = p->idle;
    p->idle = f->next;
    fiber_free(f);
  }
  heap_free(p);
}

fiber *fiber_current(const fiber_pool *p) { return p->current; }
int64_t fiber_deadline(const fiber *f) { return f->deadline; }
void fiber_set_deadline(fiber *f, int64_t mono_ns) { f->deadline = mono_ns; }
void *fiber_waits_for(const fiber *f) { return f->waits_for; }
void fiber_set_waits_for(fiber *f, void *what) { f->waits_for = what; }
uint32_t fiber_count(const fiber_pool *p) { return p->count; }

/* ---- switching ---- */

static void fiber_main(fiber *f);

#if defined(__x86_64__)
void fiber_switch(void **from_sp, void *to_sp);
void fiber_entry(void);
__asm__(".text\n.globl fiber_switch\n.type fiber_switch,@function\nfiber_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n.size fiber_switch,.-fiber_switch\n"
        ".globl fiber_entry\n.type fiber_entry,@function\nfiber_entry:\n"
        "  movq %r12, %rdi\n  xorl %ebp, %ebp\n  callq *%r13\n  ud2\n"
        ".size fiber_entry,.-fiber_entry\n");

/* r15 r14 r13 r12 rbx rbp, then where to return to; the stack is 16-aligned at the call. */
static void place_begin(fiber *f, char *top) {
  void **sp = (void **)(void *)(top - 16);
  *--sp = (void *)fiber_entry;
  *--sp = NULL;
  *--sp = NULL;
  *--sp = f;
  *--sp = (void *)fiber_main;
  *--sp = NULL;
  *--sp = NULL;
  f->at.sp = sp;
}
#elif defined(__aarch64__)
void fiber_switch(void **from_sp, void *to_sp);
void fiber_entry(void);
__asm__(".text\n.globl fiber_switch\n.type fiber_switch,%function\nfiber_switch:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n  ret\n.size fiber_switch,.-fiber_switch\n"
        ".globl fiber_entry\n.type fiber_entry,%function\nfiber_entry:\n"
        "  mov x0, x19\n  blr x20\n  brk #1\n.size fiber_entry,.-fiber_entry\n");

/* x19 and x20 in the first two slots, x30 in the twelfth. */
static void place_begin(fiber *f, char *top) {
  void **sp = (void **)(void *)(top - 160);
  memset(sp, 0, 160);
  sp[0] = f;
  sp[1] = (void *)fiber_main;
  sp[11] = (void *)fiber_entry;
  f->at.sp = sp;
}
#else
static void entry_halves(unsigned high, unsigned low) {
  fiber_main((fiber *)(((uintptr_t)high << 16 << 16) | low));
}

static void place_begin(fiber *f, char *top) {
  (void)top;
  getcontext(&f->at.context);
  f->at.context.uc_stack.ss_sp = f->stack;
  f->at.context.uc_stack.ss_size = f->pool->stack_bytes;
  f->at.context.uc_link = NULL;
  uintptr_t p = (uintptr_t)f;
  makecontext(&f->at.context, (void (*)(void))entry_halves, 2, (unsigned)(p >> 16 >> 16),
              (unsigned)p);
}
#endif

/* final: the stack that is left will never be gone on with. */
static void switch_to(place *from, place *to, bool final) {
#ifdef FIBER_ASAN
  __sanitizer_start_switch_fiber(final ? NULL : &from->fake, to->low, to->size);
#else
  (void)final;
#endif
#ifdef FIBER_UCONTEXT
  swapcontext(&from->context, &to->context);
#else
  fiber_switch(&from->sp, to->sp);
#endif
#ifdef FIBER_ASAN
  __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

static place *place_of(fiber_pool *p, fiber *f) { return f ? &f->at : &p->home; }

/* Lets f run until it waits or ends, and comes back to who called. */
static void enter(fiber_pool *p, fiber *f) {
  assert(!f->running && !f->ended);
  f->caller = p->current;
  f->running = true;
  p->current = f;
  switch_to(place_of(p, f->caller), &f->at, false);
  assert(p->current == f->caller);
}

static void leave(fiber *f) {
  fiber_pool *p = f->pool;
  assert(p->current == f);
  f->running = false;
  p->current = f->caller;
  switch_to(&f->at, place_of(p, f->caller), f->ended);
}

static void fiber_main(fiber *f) {
#ifdef FIBER_ASAN
  /* Whose stack was left: the thread's bounds are learned here the first time. */
  place *from = place_of(f->pool, f->caller);
  __sanitizer_finish_switch_fiber(NULL, &from->low, &from->size);
#endif
  f->fn(f->ctx);
  f->ended = true;
  leave(f);
}

static fiber *fiber_take(fiber_pool *p) {
  fiber *f = p->idle;
  if (f) {
    p->idle = f->next;
    p->idle_count--;
    return f;
  }
  f = heap_zalloc(sizeof *f);
  f->pool = p;
  f->stack = heap_stack_alloc(p->stack_bytes);
  return f;
}

static void fiber_put_back(fiber *f) {
  fiber_pool *p = f->pool;
  if (p->idle_count == POOL_IDLE) {
    fiber_free(f);
    return;
  }
  f->next = p->idle;
  p->idle = f;
  p->idle_count++;
}

void fiber_run(fiber_pool *p, void (*fn)(void *ctx), void *ctx) {
  fiber *f = fiber_take(p);
  f->fn = fn;
  f->ctx = ctx;
  f->ended = false;
  f->deadline = INT64_MAX;
  f->waits_for = NULL;
  f->at.low = f->stack;
  f->at.size = p->stack_bytes;
  f->at.fake = NULL;
  place_begin(f, (char *)f->stack + p->stack_bytes);
  p->count++;
  fiber_resume(p, f);
}

void fiber_suspend(fiber_pool *p) {
  assert(p->current);
  leave(p->current);
}

void fiber_resume(fiber_pool *p, fiber *f) {
  enter(p, f);
  if (!f->ended) return;
  p->count--;
  fiber_put_back(f);
}
