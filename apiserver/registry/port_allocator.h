/* port_allocator: which node ports are taken: a bit a port, read off the stored Services
 * whenever somebody else has written one since.
 * Source: pkg/registry/core/service/portallocator. */
#ifndef APISIM_REGISTRY_PORT_ALLOCATOR_H
#define APISIM_REGISTRY_PORT_ALLOCATOR_H

#include "request/request.h"

enum { PORT_WORDS = 65536 / 64 };

typedef struct port_allocator {
  int32_t first, last; /* 30000 and 32767 */
  int64_t revision; /* of the Services that `taken` says, -1 for none yet */
  uint64_t taken[PORT_WORDS];
} port_allocator;

/* 0 and 0: the real default. */
port_allocator *port_allocator_create(int32_t first, int32_t last);
void port_allocator_destroy(port_allocator *p);

/* Whether the bits say what is stored; refresh brings them up to date. */
bool port_allocator_in_sync(server *s, const port_allocator *p);
void port_allocator_refresh(server *s, arena *a, port_allocator *p);
/* After a write of a Service by this request, when they were in sync before it. */
void port_allocator_written(server *s, port_allocator *p);

bool port_is_taken(const port_allocator *p, int64_t port);
/* False with *problem in the real words. */
bool port_take(port_allocator *p, int64_t port, arena *a, slice *problem);
/* Any free port, or 0. */
int32_t port_take_any(port_allocator *p, rng *r);
void port_release(port_allocator *p, int64_t port);

#endif
