/* escalate: whether one holds the rights that one is about to give away. */
#ifndef APISIM_ACCESS_ESCALATE_H
#define APISIM_ACCESS_ESCALATE_H

#include "access/rbac.h"

/* True when the user's own rules in the request's namespace cover `rules`; else *why says
 * what is missing, in the real server's words. */
bool escalate_covered(request *rq, slice namespace, const rbac_rules *rules, slice *why);

#endif
