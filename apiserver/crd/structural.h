/* structural: the schema of one version of a CustomResourceDefinition, ready for use, and what is
 * done with it to a custom resource: prune, default, check. Pure: bytes of no request are kept, the
 * same input gives the same output, nothing is remembered between calls.
 *
 * A schema is made from an openAPIV3Schema (JSONSchemaProps, as codec_conform leaves it) and lives
 * on the heap with all that it refers to, until its owner, the dynamic kind, destroys it. Objects
 * are untyped trees (json_parse), changed in place; what is put into them lies in the caller's
 * arena (defaults are copied).
 *
 * The way of a write, in the real server's order (customresource_handler.go, strategy.go):
 *   decoding   structural_coerce: metadata in its form, unknown fields away, nulls away; what
 *              strict decoding would refuse is listed. Then structural_default.
 *   reading    from storage: structural_coerce with drop_invalid, then structural_default.
 *   validation metadata and type meta (the caller's), structural_validate, the scale paths
 *              (the caller's), structural_validate_embedded, structural_validate_lists (on update
 *              only if the old object has no such errors: it looks itself).
 *              On /status: structural_validate of "status"'s schema with old and new
 *              status, where the object has one; then as above.
 *   warnings   rule_paths: CEL rules are kept and not evaluated.
 *
 * Recursion is bounded by the schema's depth (LIMIT_SCHEMA_DEPTH) and, where nothing has a schema,
 * the parsers' (LIMIT_JSON_DEPTH); time is linear in the object for each schema on its way (anyOf
 * and the like multiply), patterns are linear in the text (pattern.h).
 *
 * Sources: apiextensions-apiserver pkg/apiserver/schema with its folders pruning, defaulting,
 * objectmeta and listtype, pkg/apiserver/validation; kube-openapi pkg/validation. */
#ifndef APISIM_CRD_STRUCTURAL_H
#define APISIM_CRD_STRUCTURAL_H

#include "crd/pattern.h"
#include "registry/field_error.h"

typedef struct structural structural;

typedef struct structural_field {
  slice name;
  structural *schema;
} structural_field;

/* A list of schemas: allOf, anyOf, oneOf. */
typedef struct structural_list {
  structural **items;
  uint32_t count;
} structural_list;

/* Numbers that may be absent. */
typedef struct structural_bound {
  bool set;
  double f; /* minimum, maximum, multipleOf */
  int64_t i; /* lengths and counts */
} structural_bound;

/* One schema of the tree. Read only. Texts that are absent are empty. */
struct structural {
  const val *source; /* as it was given */
  slice type, format, list_type, map_type, title, description;
  structural_field *fields; /* sorted by name */
  uint32_t field_count;
  structural *items, *additional;
  bool has_additional, additional_allowed; /* additionalProperties: there; not false */
  bool nullable, preserve_unknown, embedded, int_or_string;
  bool preserve_below; /* preserve_unknown here or above: server-side apply's rule */
  const slice *list_keys;
  uint32_t list_key_count;
  const val *default_value; /* NULL: none */
  /* What values must be. */
  structural_bound minimum, maximum, multiple_of, min_length, max_length, min_items, max_items,
      min_properties, max_properties;
  bool exclusive_minimum, exclusive_maximum, unique_items;
  const val *enums; /* a list, or NULL */
  slice pattern_text;
  /* NULL: none, or invalid (then pattern_error), or made for each value (LIMIT_SCHEMA_BYTES). */
  const pattern *pattern;
  slice pattern_error;
  const struct format_rule *format_rule; /* NULL: the format is not one that is checked */
  const pattern *format_pattern;
  const slice *required;
  uint32_t required_count;
  structural_list all_of, any_of, one_of;
  structural *not_schema;
  const val *rules; /* x-kubernetes-validations, or NULL */
};

