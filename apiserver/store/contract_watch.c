/* The contract of watches: ordered, exactly once, from any revision that is kept. */
#include "store/contract_case.h"

static void events_of_all_three_kinds(store *s) {
  tape t;
  tape_open(&t, s, "/", store_revision(s));
  put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  put_gone(s, "/a");
  check_tape(&t, "+/a=1 */a=2 -/a=2 ");
  store_watch_close(t.watch);
}

static void only_the_prefix(store *s) {
  tape t;
  tape_open(&t, s, "/pods/", store_revision(s));
  put_new(s, "/pods/a", "1");
  put_new(s, "/pod", "1");
  put_new(s, "/pods", "1");
  put_new(s, "/podsx", "1");
  put_new(s, "/nodes/a", "1");
  put_new(s, "/pods/", "1");
  check_tape(&t, "+/pods/a=1 +/pods/=1 ");
  store_watch_close(t.watch);
}

static void an_empty_prefix_is_everything(store *s) {
  tape t;
  tape_open(&t, s, "", store_revision(s));
  put_new(s, "/a", "1");
  put_new(s, "b", "1");
  check_tape(&t, "+/a=1 +b=1 ");
  store_watch_close(t.watch);
}

static void a_single_key(store *s) {
  tape t;
  tape_open(&t, s, "/a/x", store_revision(s));
  put_new(s, "/a/x", "1");
  put_new(s, "/a/y", "1");
  put_gone(s, "/a/x");
  check_tape(&t, "+/a/x=1 -/a/x=1 ");
  store_watch_close(t.watch);
}

static void catching_up_from_the_log(store *s) {
  int64_t from = store_revision(s);
  tape t;
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  put_over(s, "/a", "2");
  put_gone(s, "/b");
  tape_open(&t, s, "/", from);
  check_tape(&t, "+/a=1 +/b=1 */a=2 -/b=1 ");
  store_watch_close(t.watch);
}

static void catching_up_from_the_middle(store *s) {
  put_new(s, "/a", "1");
  int64_t from = put_new(s, "/b", "1");
  tape t;
  put_over(s, "/a", "2");
  tape_open(&t, s, "/", from);
  put_over(s, "/b", "2");
  check_tape(&t, "*/a=2 */b=2 ");
  store_watch_close(t.watch);
}

static void catching_up_has_only_the_prefix(store *s) {
  int64_t from = store_revision(s);
  tape t;
  put_new(s, "/a/1", "1");
  put_new(s, "/b/1", "1");
  put_new(s, "/a/2", "1");
  tape_open(&t, s, "/a/", from);
  check_tape(&t, "+/a/1=1 +/a/2=1 ");
  store_watch_close(t.watch);
}

static void from_now_has_no_past(store *s) {
  put_new(s, "/a", "1");
  tape t;
  tape_open(&t, s, "/", store_revision(s));
  check_tape(&t, "");
  store_watch_close(t.watch);
}

static void from_the_future_waits(store *s) {
  tape t;
  tape_open(&t, s, "/", store_revision(s) + 2);
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  check_tape(&t, "");
  put_new(s, "/c", "1");
  check_tape(&t, "+/c=1 ");
  store_watch_close(t.watch);
}

static void a_compacted_start_is_refused(store *s) {
  int64_t one = put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  int64_t three = put_over(s, "/a", "3");
  store_compact(s, three);
  store_watch *w;
  tape t = {0};
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), one, tape_event, &t, &w), STORE_COMPACTED);
  assert_null(w);
  put_over(s, "/a", "4");
  check_tape(&t, "");
}

static void from_the_compacted_revision(store *s) {
  put_new(s, "/a", "1");
  int64_t two = put_over(s, "/a", "2");
  put_over(s, "/a", "3");
  store_compact(s, two);
  tape t;
  tape_open(&t, s, "/", two);
  check_tape(&t, "*/a=3 ");
  store_watch_close(t.watch);
}

static void compaction_does_not_touch_a_watch(store *s) {
  tape t;
  tape_open(&t, s, "/", store_revision(s));
  put_new(s, "/a", "1");
  store_compact(s, store_revision(s));
  put_over(s, "/a", "2");
  check_tape(&t, "+/a=1 */a=2 ");
  store_watch_close(t.watch);
}

static void a_closed_watch_is_silent(store *s) {
  tape t;
  tape_open(&t, s, "/", store_revision(s));
  put_new(s, "/a", "1");
  store_watch_close(t.watch);
  put_over(s, "/a", "2");
  check_tape(&t, "+/a=1 ");
}

