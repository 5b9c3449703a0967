/* What an OpenAPI schema of a custom resource may say. Source: apiextensions-apiserver
 * pkg/apis/apiextensions/validation. CEL rules are looked at as texts, not compiled. */
#include "base/limits.h"
#include "registry/validation/checks.h"
#include "registry/validation/extension_internal.h"

static const char *const types[] = {"array",  "boolean", "integer", "number",
                                    "object", "string",  NULL};
static const char *const list_types[] = {"atomic", "set", "map", NULL};
static const char *const map_types[] = {"atomic", "granular", NULL};
static const char *const reasons[] = {"FieldValueDuplicate", "FieldValueForbidden",
                                      "FieldValueInvalid", "FieldValueRequired", NULL};

/* What holds where a schema stands. */
typedef struct scope {
  const crd_options *o;
  const char *no_defaults; /* why defaults are not allowed here; NULL: they are */
  bool in_meta, root;
  unsigned depth;
} scope;

static void check(field_errors *errs, const path *p, const val *s, scope in);

static bool flag(const val *s, const char *name) { return val_true(val_getc(s, name)); }

static void forbid(field_errors *errs, const path *p, const char *field, const char *why) {
  path at = path_child(p, field);
  field_forbidden(errs, &at, "%s", why);
}

static void words_check(field_errors *errs, const path *p, const val *s, const scope *in) {
  static const struct {
    const char *field, *why;
    bool even_empty;
  } never[] = {{"id", "id is not supported", false},
               {"additionalItems", "additionalItems is not supported", true},
               {"patternProperties", "patternProperties is not supported", false},
               {"definitions", "definitions is not supported", false},
               {"dependencies", "dependencies is not supported", true},
               {"$ref", "$ref is not supported", true}};
  path type_at = path_child(p, "type"), deflt = path_child(p, "default");
  slice type = val_get_str(s, "type");
  const val *items = val_getc(s, "items"), *value = val_getc(s, "default");
  if (in->o->known_types && type.len && !str_in(type, types))
    field_not_supported_text(errs, &type_at, type, types);
  if (value && !val_is_null(value) && in->no_defaults)
    field_forbidden(errs, &deflt, "must not be set %s", in->no_defaults);
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
    const val *v = val_getc(s, never[i].field);
    if (v && (never[i].even_empty || !val_is_empty(v)))
      forbid(errs, p, never[i].field, never[i].why);
  }
  if (slice_is(type, "null"))
    field_forbidden(errs, &type_at, "type cannot be set to null, use nullable as an alternative");
  if (val_is_list(items) && val_len(items))
    forbid(errs, p, "items", "items must be a schema object and not an array");
  if (in->in_meta && flag(s, "x-kubernetes-embedded-resource"))
    forbid(errs, p, "x-kubernetes-embedded-resource", "must not be used inside of resource meta");
  if (flag(s, "uniqueItems"))
    forbid(errs, p, "uniqueItems",
           "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
}

static void list_check(field_errors *errs, const path *p, const val *s, const char *name,
                       scope in) {
  path all = path_child(p, name);
  const val *list = val_getc(s, name);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&all, i);
    check(errs, &at, val_at(list, i), in);
  }
}

static void map_check(field_errors *errs, const path *p, const val *s, const char *name,
                      scope in) {
  path all = path_child(p, name);
  VAL_EACH(e, val_getc(s, name)) {
    path at = path_key(&all, e->key);
    if (val_is_map(e->value)) check(errs, &at, e->value, in);
  }
}

static void properties_check(field_errors *errs, const path *p, const val *s, const scope *in) {
  path props = path_child(p, "properties");
  VAL_EACH(e, val_getc(s, "properties")) {
    path at = path_key(&props, e->key);
    scope below = *in;
    bool meta = slice_is(e->key, "metadata") || slice_is(e->key, "kind") ||
                slice_is(e->key, "apiVersion");
    below.root = false;
    if (meta && (in->root || flag(s, "x-kubernetes-embedded-resource"))) {
      below.in_meta = true;
      if (in->root)
        below.no_defaults = arena_printf(errs->a, "in top-level %.*s", SLICE_ARG(e->key)).ptr;
    }
    check(errs, &at, e->value, below);
  }
}

