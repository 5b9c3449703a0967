/* flow: which FlowSchema a request falls under, and by it which priority level.
 *
 * Nothing is queued or refused here; but each answer names both by their uids, as the real
 * server's does. A cache over the two kinds, made anew when one of them changed.
 * Source: apiserver pkg/util/flowcontrol/rule.go, pkg/server/filters/priority-and-fairness.go. */
#ifndef APISIM_ACCESS_FLOW_H
#define APISIM_ACCESS_FLOW_H

#include "access/access.h"

typedef struct flow_cache flow_cache;
flow_cache *flow_create(void);
void flow_destroy(flow_cache *c);
/* Everything is read again when next asked for: revisions have been put back. */
void flow_forget(flow_cache *c);

/* A stage of the chain: fills rq->flow_schema and rq->flow_level, which stay empty for what the
 * real server keeps out of it (long requests that are no watches). Always true. */
bool flow_classify(request *rq);

#endif
