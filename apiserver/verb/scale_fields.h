/* scale_fields: who owns a workload's replicas, as its Scale shows it, and back again.
 * Source: apimachinery pkg/util/managedfields/scalehandler.go. */
#ifndef APISIM_VERB_SCALE_FIELDS_H
#define APISIM_VERB_SCALE_FIELDS_H

#include "request/request.h"

/* path: of the replicas in the parent (a custom resource's); empty: ".spec.replicas". */
/* The managed fields of parent's Scale: a list, or NULL when nobody owns the replicas. */
val *scale_fields_of(arena *a, const val *parent, slice path);
/* Sets those of obj (a copy of the parent that may be changed) from what a write made of its
 * Scale's. */
void scale_fields_return(request *rq, val *obj, const val *scale, slice path);

#endif
