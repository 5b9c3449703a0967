/* disabled_fields: fields of features that are off by default. What a client sets in one is dropped
 * on a write, unless the stored object has it already. Source: DropDisabledFields of the kinds'
 * strategies, and pkg/features of v1.36. */
#ifndef APISIM_REGISTRY_DISABLED_FIELDS_H
#define APISIM_REGISTRY_DISABLED_FIELDS_H

#include "request/request.h"

/* obj as it is going to be stored; old NULL on create. */
void disabled_fields_drop(request *rq, val *obj, const val *old);

#endif
