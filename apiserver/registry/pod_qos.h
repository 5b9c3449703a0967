/* pod_qos: a pod's quality of service class and the condition of its scheduling gates.
 * Sources: pkg/apis/core/helper/qos, pkg/api/pod/util.go. */
#ifndef APISIM_REGISTRY_POD_QOS_H
#define APISIM_REGISTRY_POD_QOS_H

#include "request/request.h"

/* "Guaranteed", "Burstable" or "BestEffort". */
const char *pod_qos(const val *pod);
/* A gated pod's condition PodScheduled=False, reason SchedulingGated. */
void pod_gates_condition(request *rq, const val *pod, val *status);

#endif
