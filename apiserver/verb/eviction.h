/* eviction: pods/eviction, a deletion that disruption budgets may refuse.
 * Source: pkg/registry/core/pod/storage/eviction.go. */
#ifndef APISIM_VERB_EVICTION_H
#define APISIM_VERB_EVICTION_H

#include "request/request.h"

void eviction_serve(request *rq);

#endif
