/* port_range: the node ports as servers that share an etcd tell each other of them: a bitmap under
 * /registry/ranges/servicenodeports, changed only under its revision.
 * Source: pkg/registry/core/service/allocator (bitmap.go, storage/storage.go), RangeAllocation. */
#ifndef APISIM_REGISTRY_PORT_RANGE_H
#define APISIM_REGISTRY_PORT_RANGE_H

#include "request/request.h"

typedef enum port_range_result {
  PORT_RANGE_OK,
  PORT_RANGE_TAKEN, /* another server has given it out */
  PORT_RANGE_FAILED, /* the store failed: rq->error */
} port_range_result;

/* Nothing where the store is this server's alone: its Services say what is taken. */
port_range_result port_range_take(request *rq, int64_t port);
/* Gives them back; what fails is left to the repair of another server, or to waste. */
void port_range_release(request *rq, const val *ports);

#endif
