/* The simulated etcd. */
#include "sim/world/sim_etcd.h"

void sim_etcd_due(world *w, void *ptr, uint64_t arg) { (void)w, (void)ptr, (void)arg; }
void sim_etcd_destroy(world *w) { (void)w; }
void sim_etcd_fault_begin(world *w, fault *f) { (void)w, (void)f; }
void sim_etcd_fault_end(world *w, fault *f) { (void)w, (void)f; }
void sim_etcd_cut(world *w, sim_server *s, int64_t until_ns) { (void)w, (void)s, (void)until_ns; }
void sim_etcd_heal(world *w) { (void)w; }
