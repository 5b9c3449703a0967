/* The simple paths of definitions, and which version of a group goes first. */
#include "codec/codec.h"
#include "crd/crd.h"
#include "crd/crd_object.h"
#include "crd/crd_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char OBJECT[] =
    "{\"spec\":{\"a.b\":1,\"list\":[{\"n\":\"x\",\"v\":5},{\"n\":\"y\",\"v\":6}],"
    "\"m\":{\"k\":true}},"
    "\"status\":{\"conditions\":[{\"type\":\"Other\",\"status\":\"F\"},"
    "{\"type\":\"Ready\",\"status\":\"T\"}]}}";

static void test_paths(void **state) {
  static const struct {
    const char *path, *found; /* as JSON; NULL: nothing */
  } cases[] = {
      {".spec.m.k", "true"},
      {".spec.a\\.b", "1"},
      {".spec['a.b']", "1"},
      {".spec.list[1].v", "6"},
      {".spec.list[-1].n", "\"y\""},
      {".spec.list[*].n", "\"x\""},
      {".spec.list[0:1].n", "\"x\""},
      {".status.conditions[?(@.type==\"Ready\")].status", "\"T\""},
      {".status.conditions[?(@.type=='Ready')].status", "\"T\""},
      {".status.conditions[?(@.type!=\"Other\")].status", "\"T\""},
      {".spec.list[?(@.v==6)].n", "\"y\""},
      {".status.conditions[?(@.type==\"None\")].status", NULL},
      {".spec.list[7]", NULL},
      {".spec.none.x", NULL},
      {".spec.list[", NULL},
      {"spec.m.k", "true"},
  };
  arena *a = arena_create();
  slice error;
  val *obj = json_parse(a, SLICE_LIT(OBJECT), NULL, &error);
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const val *v = crd_path_first(obj, slice_cstr(cases[i].path));
    buf b;
    buf_init(&b, 1 << 10);
    if (v) json_encode_any(&b, v, true);
    const char *found = v ? arena_cstr(a, buf_slice(&b)) : NULL;
    if (!cases[i].found) assert_null(found);
    else assert_string_equal(found, cases[i].found);
    buf_dispose(&b);
  }
  arena_destroy(a);
}

static void test_versions(void **state) {
  static const char *const order[] = {"v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1",
                                      "v12alpha1", "v11alpha2", "foo1", "foo10"};
  (void)state;
  for (size_t i = 0; i + 1 < sizeof order / sizeof *order; i++) {
    slice x = slice_cstr(order[i]), y = slice_cstr(order[i + 1]);
    assert_true(crd_version_order(x, y) < 0);
    assert_true(crd_version_order(y, x) > 0);
    assert_int_equal(crd_version_order(x, x), 0);
  }
}

static void test_keys(void **state) {
  (void)state;
  assert_true(crd_is_key(SLICE_LIT("/registry/a.b/things/x")));
  assert_true(crd_is_key(SLICE_LIT("/registry/a.b/things/ns/x")));
  assert_false(crd_is_key(SLICE_LIT("/registry/pods/ns/x")));
  assert_false(crd_is_key(SLICE_LIT("/registry/a.b/things/")));
  assert_false(crd_is_key(SLICE_LIT("/registry/a.b/x")));
  assert_true(slice_is(crd_key_group(SLICE_LIT("/registry/a.b/things/ns/x")), "a.b"));
  assert_true(slice_is(crd_key_resource(SLICE_LIT("/registry/a.b/things/ns/x")), "things"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_versions),
                                     cmocka_unit_test(test_keys)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