typedef struct structural_schema {
  arena *a; /* owns all of it */
  structural *root;
  /* "openAPIV3Schema.properties[spec].x-kubernetes-validations[0]": the CEL rules. */
  slice *rule_paths;
  uint32_t rule_count, rule_cap;
} structural_schema;

/* NULL when it cannot be one ($ref, items as an array, ...): then *error says why (in `a`).
 * `openapi` NULL gives an empty schema: everything is pruned. */
structural_schema *structural_create(arena *a, const val *openapi, slice *error);
void structural_destroy(structural_schema *s); /* NULL is fine */

/* The schema of a property; NULL when it names none. */
const structural *structural_property(const structural *s, slice name);
/* The same, or additionalProperties' schema. */
const structural *structural_member(const structural *s, slice name);

/* Fields that strict decoding refuses: "spec.foo", in the real server's order. Report each as
 * unknown field "spec.foo", behind the duplicates that the parser found. */
typedef struct structural_unknown {
  arena *a;
  slice *paths;
  uint32_t count, cap;
} structural_unknown;

/* All that decoding does to an object of the kind: root metadata becomes canonical, unknown fields
 * go, nulls that are neither nullable nor defaulted go, embedded metadata becomes canonical.
 * drop_invalid (from storage): malformed metadata is dropped, not refused. preserve
 * (spec.preserveUnknownFields): nothing is pruned. unknown may be NULL. False: *error, the text
 * of the 400 (the real server's bare error). s NULL: a version without schema. */
bool structural_coerce(arena *a, const structural *s, val *obj, bool drop_invalid, bool preserve,
                       structural_unknown *unknown, slice *error);
/* Its parts, for who needs one. root: apiVersion, kind and metadata are not touched. */
void structural_prune(const structural *s, val *obj, bool root, structural_unknown *unknown);
void structural_drop_nulls(const structural *s, val *obj);
bool structural_coerce_embedded(arena *a, const structural *s, val *obj, const path *p, bool root,
                                bool drop_invalid, structural_unknown *unknown,
                                field_errors *errs);
/* Fills in what is missing. Defaults are copied into a. */
void structural_default(arena *a, const structural *s, val *obj);

/* Values against the schema. old NULL: a create, or ratcheting off; else what is unchanged is
 * forgiven (CRDValidationRatcheting). p may be NULL: the root. old is never changed. */
void structural_validate(field_errors *errs, const path *p, const structural *s, const val *now,
                         const val *old);
/* The same of a default, when the CRD is checked: the real server makes that validator of the
 * structural schema, where int-or-string has no types of its own. */
void structural_validate_default(field_errors *errs, const path *p, const structural *s,
                                 const val *value);
/* Is it a format of strings that is checked? */
bool structural_knows_format(slice format);
/* apiVersion, kind and metadata of embedded resources (root: the object's own, too). */
void structural_validate_embedded(field_errors *errs, const path *p, const structural *s,
                                  const val *obj, bool root);
/* Duplicates in lists of type set and map. old NULL: a create; old with such errors: no check. */
void structural_validate_lists(field_errors *errs, const path *p, const structural *s,
                               const val *now, const val *old);

/* What server-side apply sees in a value (kube-openapi pkg/schemaconv). */
typedef enum structural_shape {
  STRUCTURAL_LEAF, /* a scalar, or atomic */
  STRUCTURAL_MAP, /* members may have owners of their own: structural_shape_member */
  STRUCTURAL_SET, /* a list of distinct scalars */
  STRUCTURAL_KEYED, /* a list of maps: list_keys; items has their schema */
} structural_shape;

/* s NULL: no schema there (below preserve-unknown-fields): maps have parts, all else is a leaf. */
structural_shape structural_shape_of(const structural *s, const val *v);
/* False: there is no such field ("field not declared in schema"). *out NULL: it may be anything. */
bool structural_shape_member(const structural *s, slice name, const structural **out);

/* Whether a CRD may have a schema is the CRD's own validation: registry/validation/extension*.c. */

#endif
