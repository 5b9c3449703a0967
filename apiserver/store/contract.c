/* The suite's harness: a fresh store a case, and the helpers that make a case read as a
 * short story. */
#include "store/contract.h"

#include "base/heap.h"
#include "store/contract_case.h"

#include <stdio.h>

static store_entry *entry_at(store *s, const char *key, int64_t revision) {
  store_entry *e;
  store_result r = store_get(s, slice_cstr(key), revision, &e);
  assert_true(r == STORE_OK || (r == STORE_NOT_FOUND && !e));
  return e;
}

int64_t put_new(store *s, const char *key, const char *value) {
  blob *b = blob_copy(slice_cstr(value));
  int64_t next = store_next_revision(s);
  assert_int_equal(store_create(s, slice_cstr(key), b, NULL), STORE_OK);
  blob_unref(b);
  assert_int_equal(store_revision(s), next);
  return next;
}

int64_t put_over(store *s, const char *key, const char *value) {
  store_entry *e = entry_at(s, key, 0), *now;
  assert_non_null(e);
  blob *b = blob_copy(slice_cstr(value));
  assert_int_equal(store_update(s, slice_cstr(key), e->mod_revision, b, &now), STORE_OK);
  int64_t revision = now->mod_revision;
  store_entry_unref(now);
  store_entry_unref(e);
  blob_unref(b);
  return revision;
}

int64_t put_gone(store *s, const char *key) {
  store_entry *e = entry_at(s, key, 0);
  assert_non_null(e);
  assert_int_equal(store_delete(s, slice_cstr(key), e->mod_revision, NULL, NULL), STORE_OK);
  store_entry_unref(e);
  return store_revision(s);
}

void check_value(store *s, const char *key, int64_t revision, const char *value) {
  store_entry *e = entry_at(s, key, revision);
  if (!value) {
    assert_null(e);
    return;
  }
  assert_non_null(e);
  assert_true(slice_is(store_entry_key(e), key));
  assert_true(slice_is(blob_slice(e->value), value));
  store_entry_unref(e);
}

static void text_add(tape *t, const char *sign, const store_entry *e, bool with_value) {
  slice value = with_value ? blob_slice(e->value) : SLICE_NONE;
  int n = snprintf(t->text + t->len, sizeof t->text - t->len, "%s%.*s%s%.*s ", sign,
                   SLICE_ARG(store_entry_key(e)), with_value ? "=" : "", SLICE_ARG(value));
  assert_true(n > 0 && (size_t)n < sizeof t->text - t->len);
  t->len += (size_t)n;
}

static bool key_add(void *ctx, store_entry *e) {
  text_add(ctx, "", e, false);
  return true;
}

void check_keys(store *s, int64_t revision, const char *start, const char *end,
                 const char *joined) {
  tape t = {0};
  store_view *v;
  assert_int_equal(store_view_open(s, revision, &v), STORE_OK);
  store_view_walk(v, slice_cstr(start), slice_cstr(end), key_add, &t);
  store_view_close(v);
  if (t.len) t.text[t.len - 1] = '\0';
  assert_string_equal(t.text, joined);
}

void tape_event(void *ctx, const store_event *ev) {
  tape *t = ctx;
  assert_true(ev->revision > t->last_revision);
  assert_int_equal(ev->entry->mod_revision, ev->revision);
  assert_true(ev->deleted == (ev->entry->version == 0));
  assert_true(!ev->prev || slice_eq(store_entry_key(ev->prev), store_entry_key(ev->entry)));
  assert_true(!ev->deleted || ev->prev);
  t->last_revision = ev->revision;
  t->events++;
  text_add(t, ev->deleted ? "-" : ev->prev ? "*" : "+", ev->entry, true);
}

void tape_open(tape *t, store *s, const char *prefix, int64_t from) {
  *t = (tape){.store = s, .last_revision = from};
  assert_int_equal(store_watch_open(s, slice_cstr(prefix), from, tape_event, t, &t->watch),
                   STORE_OK);
}

void check_tape(const tape *t, const char *text) {
  assert_string_equal(t->text, text);
}

/* What a case needs to run under cmocka. */
typedef struct fixture {
  store *(*make)(void);
  const contract_case *row;
} fixture;

static void fixture_run(void **state) {
  const fixture *f = *state;
  store *s = f->make();
  f->row->run(s);
  store_destroy(s);
}

int store_contract_run(store *(*make)(void)) {
  const contract_case *const lists[] = {contract_writes, contract_reads, contract_watches};
  enum { MOST = 128 };
  fixture fixtures[MOST];
  struct CMUnitTest tests[MOST];
  size_t n = 0;
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    for (const contract_case *c = lists[i]; c->name; c++, n++) {
      assert_true(n < MOST);
      fixtures[n] = (fixture){make, c};
      tests[n] = (struct CMUnitTest){c->name, fixture_run, NULL, NULL, &fixtures[n]};
    }
  }
  return _cmocka_run_group_tests("store contract", tests, n, NULL, NULL);
}
