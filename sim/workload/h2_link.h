/* h2_link: a client's HTTP/2 connection: its calls are streams beside each other. nghttp2 makes
 * and reads the frames; what they say is given to the call's reader, and the call ends as over
 * HTTP/1.1.
 * Nothing is told to a client from inside of nghttp2: what came in one message is handed on behind
 * it, in the order in which the calls began. */
#ifndef APISIM_SIM_H2_LINK_H
#define APISIM_SIM_H2_LINK_H

#include "http/h2.h"
#include "sim/workload/call.h"

typedef struct h2_link {
  h2 session; /* first */
  env env; /* what nghttp2 writes goes to `out` */
  sim_conn *conn;
  buf out; /* not yet sent */
  call **calls; /* open ones, in order */
  uint32_t count, cap;
  bool closing; /* takes no more calls: the server said so, or the client goes elsewhere */
} h2_link;

/* The client's connection for its next call: the present one, or a new one. */
h2_link *h2_link_for(client *c);
/* The bytes that begin the call's stream, for the network; valid until the next use. */
slice h2_link_request(h2_link *l, call *k, const call_request *q);
/* Whether it takes a request now. */
bool h2_link_takes(const h2_link *l);
/* A call's body is no longer held back. */
void h2_link_body_goes_on(h2_link *l, call *k);
/* The first open call of that kind on it, or NULL. */
call *h2_link_watch(const h2_link *l);
call *h2_link_unanswered(const h2_link *l); /* no watch; nothing of its answer has come */
void h2_link_feed(h2_link *l, slice bytes);
/* The connection is gone. */
void h2_link_ended(h2_link *l, conn_end how);
/* Gives a call's stream up: RST_STREAM. */
void h2_link_reset(h2_link *l, call *k);
/* The client leaves, or dies. */
void h2_link_close(h2_link *l);
void h2_link_dispose(h2_link *l);

/* What a client may do to a server, for the fault plan; each gives bytes to be sent now. */
slice h2_link_pings(h2_link *l, uint32_t count);
slice h2_link_settings(h2_link *l, uint32_t window);
slice h2_link_goaway(h2_link *l);
/* The next stream has the last number but so many. */
void h2_link_last_ids(h2_link *l, uint32_t left);

#endif
