/* Fibers: order of switches, nesting, registers kept, deep stacks, reuse. */
#include "base/fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STACK ((size_t)1 << 20)

typedef struct scene {
  fiber_pool *pool;
  char text[256];
  fiber *kept[4];
  struct scene *other;
  long sum;
} scene;

static void say(scene *s, const char *word) {
  strncat(s->text, word, sizeof s->text - strlen(s->text) - 1);
}

static void two_steps(void *ctx) {
  scene *s = ctx;
  s->kept[0] = fiber_current(s->pool);
  say(s, "a ");
  fiber_suspend(s->pool);
  say(s, "b ");
  fiber_suspend(s->pool);
  say(s, "c ");
}

static void steps(void **state) {
  (void)state;
  scene s = {.pool = fiber_pool_create(STACK)};
  assert_null(fiber_current(s.pool));
  fiber_run(s.pool, two_steps, &s);
  assert_int_equal(fiber_count(s.pool), 1);
  say(&s, "| ");
  fiber_resume(s.pool, s.kept[0]);
  say(&s, "| ");
  assert_null(fiber_current(s.pool));
  fiber_resume(s.pool, s.kept[0]);
  assert_int_equal(fiber_count(s.pool), 0);
  assert_string_equal(s.text, "a | b | c ");
  fiber_pool_destroy(s.pool);
}

static void inner(void *ctx) {
  scene *s = ctx;
  s->kept[1] = fiber_current(s->pool);
  say(s, "in ");
  fiber_suspend(s->pool);
  say(s, "in-again ");
}

static void outer(void *ctx) {
  scene *s = ctx;
  s->kept[0] = fiber_current(s->pool);
  fiber_run(s->pool, inner, s);
  assert_ptr_equal(fiber_current(s->pool), s->kept[0]);
  say(s, "out ");
  fiber_resume(s->pool, s->kept[1]);
  say(s, "out-again ");
}

static void nested(void **state) {
  (void)state;
  scene s = {.pool = fiber_pool_create(STACK)};
  fiber_run(s.pool, outer, &s);
  assert_string_equal(s.text, "in out in-again out-again ");
  assert_int_equal(fiber_count(s.pool), 0);
  fiber_pool_destroy(s.pool);
}

/* Keeps values in registers and on the stack over a switch; frames nest deep. */
static long depth_sum(scene *s, long depth, double half) {
  volatile char room[256];
  room[0] = (char)depth;
  if (depth == 0) {
    fiber_suspend(s->pool);
    return (long)(half * 2);
  }
  long below = depth_sum(s, depth - 1, half);
  return below + 1 + (room[0] - (char)depth);
}

static void deep(void *ctx) {
  scene *s = ctx;
  s->kept[0] = fiber_current(s->pool);
  s->sum = depth_sum(s, 1000, 20.5);
}

static void keeps_its_stack(void **state) {
  (void)state;
  fiber_pool *pool = fiber_pool_create(STACK);
  scene s[100];
  memset(s, 0, sizeof s);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 100; i++) {
      s[i].pool = pool;
      s[i].sum = 0;
      fiber_run(pool, deep, &s[i]);
    }
    assert_int_equal(fiber_count(pool), 100);
    for (int i = 99; i >= 0; i--) fiber_resume(pool, s[i].kept[0]);
    for (int i = 0; i < 100; i++) assert_int_equal(s[i].sum, 1041);
  }
  assert_int_equal(fiber_count(pool), 0);
  fiber_pool_destroy(pool);
}

static void short_one(void *ctx) {
  ++*(long *)ctx;
}

static void runs_without_waiting(void **state) {
  (void)state;
  fiber_pool *pool = fiber_pool_create(STACK);
  long n = 0;
  for (int i = 0; i < 100000; i++) fiber_run(pool, short_one, &n);
  assert_int_equal(n, 100000);
  fiber_pool_destroy(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps), cmocka_unit_test(nested), cmocka_unit_test(keeps_its_stack),
      cmocka_unit_test(runs_without_waiting),
  };
  return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
