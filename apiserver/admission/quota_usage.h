/* quota_usage: what one object counts for in a ResourceQuota.
 * Source: pkg/quota/v1/evaluator/core, apiserver pkg/quota/v1/generic. */
#ifndef APISIM_ADMISSION_QUOTA_USAGE_H
#define APISIM_ADMISSION_QUOTA_USAGE_H

#include "admission/admission.h"

/* Is the request one that counts at all? (Creations; updates of a few kinds.) */
bool quota_handles(const admission_args *args);
/* A map of quantities: "pods": "1", "requests.cpu": "500m", "count/configmaps": "1"... */
val *quota_usage(arena *a, const resource_info *r, const val *obj, int64_t now_s);
/* Whether the resource's objects can use what the quota calls `name`. */
bool quota_name_matches(const resource_info *r, slice name);
/* Whether the object is within all scopes of the quota. */
bool quota_scopes_match(const resource_info *r, const val *quota, const val *obj);
/* What containers leave out although the quota limits it: 'must specify cpu for: c' or
 * SLICE_NONE. hard: the quota's status.hard. */
slice quota_constraints(arena *a, const resource_info *r, const val *hard, const val *obj);

#endif
