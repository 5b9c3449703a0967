/* The embedded backend: the contract, the random model, and what is its own: cost, memory,
 * the history window. */
#include "base/heap.h"
#include "store/contract.h"
#include "store/contract_case.h"
#include "store/entry.h"
#include "store/tree.h"

#include <stdio.h>

static store *make(void) { return store_memory_create(1); }
static store *make_late(void) { return store_memory_create(123456789); }

static void random_model(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    assert_int_equal(store_contract_random(make, seed, 3000), 0);
  }
  for (uint64_t seed = 31; seed <= 40; seed++) {
    assert_int_equal(store_contract_random(make_late, seed, 3000), 0);
  }
}

static int64_t fill_keys(store *s, int first, int count, int stride) {
  char key[64];
  blob *b = blob_copy(SLICE_LIT("{}"));
  for (int i = 0; i < count; i++) {
    int n = snprintf(key, sizeof key, "/registry/pods/default/pod-%08d", first + i * stride);
    assert_int_equal(store_create(s, slice_of(key, (size_t)n), b, NULL), STORE_OK);
  }
  blob_unref(b);
  return store_revision(s);
}

static void overhead_per_object(void **state) {
  (void)state;
  store *s = make();
  size_t empty = store_overhead(s);
  fill_keys(s, 0, 20000, 1);
  assert_true((store_overhead(s) - empty) / 20000 < 300);
  store_compact(s, store_revision(s));
  assert_true((store_overhead(s) - empty) / 20000 < 200);
  store_destroy(s);
}

static void window_by_count(void **state) {
  (void)state;
  store *s = make();
  store_memory_window(s, 1000, SIZE_MAX);
  int64_t last = fill_keys(s, 0, 5000, 1);
  assert_true(store_compacted(s) >= last - 1000);
  assert_true(store_compacted(s) < last - 500);
  check_keys(s, store_compacted(s), "/registry/pods/default/pod-00000000",
              "/registry/pods/default/pod-00000001", "/registry/pods/default/pod-00000000");
  store_destroy(s);
}

static void window_by_bytes(void **state) {
  (void)state;
  store *s = make();
  store_memory_window(s, 1000000, 100000);
  blob *b = blob_alloc(10000);
  memset(b->data, 'x', b->len);
  int64_t r = put_new(s, "/a", "1");
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(store_update(s, SLICE_LIT("/a"), r, b, NULL), STORE_OK);
    r = store_revision(s);
    assert_true(store_overhead(s) < 400000);
  }
  blob_unref(b);
  assert_true(store_compacted(s) > 0);
  store_destroy(s);
}

static void count_event(void *ctx, const store_event *ev) {
  (void)ev;
  ++*(int *)ctx;
}

static void many_prefixes(void **state) {
  (void)state;
  enum { MANY = 10000 };
  store *s = make();
  store_watch **w = heap_zalloc(sizeof(store_watch *) * MANY);
  int *seen = heap_zalloc(sizeof(int) * MANY);
  char key[64];
  for (int i = 0; i < MANY; i++) {
    int n = snprintf(key, sizeof key, "/registry/pods/ns-%d/", i);
    assert_int_equal(store_watch_open(s, slice_of(key, (size_t)n), 1, count_event, &seen[i], &w[i]),
                     STORE_OK);
  }
  put_new(s, "/registry/pods/ns-77/x", "1");
  put_new(s, "/registry/pods/ns-7777/x", "1");
  for (int i = 0; i < MANY; i++) assert_int_equal(seen[i], i == 77 || i == 7777);
  for (int i = 0; i < MANY; i += 2) store_watch_close(w[i]);
  put_new(s, "/registry/pods/ns-77/y", "1");
  put_new(s, "/registry/pods/ns-78/y", "1");
  assert_int_equal(seen[77], 2);
  assert_int_equal(seen[78], 0);
  store_destroy(s);
  for (int i = 1; i < MANY; i += 2) store_watch_close(w[i]); /* after the store's end */
  heap_free(w);
  heap_free(seen);
}

