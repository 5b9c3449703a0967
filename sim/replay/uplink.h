/* uplink: how a replay reaches a server. Two kinds stand behind this table: sockets to a running
 * one (uplink_socket.c), and memory to one embedded in this process (uplink_world.c), whose clock is
 * the tape's. */
#ifndef APISIM_REPLAY_UPLINK_H
#define APISIM_REPLAY_UPLINK_H

#include "sim/replay/response.h"

/* One request under way. The link's own; ends with finish. */
typedef struct call {
  response res; /* grows while steps pass */
  char problem[200]; /* why there is no answer; empty while there is none to tell */
  void *user; /* the caller's */
} call;

typedef struct uplink uplink;
struct uplink {
  /* Sends one whole request (head and body). Never NULL: a failure shows in problem. */
  call *(*start)(uplink *l, slice request, bool head_request);
  /* Forgets the call; if it is still under way its connection is cut. */
  void (*finish)(uplink *l, call *c);
  /* Lets time pass until something has come or the clock shows until_ms; false for the latter. */
  bool (*step)(uplink *l, int64_t until_ms);
  int64_t (*now_ms)(uplink *l); /* since the link was made */
  int64_t (*wall_seconds)(uplink *l); /* since 1970, the server's clock as far as we know it */
  void (*destroy)(uplink *l);
};

typedef struct uplink_target { /* of a URL and its credentials */
  bool tls, insecure;
  char host[256];
  char port[8];
  const char *ca_pem; /* NULL: the system's */
  const char *cert_pem, *key_pem; /* NULL: no client certificate */
} uplink_target;

/* "https://127.0.0.1:7443". False when it is no such URL. */
bool uplink_target_parse(uplink_target *t, const char *url);
/* NULL with a line in problem. */
uplink *uplink_socket_create(const uplink_target *t, char *problem, size_t problem_size);
/* The same on an event loop of the caller's, who never steps but is told: `changed` comes whenever
 * a call has grown or ended, and may finish it. */
struct event_base;
uplink *uplink_socket_create_on(const uplink_target *t, struct event_base *events,
                                void (*changed)(void *ctx, call *c), void *ctx, char *problem,
                                size_t problem_size);
/* A fresh embedded server. wall_ms: what its clock shows at the tape's start. */
uplink *uplink_world_create(uint64_t seed, int64_t wall_ms, char *problem, size_t problem_size);

#endif
