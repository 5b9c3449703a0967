/* openapi_custom: the second version's document with the definitions of custom resources, as JSON.
 * Their paths are not in it, and its protobuf form has neither. */
#ifndef APISIM_ROUTE_OPENAPI_CUSTOM_H
#define APISIM_ROUTE_OPENAPI_CUSTOM_H

#include "route/route.h"

/* plain: the compiled kinds' document, compact JSON. NULL: there are no custom resources. The tag
 * is of the JSON, gzip or not. */
const route_entry *openapi_custom_v2(request *rq, slice plain, bool gzip);

#endif
