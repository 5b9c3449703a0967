/* pod_resources: what a pod's containers ask for together.
 * Source: k8s.io/component-helpers/resource (sidecars, init containers, overhead). */
#ifndef APISIM_VERSION_POD_RESOURCES_H
#define APISIM_VERSION_POD_RESOURCES_H

#include "base/arena.h"
#include "base/val.h"

/* `what` is "requests" or "limits". The sum over containers and restartable init containers,
 * at least what each init container needs while it runs; without pod-level resources and
 * overhead. A new map of quantities, in the order in which names were met. */
val *pod_resources_sum(arena *a, const val *spec, const char *what);
/* As the scheduler and quotas count: pod-level resources win over the sum, overhead added. */
val *pod_resources_total(arena *a, const val *spec, const char *what);

/* Map arithmetic in place on `into`. */
void resources_add(arena *a, val *into, const val *more);
void resources_max(arena *a, val *into, const val *other);

#endif
