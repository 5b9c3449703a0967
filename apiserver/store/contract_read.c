/* The contract of reads: order, ranges, counts, history, compaction. */
#include "store/contract_case.h"

#include <stdio.h>

static void fill(store *s) {
  put_new(s, "/b", "1");
  put_new(s, "/a/2", "1");
  put_new(s, "/a/1", "1");
  put_new(s, "/a", "1");
  put_new(s, "/c", "1");
}

static store_result get_result(store *s, const char *key, int64_t revision) {
  store_entry *e;
  store_result r = store_get(s, slice_cstr(key), revision, &e);
  assert_true((r == STORE_OK) == (e != NULL));
  store_entry_unref(e);
  return r;
}

static store_result view_result(store *s, int64_t revision) {
  store_view *v;
  store_result r = store_view_open(s, revision, &v);
  assert_true((r == STORE_OK) == (v != NULL));
  store_view_close(v);
  return r;
}

static uint64_t count_at(store *s, int64_t revision, const char *start, const char *end) {
  store_view *v;
  assert_int_equal(store_view_open(s, revision, &v), STORE_OK);
  uint64_t n = store_view_count(v, slice_cstr(start), slice_cstr(end));
  store_view_close(v);
  return n;
}

static void an_empty_store(store *s) {
  check_value(s, "/a", 0, NULL);
  check_keys(s, 0, "", "", "");
  assert_int_equal(count_at(s, 0, "", ""), 0);
}

static void get_what_is_not_there(store *s) {
  fill(s);
  assert_int_equal(get_result(s, "/a/", 0), STORE_NOT_FOUND);
  assert_int_equal(get_result(s, "/a/3", 0), STORE_NOT_FOUND);
  assert_int_equal(get_result(s, "/", 0), STORE_NOT_FOUND);
  assert_int_equal(get_result(s, "/zzz", 0), STORE_NOT_FOUND);
}

static void keys_come_in_byte_order(store *s) {
  fill(s);
  check_keys(s, 0, "", "", "/a /a/1 /a/2 /b /c");
}

static void a_range_has_its_start_not_its_end(store *s) {
  fill(s);
  check_keys(s, 0, "/a/1", "/c", "/a/1 /a/2 /b");
  check_keys(s, 0, "/a/", "/a0", "/a/1 /a/2");
}

static void a_range_between_keys(store *s) {
  fill(s);
  check_keys(s, 0, "/a/11", "/bb", "/a/2 /b");
  check_keys(s, 0, "/aa", "/ab", "");
  check_keys(s, 0, "/d", "", "");
}

static void a_range_turned_round_is_empty(store *s) {
  fill(s);
  check_keys(s, 0, "/c", "/a", "");
  assert_int_equal(count_at(s, 0, "/c", "/a"), 0);
  assert_int_equal(count_at(s, 0, "/b", "/b"), 0);
}

static void counts_are_of_ranges(store *s) {
  fill(s);
  assert_int_equal(count_at(s, 0, "", ""), 5);
  assert_int_equal(count_at(s, 0, "/a/", "/a0"), 2);
  assert_int_equal(count_at(s, 0, "/b", ""), 2);
  assert_int_equal(count_at(s, 0, "/bb", "/zz"), 1);
}

static bool stop_at_two(void *ctx, store_entry *e) {
  (void)e;
  return ++*(int *)ctx < 2;
}

static void a_walk_stops_when_told(store *s) {
  fill(s);
  store_view *v;
  int seen = 0;
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  store_view_walk(v, SLICE_NONE, SLICE_NONE, stop_at_two, &seen);
  store_view_close(v);
  assert_int_equal(seen, 2);
}

static void get_at_every_revision(store *s) {
  int64_t one = put_new(s, "/a", "1"), two = put_over(s, "/a", "2");
  int64_t gone = put_gone(s, "/a"), again = put_new(s, "/a", "3");
  check_value(s, "/a", one, "1");
  check_value(s, "/a", two, "2");
  check_value(s, "/a", gone, NULL);
  check_value(s, "/a", again, "3");
}

