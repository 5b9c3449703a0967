/* grpc_client: one connection to a gRPC server, and the calls on it.
 *
 * Made for one attempt: it connects at once (env->connect) and lives until the connection ends;
 * who wants to reconnect makes another one, after a pause of its own. Calls may be opened before
 * the connection stands: they leave when it does.
 *
 * No callback comes from inside create, open, send or cancel. A callback may open, send, cancel
 * and close. Everything handed to a callback is borrowed for its length. */
#ifndef APISIM_ETCD_GRPC_CLIENT_H
#define APISIM_ETCD_GRPC_CLIENT_H

#include "base/timers.h"
#include "env/env.h"
#include "etcd/grpc.h"

typedef struct grpc_client grpc_client;
typedef struct grpc_call grpc_call;

typedef struct grpc_metadata {
  slice name, value; /* small letters; printable */
} grpc_metadata;

typedef struct grpc_client_options {
  env *env;
  timers *timers;
  env_target target; /* copied, but for tls; alpn is set here */
  slice user_agent;
  const grpc_metadata *metadata; /* sent with each call; borrowed as long as the client */
  uint32_t metadata_count;
  /* After this long without a byte from the server a ping; without a byte for the time-out after
   * that, the connection is given up. 0: no pings. kube-apiserver: 30 s and 10 s. */
  int64_t keepalive_ns, keepalive_timeout_ns;
  size_t receive_max; /* of one message; 0: 2^31-1, as etcd's client */
  size_t send_max; /* 0: 2 MiB */
  /* The server's settings have come: it speaks HTTP/2. NULL is fine, for on_closed too. */
  void (*on_ready)(void *ctx);
  /* It ended: every call has had its on_end (UNAVAILABLE). The client frees itself after this. */
  void (*on_closed)(void *ctx, slice why);
  void *ctx;
} grpc_client_options;

grpc_client *grpc_client_create(const grpc_client_options *o);
/* Ends connection and calls at once; no callback of either comes any more. */
void grpc_client_close(grpc_client *c);
/* The server has said GOAWAY: calls under way go on, new ones are refused (UNAVAILABLE, not
 * processed). */
bool grpc_client_leaving(const grpc_client *c);
uint32_t grpc_client_calls(const grpc_client *c);

typedef struct grpc_result {
  int code; /* grpc_code */
  slice message;
  /* Only for a code other than OK: the server has surely not acted on the call (it never left,
   * or was refused unread); it may be sent again without asking whether it happened. */
  bool not_processed;
} grpc_result;

typedef struct grpc_call_events {
  void (*on_message)(void *ctx, slice message); /* NULL: dropped */
  /* The last callback; the call is dead. */
  void (*on_end)(void *ctx, const grpc_result *r);
} grpc_call_events;

/* timeout_ns: from now, told to the server too (grpc-timeout); 0: none. path: static. The call
 * ends by on_end or grpc_call_cancel. */
grpc_call *grpc_call_open(grpc_client *c, const char *path, int64_t timeout_ns,
                          const grpc_call_events *events, void *ctx);
/* Queues one message. False: it is larger than send_max; the call will end RESOURCE_EXHAUSTED. */
bool grpc_call_send(grpc_call *call, slice message);
/* Nothing more is to be sent. */
void grpc_call_half_close(grpc_call *call);
/* Resets the stream; no callback comes any more; the call is dead. */
void grpc_call_cancel(grpc_call *call);
/* While paused no on_message (and so no on_end) comes and the server is not asked for more than
 * one window (1 MiB). */
void grpc_call_pause(grpc_call *call, bool paused);

/* A unary call: on_end has the one answer. With OK, `answer` is the message. */
typedef void (*grpc_on_answer)(void *ctx, const grpc_result *r, slice answer);
grpc_call *grpc_unary(grpc_client *c, const char *path, slice message, int64_t timeout_ns,
                      grpc_on_answer on_answer, void *ctx);

#endif
