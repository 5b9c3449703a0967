/* JSON's 318 well-known parsing cases: accepted or refused, with the value and the words, as
 * sigs.k8s.io/json does. The facts stand in conformance/codec/json_suite.txt. */
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static unsigned digit(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }

/* "5b5d", "5b*3" or "-". */
static slice unhex(arena *a, slice text) {
  slice hex, times;
  long long n = 1;
  slice_cut(text, '*', &hex, &times);
  if (times.len) assert_true(slice_to_i64(times, &n));
  if (slice_is(hex, "-")) return SLICE_LIT("");
  size_t one = hex.len / 2;
  char *out = arena_alloc(a, one * (size_t)n + 1);
  for (size_t i = 0; i < one * (size_t)n; i++) {
    const char *h = hex.ptr + i % one * 2;
    out[i] = (char)(digit(h[0]) << 4 | digit(h[1]));
  }
  return slice_of(out, one * (size_t)n);
}

static bool check(arena *a, slice line) {
  slice name, verdict, input, want, error = SLICE_NONE;
  slice_cut(line, ' ', &name, &line);
  slice_cut(line, ' ', &verdict, &line);
  slice_cut(line, ' ', &input, &want);
  bool accept = slice_is(verdict, "accept");
  val *v = json_parse(a, unhex(a, input), NULL, &error);
  slice got = error;
  if (v) {
    buf out;
    buf_init(&out, 1 << 20);
    json_encode_any(&out, v, true);
    got = arena_copy(a, buf_slice(&out));
    buf_dispose(&out);
  }
  if (accept) want = unhex(a, want);
  if (accept == (v != NULL) && slice_eq(got, want)) return true;
  print_error("%.*s: want %.*s %.*s\n  got %s %.*s\n", SLICE_ARG(name), SLICE_ARG(verdict), SLICE_ARG(want),
              v ? "accept" : "reject", SLICE_ARG(got));
  return false;
}

static void all_cases(void **state) {
  (void)state;
  FILE *f = fopen("conformance/codec/json_suite.txt", "rb");
  assert_non_null(f);
  char *line = NULL;
  size_t cap = 0;
  int count = 0, bad = 0;
  for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
    if (line[0] == '#') continue;
    arena *a = arena_create();
    bad += !check(a, slice_of(line, (size_t)n - (line[n - 1] == '\n')));
    arena_destroy(a);
    count++;
  }
  free(line);
  fclose(f);
  assert_int_equal(count, 318);
  assert_int_equal(bad, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
