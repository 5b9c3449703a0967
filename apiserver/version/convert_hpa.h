/* convert_hpa: HorizontalPodAutoscaler between autoscaling v1 and v2.
 * Source: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/helpers.go. */
#ifndef APISIM_VERSION_CONVERT_HPA_H
#define APISIM_VERSION_CONVERT_HPA_H

#include "base/arena.h"
#include "base/val.h"

/* New trees; parts may be shared with the given one. apiVersion is the caller's business. */
val *hpa_v1_from_v2(arena *a, const val *v2);
val *hpa_v2_from_v1(arena *a, const val *v1);

#endif