static void failed_writes_make_no_events(store *s) {
  int64_t r = put_new(s, "/a", "1");
  tape t;
  tape_open(&t, s, "/", r);
  blob *b = blob_copy(SLICE_LIT("x"));
  assert_int_equal(store_create(s, SLICE_LIT("/a"), b, NULL), STORE_EXISTS);
  assert_int_equal(store_update(s, SLICE_LIT("/a"), r + 5, b, NULL), STORE_CONFLICT);
  assert_int_equal(store_delete(s, SLICE_LIT("/b"), r, b, NULL), STORE_NOT_FOUND);
  blob_unref(b);
  check_tape(&t, "");
  store_watch_close(t.watch);
}

static void several_watches_of_a_prefix(store *s) {
  tape a, b, c;
  tape_open(&a, s, "/a/", store_revision(s));
  tape_open(&b, s, "/a/", store_revision(s));
  tape_open(&c, s, "/a/", store_revision(s));
  put_new(s, "/a/1", "1");
  store_watch_close(b.watch);
  put_new(s, "/a/2", "1");
  check_tape(&a, "+/a/1=1 +/a/2=1 ");
  check_tape(&b, "+/a/1=1 ");
  check_tape(&c, "+/a/1=1 +/a/2=1 ");
  store_watch_close(a.watch);
  store_watch_close(c.watch);
}

static void nested_prefixes(store *s) {
  const char *const prefixes[] = {"/a/b/c", "/a", "/a/b", "/a/bx", "", "/a/b/c/d"};
  tape t[6];
  for (int i = 0; i < 6; i++) tape_open(&t[i], s, prefixes[i], store_revision(s));
  put_new(s, "/a/b/c", "1");
  const bool got[] = {true, true, true, false, true, false};
  for (int i = 0; i < 6; i++) check_tape(&t[i], got[i] ? "+/a/b/c=1 " : "");
  for (int i = 0; i < 6; i += 2) store_watch_close(t[i].watch);
  put_gone(s, "/a/b/c");
  check_tape(&t[1], "+/a/b/c=1 -/a/b/c=1 ");
  check_tape(&t[0], "+/a/b/c=1 ");
  for (int i = 1; i < 6; i += 2) store_watch_close(t[i].watch);
}

static void the_final_object_is_what_watchers_see(store *s) {
  int64_t r = put_new(s, "/a", "1");
  tape t;
  tape_open(&t, s, "/", r);
  blob *final = blob_copy(SLICE_LIT("bye"));
  store_entry *last;
  assert_int_equal(store_delete(s, SLICE_LIT("/a"), r, final, &last), STORE_OK);
  blob_unref(final);
  assert_true(slice_is(blob_slice(last->value), "1"));
  store_entry_unref(last);
  check_tape(&t, "-/a=bye ");
  store_watch_close(t.watch);
}

static void check_prev(void *ctx, const store_event *ev) {
  int64_t *prev = ctx;
  assert_int_equal(ev->prev ? ev->prev->mod_revision : 0, *prev);
  *prev = ev->deleted ? 0 : ev->revision;
}

static void the_previous_entry_comes_along(store *s) {
  store_watch *w;
  int64_t from = store_revision(s), prev = 0, again = 0;
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), from, check_prev, &prev, &w), STORE_OK);
  put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  put_gone(s, "/a");
  put_new(s, "/a", "3");
  store_watch_close(w);
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), from, check_prev, &again, &w), STORE_OK);
  assert_int_equal(again, prev);
  store_watch_close(w);
}

static void close_self(void *ctx, const store_event *ev) {
  tape *t = ctx;
  tape_event(t, ev);
  store_watch_close(t->watch);
}

static void closing_inside_the_callback(store *s) {
  tape t = {.store = s}, after;
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), store_revision(s), close_self, &t, &t.watch),
                   STORE_OK);
  tape_open(&after, s, "/", store_revision(s));
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  check_tape(&t, "+/a=1 ");
  check_tape(&after, "+/a=1 +/b=1 ");
  store_watch_close(after.watch);
}

static void closing_while_catching_up(store *s) {
  int64_t from = store_revision(s);
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  tape t = {.store = s};
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), from, close_self, &t, &t.watch), STORE_OK);
  assert_null(t.watch);
  put_new(s, "/c", "1");
  check_tape(&t, "+/a=1 ");
}

static void close_other(void *ctx, const store_event *ev) {
  tape *t = ctx;
  tape_event(t, ev);
  if (t->other->watch) store_watch_close(t->other->watch);
  t->other->watch = NULL;
}

