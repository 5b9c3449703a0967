/* Values under schemas against testdata/values.jsonl, which testdata/record.py recorded from the
 * real server; and what no fixture can say. */
#include "crd/structural.h"
#include "registry/recorded_fixture.h"

#define HEAD "Case in version \"v1\" cannot be handled as a Case: "

static bool own_file; /* given as the argument: what a hunt recorded */
static const char *file = "apiserver/crd/testdata/values.jsonl";

static val *parsed(arena *a, const char *text) {
  slice error;
  val *v = json_parse(a, slice_cstr(text), NULL, &error);
  assert_non_null(v);
  return v;
}

static structural_schema *schema_of(arena *a, val *property) {
  slice error = SLICE_NONE;
  val *schema = parsed(a, "{\"type\": \"object\", \"properties\": {}}");
  val_setc(a, val_getc(schema, "properties"), "f", property);
  structural_schema *s = structural_create(a, schema, &error);
  if (!s) print_error("%.*s\n", SLICE_ARG(error));
  assert_non_null(s);
  return s;
}

static val *object_of(arena *a, const val *value) {
  val *obj = parsed(
      a, "{\"apiVersion\": \"g/v1\", \"kind\": \"K\", \"metadata\": {\"name\": \"n\"}}");
  val_setc(a, obj, "f", val_copy(a, value));
  return obj;
}

static val *made_ready(arena *a, const structural *s, const val *value, structural_unknown *unknown,
                       slice *error) {
  val *obj = object_of(a, value);
  *error = SLICE_NONE;
  if (!structural_coerce(a, s, obj, false, false, unknown, error)) return NULL;
  structural_default(a, s, obj);
  return obj;
}

/* As it comes back from the store, where 3.0 is 3. */
static val *stored(arena *a, const val *obj) {
  slice error;
  return json_parse(a, json_text(a, obj, true), NULL, &error);
}

static bool same(arena *a, const val *c, const char *what, slice want, slice got) {
  if (slice_eq(want, got)) return true;
  slice text = json_text(a, c, true);
  print_error("%.*s\n  %s: want %.*s\n  got %.*s\n", SLICE_ARG(text), what, SLICE_ARG(want),
              SLICE_ARG(got));
  return false;
}

static slice list_text(arena *a, const val *c, const char *name) {
  const val *list = val_getc(c, name);
  return list ? json_text(a, list, true) : SLICE_LIT("[]");
}

static bool case_holds(arena *a, const val *c) {
  structural_schema *schema = schema_of(a, val_getc(c, "s"));
  structural_unknown unknown = {.a = a};
  field_errors errs = {.a = a};
  slice error, want_error = val_get_str(c, "error");
  const val *old_value = val_getc(c, "old");
  val *obj = made_ready(a, schema->root, val_getc(c, "v"), &unknown, &error), *old = NULL;
  bool good = true;
  if (!obj || want_error.len) {
    good = same(a, c, "error", slice_from(want_error, strlen(HEAD)), error);
    structural_destroy(schema);
    return good;
  }
  val *names = val_list(a);
  for (uint32_t i = 0; i < unknown.count; i++)
    val_append(a, names, val_string(a, unknown.paths[i]));
  slice told = json_text(a, names, true);
  if (!old_value) good = same(a, c, "unknown", list_text(a, c, "unknown"), told);
  if (old_value) old = stored(a, made_ready(a, schema->root, old_value, NULL, &error));
  structural_validate(&errs, NULL, schema->root, obj, old);
  structural_validate_embedded(&errs, NULL, schema->root, obj, false);
  structural_validate_lists(&errs, NULL, schema->root, obj, old);
  val *causes = recorded_causes(a, &errs);
  good &= same(a, c, "causes", list_text(a, c, "causes"), json_text(a, causes, true));
  if (!val_getc(c, "causes")) {
    const val *out = val_getc(obj, "f");
    good &= same(a, c, "out", json_text(a, val_getc(c, "out"), true), json_text(a, out, true));
  }
  structural_destroy(schema);
  return good;
}

static int case_wrong(arena *a, const val *c) { return !case_holds(a, c); }

static void values_fare_as_recorded(void **state) {
  (void)state;
  recorded_check(fopen(file, "r"), own_file ? 1 : 600, case_wrong);
}

/* Thousands of large patterns: the schema stays small, and they are still checked. */
static void many_patterns_take_bounded_memory(void **state) {
  (void)state;
  arena *a = arena_create();
  slice error = SLICE_NONE;
  val *schema = parsed(a, "{\"type\": \"object\", \"properties\": {}}"),
      *props = val_getc(schema, "properties");
  for (int i = 0; i < 5000; i++) {
    val *text = parsed(a, "{\"type\": \"string\", \"pattern\": \"^\\\\pL{900}$\", "
                          "\"format\": \"hostname\"}");
    val_set(a, props, arena_printf(a, "p%d", i), text);
  }
  structural_schema *s = structural_create(a, schema, &error);
  assert_non_null(s);
  assert_true(arena_size(s->a) < (size_t)100 << 20);
  val *obj = parsed(a, "{\"p0\": \"1\", \"p4999\": \"1\"}");
  field_errors errs = {.a = a};
  structural_validate(&errs, NULL, s->root, obj, NULL);
  assert_int_equal(errs.count, 2);
  structural_destroy(s);
  arena_destroy(a);
}

int main(int argc, char **argv) {
  own_file = argc > 1;
  if (own_file) file = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_fare_as_recorded),
      cmocka_unit_test(many_patterns_take_bounded_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
