/* service_ports: node ports of a Service, new and changed.
 * Source: pkg/registry/core/service/storage/alloc.go, portallocator/operation.go. */
#include "registry/service_ports.h"

#include "registry/port_range.h"
#include "server.h"

#define RANGE_TRIES 64

bool service_is_type(const val *spec, const char *type) {
  return slice_is(val_get_str(spec, "type"), type);
}

bool service_needs_health_port(const val *spec) {
  return service_is_type(spec, "LoadBalancer") &&
         slice_is(val_get_str(spec, "externalTrafficPolicy"), "Local");
}

bool service_needs_node_ports(const val *spec) {
  if (service_is_type(spec, "NodePort")) return true;
  const val *wanted = val_getc(spec, "allocateLoadBalancerNodePorts");
  return service_is_type(spec, "LoadBalancer") && (!wanted || val_true(wanted));
}

static bool has_port_type(const val *spec) {
  return service_is_type(spec, "NodePort") || service_is_type(spec, "LoadBalancer");
}

static bool list_has(const val *list, int64_t n) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (val_i64(val_at(list, i)) == n) return true;
  }
  return false;
}

/* Services without node ports never pay for this. */
static void look(request *rq, service_txn *t) {
  port_allocator_refresh(rq->server, rq->arena, rq->server->ports);
  t->in_sync = true;
}

/* A dry run keeps to itself what it would have taken, and sees no range. */
static bool take(request *rq, service_txn *t, int64_t port, slice *problem) {
  port_allocator *p = rq->server->ports;
  look(rq, t);
  if (rq->dry_run) {
    *problem = SLICE_LIT("provided port is already allocated");
    if (port_is_taken(p, port) || list_has(t->ports_taken, port)) return false;
  } else if (!port_take(p, port, rq->arena, problem)) {
    return false;
  } else if (port_range_take(rq, port) != PORT_RANGE_OK) { /* another server has it */
    return false;
  }
  val_append(rq->arena, t->ports_taken, val_int(rq->arena, port));
  return true;
}

/* A port that is free here and for the other servers of the same etcd. */
static int64_t take_from_range(request *rq) {
  for (int tries = 0; tries < RANGE_TRIES; tries++) {
    int64_t port = port_take_any(rq->server->ports, &rq->server->port_rng);
    port_range_result r = port ? port_range_take(rq, port) : PORT_RANGE_OK;
    if (r == PORT_RANGE_OK) return port;
    if (r == PORT_RANGE_FAILED) break; /* a port taken elsewhere stays marked: its Service comes */
  }
  return 0;
}

static int64_t take_any(request *rq, service_txn *t) {
  int64_t port = 0;
  look(rq, t);
  if (rq->dry_run) {
    port = 32768;
    for (uint32_t i = 0; i < val_len(t->ports_taken); i++) {
      int64_t n = val_i64(val_at(t->ports_taken, i));
      if (i == 0 || n > port) port = n;
    }
    port++;
  } else {
    port = take_from_range(rq);
  }
  if (port) val_append(rq->arena, t->ports_taken, val_int(rq->arena, port));
  return port;
}

static bool ports_full(request *rq) {
  return status_set(&rq->error, rq->arena, STATUS_INTERNAL,
                    "Internal error occurred: failed to allocate a nodePort: range is full");
}

static bool port_error(field_errors *errs, uint32_t i, int64_t port, slice problem) {
  path root = path_root("spec"), ports = path_child(&root, "ports");
  path item = path_index(&ports, i), field = path_child(&item, "nodePort");
  field_invalid_int(errs, &field, port, "%.*s", SLICE_ARG(problem));
  return false;
}

/* The node port that any item for the same port asks for. */
static int64_t requested_for(const val *ports, int64_t port) {
  for (uint32_t i = 0; i < val_len(ports); i++) {
    const val *item = val_at(ports, i);
    int64_t node_port = val_i64(val_getc(item, "nodePort"));
    if (node_port && val_i64(val_getc(item, "port")) == port) return node_port;
  }
  return 0;
}

/* The node port given to an earlier item for the same port. */
static int64_t given_before(const val *ports, uint32_t upto, int64_t port, const val *given) {
  for (uint32_t i = 0; i < upto; i++) {
    if (val_i64(val_getc(val_at(ports, i), "port")) == port) return val_i64(val_at(given, i));
  }
  return 0;
}

