/* env_conn: what the loop, the connections and the outgoing side share. Private to env/, and the
 * one header that includes event2/. */
#ifndef APISIM_ENV_ENV_CONN_H
#define APISIM_ENV_ENV_CONN_H

#include "env/env_world.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

typedef struct conn_events {
  struct event read, write; /* assigned once there is a descriptor */
  struct outgoing *outgoing; /* env_connect.c's */
} conn_events;

struct event_base *world_base(world *w);
/* Once a turn; further calls keep what was read. */
void world_read_clocks(world *w);

/* In the world's list, without a descriptor, in the first state. */
env_conn *conn_create(world *w, const world_tls *tls);
void conn_attach(env_conn *c, int fd);
void conn_describe_peer(env_conn *c, const struct sockaddr_storage *a);
/* An accepted connection begins: its TLS handshake, or at once. */
void conn_accepted(env_conn *c);
/* Our side begins the handshake: c->ssl is set. */
void conn_handshake(env_conn *c);
void conn_open(env_conn *c);
void conn_watch_reads(env_conn *c);
/* Sends what waits; ends what is to end. */
void conn_flush(env_conn *c);
/* Everything written has left: our side ends, the peer gets a moment to read it. */
void conn_linger(env_conn *c);
void conn_linger_over(void *ctx, int64_t now_ns);
/* It broke, or its peer left: the owner is told. */
void conn_lost(env_conn *c, slice why);
/* "what: why" in the world's buffer, until the next one. */
slice conn_problem(env_conn *c, const char *what, const char *why);
/* Dead at once, freed at the turn's end. */
void conn_kill(env_conn *c);
void conn_free(env_conn *c);

/* env_connect.c */
env_conn *connect_begin(env *e, const env_target *t, const env_conn_events *events, void *owner);
void connect_writable(env_conn *c);
/* Nothing more comes for it; also for connections that are not outgoing. */
void connect_cancel(env_conn *c);
void connect_dispose(world *w);

#endif
