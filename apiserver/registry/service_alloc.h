/* service_alloc: the addresses and ports of Services, around the generic write path.
 *
 * How to call it (all of it does nothing for resources that are not services):
 *   - service_alloc_create before prepare and validation of a create, with the new Service;
 *   - service_alloc_update in the same place of an update of the main resource (no subresource);
 *     it also carries allocated values over from `old` where the client left them out;
 *   - after either succeeded: service_alloc_commit when the object was stored (or the dry run
 *     ended well), service_alloc_undo when anything after it failed;
 *   - service_alloc_deleted when a Service has left the store (not on a dry run).
 * Between a create or update and its commit or undo, no other Service may be written (one
 * thread, no waiting in between). The first two are false with rq->error (422, or 500 when
 * nothing is free). State: server->ips and server->ports, made on first use and freed by
 * service_alloc_destroy.
 *
 * Source: pkg/registry/core/service/storage/{alloc,storage}.go. */
#ifndef APISIM_REGISTRY_SERVICE_ALLOC_H
#define APISIM_REGISTRY_SERVICE_ALLOC_H

#include "request/request.h"

bool service_alloc_create(request *rq, val *svc);
bool service_alloc_update(request *rq, val *svc, const val *old);
void service_alloc_commit(request *rq, const val *svc);
void service_alloc_undo(request *rq, const val *svc);
void service_alloc_deleted(request *rq, const val *svc);
void service_alloc_destroy(server *s);

#endif
