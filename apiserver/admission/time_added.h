/* time_added: see time_added.c. Called where an object comes in, before its fields get owners. */
#ifndef APISIM_ADMISSION_TIME_ADDED_H
#define APISIM_ADMISSION_TIME_ADDED_H

#include "request/request.h"

void time_added_default(request *rq, const resource_info *r, val *obj);

#endif
