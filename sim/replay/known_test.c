/* The ledger of known differences: reading, matching, and entries that no longer differ. */
#include "sim/replay/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static known_list *load(const char *text, char *problem) {
  char path[] = "/tmp/known-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  known_list *k = known_load(path, problem, 200);
  unlink(path);
  return k;
}

static known_entry *find(const known_list *k, const char *session_name, int64_t seq,
                         const char *path) {
  return known_find(k, slice_cstr(session_name), seq, slice_cstr(path));
}

static void matches_patterns(void **state) {
  (void)state;
  char problem[200];
  known_list *k = load("# comment\n\n"
                       "kubectl-1.36/10-crd 7 $.status.conditions[*].reason  not yet\n"
                       "*/20-admission * status  later\n"
                       "kubectl-1.36/01-pods 3 header_Warning  words\n",
                       problem);
  assert_non_null(k);
  assert_int_equal(k->count, 3);
  assert_non_null(find(k, "kubectl-1.36/10-crd", 7, "$.status.conditions[12].reason"));
  assert_null(find(k, "kubectl-1.36/10-crd", 8, "$.status.conditions[12].reason"));
  assert_null(find(k, "kubectl-1.33/10-crd", 7, "$.status.conditions[12].reason"));
  assert_null(find(k, "kubectl-1.36/10-crd", 7, "$.status.conditions[12].reasons"));
  assert_non_null(find(k, "kubectl-1.33/20-admission", 99, "status"));
  assert_non_null(find(k, "kubectl-1.36/01-pods", 3, "header Warning"));
  known_destroy(k);
}

static void refuses_bad_lines(void **state) {
  (void)state;
  static const char *const bad[] = {"one\n", "a 1\n", "a 1 path\n", "a x path reason\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char problem[200] = "";
    assert_null(load(bad[i], problem));
    assert_non_null(strstr(problem, ":1: wants"));
  }
  char problem[200];
  assert_null(known_load("/nonexistent/file", problem, sizeof problem));
  known_list *none = known_load(NULL, problem, sizeof problem);
  assert_int_equal(none->count, 0);
  known_destroy(none);
}

/* One exchange of one session that differs at $.a. */
static void counts_unlisted_and_stale(void **state) {
  (void)state;
  char problem[200];
  known_list *k = load("s/t 1 $.a  why\ns/t 1 $.b  gone\nother/t 1 $.c  not replayed\n", problem);
  arena *a = arena_create();
  tape t = {.session = SLICE_LIT("s/t")};
  tape_exchange x = {.seq = 1};
  outcome o = {.taped = &x};
  session s = {.arena = a, .tape = &t, .count = 1, .outcomes = &o};
  diff_init(&o.diff, a, NULL);
  diff_add(&o.diff, DIFF_JSON, SLICE_LIT("$.a"), SLICE_LIT("1"), SLICE_LIT("2"));
  assert_int_equal(known_apply(k, &s), 0);
  assert_int_equal(known_stale(k), 1);
  diff_add(&o.diff, DIFF_JSON, SLICE_LIT("$.z"), SLICE_LIT("1"), SLICE_LIT("2"));
  assert_int_equal(known_apply(k, &s), 1);
  diff_dispose(&o.diff);
  arena_destroy(a);
  known_destroy(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches_patterns),
      cmocka_unit_test(refuses_bad_lines),
      cmocka_unit_test(counts_unlisted_and_stale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