static void parts_check(field_errors *errs, const path *p, const val *s, const scope *in) {
  path more = path_child(p, "additionalProperties"), no = path_child(p, "not"),
       items_at = path_child(p, "items");
  const val *extra = val_getc(s, "additionalProperties"), *items = val_getc(s, "items");
  scope below = *in;
  below.root = false;
  if (extra && val_len(val_getc(s, "properties")) && !val_true(extra))
    field_forbidden(errs, &more, "additionalProperties and properties are mutual exclusive");
  if (val_is_map(extra)) {
    scope inner = below;
    if (in->in_meta)
      inner.no_defaults = "inside additionalProperties applying to object metadata";
    check(errs, &more, extra, inner);
  }
  properties_check(errs, p, s, in);
  if (val_is_map(val_getc(s, "not"))) check(errs, &no, val_getc(s, "not"), below);
  list_check(errs, p, s, "allOf", below);
  list_check(errs, p, s, "oneOf", below);
  list_check(errs, p, s, "anyOf", below);
  map_check(errs, p, s, "definitions", below);
  if (val_is_map(items)) check(errs, &items_at, items, below);
  if (val_is_list(items)) list_check(errs, p, s, "items", below);
  map_check(errs, p, s, "dependencies", below);
}

/* "must be array if ...". */
static void type_must(field_errors *errs, const path *p, slice type, const char *want,
                      const char *why) {
  path at = path_child(p, "type");
  if (slice_is(type, want)) return;
  if (type.len == 0) field_required(errs, &at, "must be %s %s", want, why);
  else field_invalid_str(errs, &at, type, "must be %s %s", want, why);
}

bool crd_set_items_loose(const val *s, void *ctx) {
  (void)ctx;
  const val *items = val_getc(s, "items");
  slice type = val_get_str(items, "type"), list = val_get_str(items, "x-kubernetes-list-type");
  if (!slice_is(val_get_str(s, "x-kubernetes-list-type"), "set") || !val_is_map(items))
    return false;
  if (slice_is(type, "array"))
    return val_getc(items, "x-kubernetes-list-type") && !slice_is(list, "atomic");
  return slice_is(type, "object") &&
         !slice_is(val_get_str(items, "x-kubernetes-map-type"), "atomic");
}

static void set_items_check(field_errors *errs, const path *p, const val *s) {
  static const char why[] = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const val *items = val_getc(s, "items"), *list = val_getc(items, "x-kubernetes-list-type");
  bool array = slice_is(val_get_str(items, "type"), "array");
  path at = path_child(p, "items"),
       type = path_child(&at, array ? "x-kubernetes-list-type" : "x-kubernetes-map-type");
  if (!crd_set_items_loose(s, NULL)) return;
  /* A pointer to Go: it is shown as JSON. The real server shows the list's type of both. */
  if (list) field_invalid_named(errs, &type, val_str(list), "%s", why);
  else field_invalid(errs, &type, NULL, "%s", why);
}

static void keys_exist_check(field_errors *errs, const path *p, const val *s) {
  path items_at = path_child(p, "items"), props_at = path_child(&items_at, "properties"),
       keys_at = path_child(p, "x-kubernetes-list-map-keys");
  const val *items = val_getc(s, "items"), *keys = val_getc(s, "x-kubernetes-list-map-keys");
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(keys); i++) {
    slice key = val_str(val_at(keys, i));
    path prop = path_key(&props_at, key), type_at = path_child(&prop, "type");
    const val *property = val_get(val_getc(items, "properties"), key);
    slice type = val_get_str(property, "type");
    if (!property)
      field_invalid(errs, &keys_at, keys, "entries must all be names of item properties");
    else if (slice_is(type, "array") || slice_is(type, "object"))
      field_invalid_str(errs, &type_at, val_get_str(items, "type"),
                        "must be a scalar type if parent array's x-kubernetes-list-type is map");
    if (seen_before(errs->a, seen, key))
      field_invalid(errs, &keys_at, keys, "must not contain duplicate entries");
  }
}

