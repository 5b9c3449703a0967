/* scale: the autoscaling/v1 Scale of a workload, read and written through its parent. Source:
 * pkg/registry/apps/deployment/storage (ScaleREST), apimachinery managedfields/scalehandler.go. */
#ifndef APISIM_VERB_SCALE_H
#define APISIM_VERB_SCALE_H

#include "request/request.h"

/* get, update and patch of <workload>/scale. Answers the request. */
void scale_serve(request *rq);

#endif
