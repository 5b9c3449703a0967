/* Differences: found where they are, at the level they are. */
#include "sim/replay/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define UID_A "11111111-1111-4111-8111-111111111111"
#define UID_B "22222222-2222-4222-8222-222222222222"

typedef struct row {
  const char *expected, *actual;
  const char *json_path; /* of the only JSON difference; NULL: alike */
  const char *bytes_path; /* of the only difference in bytes; NULL: alike */
} row;

static const row rows[] = {
    {"{\"a\":1}", "{\"a\":1}", NULL, NULL},
    {"{\"a\":1}\n", "{\"a\":1}", NULL, "$"},
    {"{\"a\":1}", "{\"a\": 1}", NULL, "$.a"},
    {"{\"a\":1}", "{\"a\":2}", "$.a", NULL},
    {"{\"a\":1}", "{\"a\":\"1\"}", "$.a", NULL},
    {"{\"a\":1}", "{}", "$.a", NULL},
    {"{}", "{\"a\":1}", "$.a", NULL},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", NULL, "$"},
    {"[1,2]", "[1]", "$[1]", NULL},
    {"[1]", "[1,2]", "$[1]", NULL},
    {"{\"a.b/c\":[{\"x\":true}]}", "{\"a.b/c\":[{\"x\":false}]}", "$[\"a.b/c\"][0].x", NULL},
    {"{\"a\":\"<\"}", "{\"a\":\"\\u003c\"}", NULL, "$.a"},
    {"{\"a\":null}", "{\"a\":{}}", "$.a", NULL},
    {"{\"a\":{}}", "{\"a\":{ }}", NULL, "$.a"},
    {"plain", "plain", NULL, NULL},
    {"plain", "other", "$", NULL},
    {"{\"a\":1}", "not json", "$", NULL},
    {"{\"uid\":\"" UID_A "\"}", "{\"uid\":\"" UID_B "\"}", NULL, NULL},
    {"[\"" UID_A "\",\"" UID_A "\"]", "[\"" UID_B "\",\"" UID_A "\"]", "$[1]", NULL},
    {"{\"cells\":[\"a\",\"5s\"]}", "{\"cells\":[\"a\",\"2m3s\"]}", NULL, NULL},
    {"{\"cells\":[\"a\",\"5\"]}", "{\"cells\":[\"a\",\"6\"]}", "$.cells[1]", NULL},
    {"{\"age\":\"5s\"}", "{\"age\":\"6s\"}", "$.age", NULL},
    {"{\"columnDefinitions\":[{\"name\":\"A\",\"description\":\"x\"}]}",
     "{\"columnDefinitions\":[{\"name\":\"A\",\"description\":\"\"}]}", NULL, NULL},
    {"{\"description\":\"x\"}", "{\"description\":\"\"}", "$.description", NULL},
    {"{\"managedFields\":[{\"manager\":\"a\"},{\"manager\":\"b\"}]}",
     "{\"managedFields\":[{\"manager\":\"b\"},{\"manager\":\"a\"}]}", NULL, NULL},
    {"{\"managedFields\":[{\"manager\":\"a\"}]}", "{\"managedFields\":[{\"manager\":\"c\"}]}",
     "$.managedFields[0].manager", NULL},
    {"{\"metadata\":{\"generateName\":\"j-\",\"name\":\"j-bbbbb\"}}",
     "{\"metadata\":{\"generateName\":\"j-\",\"name\":\"j-ccccc\"}}", NULL, NULL},
    {"{\"metadata\":{\"name\":\"j-bbbbb\"}}", "{\"metadata\":{\"name\":\"j-ccccc\"}}",
     "$.metadata.name", NULL},
    {"{\"nodePort\":30001}", "{\"nodePort\":30002}", NULL, NULL},
    {"{\"port\":30001}", "{\"port\":30002}", "$.port", NULL},
};

static const difference *only(const diff *d, diff_level level) {
  const difference *found = NULL;
  for (uint32_t i = 0; i < d->count; i++) {
    if (d->items[i].level == level) {
      assert_null(found);
      found = &d->items[i];
    }
  }
  return found;
}

static void check_path(const difference *found, const char *path) {
  if (!path) {
    assert_null(found);
    return;
  }
  assert_non_null(found);
  assert_string_equal(found->path.ptr, path);
}

static void each_row(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    arena *a = arena_create();
    pairing *p = pairing_create(a);
    diff d;
    diff_init(&d, a, p);
    diff_bodies(&d, "$", slice_cstr(rows[i].expected), slice_cstr(rows[i].actual));
    print_message("%s | %s\n", rows[i].expected, rows[i].actual);
    check_path(only(&d, DIFF_JSON), rows[i].json_path);
    check_path(only(&d, DIFF_BYTES), rows[i].bytes_path);
    diff_dispose(&d);
    pairing_destroy(p);
    arena_destroy(a);
  }
}

/* What the real server orders at random is not scored, but only if nothing else differs. */
static void shuffled_causes(void **state) {
  (void)state;
#define CAUSES(x, y) "{\"kind\":\"Status\",\"details\":{\"causes\":[{\"field\":\"" x \
                     "\"},{\"field\":\"" y "\"}]}}"
  arena *a = arena_create();
  pairing *p = pairing_create(a);
  diff d;
  diff_init(&d, a, p);
  diff_bodies(&d, "$", slice_cstr(CAUSES("a", "b")), slice_cstr(CAUSES("b", "a")));
  assert_true(d.unscored);
  d.unscored = false;
  diff_bodies(&d, "$", slice_cstr(CAUSES("a", "b")), slice_cstr(CAUSES("b", "c")));
  assert_false(d.unscored);
  assert_false(diff_equal(&d, DIFF_JSON));
  diff_dispose(&d);
  pairing_destroy(p);
  arena_destroy(a);
}

static void broken_json_is_text(void **state) {
  (void)state;
  static const char *const broken[] = {"{", "[1,", "{\"a\"}", "\"x", "{\"a\":1}}", "\"\\u12\"",
                                       "[1 2]", "tru", "", "\"\\x\""};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    arena *a = arena_create();
    assert_null(jtree_parse(a, slice_cstr(broken[i])));
    arena_destroy(a);
  }
}

static void depth_is_bounded(void **state) {
  (void)state;
  static char deep[100000];
  memset(deep, '[', sizeof deep);
  arena *a = arena_create();
  assert_null(jtree_parse(a, slice_of(deep, sizeof deep)));
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_row),
      cmocka_unit_test(shuffled_causes),
      cmocka_unit_test(broken_json_is_text),
      cmocka_unit_test(depth_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