static void map_list_check(field_errors *errs, const path *p, const val *s) {
  path items_at = path_child(p, "items"), type = path_child(&items_at, "type"),
       keys_at = path_child(p, "x-kubernetes-list-map-keys");
  const val *items = val_getc(s, "items");
  if (!val_len(val_getc(s, "x-kubernetes-list-map-keys")))
    field_required(errs, &keys_at, "must not be empty if x-kubernetes-list-type is map");
  if (!items || val_is_null(items)) {
    field_required(errs, &items_at, "must have a schema if x-kubernetes-list-type is map");
  } else if (val_is_map(items) && !slice_is(val_get_str(items, "type"), "object")) {
    field_invalid_str(errs, &type, val_get_str(items, "type"),
                      "must be object if parent array's x-kubernetes-list-type is map");
  } else if (val_is_map(items)) {
    keys_exist_check(errs, p, s);
  }
}

static void topology_check(field_errors *errs, const path *p, const val *s, const scope *in) {
  path map_at = path_child(p, "x-kubernetes-map-type"),
       list_at = path_child(p, "x-kubernetes-list-type"),
       keep = path_child(p, "x-kubernetes-preserve-unknown-fields");
  const val *map = val_getc(s, "x-kubernetes-map-type"),
            *list = val_getc(s, "x-kubernetes-list-type"),
            *preserve = val_getc(s, "x-kubernetes-preserve-unknown-fields");
  slice type = val_get_str(s, "type"), kind = val_str(list);
  if (val_is_bool(preserve) && !val_true(preserve))
    field_invalid(errs, &keep, preserve, "must be true or undefined");
  if (map) type_must(errs, p, type, "object", "if x-kubernetes-map-type is specified");
  if (map && !str_in(val_str(map), map_types))
    field_not_supported_text(errs, &map_at, val_str(map), map_types);
  if (list && !slice_is(type, "array"))
    type_must(errs, p, type, "array", "if x-kubernetes-list-type is specified");
  else if (in->o->atomic_sets)
    set_items_check(errs, p, s);
  if (list && !str_in(kind, list_types))
    field_not_supported_text(errs, &list_at, kind, list_types);
  if (val_len(val_getc(s, "x-kubernetes-list-map-keys")) && !slice_is(kind, "map")) {
    static const char why[] = "must be map if x-kubernetes-list-map-keys is non-empty";
    if (!list) field_required(errs, &list_at, "%s", why);
    else field_invalid_str(errs, &list_at, kind, "%s", why);
  }
  if (slice_is(kind, "map")) map_list_check(errs, p, s);
  if (in->o->whole_keys) crd_keys_check(errs, p, s);
}

