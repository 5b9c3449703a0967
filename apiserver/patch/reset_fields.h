/* reset_fields: what a write through the resource, or through one of its subresources, cannot
 * change, and so does not come to own. */
#ifndef APISIM_PATCH_RESET_FIELDS_H
#define APISIM_PATCH_RESET_FIELDS_H

#include "patch/field_set.h"
#include "schema/schema.h"

/* x without them (itself where there are none). */
val *reset_fields_remove(const field_sets *f, const val *x, const resource_info *r,
                         slice subresource);

#endif
