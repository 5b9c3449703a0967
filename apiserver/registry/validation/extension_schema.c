/* Two walks, as the real server has: what makes a schema structural, then what an OpenAPI schema of
 * a custom resource may say. Source: apiextensions-apiserver pkg/apiserver/schema/validation.go,
 * pkg/apis/apiextensions/validation. Regular expressions, defaults and CEL rules are not compiled.
 */
#include "registry/validation/extension_schema.h"

#include "registry/validation/checks.h"

#define DEPTH_MAX 128

static const char *const types[] = {"array",  "boolean", "integer", "number",
                                    "object", "string",  NULL};
static const char *const list_types[] = {"atomic", "set", "map", NULL};
static const char *const map_types[] = {"atomic", "granular", NULL};

typedef enum place { PLACE_ROOT, PLACE_FIELD, PLACE_ITEM, PLACE_LOGIC } place;

static bool flag(const val *s, const char *name) { return val_true(val_getc(s, name)); }

static void type_present_check(field_errors *errs, const path *p, const val *s, place where) {
  path at = path_child(p, "type");
  slice type = val_get_str(s, "type");
  bool free =
      flag(s, "x-kubernetes-int-or-string") || flag(s, "x-kubernetes-preserve-unknown-fields");
  if (where == PLACE_ROOT) {
    if (type.len == 0)
      field_required(errs, &at, "must not be empty at the root");
    else if (!slice_is(type, "object"))
      field_invalid_str(errs, &at, type, "must be object at the root");
  } else if (where == PLACE_LOGIC) {
    if (type.len) field_forbidden(errs, &at, "must be empty to be structural");
  } else if (type.len == 0 && !free) {
    field_required(errs, &at, "must not be empty for specified %s",
                   where == PLACE_ITEM ? "array items" : "object fields");
  }
}

static void metadata_check_in(field_errors *errs, const path *p, const val *s) {
  path at = path_child(p, "type");
  slice type = val_get_str(s, "type");
  if (type.len && !slice_is(type, "object")) field_invalid_str(errs, &at, type, "must be object");
  VAL_EACH(e, val_getc(s, "properties")) {
    if (slice_is(e->key, "name") || slice_is(e->key, "generateName")) continue;
    field_forbidden(errs, p,
                    "must not specify anything other than name and generateName, but metadata is "
                    "implicitly specified");
    return;
  }
}

static void structure_check(field_errors *errs, const path *p, const val *s, place where,
                            int depth) {
  static const char *const logic[] = {"allOf", "anyOf", "oneOf"};
  if (!val_is_map(s) || depth > DEPTH_MAX) return;
  type_present_check(errs, p, s, where);
  path items = path_child(p, "items"), more = path_child(p, "additionalProperties"),
       props = path_child(p, "properties"), no = path_child(p, "not");
  place inner = where == PLACE_LOGIC ? PLACE_LOGIC : PLACE_FIELD;
  structure_check(errs, &items, val_getc(s, "items"),
                  where == PLACE_LOGIC ? PLACE_LOGIC : PLACE_ITEM, depth + 1);
  structure_check(errs, &more, val_getc(s, "additionalProperties"), inner, depth + 1);
  VAL_EACH(e, val_getc(s, "properties")) {
    path at = path_key(&props, e->key);
    if (where == PLACE_ROOT && slice_is(e->key, "metadata")) metadata_check_in(errs, &at, e->value);
    structure_check(errs, &at, e->value, inner, depth + 1);
  }
  for (size_t i = 0; i < 3; i++) {
    path list_at = path_child(p, logic[i]);
    const val *list = val_getc(s, logic[i]);
    for (uint32_t k = 0; k < val_len(list); k++) {
      path at = path_index(&list_at, k);
      structure_check(errs, &at, val_at(list, k), PLACE_LOGIC, depth + 1);
    }
  }
  structure_check(errs, &no, val_getc(s, "not"), PLACE_LOGIC, depth + 1);
}

static void list_type_check(field_errors *errs, const path *p, const val *s) {
  path list_at = path_child(p, "x-kubernetes-list-type"), type_at = path_child(p, "type"),
       keys = path_child(p, "x-kubernetes-list-map-keys"),
       map_at = path_child(p, "x-kubernetes-map-type");
  const val *list = val_getc(s, "x-kubernetes-list-type"),
            *map = val_getc(s, "x-kubernetes-map-type");
  slice type = val_get_str(s, "type");
  if (list && !slice_is(type, "array")) {
    if (type.len == 0)
      field_required(errs, &type_at, "must be array if x-kubernetes-list-type is specified");
    else
      field_invalid_str(errs, &type_at, type,
                        "must be array if x-kubernetes-list-type is specified");
  }
  if (list) enum_check(errs, &list_at, val_str(list), list_types);
  if (list && slice_is(val_str(list), "map") &&
      val_len(val_getc(s, "x-kubernetes-list-map-keys")) == 0) {
    field_required(errs, &keys, "must not be empty if x-kubernetes-list-type is map");
  }
  if (map && !slice_is(type, "object")) {
    if (type.len == 0)
      field_required(errs, &type_at, "must be object if x-kubernetes-map-type is specified");
    else
      field_invalid_str(errs, &type_at, type,
                        "must be object if x-kubernetes-map-type is specified");
  }
  if (map) enum_check(errs, &map_at, val_str(map), map_types);
}

static void openapi_check(field_errors *errs, const path *p, const val *s, int depth) {
  path type_at = path_child(p, "type"), items = path_child(p, "items"),
       unique = path_child(p, "uniqueItems"), more = path_child(p, "additionalProperties"),
       ref = path_child(p, "$ref"), props = path_child(p, "properties"),
       rules = path_child(p, "x-kubernetes-validations");
  if (!val_is_map(s) || depth > DEPTH_MAX) return;
  slice type = val_get_str(s, "type");
  if (flag(s, "uniqueItems")) {
    field_forbidden(
        errs, &unique,
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  }
  const val *extra = val_getc(s, "additionalProperties");
  if (extra && val_len(val_getc(s, "properties")) && !(val_is_bool(extra) && !val_true(extra))) {
    field_forbidden(errs, &more, "additionalProperties and properties are mutual exclusive");
  }
  openapi_check(errs, &more, extra, depth + 1);
  VAL_EACH(e, val_getc(s, "properties")) {
    path at = path_key(&props, e->key);
    openapi_check(errs, &at, e->value, depth + 1);
  }
  openapi_check(errs, &items, val_getc(s, "items"), depth + 1);
  if (type.len && !str_in(type, types))
    field_not_supported(errs, &type_at, val_string(errs->a, type), types);
  if (slice_is(type, "array") && !val_getc(s, "items"))
    field_required(errs, &items, "must be specified");
  if (val_get_str(s, "$ref").len) field_forbidden(errs, &ref, "$ref is not supported");
  list_type_check(errs, p, s);
  const val *list = val_getc(s, "x-kubernetes-validations");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&rules, i), rule = path_child(&at, "rule");
    if (slice_trim(val_get_str(val_at(list, i), "rule")).len == 0)
      field_required(errs, &rule, "rule is not specified");
  }
}

void crd_schema_check(field_errors *errs, const path *p, const val *schema) {
  structure_check(errs, p, schema, PLACE_ROOT, 0);
  openapi_check(errs, p, schema, 0);
}
