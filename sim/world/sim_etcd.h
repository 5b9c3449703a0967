/* sim_etcd: a simulated etcd: store/remote.h over the model's own history, with faults. One store,
 * as many ends as there are servers. */
#ifndef APISIM_SIM_SIM_ETCD_H
#define APISIM_SIM_SIM_ETCD_H

#include "sim/world/world.h"

struct remote;
/* The store's first content is there when it returns. */
void sim_etcd_create(world *w);
/* server_remote.make; ctx is the sim_server. */
struct remote *sim_etcd_remote(void *ctx, slice servers, env *e, timers *t, slice *problem);
void sim_etcd_compact(world *w, int64_t revision);
int64_t sim_etcd_compacted(const world *w);
void sim_etcd_due(world *w, void *ptr, uint64_t arg);
void sim_etcd_destroy(world *w);
void sim_etcd_fault_begin(world *w, fault *f);
void sim_etcd_fault_end(world *w, fault *f);
/* Somebody who is none of the servers writes keys of his own. */
void sim_etcd_others_write(world *w, uint32_t times);
/* It comes back from a backup that lacks its newest `lost` revisions; the next one is `bump` behind
 * the newest that was, and everything below is compacted. Down until then. */
void sim_etcd_restore(world *w, int64_t lost, int64_t bump, int64_t up_ns);
/* A server does not reach it until then. */
void sim_etcd_cut(world *w, sim_server *s, int64_t until_ns);
void sim_etcd_heal(world *w);

#endif
