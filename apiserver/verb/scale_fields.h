/* scale_fields: who owns a workload's replicas after a write of its Scale.
 * Source: apimachinery pkg/util/managedfields/scalehandler.go. */
#ifndef APISIM_VERB_SCALE_FIELDS_H
#define APISIM_VERB_SCALE_FIELDS_H

#include "request/request.h"

typedef struct scale_write {
  slice manager;
  bool apply, force;
  int64_t before, after; /* replicas; 0 is no field in a Scale */
} scale_write;

/* Changes obj.metadata.managedFields (a copy of live's is made). False with a 409 in rq->error
 * when an apply without force meets another owner's different value. */
bool scale_fields_update(request *rq, const scale_write *w, val *obj);

#endif
