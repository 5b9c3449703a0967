/* redact: secrets taken out of bodies before they reach a tape: values of Secrets, tokens, and
 * the copies of both in last-applied annotations; in JSON and in protobuf. */
#ifndef APISIM_RECORD_REDACT_H
#define APISIM_RECORD_REDACT_H

#include "base/arena.h"
#include "base/slice.h"

/* The body of a request for `target` or of its answer. Bodies without secrets come back as they
 * are; one that can't be read but may hold a secret comes back as the word "redacted". */
slice redact_body(arena *a, slice target, slice body);

#endif
