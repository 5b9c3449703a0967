/* node_related: what a node's pods use. */
#ifndef APISIM_ACCESS_NODE_RELATED_H
#define APISIM_ACCESS_NODE_RELATED_H

#include "access/access.h"

/* Whether an object belongs to the node, or a pod bound to it refers to the object. Looked up
 * in the stored objects at each call: O(pods of the namespace). */
bool node_is_related(server *s, arena *a, slice node, slice resource, slice namespace, slice name);

#endif
