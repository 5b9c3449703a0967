/* write: what create, update, patch and delete share around the registry. */
#ifndef APISIM_VERB_WRITE_H
#define APISIM_VERB_WRITE_H

#include "codec/negotiate.h"
#include "registry/generic.h"

/* Decodes the body as rq's kind, defaults it and brings it to the storage version. NULL with
 * rq->error. */
val *write_decode(request *rq);
/* Defaults and converts a typed tree of the requested version. */
val *write_to_storage(request *rq, val *obj);
/* The inverse, for patches: a copy in the requested version. */
val *write_from_storage(request *rq, const val *obj);
/* The object's namespace is made the request's; a different one is a 400. */
bool write_check_namespace(request *rq, val *obj);
/* The object's name is the URL's; another one is a 400. */
bool write_check_name(request *rq, val *obj);
/* managedFields of a write that is not an apply, in the requested version. */
void write_manage(request *rq, const val *live, val *obj);
/* The same of a body that is no object of rq's resource: a Binding, an Eviction. */
void write_manage_body(request *rq, const char *group, const char *version, const char *kind,
                       val *body);
/* Repeated owner references go, with a warning. */
void write_dedup_owners(request *rq, val *obj, bool after_admission);
/* Mutating admission of a create (live NULL) or an update, then owners once more. */
bool write_admit(request *rq, val *obj, const val *live, slice name);
/* The answer, or rq->error's. */
void write_answer(request *rq, const output_form *form, const write_result *result, bool ok);

#endif
