/* chain: the stages of a request, in the real server's order: RequestInfo, authentication,
 * impersonation, authorization, route. Source: apiserver pkg/server/config.go. */
#ifndef APISIM_REQUEST_CHAIN_H
#define APISIM_REQUEST_CHAIN_H

#include "request/request.h"

/* The http_handler of the server; ctx is the server. */
void chain_handle(void *ctx, http_exchange *x);

/* The timeout filter's, and the http_server's for a body: a minute, or the client's own
 * ?timeout=. */
int64_t chain_body_time_ns(const http_exchange *x);

/* Goes on with a request that the server's tap kept (request/tap.h), in a later turn. */
void chain_resume(request *rq);
/* The same with rq->error as its answer. */
void chain_refuse(request *rq);

#endif
