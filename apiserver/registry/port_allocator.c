/* port_allocator: the lower band of the range is for those who ask for a certain port; the
 * others get one from behind it while there is any. */
#include "registry/port_allocator.h"

#include "base/heap.h"
#include "server.h"
#include "verb/registry.h"

port_allocator *port_allocator_create(int32_t first, int32_t last) {
  port_allocator *p = heap_zalloc(sizeof *p);
  p->first = first > 0 && first < 65536 ? first : 30000;
  p->last = last >= p->first && last < 65536 ? last : 32767;
  p->revision = -1;
  return p;
}

void port_allocator_destroy(port_allocator *p) { heap_free(p); }

static void bit_set(port_allocator *p, int64_t port, bool on) {
  if (port <= 0 || port >= 65536) return;
  uint64_t mask = (uint64_t)1 << (port % 64);
  if (on) p->taken[port / 64] |= mask;
  else p->taken[port / 64] &= ~mask;
}

bool port_is_taken(const port_allocator *p, int64_t port) {
  return port > 0 && port < 65536 && (p->taken[port / 64] >> (port % 64) & 1);
}

static bool service_mark(void *ctx, val *service) {
  port_allocator *p = ctx;
  const val *spec = val_getc(service, "spec"), *ports = val_getc(spec, "ports");
  for (uint32_t i = 0; i < val_len(ports); i++) {
    bit_set(p, val_i64(val_getc(val_at(ports, i), "nodePort")), true);
  }
  bit_set(p, val_i64(val_getc(spec, "healthCheckNodePort")), true);
  return true;
}

static const resource_info *services(void) {
  return schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("services"));
}

bool port_allocator_in_sync(server *s, const port_allocator *p) {
  return p->revision == registry_revision(s, services());
}

void port_allocator_refresh(server *s, arena *a, port_allocator *p) {
  int64_t now = registry_revision(s, services());
  if (p->revision == now) return;
  memset(p->taken, 0, sizeof p->taken);
  registry_each(s, a, services(), SLICE_NONE, service_mark, p);
  p->revision = now;
}

void port_allocator_written(server *s, port_allocator *p) {
  p->revision = registry_revision(s, services());
}

bool port_take(port_allocator *p, int64_t port, arena *a, slice *problem) {
  if (port < p->first || port > p->last) {
    *problem = arena_printf(a,
                            "provided port is not in the valid range. The range of valid ports is "
                            "%d-%d",
                            p->first, p->last);
    return false;
  }
  *problem = SLICE_LIT("provided port is already allocated");
  if (port_is_taken(p, port)) return false;
  bit_set(p, port, true);
  return true;
}

static int32_t take_between(port_allocator *p, rng *r, int32_t first, int32_t count) {
  if (count <= 0) return 0;
  int32_t start = (int32_t)rng_below(r, (uint64_t)count);
  for (int32_t i = 0; i < count; i++) {
    int32_t port = first + (start + i) % count;
    if (port_is_taken(p, port)) continue;
    bit_set(p, port, true);
    return port;
  }
  return 0;
}

int32_t port_take_any(port_allocator *p, rng *r) {
  int32_t size = p->last - p->first + 1, band = size / 32;
  if (band < 16) band = 16;
  if (band > 128) band = 128;
  if (size <= 16) band = 0;
  int32_t port = take_between(p, r, p->first + band, size - band);
  return port ? port : take_between(p, r, p->first, band);
}

void port_release(port_allocator *p, int64_t port) { bit_set(p, port, false); }
