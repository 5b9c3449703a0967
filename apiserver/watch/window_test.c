/* The window's growth and shrink, on a clock of the test's own. */
#include "watch/window.h"

#include "base/heap.h"
#include "store/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND_NS ((int64_t)1000000000)

static void add(watch_window *w, int64_t revision, int64_t second) {
  blob *b = blob_copy(SLICE_LIT("v"));
  store_entry *e = store_entry_create(SLICE_LIT("/registry/configmaps/default/a"), b);
  e->mod_revision = revision;
  e->version = 1;
  store_event ev = {.entry = e, .revision = revision};
  watch_window_add(w, &ev, second * SECOND_NS);
  store_entry_unref(e);
  blob_unref(b);
}

/* Young events are kept, however many; up to the most that there may be. */
static void grows_while_events_are_fresh(void **state) {
  (void)state;
  watch_window w = {0};
  watch_window_begin(&w, 1, 1);
  for (int i = 0; i < 5000; i++) add(&w, 2 + i, 10 + i / 100); /* 50 s */
  assert_int_equal(w.count, 5000);
  assert_int_equal(w.cap, 6400);
  assert_int_equal(watch_window_floor(&w, 1), 1);
  for (int i = 5000; i < 110000; i++) add(&w, 2 + i, 60);
  assert_int_equal(w.cap, WINDOW_EVENTS_MAX);
  assert_int_equal(w.count, WINDOW_EVENTS_MAX);
  assert_int_equal(watch_window_floor(&w, 1), 110001 - (int)WINDOW_EVENTS_MAX);
  watch_window_dispose(&w);
}

/* A hundred events are never too old; the one before them is. Gaps in the revisions are other
 * resources': the floor is as far down as nothing is missing. */
static void keeps_a_hundred_for_ever(void **state) {
  (void)state;
  watch_window w = {0};
  watch_window_begin(&w, 1, 1);
  for (int i = 0; i < 100; i++) add(&w, 10 + 10 * i, 100 * i);
  assert_int_equal(w.cap, 100);
  assert_int_equal(watch_window_floor(&w, 900), 1); /* whatever the store has dropped */
  add(&w, 1010, 1000000);
  assert_int_equal(w.count, 100);
  assert_int_equal(watch_window_floor(&w, 900), 19); /* the next is 20 */
  assert_int_equal(watch_window_after(&w, 19, 0)->revision, 20);
  assert_int_equal(watch_window_after(&w, 999, 1)->revision, 1010);
  assert_null(watch_window_after(&w, 1010, 0));
  watch_window_dispose(&w);
}

/* Halved by each event that finds it full while its newest quarter is old. */
static void shrinks_when_it_is_quiet(void **state) {
  (void)state;
  watch_window w = {0};
  watch_window_begin(&w, 1, 1);
  for (int i = 0; i < 800; i++) add(&w, 2 + i, 1);
  assert_int_equal(w.cap, 800);
  add(&w, 802, 200);
  assert_int_equal(w.cap, 400);
  assert_int_equal(w.count, 400);
  add(&w, 803, 201);
  add(&w, 804, 202);
  assert_int_equal(w.cap, 100);
  assert_int_equal(watch_window_floor(&w, 1), 704);
  watch_window_dispose(&w);
}

/* Before it began the store must know; what the store has lost since then is gone. */
static void begins_in_the_middle(void **state) {
  (void)state;
  watch_window w = {0};
  watch_window_begin(&w, 50, 90);
  add(&w, 91, 1);
  assert_int_equal(watch_window_floor(&w, 50), 50);
  assert_int_equal(watch_window_floor(&w, 70), 70);
  assert_int_equal(watch_window_floor(&w, 91), 90);
  watch_window_dispose(&w);
}

/* Several changes of one revision: who begins behind it has seen all of them. */
static void one_revision_is_whole(void **state) {
  (void)state;
  watch_window w = {0};
  watch_window_begin(&w, 1, 1);
  for (int i = 0; i < 100; i++) add(&w, 7, 1);
  add(&w, 8, 100);
  assert_int_equal(watch_window_floor(&w, 1), 7);
  watch_window_dispose(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grows_while_events_are_fresh), cmocka_unit_test(keeps_a_hundred_for_ever),
      cmocka_unit_test(shrinks_when_it_is_quiet),     cmocka_unit_test(begins_in_the_middle),
      cmocka_unit_test(one_revision_is_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
