/* read: what get, list and watch share: versions asked for, continue tokens. */
#ifndef APISIM_VERB_READ_H
#define APISIM_VERB_READ_H

#include "request/request.h"
#include "store/store.h"

/* Checks a resourceVersion parameter: a number, not above the store's revision (504, "Too large
 * resource version"). The wrong number's error is the list's (400) or the plain one (500). */
bool read_check_version(request *rq, slice version, bool of_list);
/* The 504 of a version that the store has not reached. */
bool read_too_large(request *rq, int64_t asked, int64_t current);

/* Continue tokens (apiserver pkg/storage/continue.go): the revision of the first page and the key
 * from which to go on, relative to the prefix. */
slice continue_encode(arena *a, int64_t revision, slice start);
bool continue_bad_start(request *rq, slice start);
bool continue_decode(request *rq, slice token, int64_t *revision, slice *start);

#endif
