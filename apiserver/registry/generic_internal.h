/* Shared by generic.c, create.c, update.c and delete.c; nobody else's. */
#ifndef APISIM_REGISTRY_GENERIC_INTERNAL_H
#define APISIM_REGISTRY_GENERIC_INTERNAL_H

#include "admission/admission.h"
#include "registry/generic.h"

bool generic_admit(request *rq, admission_op op, val *obj, const val *old, slice namespace,
                   slice name, bool validating);
bool generic_validate(request *rq, val *obj, const val *old, slice subresource);
bool generic_too_large(request *rq, const val *obj, const blob *bytes);
bool generic_check_path_name(request *rq, slice name);
/* uid and creationTimestamp. */
void generic_fill_system_fields(request *rq, val *obj);
/* PrepareForCreate, validation, validating admission: everything before the store. */
bool generic_before_create(request *rq, val *obj);

#endif
