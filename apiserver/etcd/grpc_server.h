/* grpc_server: a gRPC server over connections of the world. Methods are rows of a table; a row's
 * functions are called with whole messages and answer now or later.
 *
 * Strictness and texts are those of grpc-go as etcd sets it up: messages up to receive_max, then
 * RESOURCE_EXHAUSTED; an unknown path UNIMPLEMENTED; floods end the connection. */
#ifndef APISIM_ETCD_GRPC_SERVER_H
#define APISIM_ETCD_GRPC_SERVER_H

#include "base/timers.h"
#include "env/env.h"
#include "etcd/grpc.h"

typedef struct grpc_stream grpc_stream;

typedef struct grpc_method {
  const char *path; /* "/etcdserverpb.KV/Range" */
  /* false: exactly one message comes, `handle` is called once. true: `handle` for each, then
   * half_close. */
  bool streaming;
  void (*handle)(grpc_stream *s, slice message);
  void (*half_close)(grpc_stream *s);
} grpc_method;

/* Shared by all connections; borrowed as long as they live. */
typedef struct grpc_server {
  env *env;
  timers *timers;
  const grpc_method *methods;
  uint32_t method_count;
  size_t receive_max; /* of one message */
  void *ctx;
} grpc_server;

/* A call under way. */
struct grpc_stream {
  const grpc_server *server;
  const grpc_method *method;
  const env_peer *peer;
  /* For the handler's own use. */
  void *user;
  /* The call is over without grpc_stream_finish: the client reset it, its deadline passed, the
   * connection ended. The stream is dead. Not called after finish. */
  void (*on_abort)(grpc_stream *s);
  /* What was queued has fallen below GRPC_PENDING_LOW again. */
  void (*on_drain)(grpc_stream *s);
};
#define GRPC_PENDING_LOW ((size_t)64 << 10)

void grpc_stream_send(grpc_stream *s, slice message); /* copied */
/* Bytes queued and not yet handed to the world. */
size_t grpc_stream_pending(const grpc_stream *s);
/* The status; s is dead. What was sent before leaves before it. */
void grpc_stream_finish(grpc_stream *s, int code, slice message);

typedef struct grpc_server_conn grpc_server_conn;
/* The connection's first bytes (the preface) are fed like all others. */
grpc_server_conn *grpc_server_conn_open(const grpc_server *server, env_conn *c,
                                        const env_peer *peer);
extern const env_conn_events grpc_server_conn_events; /* owner: the grpc_server_conn */
/* GOAWAY: no new calls; the connection ends when the last one has. */
void grpc_server_conn_leave(grpc_server_conn *c);

#endif
