/* Keys with a time to live in the embedded store, on a clock of the test's own. */
#include "base/heap.h"
#include "store/contract_case.h"
#include "store/lease.h"

#include <stdio.h>

#define SECOND_NS ((int64_t)1000000000)

static int64_t now_ns;

static blob *final(const store_entry *e, int64_t revision) {
  char text[64];
  int n = snprintf(text, sizeof text, "%.*s@%lld", (int)e->value->len, e->value->data,
                   (long long)revision);
  return blob_copy(slice_of(text, (size_t)n));
}

static store *make(void) {
  store *s = store_memory_create(1);
  now_ns = 5 * SECOND_NS;
  store_memory_leasing(s, &(store_leasing){.now_ns = &now_ns, .reuse_s = 60, .final = final});
  return s;
}

static store_entry *put(store *s, const char *key, int64_t ttl_s) {
  store_entry *e = NULL, *there = NULL;
  blob *b = blob_copy(SLICE_LIT("v"));
  slice k = slice_cstr(key);
  if (store_get(s, k, 0, &there) == STORE_OK) {
    assert_int_equal(store_update_ttl(s, k, there->mod_revision, b, ttl_s, &e), STORE_OK);
    store_entry_unref(there);
  } else {
    assert_int_equal(store_create_ttl(s, k, b, ttl_s, &e), STORE_OK);
  }
  blob_unref(b);
  store_entry_unref(e); /* the store has another */
  return e;
}

static bool has(store *s, const char *key) {
  store_entry *e = NULL;
  bool found = store_get(s, slice_cstr(key), 0, &e) == STORE_OK;
  store_entry_unref(e);
  return found;
}

static void tick(store *s, int64_t seconds) {
  now_ns += seconds * SECOND_NS;
  store_tick(s, now_ns);
}

typedef struct heard {
  char text[1024];
  size_t len;
} heard;

static void on_event(void *ctx, const store_event *ev) {
  heard *h = ctx;
  h->len += (size_t)snprintf(h->text + h->len, sizeof h->text - h->len, "%s%.*s@%lld:%.*s ",
                             ev->deleted ? "-" : "+", (int)ev->entry->key_len, ev->entry->key,
                             (long long)ev->revision, (int)ev->entry->value->len,
                             ev->entry->value->data);
}

/* As etcd revokes a lease: all its keys at one revision, in order; never before their time. */
static void keys_go_together(void **state) {
  (void)state;
  store *s = make();
  heard h = {0};
  store_watch *w;
  int64_t a = put(s, "/b", 100)->lease, b = put(s, "/a", 100)->lease;
  put(s, "/stays", 0);
  assert_true(a != 0);
  assert_int_equal(a, b); /* one lease for both: it ends 5 s after their time at most */
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), store_revision(s), on_event, &h, &w),
                   STORE_OK);
  tick(s, 100);
  assert_true(has(s, "/a") && has(s, "/b"));
  tick(s, 4);
  assert_true(has(s, "/a"));
  tick(s, 1);
  assert_false(has(s, "/a") || has(s, "/b"));
  assert_true(has(s, "/stays"));
  assert_string_equal(h.text, "-/a@5:v@5 -/b@5:v@5 ");
  assert_int_equal(store_revision(s), 5);
  assert_int_equal(store_memory_leases(s)->count, 0);
  store_watch_close(w);
  store_destroy(s);
}

static void one_lease_for_many(void **state) {
  (void)state;
  store *s = make();
  char key[32];
  int64_t first = put(s, "/first", 1000)->lease; /* 50 s more */
  now_ns += 49 * SECOND_NS;
  assert_int_equal(put(s, "/in time", 1000)->lease, first);
  now_ns += 2 * SECOND_NS;
  int64_t second = put(s, "/late", 1000)->lease;
  assert_true(second != first);
  for (int i = 1; i < 1000; i++) {
    snprintf(key, sizeof key, "/%d", i);
    assert_int_equal(put(s, key, 1000)->lease, second);
  }
  assert_true(put(s, "/one more", 1000)->lease != second);
  store_destroy(s);
}

/* A write takes the key off its lease, a deletion too; what comes again is another's. */
static void keys_change_leases(void **state) {
  (void)state;
  store *s = make();
  put(s, "/kept", 10);
  put(s, "/later", 10);
  put(s, "/made again", 10);
  put(s, "/kept", 0);
  tick(s, 5);
  put(s, "/later", 10);
  store_entry *e = NULL;
  assert_int_equal(store_get(s, SLICE_LIT("/made again"), 0, &e), STORE_OK);
  assert_int_equal(store_delete(s, SLICE_LIT("/made again"), e->mod_revision, NULL, NULL),
                   STORE_OK);
  store_entry_unref(e);
  put(s, "/made again", 0);
  tick(s, 6);
  assert_true(has(s, "/kept") && has(s, "/later") && has(s, "/made again"));
  tick(s, 5);
  assert_false(has(s, "/later"));
  assert_true(has(s, "/kept") && has(s, "/made again"));
  store_destroy(s);
}

/* What was left of a lease at the checkpoint is left when it is put back. */
static void checkpoints_keep_what_is_left(void **state) {
  (void)state;
  store *s = make();
  put(s, "/x", 20);
  tick(s, 15);
  store_checkpoint *c = store_memory_checkpoint(s);
  tick(s, 10);
  assert_false(has(s, "/x"));
  tick(s, 1000);
  store_memory_restore(s, c);
  tick(s, 5);
  assert_true(has(s, "/x"));
  tick(s, 1);
  assert_false(has(s, "/x"));
  store_memory_restore(s, c);
  store_checkpoint_free(c);
  assert_true(has(s, "/x"));
  store_destroy(s);
}

static void many_end_in_steps(void **state) {
  (void)state;
  store *s = make();
  char key[32];
  for (int i = 0; i < 20000; i++) {
    snprintf(key, sizeof key, "/%05d", i);
    put(s, key, 100);
  }
  assert_int_equal(store_memory_leases(s)->count, 20);
  tick(s, 110);
  assert_in_range(store_memory_leases(s)->count, 1, 19);
  tick(s, 1);
  assert_int_equal(store_memory_leases(s)->count, 0);
  assert_false(has(s, "/00000") || has(s, "/19999"));
  store_destroy(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_go_together),
      cmocka_unit_test(one_lease_for_many),
      cmocka_unit_test(keys_change_leases),
      cmocka_unit_test(checkpoints_keep_what_is_left),
      cmocka_unit_test(many_end_in_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
