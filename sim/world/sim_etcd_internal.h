/* sim_etcd_internal: what the files of the simulated etcd share. */
#ifndef APISIM_SIM_SIM_ETCD_INTERNAL_H
#define APISIM_SIM_SIM_ETCD_INTERNAL_H

#include "registry/stored_codec.h"
#include "sim/world/sim_etcd.h"
#include "store/remote.h"

enum etcd_due { ETCD_ARRIVES, ETCD_ANSWERS, ETCD_LATE, ETCD_FEEDS, ETCD_LEASE };
enum etcd_call { ETCD_TXN, ETCD_RANGE, ETCD_COMPACT, ETCD_GRANT };

typedef struct etcd_extra { /* beside a commit of `raw` */
  int64_t create, version, lease;
} etcd_extra;

typedef struct etcd_lease {
  struct etcd_lease *next;
  int64_t id, ends_ns;
  int64_t granted_ns, ttl_s;
  bool ended;
} etcd_lease;

typedef struct sim_etcd {
  world *w;
  model *raw; /* stored bytes; all keys */
  etcd_extra *extras;
  uint32_t extra_cap;
  struct stored_codec *codec;
  rng rng;
  int64_t served; /* the newest revision of the first content */
  int64_t compacted; /* the oldest revision kept */
  uint32_t generation; /* counts restarts */
  uint32_t calls, storm_left;
  int64_t down_until_ns;
  int64_t cut_until_ns[SERVERS_MAX];
  remote_watch *watches;
  etcd_lease *leases;
  int64_t lease_count;
} sim_etcd;

typedef struct sim_remote {
  remote base; /* first */
  sim_etcd *etcd;
  sim_server *server;
  uint32_t life;
  bool dead;
} sim_remote;

struct remote_call {
  sim_remote *end;
  uint8_t kind;
  bool cancelled;
  uint32_t generation, number;
  remote_done done;
  void *ctx;
  remote_txn txn;
  remote_range range;
  int64_t number_asked;
  int64_t slow_ns;
  remote_answer answer;
};

struct remote_watch {
  remote_watch *next;
  sim_remote *end;
  uint32_t generation;
  slice key, end_key;
  int64_t next_revision;
  remote_on_event event;
  void *ctx;
  bool closed, progress;
  bool torn; /* ends as compacted at its next feed */
  int64_t due_ns; /* of the feed in the queue; INT64_MAX: none */
  int64_t held_until_ns;
};

sim_etcd *sim_etcd_of(const world *w);
/* When something sent now arrives. */
int64_t sim_etcd_hop(sim_etcd *e, int64_t extra_ns);
/* How much longer an answer takes now; INT64_MAX: for ever. */
int64_t sim_etcd_slowness(sim_etcd *e);
int64_t sim_etcd_commit(sim_etcd *e, slice key, bool deleted, slice value, int64_t lease);
/* A deletion in one revision with those before it, but for the first. */
int64_t sim_etcd_delete_too(sim_etcd *e, bool first, slice key);
remote_kv sim_etcd_kv(const sim_etcd *e, const commit *c, bool keys_only);
void sim_etcd_restart(sim_etcd *e, int64_t up_ns);

remote_watch *sim_etcd_watch_open(remote *r, slice key, slice end, int64_t from,
                              remote_on_event event, void *ctx);
void sim_etcd_watch_close(remote *r, remote_watch *x);
void sim_etcd_progress(remote *r, remote_watch *x);
void sim_etcd_feed_soon(remote_watch *x, int64_t extra_ns);
void sim_etcd_feed(sim_etcd *e, remote_watch *x);

int64_t sim_etcd_lease_grant(sim_etcd *e, int64_t ttl_s);
bool sim_etcd_lease_lives(const sim_etcd *e, int64_t id);
void sim_etcd_lease_due(sim_etcd *e, etcd_lease *l);

#endif
