/* version: defaults, conversion and field labels of the served versions.
 *
 * Objects are typed canonical trees (codec/codec.h). */
#ifndef APISIM_VERSION_VERSION_H
#define APISIM_VERSION_VERSION_H

#include "base/arena.h"
#include "base/val.h"
#include "schema/schema.h"

/* Fills what the real server's defaulting fills in for this version of the kind, in place:
 * walks the tree by its type and applies the rows of each struct type met
 * (version/defaults_rows.c), then the type's hook where a default depends on others.
 * Source: pkg/apis/<group>/<version>/defaults.go and zz_generated.defaults.go. */
void version_default(arena *a, val *obj, const type_info *t);

/* Converts between a served version and the storage version of the resource, in place where
 * it can; the identity where both are the same. Sets apiVersion and kind. */
val *version_to_storage(arena *a, val *obj, const resource_info *from);
val *version_from_storage(arena *a, val *obj, const resource_info *to);
/* True when stored bytes can be served for r as they are. */
bool version_is_storage(const resource_info *r);
/* True where r's objects differ from the stored ones in apiVersion at most. */
bool version_has_storage_shape(const resource_info *r);

/* Field selectors: maps a label ("spec.nodeName", "metadata.name") to its value in a stored
 * object. known: whether the version has that label (else: 400 'field label not
 * supported'). The value of a missing field is "". */
bool version_field_label_known(const resource_info *r, slice label);
/* The real server's text for a label that the version does not have: "field label not supported:
 * foo", '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"', 'field
 * label "foo" not supported for Job'... */
slice version_field_label_error(arena *a, const resource_info *r, slice label);
slice version_field_label_value(arena *a, const resource_info *r, const val *obj, slice label);

/* The Warning of a deprecated version or kind, or SLICE_NONE. */
slice version_deprecation(arena *a, const resource_info *r);

#endif
