/* wait: a read that asks for a version which the store has not reached waits for it, 3 seconds at
 * most, as the real server's watch cache does (apiserver pkg/storage/cacher: blockTimeout). */
#ifndef APISIM_VERB_WAIT_H
#define APISIM_VERB_WAIT_H

#include "request/request.h"

#include <stdint.h>

#define WAIT_NS ((int64_t)3 * 1000000000)

/* Whether the read has to wait for `version`. If so the request is kept, and `again` runs it from
 * the start in a later turn, once the store is there or the time is up: then this is false. The
 * caller must hold nothing but what lies in the request's arena. */
bool wait_for_version(request *rq, uint64_t version, void (*again)(request *rq));

#endif
