/* chain: the stages of a request, in the real server's order: RequestInfo, authentication,
 * impersonation, authorization, route. Source: apiserver pkg/server/config.go. */
#ifndef APISIM_REQUEST_CHAIN_H
#define APISIM_REQUEST_CHAIN_H

#include "http/http.h"

/* The http_handler of the server; ctx is the server. */
void chain_handle(void *ctx, http_exchange *x);

#endif
