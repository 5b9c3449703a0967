/* route: the answers to paths that are not resources: discovery, OpenAPI, health, version,
 * metrics, the index, and what an unknown path gets.
 *
 * Called behind authentication and authorization. A route fills a route_answer and does no
 * I/O; route_send hands it to http. Headers here are the handler's own and Cache-Control;
 * what every answer carries (Audit-Id and the like) is the caller's business. */
#ifndef APISIM_ROUTE_ROUTE_H
#define APISIM_ROUTE_ROUTE_H

#include "http/http.h"
#include "request/request.h"
#include "route/route_cache.h"

#define ROUTE_HEADERS_MAX 10

typedef struct route_answer {
  int status;
  uint32_t header_count;
  http_header headers[ROUTE_HEADERS_MAX];
  slice body;
  blob *owner; /* borrowed from the cache; NULL: body is the arena's or constant */
} route_answer;

typedef enum route_result {
  ROUTE_ANSWERED, /* the answer is filled in */
  ROUTE_ERROR, /* rq->error is set: a Status in the negotiated form */
} route_result;

/* Any path whose request_info says that it is no resource. server->routes must exist; `out`
 * need not be cleared before. */
route_result route_static(request *rq, route_answer *out);
/* A path that looks like a resource's but that no served resource stands behind: the real
 * server answers text for an unknown group and a Status otherwise. */
route_result route_unknown(request *rq, route_answer *out);

void route_header(route_answer *out, const char *name, slice value);
/* http_respond of the answer and of up to 8 headers more (or NULL, 0), those first. */
void route_send(request *rq, const route_answer *out, const http_header *more, uint32_t more_count);

#endif
