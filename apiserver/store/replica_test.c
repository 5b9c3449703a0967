/* The replica: revisions without a change, with several, watches over them, beginning anew. */
#include "store/contract_case.h"
#include "store/entry.h"
#include "store/replica.h"

#include <stdio.h>

static void stage(replica *r, int64_t revision, const char *key, const char *value) {
  blob *b = blob_copy(slice_cstr(value ? value : ""));
  store_entry *e = store_entry_create(slice_cstr(key), b);
  blob_unref(b);
  const store_entry *before = tree_find(r->root, slice_cstr(key));
  e->mod_revision = revision;
  e->create_revision = before ? before->create_revision : revision;
  e->version = !value ? 0 : before ? before->version + 1 : 1;
  replica_stage(r, revision, e);
}

static char text[512];
static void on_event(void *ctx, const store_event *ev) {
  size_t n = strlen(text);
  slice key = store_entry_key(ev->entry);
  snprintf(text + n, sizeof text - n, "%s%c%.*s@%d ", (const char *)ctx,
           ev->deleted ? '-' : ev->prev ? '*' : '+', SLICE_ARG(key), (int)ev->revision);
}

static bool add_key(void *ctx, store_entry *e) {
  strncat(ctx, store_entry_key(e).ptr, store_entry_key(e).len);
  return true;
}

static void check_at(replica *r, int64_t revision, const char *keys) {
  char got[128] = "";
  tree_node *root = replica_root(r, revision);
  tree_walk(root, SLICE_NONE, SLICE_NONE, add_key, got);
  tree_unref(&r->heap, root);
  assert_string_equal(got, keys);
}

static void revisions_with_gaps_and_crowds(void **state) {
  (void)state;
  replica *r = replica_create();
  replica_replace(r, NULL, 100);
  text[0] = 0;
  store_watch *w = NULL;
  replica_watch_open(r, NULL, SLICE_LIT(""), 100, on_event, (void *)(uintptr_t)"", &w);
  stage(r, 105, "/a", "1");
  stage(r, 105, "/b", "1");
  assert_string_equal(text, ""); /* staged is not yet there */
  assert_int_equal(r->newest, 100);
  replica_publish(r, 105);
  stage(r, 1000000105, "/a", NULL);
  stage(r, 1000000105, "/c", "1");
  replica_publish(r, 1000000105);
  replica_publish(r, 1000000200); /* progress alone */
  assert_string_equal(text, "+/a@105 +/b@105 -/a@1000000105 +/c@1000000105 ");
  check_at(r, 104, "");
  check_at(r, 105, "/a/b");
  check_at(r, 1000000104, "/a/b");
  check_at(r, 1000000200, "/b/c");
  replica_drop(r, 105);
  check_at(r, 105, "/a/b");
  replica_watch_close(w);
  text[0] = 0;
  replica_watch_open(r, NULL, SLICE_LIT("/c"), 105, on_event, (void *)(uintptr_t)"", &w);
  assert_string_equal(text, "+/c@1000000105 ");
  replica_watch_close(w);
  replica_destroy(r);
}

static replica *nested;
static store_watch *opened;
static void opens_another(void *ctx, const store_event *ev) {
  on_event(ctx, ev);
  if (!opened) replica_watch_open(nested, NULL, SLICE_LIT("/"), 1, on_event,
                                  (void *)(uintptr_t)"2", &opened);
}

/* A watch opened in the middle of a revision has all of it from the history, and none twice. */
static void opened_within_a_revision(void **state) {
  (void)state;
  nested = replica_create();
  replica_replace(nested, NULL, 1);
  text[0] = 0;
  store_watch *w = NULL;
  replica_watch_open(nested, NULL, SLICE_LIT("/"), 1, opens_another, (void *)(uintptr_t)"1", &w);
  stage(nested, 2, "/a", "1");
  stage(nested, 2, "/b", "1");
  replica_publish(nested, 2);
  assert_string_equal(text, "1+/a@2 2+/a@2 2+/b@2 1+/b@2 ");
  replica_watch_close(w);
  replica_watch_close(opened);
  opened = NULL;
  replica_destroy(nested);
}

static int ends;
static void on_end(void *ctx) {
  (void)ctx;
  ends++;
}

static void beginning_anew_ends_watches(void **state) {
  (void)state;
  replica *r = replica_create();
  replica_replace(r, NULL, 1);
  store_watch *w = NULL, *silent = NULL;
  replica_watch_open(r, NULL, SLICE_LIT("/"), 1, on_event, (void *)(uintptr_t)"", &w);
  replica_watch_open(r, NULL, SLICE_LIT("/"), 1, on_event, (void *)(uintptr_t)"", &silent);
  replica_watch_on_end(w, on_end);
  ends = 0;
  text[0] = 0;
  replica_replace(r, NULL, 50);
  assert_int_equal(ends, 1);
  stage(r, 51, "/a", "1");
  replica_publish(r, 51);
  assert_string_equal(text, "");
  replica_watch_close(w);
  replica_destroy(r);
  replica_watch_close(silent); /* also afterwards */
}

/* Many changes: any revision's tree is found again, and dropping keeps the rest. */
static void long_histories(void **state) {
  (void)state;
  replica *r = replica_create();
  replica_replace(r, NULL, 1);
  char key[16];
  for (int i = 0; i < 3000; i++) {
    snprintf(key, sizeof key, "/%d", i % 7);
    stage(r, 10 + i * 3, key, i % 5 == 4 && i % 7 ? NULL : "1");
    replica_publish(r, 10 + i * 3);
  }
  tree_node *root = replica_root(r, 10 + 3 * 2999);
  assert_int_equal(tree_size(root), tree_size(r->root));
  tree_unref(&r->heap, root);
  check_at(r, 15, "/0/1");
  r->window_changes = 500;
  stage(r, 20000, "/x", "1");
  replica_publish(r, 20000);
  assert_true(r->history.next - r->history.first <= 500);
  assert_true(replica_base(r) > 5000);
  replica_destroy(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(revisions_with_gaps_and_crowds),
      cmocka_unit_test(opened_within_a_revision),
      cmocka_unit_test(beginning_anew_ends_watches),
      cmocka_unit_test(long_histories),
  };
  return cmocka_run_group_tests_name("replica", tests, NULL, NULL);
}