void crd_keys_check(field_errors *errs, const path *p, const val *s) {
  path items_at = path_child(p, "items"), props = path_child(&items_at, "properties"),
       nullable = path_child(&items_at, "nullable");
  const val *items = val_getc(s, "items"), *keys = val_getc(s, "x-kubernetes-list-map-keys");
  slice list = val_get_str(s, "x-kubernetes-list-type");
  bool map = slice_is(list, "map");
  if (!val_is_map(items) || (!map && !slice_is(list, "set"))) return;
  if (flag(items, "nullable"))
    field_forbidden(errs, &nullable, "cannot be nullable when x-kubernetes-list-type is %.*s",
                    SLICE_ARG(list));
  for (uint32_t i = 0; map && i < val_len(keys); i++) {
    slice key = val_str(val_at(keys, i));
    path at = path_key(&props, key), deflt = path_child(&at, "default"),
         null_at = path_child(&at, "nullable");
    const val *property = val_get(val_getc(items, "properties"), key),
              *needed = val_getc(items, "required"), *value = val_getc(property, "default");
    bool required = false;
    if (!property) continue;
    for (uint32_t k = 0; k < val_len(needed); k++)
      required = required || slice_eq(val_str(val_at(needed, k)), key);
    if (!required && (!value || val_is_null(value)))
      field_required(errs, &deflt,
                     "this property is in x-kubernetes-list-map-keys, so it must have a default "
                     "or be a required property");
    if (flag(property, "nullable"))
      field_forbidden(errs, &null_at,
                      "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
  }
}

bool crd_keys_loose(const val *s, void *ctx) {
  field_errors own = {.a = ctx};
  path root = path_root("");
  crd_keys_check(&own, &root, s);
  return own.count > 0;
}

/* ---- CEL rules, as texts ---- */

static slice trimmed(slice s) {
  while (s.len && strchr(" \t\n\v\f\r", *s.ptr)) s = slice_from(s, 1);
  while (s.len && strchr(" \t\n\v\f\r", s.ptr[s.len - 1])) s = slice_upto(s, s.len - 1);
  return s;
}

static bool has_newline(slice s) {
  return slice_find_char(s, '\n') >= 0 || slice_find_char(s, '\r') >= 0;
}

static void rule_path_check(field_errors *errs, const path *rule_at, const val *s, slice text) {
  path at = path_child(rule_at, "fieldPath");
  const structural *found;
  slice error, normal;
  if (!text.len) return;
  if (!trimmed(text).len) field_invalid_str(errs, &at, text, "must be non-empty if specified");
  if (has_newline(text)) field_invalid_str(errs, &at, text, "must not contain line breaks");
  structural_schema *schema = structural_create(errs->a, s, &error);
  if (schema && crd_field_path(errs->a, text, schema->root, true, &found, &normal))
    field_invalid_str(errs, &at, text, "must be a valid path");
  structural_destroy(schema);
}

static void rule_check(field_errors *errs, const path *p, const val *s, const val *rule) {
  path rule_at = path_child(p, "rule"), message_at = path_child(p, "message"),
       expression_at = path_child(p, "messageExpression"), reason_at = path_child(p, "reason");
  slice text = val_get_str(rule, "rule"), message = val_get_str(rule, "message"),
        expression = val_get_str(rule, "messageExpression");
  if (!trimmed(text).len) {
    field_required(errs, &rule_at, "rule is not specified");
  } else if (message.len && !trimmed(message).len) {
    field_invalid_str(errs, &message_at, message, "must be non-empty if specified");
  } else if (has_newline(trimmed(message))) {
    field_invalid_str(errs, &message_at, message, "must not contain line breaks");
  } else if (has_newline(trimmed(text)) && !message.len) {
    field_required(errs, &message_at, "message must be specified if rule contains line breaks");
  }
  if (expression.len && !trimmed(expression).len)
    field_required(errs, &expression_at, "messageExpression must be non-empty if specified");
  const val *reason = val_getc(rule, "reason");
  if (reason && !str_in(val_str(reason), reasons))
    field_not_supported(errs, &reason_at, reason, reasons);
  rule_path_check(errs, p, s, val_get_str(rule, "fieldPath"));
}

/* ---- all of it ---- */

static void check(field_errors *errs, const path *p, const val *s, scope in) {
  path rules = path_child(p, "x-kubernetes-validations");
  if (!val_is_map(s) || in.depth++ > LIMIT_SCHEMA_DEPTH) return;
  words_check(errs, p, s, &in);
  parts_check(errs, p, s, &in);
  topology_check(errs, p, s, &in);
  const val *list = val_getc(s, "x-kubernetes-validations");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&rules, i);
    rule_check(errs, &at, s, val_at(list, i));
  }
}

