/* The contract of writes: revisions, preconditions, versions and the limits. */
#include "base/limits.h"
#include "store/contract_case.h"

static store_result try_create(store *s, const char *key, const char *value) {
  blob *b = blob_copy(slice_cstr(value));
  store_entry *e = NULL;
  store_result r = store_create(s, slice_cstr(key), b, &e);
  assert_true((r == STORE_OK) == (e != NULL));
  store_entry_unref(e);
  blob_unref(b);
  return r;
}

static store_result try_update(store *s, const char *key, int64_t expect) {
  blob *b = blob_copy(SLICE_LIT("new"));
  store_entry *e = NULL;
  store_result r = store_update(s, slice_cstr(key), expect, b, &e);
  assert_true((r == STORE_OK) == (e != NULL));
  store_entry_unref(e);
  blob_unref(b);
  return r;
}

static void create_takes_the_next_revision(store *s) {
  int64_t before = store_revision(s);
  assert_int_equal(put_new(s, "/a", "1"), before + 1);
  assert_int_equal(put_new(s, "/b", "1"), before + 2);
  assert_int_equal(store_revision(s), before + 2);
}

static void next_revision_is_one_more(store *s) {
  assert_int_equal(store_next_revision(s), store_revision(s) + 1);
  put_new(s, "/a", "1");
  assert_int_equal(store_next_revision(s), store_revision(s) + 1);
}

static void create_gives_the_entry(store *s) {
  blob *b = blob_copy(SLICE_LIT("v"));
  store_entry *e;
  assert_int_equal(store_create(s, SLICE_LIT("/a"), b, &e), STORE_OK);
  blob_unref(b);
  assert_true(slice_is(store_entry_key(e), "/a"));
  assert_true(slice_is(blob_slice(e->value), "v"));
  assert_int_equal(e->create_revision, store_revision(s));
  assert_int_equal(e->mod_revision, store_revision(s));
  assert_int_equal(e->version, 1);
  store_entry_unref(e);
}

static void create_of_a_key_that_exists(store *s) {
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(try_create(s, "/a", "2"), STORE_EXISTS);
  assert_int_equal(store_revision(s), r);
  check_value(s, "/a", 0, "1");
}

static void create_after_delete(store *s) {
  put_new(s, "/a", "1");
  put_gone(s, "/a");
  int64_t r = put_new(s, "/a", "2");
  store_entry *e;
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  assert_int_equal(e->create_revision, r);
  assert_int_equal(e->version, 1);
  store_entry_unref(e);
}

static void update_counts_versions(store *s) {
  int64_t born = put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  int64_t last = put_over(s, "/a", "3");
  store_entry *e;
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  assert_int_equal(e->version, 3);
  assert_int_equal(e->create_revision, born);
  assert_int_equal(e->mod_revision, last);
  assert_int_equal(last, born + 2);
  store_entry_unref(e);
}

static void update_of_a_missing_key(store *s) {
  int64_t r = store_revision(s);
  assert_int_equal(try_update(s, "/a", r), STORE_NOT_FOUND);
  assert_int_equal(store_revision(s), r);
}

static void update_with_an_old_revision(store *s) {
  int64_t first = put_new(s, "/a", "1");
  int64_t second = put_over(s, "/a", "2");
  assert_int_equal(try_update(s, "/a", first), STORE_CONFLICT);
  assert_int_equal(store_revision(s), second);
  check_value(s, "/a", 0, "2");
}

static void update_with_a_revision_to_come(store *s) {
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(try_update(s, "/a", r + 1), STORE_CONFLICT);
  assert_int_equal(try_update(s, "/a", 0), STORE_CONFLICT);
  assert_int_equal(try_update(s, "/a", r), STORE_OK);
}

static void update_compares_the_key_not_the_store(store *s) {
  int64_t r = put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  assert_int_equal(try_update(s, "/a", r), STORE_OK);
}

static void update_after_delete(store *s) {
  int64_t r = put_new(s, "/a", "1");
  put_gone(s, "/a");
  assert_int_equal(try_update(s, "/a", r), STORE_NOT_FOUND);
}

static void update_with_the_same_bytes_is_a_write(store *s) {
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(put_over(s, "/a", "1"), r + 1);
}

static void delete_takes_a_revision(store *s) {
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(put_gone(s, "/a"), r + 1);
  check_value(s, "/a", 0, NULL);
}

static void delete_gives_the_last_value(store *s) {
  int64_t r = put_new(s, "/a", "1");
  store_entry *last = NULL;
  assert_int_equal(store_delete(s, SLICE_LIT("/a"), r, NULL, &last), STORE_OK);
  assert_int_equal(last->mod_revision, r);
  assert_true(slice_is(blob_slice(last->value), "1"));
  store_entry_unref(last);
}

static void delete_of_a_missing_key(store *s) {
  int64_t r = store_revision(s);
  store_entry *last = NULL;
  assert_int_equal(store_delete(s, SLICE_LIT("/a"), r, NULL, &last), STORE_NOT_FOUND);
  assert_null(last);
  assert_int_equal(store_revision(s), r);
}

static void delete_with_an_old_revision(store *s) {
  int64_t r = put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  assert_int_equal(store_delete(s, SLICE_LIT("/a"), r, NULL, NULL), STORE_CONFLICT);
  check_value(s, "/a", 0, "2");
}

