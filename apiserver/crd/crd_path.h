/* crd_path: the simple JSON paths that definitions may use: of printer columns, selectable fields
 * and scales. ".spec.size", ".metadata.labels['a\.b']", ".status.conditions[?(@.type=="Ready")]
 * .status", ".spec.ports[0].port", "[*]". Source: client-go util/jsonpath, as far as one result
 * goes. */
#ifndef APISIM_CRD_PATH_H
#define APISIM_CRD_PATH_H

#include "base/val.h"

/* The first value there; NULL: none. */
const val *crd_path_first(const val *obj, slice path);
/* Plain dotted names only (".spec.replicas"): the place's parent, made when `make` (an arena) is
 * not NULL, and its last name. NULL where something on the way is no map. */
val *crd_path_parent(arena *make, val *obj, slice path, slice *last);

#endif
