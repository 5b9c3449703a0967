/* statusz: how the server is, as text for people or as an object of config.k8s.io.
 * Source: apiserver pkg/server/statusz. */
#ifndef APISIM_ROUTE_STATUSZ_H
#define APISIM_ROUTE_STATUSZ_H

#include "route/route.h"

/* ROUTE_ERROR (406) where Accept takes neither text nor the object, which must be asked for by
 * as, g and v. */
route_result statusz_route(request *rq, route_answer *out);

#endif