static void another_keys_write_keeps_the_value(store *s) {
  put_new(s, "/a", "1");
  int64_t other = put_new(s, "/b", "1");
  put_over(s, "/a", "2");
  check_value(s, "/a", other, "1");
}

static void a_view_at_every_revision(store *s) {
  int64_t one = put_new(s, "/a", "1"), two = put_new(s, "/b", "1");
  int64_t three = put_gone(s, "/a"), four = put_new(s, "/c", "1");
  check_keys(s, one, "", "", "/a");
  check_keys(s, two, "", "", "/a /b");
  check_keys(s, three, "", "", "/b");
  check_keys(s, four, "", "", "/b /c");
  assert_int_equal(count_at(s, two, "", ""), 2);
}

static void a_view_knows_its_revision(store *s) {
  int64_t one = put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  store_view *v, *old;
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  assert_int_equal(store_view_open(s, one, &old), STORE_OK);
  assert_int_equal(store_view_revision(v), one + 1);
  assert_int_equal(store_view_revision(old), one);
  store_view_close(v);
  store_view_close(old);
}

static void the_future_is_refused(store *s) {
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(view_result(s, r + 1), STORE_FUTURE);
  assert_int_equal(get_result(s, "/a", r + 1), STORE_FUTURE);
  assert_int_equal(view_result(s, INT64_MAX), STORE_FUTURE);
}

static void a_view_does_not_move(store *s) {
  fill(s);
  store_view *v;
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  put_over(s, "/a", "2");
  put_gone(s, "/b");
  put_new(s, "/bb", "1");
  assert_int_equal(store_view_count(v, SLICE_NONE, SLICE_NONE), 5);
  assert_int_equal(store_view_count(v, SLICE_LIT("/b"), SLICE_LIT("/c")), 1);
  store_view_close(v);
  check_keys(s, 0, "", "", "/a /a/1 /a/2 /bb /c");
}

static bool write_meanwhile(void *ctx, store_entry *e) {
  char key[64];
  snprintf(key, sizeof key, "%.*s+", SLICE_ARG(store_entry_key(e)));
  put_new(ctx, key, "1");
  return true;
}

static void a_walk_may_write(store *s) {
  fill(s);
  store_view *v;
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  store_view_walk(v, SLICE_NONE, SLICE_NONE, write_meanwhile, s);
  store_view_close(v);
  check_keys(s, 0, "", "", "/a /a+ /a/1 /a/1+ /a/2 /a/2+ /b /b+ /c /c+");
}

static void a_view_outlives_compaction(store *s) {
  put_new(s, "/a", "1");
  store_view *v;
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  put_gone(s, "/a");
  store_compact(s, store_revision(s));
  assert_int_equal(store_view_count(v, SLICE_NONE, SLICE_NONE), 1);
  store_view_close(v);
}

static void compaction_drops_what_is_older(store *s) {
  int64_t one = put_new(s, "/a", "1"), two = put_over(s, "/a", "2"), three = put_over(s, "/a", "3");
  store_compact(s, two);
  assert_int_equal(store_compacted(s), two);
  assert_int_equal(view_result(s, one), STORE_COMPACTED);
  assert_int_equal(get_result(s, "/a", one), STORE_COMPACTED);
  check_value(s, "/a", two, "2");
  check_value(s, "/a", three, "3");
}

static void compaction_keeps_the_living(store *s) {
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  put_gone(s, "/b");
  store_compact(s, store_revision(s));
  check_value(s, "/a", 0, "1");
  check_keys(s, 0, "", "", "/a");
  assert_int_equal(store_revision(s), store_compacted(s));
}

static void compaction_goes_only_forward(store *s) {
  int64_t one = put_new(s, "/a", "1"), two = put_over(s, "/a", "2");
  store_compact(s, two);
  store_compact(s, one);
  assert_int_equal(store_compacted(s), two);
  store_compact(s, two);
  assert_int_equal(store_compacted(s), two);
}