/* The status is checked by the schema of its property alone, so nothing at the root may tell it. */
static void root_check(field_errors *errs, const path *p, const val *s) {
  static const struct {
    const char *field;
    bool allowed;
  } order[] = {
      {"id", false},          {"$schema", false},       {"$ref", false},
      {"description", true},  {"type", true},           {"nullable", false},
      {"format", true},       {"title", true},          {"default", false},
      {"maximum", true},      {"exclusiveMaximum", true}, {"minimum", true},
      {"exclusiveMinimum", true}, {"maxLength", true},  {"minLength", true},
      {"pattern", true},      {"maxItems", true},       {"minItems", true},
      {"uniqueItems", true},  {"multipleOf", true},     {"enum", false},
      {"maxProperties", false}, {"minProperties", false}, {"required", true},
      {"items", true},        {"allOf", false},         {"oneOf", false},
      {"anyOf", false},       {"not", false},           {"properties", true},
      {"additionalProperties", false}, {"patternProperties", false}, {"dependencies", false},
      {"additionalItems", false}, {"definitions", false}, {"externalDocs", true},
      {"example", true},      {"x-kubernetes-preserve-unknown-fields", true},
      {"x-kubernetes-embedded-resource", false}, {"x-kubernetes-int-or-string", false},
      {"x-kubernetes-list-map-keys", false}, {"x-kubernetes-list-type", false},
      {"x-kubernetes-map-type", false}, {"x-kubernetes-validations", true},
  };
  path type_at = path_child(p, "openAPIV3Schema.type"), at = path_child(p, "openAPIV3Schema");
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    const val *v = val_getc(s, order[i].field);
    if (!v) continue;
    if (slice_is(slice_cstr(order[i].field), "type") && val_str(v).len &&
        !slice_is(val_str(v), "object")) {
      field_invalid_str(errs, &type_at, val_str(v),
                        "only \"object\" is allowed as the type at the root of the schema if the "
                        "status subresource is enabled");
      return;
    }
    if (order[i].allowed) continue;
    crd_schema_invalid(errs, &at, s,
                       "only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
                       "ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems "
                       "MultipleOf Required Items Properties ExternalDocs Example "
                       "XPreserveUnknownFields XValidations] fields are allowed at the root of the "
                       "schema if the status subresource is enabled");
    return;
  }
}

void crd_schema_check(field_errors *errs, const path *p, const val *s, bool status,
                      const crd_options *o) {
  path at = path_child(p, "openAPIV3Schema"), null_at = path_child(p, "openAPIV3Schema.nullable");
  uint32_t before = errs->count;
  slice error = SLICE_NONE;
  if (status) root_check(errs, p, s);
  if (flag(s, "nullable")) field_forbidden(errs, &null_at, "nullable cannot be true at the root");
  structural_schema *schema = o->structural ? structural_create(errs->a, s, &error) : NULL;
  if (schema) {
    uint32_t until = errs->count;
    crd_structure_check(errs, &at, schema->root);
    if (errs->count == until) crd_defaults_check(errs, &at, schema->root, o->pruned_defaults);
  }
  check(errs, &at, s, (scope){.o = o, .root = true});
  if (errs->count == before && error.len)
    field_invalid_str(errs, &at, SLICE_LIT(""), "%.*s", SLICE_ARG(error));
  structural_destroy(schema);
}

bool crd_schemas_any(const val *s, bool (*visit)(const val *s, void *ctx), void *ctx) {
  static const char *const single[] = {"items", "not", "additionalProperties", "additionalItems"};
  static const char *const lists[] = {"items", "allOf", "anyOf", "oneOf"};
  static const char *const maps[] = {"properties", "patternProperties", "definitions",
                                     "dependencies"};
  if (!val_is_map(s)) return false;
  if (visit(s, ctx)) return true;
  for (size_t i = 0; i < 4; i++) {
    const val *one = val_getc(s, single[i]), *list = val_getc(s, lists[i]);
    if (crd_schemas_any(one, visit, ctx)) return true;
    for (uint32_t k = 0; val_is_list(list) && k < list->count; k++)
      if (crd_schemas_any(val_at(list, k), visit, ctx)) return true;
    VAL_EACH(e, val_getc(s, maps[i])) {
      if (crd_schemas_any(e->value, visit, ctx)) return true;
    }
  }
  return false;
}