static void closing_another_inside_a_callback(store *s) {
  tape second = {0}, first = {.store = s, .other = &second};
  int64_t from = store_revision(s);
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), from, close_other, &first, &first.watch),
                   STORE_OK);
  tape_open(&second, s, "/", from);
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  check_tape(&first, "+/a=1 +/b=1 ");
  assert_true(second.events <= 1); /* the order among the two is the backend's */
  store_watch_close(first.watch);
}

static void open_other(void *ctx, const store_event *ev) {
  tape *t = ctx;
  tape_event(t, ev);
  if (!t->other->watch) tape_open(t->other, t->store, "/", ev->revision - 1);
}

static void opening_another_inside_a_callback(store *s) {
  tape second = {0}, first = {.store = s, .other = &second};
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), store_revision(s), open_other, &first,
                                    &first.watch),
                   STORE_OK);
  put_new(s, "/a", "1");
  put_new(s, "/b", "1");
  check_tape(&first, "+/a=1 +/b=1 ");
  check_tape(&second, "+/a=1 +/b=1 ");
  store_watch_close(first.watch);
  store_watch_close(second.watch);
}

static void read_back(void *ctx, const store_event *ev) {
  tape *t = ctx;
  tape_event(t, ev);
  store_entry *e;
  assert_true(store_revision(t->store) >= ev->revision);
  store_result r = store_get(t->store, store_entry_key(ev->entry), ev->revision, &e);
  assert_int_equal(r, ev->deleted ? STORE_NOT_FOUND : STORE_OK);
  assert_true(ev->deleted || e->mod_revision == ev->revision);
  store_entry_unref(e);
}

static void reading_inside_a_callback(store *s) {
  tape t = {.store = s};
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), store_revision(s), read_back, &t, &t.watch),
                   STORE_OK);
  put_new(s, "/a", "1");
  put_over(s, "/a", "2");
  put_gone(s, "/a");
  assert_int_equal(t.events, 3);
  store_watch_close(t.watch);
}

static void keep_entry(void *ctx, const store_event *ev) {
  *(store_entry **)ctx = store_entry_ref(ev->entry);
}

static void an_events_entry_may_be_kept(store *s) {
  store_entry *kept = NULL;
  store_watch *w;
  int64_t r = put_new(s, "/a", "1");
  assert_int_equal(store_watch_open(s, SLICE_LIT("/"), r, keep_entry, &kept, &w), STORE_OK);
  put_gone(s, "/a");
  store_compact(s, store_revision(s));
  assert_int_equal(kept->mod_revision, r + 1);
  assert_int_equal(kept->version, 0);
  store_entry_unref(kept);
  store_watch_close(w);
}

static void every_revision_once(store *s) {
  tape t;
  tape_open(&t, s, "/", store_revision(s));
  int64_t before = store_revision(s);
  put_new(s, "/a", "1");
  for (int i = 0; i < 300; i++) {
    t.len = 0; /* only the count and the order matter here */
    put_over(s, "/a", "2");
  }
  assert_int_equal(t.events, 301);
  assert_int_equal(t.last_revision, before + 301);
  store_watch_close(t.watch);
}

static void closing_nothing_is_fine(store *s) {
  store_watch_close(NULL);
  store_view_close(NULL);
  store_entry_unref(NULL);
  assert_true(store_overhead(s) > 0);
}

#define CASE(name) {#name, name}
const contract_case contract_watches[] = {
    CASE(events_of_all_three_kinds),
    CASE(only_the_prefix),
    CASE(an_empty_prefix_is_everything),
    CASE(a_single_key),
    CASE(catching_up_from_the_log),
    CASE(catching_up_from_the_middle),
    CASE(catching_up_has_only_the_prefix),
    CASE(from_now_has_no_past),
    CASE(from_the_future_waits),
    CASE(a_compacted_start_is_refused),
    CASE(from_the_compacted_revision),
    CASE(compaction_does_not_touch_a_watch),
    CASE(a_closed_watch_is_silent),
    CASE(failed_writes_make_no_events),
    CASE(several_watches_of_a_prefix),
    CASE(nested_prefixes),
    CASE(the_final_object_is_what_watchers_see),
    CASE(the_previous_entry_comes_along),
    CASE(closing_inside_the_callback),
    CASE(closing_while_catching_up),
    CASE(closing_another_inside_a_callback),
    CASE(opening_another_inside_a_callback),
    CASE(reading_inside_a_callback),
    CASE(an_events_entry_may_be_kept),
    CASE(every_revision_once),
    CASE(closing_nothing_is_fine),
    {NULL, NULL},
};