static void compaction_of_the_future_is_of_now(store *s) {
  int64_t one = put_new(s, "/a", "1");
  store_compact(s, one + 100);
  assert_int_equal(store_compacted(s), one);
  assert_int_equal(put_new(s, "/b", "1"), one + 1);
}

static void writes_go_on_after_compaction(store *s) {
  int64_t r = put_new(s, "/a", "1");
  store_compact(s, r);
  assert_int_equal(put_over(s, "/a", "2"), r + 1);
  check_value(s, "/a", r, "1");
  check_value(s, "/a", r + 1, "2");
}

static void many_keys(store *s) {
  enum { MANY = 3000 };
  char key[32];
  for (int i = 0; i < MANY; i++) { /* 7919 is prime: every key once, in a mixed order */
    snprintf(key, sizeof key, "/k/%05d", (int)((long)i * 7919 % MANY));
    put_new(s, key, "1");
  }
  assert_int_equal(count_at(s, 0, "/k/", "/k0"), MANY);
  assert_int_equal(count_at(s, 0, "/k/01000", "/k/01234"), 234);
  for (int i = 0; i < MANY; i += 2) {
    snprintf(key, sizeof key, "/k/%05d", i);
    put_gone(s, key);
  }
  assert_int_equal(count_at(s, 0, "/k/", "/k0"), MANY / 2);
  check_keys(s, 0, "/k/00100", "/k/00106", "/k/00101 /k/00103 /k/00105");
}

static void a_long_history(store *s) {
  enum { LONG = 1500 };
  char text[32];
  int64_t first = put_new(s, "/a", "0");
  for (int i = 1; i < LONG; i++) {
    snprintf(text, sizeof text, "%d", i);
    put_over(s, "/a", text);
  }
  for (int i = 0; i < LONG; i += 37) {
    snprintf(text, sizeof text, "%d", i);
    check_value(s, "/a", first + i, text);
  }
  store_compact(s, first + 700);
  check_value(s, "/a", first + 700, "700");
  check_value(s, "/a", first + 701, "701");
  assert_int_equal(get_result(s, "/a", first + 699), STORE_COMPACTED);
}

static void ticks_compact_by_age(store *s) {
  const int64_t minute = (int64_t)60 * 1000000000;
  int64_t one = put_new(s, "/a", "1");
  store_tick(s, minute);
  int64_t two = put_over(s, "/a", "2");
  store_tick(s, 3 * minute);
  check_value(s, "/a", one, "1");
  store_tick(s, 6 * minute);
  assert_int_equal(store_compacted(s), one);
  store_tick(s, 11 * minute);
  assert_int_equal(store_compacted(s), two);
}

static void nothing_is_compacted_at_first(store *s) {
  int64_t r = store_revision(s);
  put_new(s, "/a", "1");
  check_keys(s, r, "", "", "");
  assert_true(store_compacted(s) <= r);
}

#define CASE(name) {#name, name}
const contract_case contract_reads[] = {
    CASE(an_empty_store),
    CASE(get_what_is_not_there),
    CASE(keys_come_in_byte_order),
    CASE(a_range_has_its_start_not_its_end),
    CASE(a_range_between_keys),
    CASE(a_range_turned_round_is_empty),
    CASE(counts_are_of_ranges),
    CASE(a_walk_stops_when_told),
    CASE(get_at_every_revision),
    CASE(another_keys_write_keeps_the_value),
    CASE(a_view_at_every_revision),
    CASE(a_view_knows_its_revision),
    CASE(the_future_is_refused),
    CASE(a_view_does_not_move),
    CASE(a_walk_may_write),
    CASE(a_view_outlives_compaction),
    CASE(compaction_drops_what_is_older),
    CASE(compaction_keeps_the_living),
    CASE(compaction_goes_only_forward),
    CASE(compaction_of_the_future_is_of_now),
    CASE(writes_go_on_after_compaction),
    CASE(many_keys),
    CASE(a_long_history),
    CASE(ticks_compact_by_age),
    CASE(nothing_is_compacted_at_first),
    {NULL, NULL},
};
