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

/* The version that a write got, into the object that is answered; nothing for a dry run. */
void generic_show_version(request *rq, val *obj, const store_entry *e);
/* Whether a write with this result is known not to have happened: what was taken for it goes back.
 * Of one that may have happened it stays taken, rather than being given out twice. */
bool generic_surely_not_written(store_result result);
/* How long what is written lives, in seconds; 0: for ever. Events have a time. */
int64_t generic_ttl_s(const request *rq);

#endif
