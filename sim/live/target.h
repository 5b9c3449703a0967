/* target: objects as plans name them, "deployments.apps/default/web", and as the store does. */
#ifndef APISIM_LIVE_TARGET_H
#define APISIM_LIVE_TARGET_H

#include "base/arena.h"
#include "schema/schema.h"

typedef struct live_target {
  const resource_info *resource;
  slice namespace, name;
} live_target;

/* RESOURCE[.GROUP][/NAMESPACE]/NAME. Without a group: the first served resource of that name. */
bool live_target_of(arena *a, slice key, live_target *out);
/* The object of a store key; false for keys of no resource. Slices of the key. */
bool live_target_of_stored(slice key, live_target *out);
/* "pods/default/web", "deployments.apps/default/web", "nodes/n1". */
slice live_target_key(arena *a, const live_target *t);
slice live_key(arena *a, slice group, slice resource, slice namespace, slice name);
/* The URL path; name empty: of the collection. */
slice live_target_path(arena *a, const live_target *t, slice subresource);
/* By apiVersion and kind. */
const resource_info *live_resource_of_kind(slice api_version, slice kind);

#endif
