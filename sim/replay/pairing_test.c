/* Pairing: what may stand for what, and what is sent instead. */
#include "sim/replay/pairing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S(text) SLICE_LIT(text)
#define UID_A "11111111-1111-4111-8111-111111111111"
#define UID_B "22222222-2222-4222-8222-222222222222"
#define UID_C "33333333-3333-4333-8333-333333333333"

typedef struct fixture {
  arena *arena;
  pairing *p;
} fixture;

static int set_up(void **state) {
  static fixture f;
  f.arena = arena_create();
  f.p = pairing_create(f.arena);
  /* The tape began at 12:00:00 and ran for 10 s; the replay began an hour later. */
  pairing_clock(f.p, 1767268800, 1767272400, 10, 2);
  pairing_now(f.p, 1767272405);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  pairing_destroy(f->p);
  arena_destroy(f->arena);
  return 0;
}

static bool text(void **state, const char *e, const char *a) {
  return pairing_match_text(((fixture *)*state)->p, slice_cstr(e), slice_cstr(a));
}

static bool version(void **state, const char *e, const char *a, bool list) {
  return pairing_match_version(((fixture *)*state)->p, slice_cstr(e), slice_cstr(a), list);
}

static void uid_is_one_to_one(void **state) {
  assert_true(text(state, UID_A, UID_B));
  assert_true(text(state, "of " UID_A ", yes", "of " UID_B ", yes"));
  assert_false(text(state, UID_A, UID_C)); /* one of the tape became two */
  assert_false(text(state, UID_C, UID_B)); /* two of the tape became one */
  assert_false(text(state, "of " UID_A ", yes", "of " UID_B ", no"));
  assert_false(text(state, UID_A, "not a uid"));
}

static void words_differ(void **state) {
  assert_false(text(state, "web", "api"));
  assert_false(text(state, "web", "web2"));
  assert_false(text(state, "replicas 3", "replicas 4"));
  assert_false(text(state, "", "x"));
  assert_true(text(state, "", ""));
}

static void versions_keep_order(void **state) {
  assert_true(version(state, "204", "304", false));
  assert_true(version(state, "204", "304", false));
  assert_false(version(state, "204", "305", false));
  assert_true(version(state, "210", "320", false));
  assert_true(version(state, "207", "310", false));
  assert_false(version(state, "208", "305", false)); /* before 207's */
  assert_false(version(state, "211", "320", false)); /* 210 has that */
  assert_true(version(state, "99", "100", false)); /* another number of digits */
}

static void bootstrap_versions_have_no_order(void **state) {
  pairing_first_version(((fixture *)*state)->p, 200);
  assert_true(version(state, "10", "20", false));
  assert_true(version(state, "11", "15", false));
  assert_false(version(state, "12", "15", false)); /* taken */
  assert_true(version(state, "200", "180", false));
  assert_false(version(state, "201", "170", false));
}

static void list_versions_lie_between_writes(void **state) {
  assert_true(version(state, "204", "304", false));
  assert_true(version(state, "210", "320", false));
  assert_true(version(state, "204", "305", true)); /* something else was written since */
  assert_true(version(state, "206", "304", true));
  assert_false(version(state, "204", "303", true));
  assert_false(version(state, "206", "320", true));
  assert_false(version(state, "212", "319", true));
}

static void times_are_of_the_run(void **state) {
  assert_true(text(state, "2026-01-01T12:00:03Z", "2026-01-01T13:00:01Z"));
  assert_true(text(state, "2026-01-01T11:59:40Z", "2026-01-01T12:30:00Z")); /* bootstrap */
  assert_true(text(state, "2026-01-01T12:00:33Z", "2026-01-01T13:00:32Z")); /* grace */
  assert_false(text(state, "2026-01-01T12:00:33Z", "2026-01-01T13:10:00Z"));
  assert_false(text(state, "2026-01-01T12:00:03Z", "2026-01-01T13:00:09Z")); /* not yet */
  assert_false(text(state, "2025-01-01T00:00:00Z", "2026-01-01T13:00:01Z")); /* the user's */
  assert_false(text(state, "2026-01-01T12:00:03Z", "2026-01-01T13:00:01.000000Z"));
}

