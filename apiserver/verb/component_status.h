/* component_status: the deprecated componentstatuses, which the real server makes up by asking the
 * components. Nothing of a cluster runs behind this server: the scheduler and the controller
 * manager are as good as not there, and the store is well.
 * Source: pkg/registry/core/componentstatus. */
#ifndef APISIM_VERB_COMPONENT_STATUS_H
#define APISIM_VERB_COMPONENT_STATUS_H

#include "request/request.h"

/* Serves get and list of them; false for every other resource. */
bool component_status_serve(request *rq);

#endif