/* Items of the same port (TCP and UDP) share their node port. */
static bool port_item_create(request *rq, field_errors *errs, service_txn *t, const val *ports,
                             uint32_t i, val *given) {
  arena *a = rq->arena;
  val *item = val_at(ports, i);
  int64_t port = val_i64(val_getc(item, "port")), own = val_i64(val_getc(item, "nodePort"));
  int64_t shared = given_before(ports, i, port, given);
  slice problem;
  if (shared && own && own != shared) {
    if (!take(rq, t, own, &problem)) return port_error(errs, i, own, problem);
  } else if (shared) {
    val_setc(a, item, "nodePort", val_int(a, shared));
  } else {
    int64_t wanted = requested_for(ports, port);
    if (wanted && !take(rq, t, wanted, &problem)) return port_error(errs, i, wanted, problem);
    shared = wanted ? wanted : take_any(rq, t);
    if (!shared) return ports_full(rq);
    val_setc(a, item, "nodePort", val_int(a, shared));
  }
  val_append(a, given, val_int(a, shared));
  return true;
}

static bool health_port_take(request *rq, service_txn *t, val *spec) {
  int64_t wanted = val_i64(val_getc(spec, "healthCheckNodePort"));
  slice problem;
  if (!wanted) {
    int64_t port = take_any(rq, t);
    if (!port) return ports_full(rq);
    val_setc(rq->arena, spec, "healthCheckNodePort", val_int(rq->arena, port));
    return true;
  }
  if (take(rq, t, wanted, &problem)) return true;
  slice why = arena_printf(rq->arena,
                           "failed to allocate requested HealthCheck NodePort %lld: %.*s",
                           (long long)wanted, SLICE_ARG(problem));
  return status_internal(&rq->error, rq->arena, why);
}

bool service_ports_create(request *rq, field_errors *errs, service_txn *t, val *spec) {
  const val *ports = val_getc(spec, "ports");
  val *given = val_list(rq->arena);
  for (uint32_t i = 0; has_port_type(spec) && i < val_len(ports); i++) {
    bool own = val_i64(val_getc(val_at(ports, i), "nodePort")) != 0;
    if (!own && !service_needs_node_ports(spec)) {
      val_append(rq->arena, given, val_int(rq->arena, 0));
      continue;
    }
    if (!port_item_create(rq, errs, t, ports, i, given)) return false;
  }
  return !service_needs_health_port(spec) || health_port_take(rq, t, spec);
}

static val *node_ports(arena *a, const val *spec);

val *service_node_ports(arena *a, const val *spec) {
  val *out = node_ports(a, spec);
  const val *health = val_getc(spec, "healthCheckNodePort");
  if (val_i64(health)) val_append(a, out, val_int(a, val_i64(health)));
  return out;
}

static val *node_ports(arena *a, const val *spec) {
  val *out = val_list(a);
  const val *ports = val_getc(spec, "ports");
  for (uint32_t i = 0; i < val_len(ports); i++) {
    int64_t n = val_i64(val_getc(val_at(ports, i), "nodePort"));
    if (n) val_append(a, out, val_int(a, n));
  }
  return out;
}

static bool ports_change(request *rq, field_errors *errs, service_txn *t, val *spec,
                         const val *old_numbers) {
  arena *a = rq->arena;
  const val *ports = val_getc(spec, "ports");
  val *seen = val_map(a);
  slice problem;
  for (uint32_t i = 0; i < val_len(ports); i++) {
    val *item = val_at(ports, i);
    int64_t own = val_i64(val_getc(item, "nodePort"));
    if (!own && !service_needs_node_ports(spec)) continue;
    if (!own) {
      own = take_any(rq, t);
      if (!own) return ports_full(rq);
      val_setc(a, item, "nodePort", val_int(a, own));
    } else if (!list_has(old_numbers, own) && !list_has(t->ports_taken, own)) {
      if (!take(rq, t, own, &problem)) return port_error(errs, i, own, problem);
    }
    slice protocol = val_get_str(item, "protocol");
    slice pair = arena_printf(a, "{%.*s %lld}", SLICE_ARG(protocol), (long long)own);
    if (val_get(seen, pair)) /* comes before validation, and so in these words */
      return status_plain(&rq->error, a, "duplicate nodePort: %.*s", SLICE_ARG(pair));
    val_set(a, seen, pair, item);
  }
  return true;
}

bool service_ports_update(request *rq, field_errors *errs, service_txn *t, val *spec,
                          const val *old_spec) {
  arena *a = rq->arena;
  const val *before = node_ports(a, old_spec);
  bool keeps = has_port_type(spec);
  if (keeps && !ports_change(rq, errs, t, spec, before)) return false;
  if (keeps || has_port_type(old_spec)) {
    const val *after = keeps ? node_ports(a, spec) : NULL;
    for (uint32_t i = 0; i < val_len(before); i++) {
      int64_t n = val_i64(val_at(before, i));
      if (!list_has(after, n)) val_append(a, t->ports_left, val_int(a, n));
    }
  }
  bool needed = service_needs_health_port(old_spec), needs = service_needs_health_port(spec);
  if (needs && !needed) return health_port_take(rq, t, spec);
  if (needed && !needs) {
    val_append(a, t->ports_left, val_copy(a, val_getc(old_spec, "healthCheckNodePort")));
  }
  return true;
}
