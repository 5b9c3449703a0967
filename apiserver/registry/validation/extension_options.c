/* Which rules an update must keep: those that the stored object keeps. Source:
 * apiextensions-apiserver pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionUpdate). */
#include "registry/validation/checks.h"
#include "registry/validation/extension_internal.h"
#include "registry/object.h"

static bool has_odd_type(const val *s, void *ctx) {
  static const char *const types[] = {"array",  "boolean", "integer", "number",
                                      "object", "string",  NULL};
  slice type = val_get_str(s, "type");
  (void)ctx;
  return type.len && !str_in(type, types);
}

static bool has_extension(const val *s, void *ctx) {
  static const char *const names[] = {
      "x-kubernetes-embedded-resource", "x-kubernetes-preserve-unknown-fields",
      "x-kubernetes-int-or-string",     "x-kubernetes-list-map-keys",
      "x-kubernetes-list-type",         "x-kubernetes-validations"};
  (void)ctx;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (val_getc(s, names[i])) return true;
  return false;
}

/* Whether the schema of one version is structural, and then whether its defaults are pruned. */
static void structure_weigh(arena *a, const val *schema, crd_options *o) {
  field_errors found = {.a = a};
  slice error;
  structural_schema *s = structural_create(a, schema, &error);
  path root = path_root("openAPIV3Schema");
  if (s) crd_structure_check(&found, &root, s->root);
  if (!s || found.count) o->structural = false;
  else if (!crd_defaults_are_pruned(a, s->root)) o->pruned_defaults = false;
  structural_destroy(s);
}

static bool knows_review(const val *crd) {
  const val *list = val_path(crd, "spec.conversion.webhook.conversionReviewVersions");
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice name = val_str(val_at(list, i));
    if (slice_is(name, "v1") || slice_is(name, "v1beta1")) return true;
  }
  return val_len(list) == 0;
}

crd_options crd_options_of(arena *a, const val *obj, const val *old) {
  crd_options o = {true, true, true, true, true, true, true, true};
  const val *versions = val_path(old, "spec.versions"), *now = val_path(obj, "spec.versions");
  if (!old) return o;
  slice ca = val_get_str(val_path(old, "spec.conversion.webhook.clientConfig"), "caBundle");
  o.any_ca = !condition_true(val_path(old, "status.conditions"), "Established") ||
             (ca.len && crd_ca_problem(a, ca));
  o.known_review = knows_review(old);
  for (uint32_t i = 0; i < val_len(versions); i++) {
    const val *schema = val_path(val_at(versions, i), "schema.openAPIV3Schema");
    if (!schema) {
      o.need_schema = false;
      continue;
    }
    structure_weigh(a, schema, &o);
    if (crd_schemas_any(schema, has_odd_type, NULL)) o.known_types = false;
    if (crd_schemas_any(schema, crd_set_items_loose, NULL)) o.atomic_sets = false;
    if (crd_schemas_any(schema, crd_keys_loose, a)) o.whole_keys = false;
  }
  for (uint32_t i = 0; i < val_len(now); i++)
    if (crd_schemas_any(val_path(val_at(now, i), "schema.openAPIV3Schema"), has_extension, NULL))
      o.structural = true;
  return o;
}
