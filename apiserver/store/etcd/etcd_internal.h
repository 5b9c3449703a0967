/* etcd_internal: what the files of the etcd remote share.
 *   etcd_remote.c      endpoints and the connection
 *   etcd_calls.c       unary calls: messages out, answers in
 *   etcd_watches.c     watch streams */
#ifndef APISIM_STORE_ETCD_INTERNAL_H
#define APISIM_STORE_ETCD_INTERNAL_H

#include "base/arena.h"
#include "etcd/grpc_client.h"
#include "etcd/rpc.h"
#include "store/etcd/etcd_remote.h"

typedef struct etcd_remote etcd_remote;

typedef struct etcd_endpoint {
  env_target target;
  slice text; /* as given */
} etcd_endpoint;

enum etcd_call_kind { ETCD_CALL_TXN, ETCD_CALL_RANGE, ETCD_CALL_COMPACT, ETCD_CALL_LEASE };

struct remote_call {
  etcd_remote *r;
  remote_call *next, *before;
  enum etcd_call_kind kind;
  grpc_call *grpc; /* NULL: a failure is about to be told */
  timer timer;
  remote_result failure;
  remote_done done;
  void *ctx;
};

struct remote_watch {
  etcd_remote *r;
  remote_watch *next, *before;
  grpc_call *grpc; /* NULL: it is about to end */
  timer timer;
  bool created;
  bool in_callback, closed; /* closed from within its own callback */
  remote_on_event event;
  void *ctx;
};

struct etcd_remote {
  remote base;
  env *env;
  timers *timers;
  char *text; /* the endpoints' bytes */
  etcd_endpoint endpoints[ETCD_ENDPOINTS_MAX];
  uint32_t endpoint_count, at;
  grpc_client *client; /* NULL: none; the timer runs */
  timer timer; /* the next attempt */
  uint32_t failures; /* attempts since the last that stood */
  bool answered; /* the latest call that ended was answered by a living server */
  grpc_call *version_call;
  char version[32];
  bool progress;
  remote_call *calls;
  remote_watch *watches;
};

static inline etcd_remote *etcd_of(remote *r) { return (etcd_remote *)r; }

/* The connection to use, made if need be; NULL: the next attempt waits. */
grpc_client *etcd_client(etcd_remote *r);
/* This member is of no use: on to the next. */
void etcd_rotate(etcd_remote *r);
/* What a failed call means. */
remote_result etcd_failure(const grpc_result *g);

remote_call *etcd_txn(remote *r, const remote_txn *txn, remote_done done, void *ctx);
remote_call *etcd_range(remote *r, const remote_range *range, remote_done done, void *ctx);
remote_call *etcd_compact(remote *r, int64_t revision, remote_done done, void *ctx);
remote_call *etcd_lease_grant(remote *r, int64_t ttl_s, remote_done done, void *ctx);
void etcd_cancel(remote *r, remote_call *call);
/* The connection is gone without telling its calls. */
void etcd_calls_lost(etcd_remote *r);

remote_watch *etcd_watch_open(remote *r, slice key, slice end, int64_t from, remote_on_event event,
                              void *ctx);
void etcd_watch_progress_ask(remote *r, remote_watch *w);
void etcd_watch_close(remote *r, remote_watch *w);
void etcd_watches_lost(etcd_remote *r);

#endif