static void delete_twice(store *s) {
  int64_t r = put_new(s, "/a", "1");
  put_gone(s, "/a");
  assert_int_equal(store_delete(s, SLICE_LIT("/a"), r, NULL, NULL), STORE_NOT_FOUND);
}

static void keys_are_bytes(store *s) {
  slice key = SLICE_LIT("/a\0\xff\x01z");
  blob *b = blob_copy(SLICE_LIT("\0\xfe"));
  store_entry *e;
  assert_int_equal(store_create(s, key, b, NULL), STORE_OK);
  assert_int_equal(store_get(s, key, 0, &e), STORE_OK);
  assert_true(slice_eq(store_entry_key(e), key));
  assert_true(slice_eq(blob_slice(e->value), blob_slice(b)));
  store_entry_unref(e);
  blob_unref(b);
  check_value(s, "/a", 0, NULL);
}

static void an_empty_value(store *s) {
  put_new(s, "/a", "");
  check_value(s, "/a", 0, "");
}

static store_result create_sized(store *s, const char *key, size_t len) {
  blob *b = blob_alloc(len);
  memset(b->data, 'x', len);
  store_result r = store_create(s, slice_cstr(key), b, NULL);
  blob_unref(b);
  return r;
}

static void a_value_too_large_to_create(store *s) {
  int64_t r = store_revision(s);
  assert_int_equal(create_sized(s, "/a", LIMIT_STORED_OBJECT + 1), STORE_TOO_LARGE);
  assert_int_equal(store_revision(s), r);
  check_value(s, "/a", 0, NULL);
}

static void a_large_value(store *s) {
  assert_int_equal(create_sized(s, "/a", LIMIT_STORED_OBJECT - 4096), STORE_OK);
}

static void a_value_too_large_to_update(store *s) {
  int64_t r = put_new(s, "/a", "1");
  blob *b = blob_alloc(LIMIT_STORED_OBJECT + 1);
  memset(b->data, 'x', b->len);
  assert_int_equal(store_update(s, SLICE_LIT("/a"), r, b, NULL), STORE_TOO_LARGE);
  blob_unref(b);
  check_value(s, "/a", 0, "1");
}

static void the_caller_keeps_its_blob(store *s) {
  blob *b = blob_copy(SLICE_LIT("1"));
  assert_int_equal(store_create(s, SLICE_LIT("/a"), b, NULL), STORE_OK);
  assert_int_equal(store_create(s, SLICE_LIT("/b"), b, NULL), STORE_OK);
  assert_int_equal(store_create(s, SLICE_LIT("/a"), b, NULL), STORE_EXISTS);
  assert_true(slice_is(blob_slice(b), "1"));
  blob_unref(b);
  check_value(s, "/b", 0, "1");
}

static void an_entry_outlives_its_key(store *s) {
  put_new(s, "/a", "1");
  store_entry *e;
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  put_over(s, "/a", "2");
  put_gone(s, "/a");
  store_compact(s, store_revision(s));
  assert_true(slice_is(blob_slice(e->value), "1"));
  store_entry_unref(e);
}

static void forms_stay_with_the_entry(store *s) {
  put_new(s, "/a", "1");
  store_entry *e, *again;
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  assert_null(store_entry_form(e, 7));
  blob *one = blob_copy(SLICE_LIT("one")), *two = blob_copy(SLICE_LIT("two"));
  store_entry_add_form(e, 7, one);
  store_entry_add_form(e, 8, two);
  blob_unref(one);
  blob_unref(two);
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &again), STORE_OK);
  assert_true(slice_is(blob_slice(store_entry_form(again, 7)), "one"));
  assert_true(slice_is(blob_slice(store_entry_form(again, 8)), "two"));
  store_entry_unref(again);
  store_entry_unref(e);
}

static void an_update_has_no_forms_yet(store *s) {
  put_new(s, "/a", "1");
  store_entry *e;
  blob *b = blob_copy(SLICE_LIT("f"));
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  store_entry_add_form(e, 1, b);
  store_entry_unref(e);
  blob_unref(b);
  put_over(s, "/a", "2");
  assert_int_equal(store_get(s, SLICE_LIT("/a"), 0, &e), STORE_OK);
  assert_null(store_entry_form(e, 1));
  store_entry_unref(e);
}

#define CASE(name) {#name, name}
const contract_case contract_writes[] = {
    CASE(create_takes_the_next_revision),
    CASE(next_revision_is_one_more),
    CASE(create_gives_the_entry),
    CASE(create_of_a_key_that_exists),
    CASE(create_after_delete),
    CASE(update_counts_versions),
    CASE(update_of_a_missing_key),
    CASE(update_with_an_old_revision),
    CASE(update_with_a_revision_to_come),
    CASE(update_compares_the_key_not_the_store),
    CASE(update_after_delete),
    CASE(update_with_the_same_bytes_is_a_write),
    CASE(delete_takes_a_revision),
    CASE(delete_gives_the_last_value),
    CASE(delete_of_a_missing_key),
    CASE(delete_with_an_old_revision),
    CASE(delete_twice),
    CASE(keys_are_bytes),
    CASE(an_empty_value),
    CASE(a_value_too_large_to_create),
    CASE(a_large_value),
    CASE(a_value_too_large_to_update),
    CASE(the_caller_keeps_its_blob),
    CASE(an_entry_outlives_its_key),
    CASE(forms_stay_with_the_entry),
    CASE(an_update_has_no_forms_yet),
    {NULL, NULL},
};
