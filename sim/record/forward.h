/* forward: one request up, its answer down, both onto the tape. */
#ifndef APISIM_RECORD_FORWARD_H
#define APISIM_RECORD_FORWARD_H

#include "http/http.h"
#include "sim/record/tape_writer.h"
#include "sim/replay/uplink.h"

typedef struct forwarder forwarder;

/* now_ms: the tape's clock. Strings are borrowed. */
forwarder *forwarder_create(tape_writer *writer, const char *host, const char *token,
                            int64_t (*now_ms)(void *ctx), void *ctx);
void forwarder_destroy(forwarder *f);
void forwarder_use(forwarder *f, uplink *up);
/* An http_handler; ctx is the forwarder. */
void forwarder_handle(void *ctx, http_exchange *x);
/* The uplink's news; ctx is the forwarder. */
void forwarder_changed(void *ctx, call *c);

#endif
