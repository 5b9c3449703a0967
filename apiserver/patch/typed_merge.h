/* typed_merge: what server-side apply does to the object itself: merge a configuration in, take
 * out what nobody wants any more, and check the configuration first. Source: structured-merge-diff
 * typed/{merge,remove,validate}.go. */
#ifndef APISIM_PATCH_TYPED_MERGE_H
#define APISIM_PATCH_TYPED_MERGE_H

#include "patch/field_set.h"
#include "patch/typed_shape.h"

/* `config` over `live`. Both must have passed (config: typed_check). The result shares what it
 * can. */
val *typed_merge(arena *a, const val *live, const val *config, const type_info *t);

/* v without the fields in `gone`; a map or list that loses all becomes null. */
val *typed_remove(const field_sets *f, const val *v, const val *gone, const type_info *t);

/* Does the configuration fit the schema? Else *error in the real server's words:
 * ".spec.foo: field not declared in schema". */
bool typed_check(arena *a, const val *config, const type_info *t, slice *error);

#endif
