/* server_state: everything a server remembers, as a value: its objects and their history, the
 * revision counter, the random streams, the allocators. A server that is put back to a state
 * answers the same requests with the same bytes as it did from there before (clocks aside, which
 * are the world's).
 *
 * Taking and putting back cost the same for ten objects and ten million: the store's state is a
 * root and a list of pieces of history, which are shared and never copied. Memory backend only.
 *
 * Not part of it: connections, open watches, requests under way, options, caches of what is in the
 * store (they are forgotten). */
#ifndef APISIM_SERVER_STATE_H
#define APISIM_SERVER_STATE_H

#include "server.h"

typedef struct server_state server_state;

/* NULL when the store's backend can't. Must be freed before its server is destroyed. */
server_state *server_state_take(server *s);
void server_state_free(server_state *st);
int64_t server_state_revision(const server_state *st);

/* Puts s, which took it, back to the state; it may be used again. Every open watch gets an ERROR
 * event (410 Expired) as its last, so that clients list again: the revisions that follow are the
 * same numbers for other writes. Reads that wait for a revision go on waiting. Not to be called
 * from inside a request to s. */
void server_state_put(server *s, const server_state *st);

#endif
