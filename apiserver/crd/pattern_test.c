/* Patterns against testdata/patterns.jsonl, which Go's regexp package answered: {"p": pattern, "e":
 * error, "t": [[text, matches], ...]}. */
#include "crd/pattern.h"
#include "registry/recorded_fixture.h"

static const char *file = "apiserver/crd/testdata/patterns.jsonl";

/* How many of the case's answers are wrong. */
static int case_check(arena *a, const val *c) {
  slice text = val_get_str(c, "p"), want = val_get_str(c, "e"), error = SLICE_LIT("");
  const pattern *p = pattern_compile(a, text, &error);
  const val *texts = val_getc(c, "t");
  if (!slice_eq(want, error)) {
    print_error("%.*s\n  want: %.*s\n  got:  %.*s\n", SLICE_ARG(text), SLICE_ARG(want),
                SLICE_ARG(error));
    return 1;
  }
  int wrong = 0;
  for (uint32_t i = 0; p && i < val_len(texts); i++) {
    slice t = val_str(val_at(val_at(texts, i), 0));
    bool match = val_true(val_at(val_at(texts, i), 1));
    if (pattern_matches(p, t) == match) continue;
    print_error("%.*s on \"%.*s\": want %d\n", SLICE_ARG(text), SLICE_ARG(t), match);
    wrong++;
  }
  return wrong;
}

static void patterns_answer_as_go(void **state) {
  (void)state;
  recorded_check(fopen(file, "r"), 101, case_check);
}

/* Hostile ones end, in memory that is bounded; a backtracking machine would not end. */
static void hostile_patterns_stay_linear(void **state) {
  static const char *const hostile[] = {
      "(a+)+$",  "(a|aa)+$", "(a*)*b",  "^(([a-z])+.)+[A-Z]([a-z])+$",
      "(x+x+)+y", "(.*a){20}b", "((a?){30}){20}a{30}c",
  };
  (void)state;
  char text[20001];
  memset(text, 'a', 20000);
  text[20000] = '!';
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    arena *a = arena_create();
    slice error = SLICE_LIT("");
    const pattern *p = pattern_compile(a, slice_cstr(hostile[i]), &error);
    assert_non_null(p);
    assert_false(pattern_matches(p, slice_of(text, sizeof text)));
    assert_true(arena_size(a) < 16u << 20);
    arena_destroy(a);
  }
}

static void large_patterns_are_refused(void **state) {
  (void)state;
  arena *a = arena_create();
  slice error = SLICE_LIT("");
  assert_null(pattern_compile(a, SLICE_LIT("(\\pL{1000}.{1000}){1000}"), &error));
  assert_true(slice_has_prefix(error, SLICE_LIT("error parsing regexp: invalid repeat count")));
  char deep[4001];
  memset(deep, '(', 2000);
  memset(deep + 2000, ')', 2000);
  assert_null(pattern_compile(a, slice_of(deep, 4000), &error));
  assert_true(slice_has_prefix(error, SLICE_LIT("error parsing regexp: expression nests too")));
  arena_destroy(a);
}

int main(int argc, char **argv) {
  if (argc > 1) file = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(patterns_answer_as_go),
      cmocka_unit_test(hostile_patterns_stay_linear),
      cmocka_unit_test(large_patterns_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