static void a_view_outlives_the_store(void **state) {
  (void)state;
  store *s = make();
  store_view *v;
  fill_keys(s, 0, 100, 1);
  assert_int_equal(store_view_open(s, 0, &v), STORE_OK);
  store_destroy(s);
  assert_int_equal(store_view_count(v, SLICE_NONE, SLICE_NONE), 100);
  store_view_close(v);
}

/* Grows and shrinks a tree while old roots are held, and checks all of them. */
/* A state comes back with its history, as often as wanted, and what was written since is freed. */
static void checkpoints(void **state) {
  (void)state;
  store *s = make();
  int64_t before = fill_keys(s, 0, 700, 1);
  put_new(s, "/a", "1");
  size_t held = store_overhead(s);
  store_checkpoint *c = store_memory_checkpoint(s);
  for (int round = 0; round < 3; round++) {
    int64_t at = store_revision(s);
    assert_int_equal(at, store_checkpoint_revision(c));
    put_over(s, "/a", "2");
    put_gone(s, "/registry/pods/default/pod-00000000");
    fill_keys(s, 1000, 2000, 1);
    store_compact(s, store_revision(s));
    store_memory_restore(s, c);
    check_value(s, "/a", 0, "1");
    check_value(s, "/a", before, NULL);
    check_value(s, "/registry/pods/default/pod-00000000", 0, "{}");
    check_keys(s, 0, "/registry/pods/default/pod-00001", "/registry/pods/default/pod-00002", "");
    tape t;
    tape_open(&t, s, "/a", before);
    put_over(s, "/a", "3");
    check_tape(&t, "+/a=1 */a=3 ");
    store_watch_close(t.watch);
    store_memory_restore(s, c);
  }
  for (int64_t i = 1; i <= 4; i++) store_tick(s, i * 1000000000);
  assert_true(store_overhead(s) <= held + 16384); /* a piece of the log and the path to a leaf */
  store_destroy(s);
  store_checkpoint_free(c);
}

static void tree_shapes(void **state) {
  (void)state;
  enum { N = 2500, ROOTS = 16 };
  tree_heap heap = {0};
  tree_node *root = NULL, *old[ROOTS] = {0};
  uint64_t size[ROOTS] = {0};
  char key[32];
  blob *b = blob_copy(SLICE_LIT("v"));
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < N; i++) {
      int k = (int)((long)i * 1009 % N), n = snprintf(key, sizeof key, "%05d", k);
      if (round % 2 == 0) {
        store_entry *e = store_entry_create(slice_of(key, (size_t)n), b);
        assert_null(tree_put(&heap, &root, e));
        store_entry_unref(e);
      } else {
        store_entry *e = tree_remove(&heap, &root, slice_of(key, (size_t)n));
        assert_non_null(e);
        store_entry_unref(e);
        assert_null(tree_remove(&heap, &root, slice_of(key, (size_t)n)));
      }
      if (i % 500 == 0) {
        int at = (round * 5 + i / 500) % ROOTS;
        tree_unref(&heap, old[at]);
        old[at] = tree_ref(root);
        size[at] = tree_size(root);
        tree_check(root);
      }
    }
    tree_check(root);
    assert_int_equal(tree_size(root), round % 2 == 0 ? N : 0);
  }
  for (int i = 0; i < ROOTS; i++) {
    tree_check(old[i]);
    assert_int_equal(tree_size(old[i]), size[i]);
    tree_unref(&heap, old[i]);
  }
  tree_unref(&heap, root);
  blob_unref(b);
  assert_int_equal(heap.bytes, 0);
}

int main(void) {
  int failed = store_contract_run(make) + store_contract_run(make_late);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checkpoints),
      cmocka_unit_test(tree_shapes),         cmocka_unit_test(random_model),
      cmocka_unit_test(overhead_per_object), cmocka_unit_test(window_by_count),
      cmocka_unit_test(window_by_bytes),     cmocka_unit_test(many_prefixes),
      cmocka_unit_test(a_view_outlives_the_store),
  };
  return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
