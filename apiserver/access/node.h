/* node: what kubelets may do (system:node:NAME in system:nodes): fixed rules, and for the
 * objects that a node's pods use, only those. Rule: plugin/pkg/auth/authorizer/node. */
#ifndef APISIM_ACCESS_NODE_H
#define APISIM_ACCESS_NODE_H

#include "access/access.h"

/* Whether the user is one of the nodes. */
bool node_is_user(const user_info *u);
access_decision node_decide(server *s, arena *a, const access_attributes *q, slice *reason);

#endif
