/* etcd_remote: etcd v3 over gRPC as a remote (store/remote.h).
 *
 * One connection at a time. When it breaks, does not answer pings, or its member has no leader, the
 * next endpoint is tried, after a pause once all were. What was under way is answered UNKNOWN, what
 * had not left UNAVAILABLE; nothing is sent twice here. */
#ifndef APISIM_STORE_ETCD_REMOTE_H
#define APISIM_STORE_ETCD_REMOTE_H

#include "base/timers.h"
#include "env/env.h"
#include "store/remote.h"

#define ETCD_ENDPOINTS_MAX 16

typedef struct etcd_remote_options {
  env *env;
  timers *timers;
  slice servers; /* "http://127.0.0.1:2379,https://[::1]:2379"; copied */
  const struct world_tls *tls; /* for https; borrowed for its life; NULL: only http */
} etcd_remote_options;

/* NULL with *problem (static) for servers that can't be meant. Connects with the first call. */
remote *etcd_remote_create(const etcd_remote_options *o, slice *problem);

#endif
