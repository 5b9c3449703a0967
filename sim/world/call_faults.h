/* call_faults: what the fault plan does to requests on their way (SITE_REQUEST). */
#ifndef APISIM_SIM_CALL_FAULTS_H
#define APISIM_SIM_CALL_FAULTS_H

#include "sim/workload/call.h"

/* Sends the request's bytes, or what the plan makes of them. */
void call_fault_send(call *k, const call_request *q);

#endif
