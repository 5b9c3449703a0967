/* bootstrap: the objects that the real server makes for itself before it is ready:
 * namespaces, roles and bindings, flow schemas and priority levels, priority classes,
 * APIServices, the identity lease, the service CIDR, and the kubernetes Service with its
 * Endpoints, EndpointSlice and IPAddress.
 *
 * They are written straight into the store, in one fixed order, from templates of their
 * stored bytes: nothing is parsed, so that start-up stays far below a millisecond. Their
 * bytes are those of a fresh v1.36.3 with this server's address, port, service CIDR, host name,
 * clock and generators. */
#ifndef APISIM_BOOTSTRAP_BOOTSTRAP_H
#define APISIM_BOOTSTRAP_BOOTSTRAP_H

#include "server.h"

#define BOOTSTRAP_SERVICE_CIDR "10.0.0.0/24" /* where options name none */

/* Needs s->env, options, store and uid_rng; the store must be empty (a key that is there
 * already is left as it is). False for a service CIDR that is none: *problem says so. */
bool bootstrap_run(server *s, slice *problem);

/* The first usable address of an IPv4 or IPv6 CIDR ("10.0.0.0/24": "10.0.0.1"), which the
 * kubernetes Service gets. False when it is no CIDR. */
bool bootstrap_first_ip(arena *a, slice cidr, slice *out);
/* "apiserver-" and a hash of the host name: the name of the identity lease. */
slice bootstrap_identity(arena *a, slice hostname);

/* What the real server's kubernetesservice controller does every ten seconds: the Service
 * default/kubernetes and its endpoints are made anew where somebody has deleted them, and tell this
 * server's address and port again where they tell another (of a snapshot, or edited). For stores
 * that never wait. */
#define BOOTSTRAP_REPAIR_NS ((int64_t)10 * 1000000000)
void bootstrap_repair(server *s);

#endif