static void ages(void **state) {
  (void)state;
  assert_true(pairing_is_age(S("0s")));
  assert_true(pairing_is_age(S("2m30s")));
  assert_false(pairing_is_age(S("5")));
  assert_false(pairing_is_age(S("s")));
  assert_false(pairing_is_age(S("<unknown>")));
  assert_false(pairing_is_age(S("")));
}

static void generated_names(void **state) {
  fixture *f = *state;
  assert_true(pairing_match_generated(f->p, S("job-"), S("job-2xk9p"), S("job-zzz77")));
  assert_true(text(state, "pods \"job-2xk9p\" not found", "pods \"job-zzz77\" not found"));
  assert_false(pairing_match_generated(f->p, S("job-"), S("job-2xk9p"), S("job-bbbbb")));
  assert_false(pairing_match_generated(f->p, S("job-"), S("job-2xk9q"), S("other-zzz77")));
  assert_false(pairing_match_generated(f->p, S("job-"), S("job-55555"), S("job-aeiou")));
}

static void addresses_and_ports(void **state) {
  assert_true(text(state, "10.0.0.64", "10.0.0.9"));
  assert_false(text(state, "10.0.0.64", "10.0.0.10"));
  assert_false(text(state, "192.168.1.1", "192.168.1.2"));
  assert_true(text(state, "80:32699/TCP", "80:30001/TCP"));
  assert_false(text(state, "80:32699/TCP", "80:30002/TCP"));
  assert_false(text(state, "80/TCP", "81/TCP"));
}

static void substitutes(void **state) {
  fixture *f = *state;
  assert_true(text(state, UID_A, UID_B));
  assert_true(version(state, "204", "1304", false));
  slice url = S("involvedObject.uid%3D" UID_A "%2Cx");
  assert_true(slice_is(pairing_substitute_text(f->p, url), "involvedObject.uid%3D" UID_B "%2Cx"));
  assert_ptr_equal(pairing_substitute_text(f->p, S("nothing here")).ptr, S("nothing here").ptr);
  assert_true(slice_is(pairing_substitute_version(f->p, S("204")), "1304"));
  assert_true(slice_is(pairing_substitute_version(f->p, S("999999999")), "999999999"));
  assert_true(slice_is(pairing_substitute_version(f->p, S("garbage")), "garbage"));
}

/* Names that are paired, and texts that part right behind them: that once went on for ever. */
static void texts_part_behind_a_pair(void **state) {
  fixture *f = *state;
  assert_true(pairing_match_generated(f->p, S("web-"), S("web-bcdfg"), S("web-hjklm")));
  assert_true(text(state, "of web-bcdfg", "of web-hjklm"));
  assert_false(text(state, "of web-bcdfg, now", "of web-hjklm: now"));
  assert_true(version(state, "210", "1210", false));
  assert_false(text(state, "at 210, now", "at 1210: now"));
}

static void continue_tokens(void **state) {
  fixture *f = *state;
  /* {"v":"meta.k8s.io/v1","rv":210,"start":"/page-3\u0000"} and the same with 1210 */
  slice e = S("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjEwLCJzdGFydCI6Ii9wYWdlLTNcdTAwMDAifQ");
  slice a = S("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTIxMCwic3RhcnQiOiIvcGFnZS0zXHUwMDAwIn0");
  assert_true(pairing_match_continue(f->p, e, a));
  assert_true(slice_eq(pairing_substitute_continue(f->p, e), a));
  assert_true(slice_is(pairing_substitute_continue(f->p, S("garbage")), "garbage"));
  assert_false(pairing_match_continue(f->p, e, S("garbage")));
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(uid_is_one_to_one),    T(words_differ),
      T(versions_keep_order),  T(bootstrap_versions_have_no_order),
      T(list_versions_lie_between_writes), T(times_are_of_the_run),
      T(ages),                 T(generated_names),
      T(addresses_and_ports),  T(substitutes),
      T(continue_tokens),      T(texts_part_behind_a_pair),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
