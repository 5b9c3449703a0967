/* CustomResourceDefinitions against testdata/crds.jsonl, which testdata/record_crds.py recorded
 * from the real server. */
#include "registry/recorded_fixture.h"
#include "registry/strategy_hooks.h"
#include "registry/validation/rows.h"
#include "version/version.h"

static bool own_file; /* given as the argument: what a hunt recorded */
static const char *file = "apiserver/registry/validation/testdata/crds.jsonl";

/* As the write path leaves it: typed, with its defaults. */
static val *crd_of(arena *a, const val *v, const resource_info *r) {
  slice error;
  if (!v) return NULL;
  val *crd = codec_conform(a, val_copy(a, v), r->storage->type, NULL, &error);
  assert_non_null(crd);
  version_default(a, crd, r->storage->type);
  return crd;
}

static void keep_system_fields(arena *a, val *crd, const val *old) {
  static const char *const names[] = {"uid", "creationTimestamp", "generation", "managedFields"};
  val *meta = val_getc(crd, "metadata"), *before = val_getc(old, "metadata");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (val_getc(before, names[i])) val_setc(a, meta, names[i], val_getc(before, names[i]));
  val_setc(a, crd, "status", val_copy(a, val_getc(old, "status")));
  const val *versions = val_path(crd, "spec.versions");
  val *stored = val_ensure_list(a, val_getc(crd, "status"), "storedVersions");
  for (uint32_t i = 0; i < val_len(versions); i++) { /* the strategy's part */
    val *name = val_getc(val_at(versions, i), "name");
    bool known = !val_true(val_getc(val_at(versions, i), "storage"));
    for (uint32_t k = 0; k < val_len(stored); k++)
      known = known || val_equal(val_at(stored, k), name);
    if (!known) val_append(a, stored, name);
  }
}

static bool case_holds(arena *a, const val *c) {
  const resource_info *r = schema_resource(SLICE_LIT("apiextensions.k8s.io"), SLICE_LIT("v1"),
                                           SLICE_LIT("customresourcedefinitions"));
  field_errors errs = {.a = a};
  request rq = {.arena = a};
  validate_args v = {.errs = &errs, .rq = &rq, .resource = r, .subresource = SLICE_LIT("")};
  const val *want = val_getc(c, "causes");
  if (val_getc(c, "error")) return true; /* no 422: the real server had other words, or panicked */
  v.obj = crd_of(a, val_getc(c, "crd"), r);
  v.old = crd_of(a, val_getc(c, "old"), r);
  if (v.old) keep_system_fields(a, v.obj, v.old);
  validate_crd(&v);
  slice wanted = want ? json_text(a, want, true) : SLICE_LIT("[]"),
        got = json_text(a, recorded_causes(a, &errs), true);
  if (slice_eq(wanted, got)) return true;
  slice text = json_text(a, val_path(val_getc(c, "crd"), "spec"), true);
  print_error("%.*s\n  want %.*s\n  got  %.*s\n", SLICE_ARG(text), SLICE_ARG(wanted),
              SLICE_ARG(got));
  return false;
}

static int case_wrong(arena *a, const val *c) { return !case_holds(a, c); }

static void definitions_are_checked_as_recorded(void **state) {
  (void)state;
  recorded_check(fopen(file, "r"), own_file ? 1 : 250, case_wrong);
}

static void unknown_formats_are_warned_of(void **state) {
  static const char text[] =
      "{\"spec\": {\"versions\": [{\"schema\": {\"openAPIV3Schema\": {\"type\": \"object\", "
      "\"properties\": {\"a\": {\"type\": \"string\", \"format\": \"foo\"}, \"b\": {\"type\": \"integer\", "
      "\"format\": \"int32\"}, \"c\": {\"type\": \"object\", \"format\": \"uri\"}}}}}]}}";
  (void)state;
  arena *a = arena_create();
  slice error;
  val *crd = json_parse(a, slice_cstr(text), NULL, &error);
  request rq = {.arena = a}, again = {.arena = a};
  crd_formats_warn(&rq, crd, NULL);
  assert_int_equal(rq.warning_count, 2);
  assert_true(slice_is(rq.warnings[0], "unrecognized format \"foo\""));
  assert_true(slice_is(rq.warnings[1], "unrecognized format \"uri\""));
  crd_formats_warn(&again, crd, crd);
  assert_int_equal(again.warning_count, 0);
  arena_destroy(a);
}

int main(int argc, char **argv) {
  own_file = argc > 1;
  if (own_file) file = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(definitions_are_checked_as_recorded),
      cmocka_unit_test(unknown_formats_are_warned_of),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
