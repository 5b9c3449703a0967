/* impersonate: the user that Impersonate-* headers ask for. */
#ifndef APISIM_ACCESS_IMPERSONATE_H
#define APISIM_ACCESS_IMPERSONATE_H

#include "access/config.h"

/* Reads the headers. *asked says whether there were any; false with rq->error when they name
 * no user. */
bool impersonation_read(request *rq, user_info *wanted, bool *asked);

#endif
