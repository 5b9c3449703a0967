/* Fuzz target: a schema of custom resources and an object, two JSON documents with a newline
 * between them. Oracles: what the CRD's validation lets pass can be used; pruning and defaulting
 * are fixed points; an object equal to the old one has no more errors than it had; strict reports
 * name what went. */
#include "fuzz/fuzz.h"

#include "crd/structural.h"
#include "registry/validation/extension_internal.h"

FUZZ_TARGET(FUZZ_BYTES);

#define SCHEMA_TYPE "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
#define INPUT_MAX ((size_t)1 << 16)

static void crd_check(arena *a, const val *schema, bool usable) {
  field_errors errs = {.a = a};
  crd_options all = crd_options_of(a, NULL, NULL);
  path spec = path_root("spec"), p = path_child(&spec, "validation");
  crd_schema_check(&errs, &p, schema, false, &all);
  CHECK(usable || errs.count);
  crd_schema_check(&errs, &p, schema, true, &all);
}

/* What was done once changes nothing when it is done again. */
static void fixed_points(arena *a, const structural *s, val *obj) {
  structural_unknown unknown = {.a = a};
  slice error = SLICE_NONE;
  val *again = val_copy(a, obj);
  CHECK(structural_coerce(a, s, again, false, false, &unknown, &error));
  CHECK(unknown.count == 0);
  CHECK_SAME(fuzz_json_any(a, obj, true), fuzz_json_any(a, again, true));
  structural_default(a, s, obj);
  again = val_copy(a, obj);
  structural_default(a, s, again);
  CHECK_SAME(fuzz_json_any(a, obj, true), fuzz_json_any(a, again, true));
}

static void validate(arena *a, const structural *s, const val *obj) {
  field_errors create = {.a = a}, update = {.a = a};
  structural_validate(&create, NULL, s, obj, NULL);
  structural_validate(&update, NULL, s, obj, val_copy(a, obj));
  CHECK(update.count <= create.count);
  structural_validate_embedded(&update, NULL, s, obj, true);
  structural_validate_lists(&update, NULL, s, obj, NULL);
  structural_validate_lists(&update, NULL, s, obj, obj);
  for (uint32_t i = 0; i < update.count; i++) CHECK(update.items[i].message.len > 0);
}

static void object_check(arena *a, const structural *s, slice text) {
  structural_unknown unknown = {.a = a};
  slice error = SLICE_NONE;
  val *obj = json_parse(a, text, NULL, &error);
  if (!val_is_map(obj)) return;
  slice before = fuzz_json_any(a, obj, true);
  val *kept = val_copy(a, obj);
  if (!structural_coerce(a, s, obj, false, false, &unknown, &error)) {
    CHECK(error.len > 0);
    CHECK(structural_coerce(a, s, kept, true, false, NULL, &error) || error.len);
    return;
  }
  if (unknown.count) CHECK(!slice_eq(before, fuzz_json_any(a, obj, true)));
  fixed_points(a, s, obj);
  validate(a, s, obj);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  slice first, second, error = SLICE_NONE;
  if (size > INPUT_MAX) return 0;
  char *bytes = malloc(size ? size : 1);
  if (size) memcpy(bytes, data, size);
  slice_cut(slice_of(bytes, size), '\n', &first, &second);
  arena *a = arena_create();
  val *schema = fuzz_typed(a, first, schema_type(SLICE_LIT(SCHEMA_TYPE)));
  if (schema) {
    structural_schema *s = structural_create(a, schema, &error);
    CHECK(s || error.len);
    crd_check(a, schema, s != NULL);
    if (s) object_check(a, s->root, second);
    structural_destroy(s);
  }
  arena_destroy(a);
  free(bytes);
  return 0;
}
