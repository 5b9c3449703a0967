/* documents: discovery in the asked form, encoded once and then from the cache. */
#ifndef APISIM_ROUTE_DOCUMENTS_H
#define APISIM_ROUTE_DOCUMENTS_H

#include "route/route.h"

/* /api, /apis, /apis/<g>, /api/v1, /apis/<g>/<v>, with or without a slash behind. False:
 * `path` (without that slash) is not a discovery path, or of nothing that is served. */
bool documents_route(request *rq, slice path, route_answer *out, route_result *result);

#endif
