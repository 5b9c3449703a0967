/* service_ports: the node port side of service_alloc, and the write that is under way. */
#ifndef APISIM_REGISTRY_SERVICE_PORTS_H
#define APISIM_REGISTRY_SERVICE_PORTS_H

#include "registry/field_error.h"
#include "registry/port_allocator.h"
#include "request/request.h"

/* What a write took (given back by undo) and what it leaves behind (given back by commit). Lists of
 * integers and of strings, in the request's arena. */
typedef struct service_txn {
  val *ports_taken, *ports_left;
  val *ips_taken, *ips_left;
  bool in_sync; /* the bits of server->ports say what is stored */
} service_txn;

/* False with rq->error or with an error added to errs. spec is changed. */
bool service_ports_create(request *rq, field_errors *errs, service_txn *t, val *spec);
bool service_ports_update(request *rq, field_errors *errs, service_txn *t, val *spec,
                          const val *old_spec);
/* What a Service's spec says, and what follows from its type. */
bool service_is_type(const val *spec, const char *type);
bool service_needs_health_port(const val *spec);
bool service_needs_node_ports(const val *spec);

/* Every node port that a Service has, the health check's too. */
val *service_node_ports(arena *a, const val *spec);

#endif
