/* extension_internal: what the files that check a CustomResourceDefinition share.
 *
 * The real server's hub type has what all versions share at the top, so a schema stands at
 * "spec.validation.openAPIV3Schema" or at "spec.versions[0].schema.openAPIV3Schema". What was
 * stored before a rule existed may stay: the options say which rules an update must keep.
 * Sources: apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema. */
#ifndef APISIM_REGISTRY_VALIDATION_EXTENSION_INTERNAL_H
#define APISIM_REGISTRY_VALIDATION_EXTENSION_INTERNAL_H

#include "crd/structural.h"
#include "registry/strategy.h"

typedef struct crd_options {
  bool need_schema; /* in each version */
  bool known_types, structural, pruned_defaults, atomic_sets, whole_keys;
  bool known_review; /* a conversion review version that the server knows */
  bool any_ca; /* a CA bundle that can't be read is taken */
} crd_options;

/* old NULL: a create, all rules hold. */
crd_options crd_options_of(arena *a, const val *obj, const val *old);

/* The schema of a version (or of all), which stands at p: "spec.validation". status: the version
 * has the subresource. */
void crd_schema_check(field_errors *errs, const path *p, const val *schema, bool status,
                      const crd_options *o);

/* extension_structure.c: whether it is structural; errors sorted as the real server's. */
void crd_structure_check(field_errors *errs, const path *p, const structural *root);
/* extension_default.c: whether defaults are pruned and valid. */
void crd_defaults_check(field_errors *errs, const path *p, const structural *root, bool pruned);
bool crd_defaults_are_pruned(arena *a, const structural *root);
/* extension_fields.c */
void crd_fields_check(field_errors *errs, const path *p, const val *fields, const val *schema,
                      bool too_many);
/* extension_ca.c: NULL, or what is wrong with a CA bundle. Its length is within int's. */
const char *crd_ca_problem(arena *a, slice base64);
/* extension_print.c: Invalid with versions of the hub (NULL: never given), or a schema of it, as
 * the bad value. */
void crd_versions_invalid(field_errors *errs, const path *p, const val *list, const char *detail);
void crd_schema_invalid(field_errors *errs, const path *p, const val *schema, const char *detail);
/* Does a CEL rule's fieldPath lead to a field? NULL, or why not. */
const char *crd_field_path(arena *a, slice text, const structural *s, bool brackets,
                           const structural **found, slice *normal);

/* Every schema in a schema, itself first; stops where visit says true, and says so. */
bool crd_schemas_any(const val *schema, bool (*visit)(const val *s, void *ctx), void *ctx);
bool crd_set_items_loose(const val *s, void *ctx); /* a list of type set with items of parts */
bool crd_keys_loose(const val *s, void *ctx); /* breaks what crd_keys_check wants */
void crd_keys_check(field_errors *errs, const path *p, const val *s);

#endif
