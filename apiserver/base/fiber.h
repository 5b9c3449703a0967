/* fiber: a function on a stack of its own, that can stop in the middle and go on later.
 *
 * A request that must wait for the store runs on one, so that a verb stays a straight list of
 * steps: the call that waits hands the thread back to the loop and simply returns later. One
 * thread; switches happen in fiber_suspend and fiber_resume and nowhere else, so there is
 * nothing to lock, but what a fiber read before it waited may be stale afterwards.
 *
 * A switch is a few instructions (x86-64, aarch64; ucontext elsewhere). Stacks have a guard
 * page below and are kept for the next fiber. Deterministic: who runs next is who is resumed. */
#ifndef APISIM_BASE_FIBER_H
#define APISIM_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fiber fiber;
typedef struct fiber_pool fiber_pool;

/* stack_bytes: of each fiber, rounded up to pages; only what is touched is real memory. */
fiber_pool *fiber_pool_create(size_t stack_bytes);
/* No fiber may be left. NULL is fine. */
void fiber_pool_destroy(fiber_pool *p);

/* Runs fn(ctx) on a fiber, now, until it ends or first waits. Also from within a fiber, which
 * goes on when that happens. */
void fiber_run(fiber_pool *p, void (*fn)(void *ctx), void *ctx);
/* The fiber that runs now; NULL: none, the caller is on the thread's own stack. */
fiber *fiber_current(const fiber_pool *p);
/* Inside a fiber: stops it; returns when somebody resumes it. */
void fiber_suspend(fiber_pool *p);
/* Lets a suspended fiber run, now, until it ends or waits again. */
void fiber_resume(fiber_pool *p, fiber *f);
/* Room for who lets fibers wait: when to stop waiting (monotonic; INT64_MAX when it begins), and
 * what it waits for (NULL when it begins). Nothing here looks at them. */
int64_t fiber_deadline(const fiber *f);
void fiber_set_deadline(fiber *f, int64_t mono_ns);
void *fiber_waits_for(const fiber *f);
void fiber_set_waits_for(fiber *f, void *what);
/* Fibers that have begun and not ended. */
uint32_t fiber_count(const fiber_pool *p);

#endif
