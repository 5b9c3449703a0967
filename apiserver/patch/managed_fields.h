/* managed_fields: what updates and applies share. */
#ifndef APISIM_PATCH_MANAGED_FIELDS_H
#define APISIM_PATCH_MANAGED_FIELDS_H

#include "patch/managed_entry.h"
#include "patch/patch.h"
#include "patch/typed_diff.h"

/* "apps/v1" of the request. */
slice manage_version(const manage_args *m);
/* The entry of the request's manager, without a set or a time. */
managed_entry manage_entry(const manage_args *m, bool apply);
/* The resource of the same kind in another version of its group; NULL if it is not served. */
const resource_info *manage_resource(const resource_info *r, slice api_version);
/* obj itself where both versions have one type. */
val *manage_convert(arena *a, const val *obj, const resource_info *from, const resource_info *to);
/* Without apiVersion, kind and the parts of metadata that nobody owns. */
val *managed_strip(const field_sets *f, const val *x);
/* An update of `live` (NULL: of nothing) to obj by `manager` (empty: the request's). false: the
 * objects cannot be compared. */
bool managed_update(const manage_args *m, managed *all, const val *live, const val *obj,
                    slice manager);
/* Sets metadata.managedFields; NULL removes it. */
void managed_fields_put(arena *a, val *obj, val *list);

#endif
