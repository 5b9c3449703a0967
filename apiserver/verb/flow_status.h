/* flow_status: the condition Dangling of FlowSchemas, which says whether their priority level
 * exists. Source: apiserver pkg/util/flowcontrol/apf_controller.go. */
#ifndef APISIM_VERB_FLOW_STATUS_H
#define APISIM_VERB_FLOW_STATUS_H

#include "server.h"

/* A FlowSchema or a priority level was written: the conditions follow in a turn of their own, as
 * from the real server's controller. */
void flow_status_follow(server *s);
/* Does now what is waiting for its turn: a request that comes later sees the conditions, however
 * fast it comes. (With a store elsewhere it need not.) */
void flow_status_settle(server *s);

#endif
