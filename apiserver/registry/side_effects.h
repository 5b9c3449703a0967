/* side_effects: what a write of one kind does to others before and after it is stored: a Service's
 * addresses and ports, a CRD's status, quota. One table, registry/side_effects.c. */
#ifndef APISIM_REGISTRY_SIDE_EFFECTS_H
#define APISIM_REGISTRY_SIDE_EFFECTS_H

#include "request/request.h"

/* Before validation; false with rq->error. undo gives back what was taken and returns false. */
bool side_effects_begin_create(request *rq, val *obj);
bool side_effects_begin_update(request *rq, val *obj, const val *old);
bool side_effects_undo(request *rq, val *obj);
void side_effects_created(request *rq, val *obj);
void side_effects_updated(request *rq, val *obj, const val *old);
void side_effects_deleted(request *rq, const val *obj);

#endif
