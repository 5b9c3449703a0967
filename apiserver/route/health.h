/* health: /healthz, /livez and /readyz, whole and by single check.
 *
 * What is told are the real server's checks, by name and in its order. They pass, but those of a
 * store elsewhere, which is asked (and waited for: on a fiber), and the one that a leaving server
 * fails. Sources: apiserver pkg/server/healthz, pkg/storage/storagebackend/factory/etcd3.go. */
#ifndef APISIM_ROUTE_HEALTH_H
#define APISIM_ROUTE_HEALTH_H

#include "base/buf.h"
#include "request/request.h"

/* True for "/livez", "/readyz/etcd" and the like; *single for one check. */
bool health_path(const server *s, slice path, bool *single);
/* Lets go of what the server keeps for it. */
void health_close(server *s);
/* Whether every check of that endpoint (path: /readyz, or /readyz/etcd) passes; if not, *text is
 * the 500's body. */
bool health_passes(request *rq, slice path, slice *text);
/* The body of a whole check: "ok", or the list where ?verbose asks. */
slice health_answer(request *rq, slice path);
/* The checks as Prometheus text, by name and endpoint. */
slice health_metrics(const server *s, arena *a);
/* Tells every health path, unsorted, one call each. */
void health_each_path(const server *s, arena *a, void (*visit)(void *ctx, slice path), void *ctx);

#endif
