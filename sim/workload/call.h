/* call: one request of a client and its answer, or what came instead of one. */
#ifndef APISIM_SIM_CALL_H
#define APISIM_SIM_CALL_H

#include "sim/workload/reader.h"
#include "sim/world/world.h"

typedef enum call_how {
  CALL_OPEN,
  CALL_ANSWERED, /* reader is READER_DONE */
  CALL_CUT, /* the connection ended first */
  CALL_REFUSED, /* there was no connection: the request was surely not read */
  CALL_TIMED_OUT, /* the client lost patience */
  CALL_ABANDONED, /* the client closed it itself */
} call_how;

/* What somebody on the way answers. */
typedef struct call_instead {
  int status;
  int retry_after_s; /* 0: not said */
  slice body;
} call_instead;

typedef struct call {
  struct call *all_next;
  client *owner;
  sim_conn *conn;
  sim_server *server;
  uint32_t server_life;
  reader in;
  uint8_t how;
  bool watch; /* lines of the body are given as they come */
  bool stream; /* a stream that its owner reads by itself */
  bool sent_some; /* bytes of it may have reached the server */
  bool twice; /* the network delivered the request a second time */
  bool replaced; /* the answer is the fault plan's, not the server's, or of a lost history */
  bool slow; /* the request's bytes came slowly */
  bool skewed; /* went through an old server that does not know some parameters */
  int64_t begun_ns;
  uint32_t epoch; /* of the world, then */
  int64_t revision; /* the store's when it began */
  int64_t compacted; /* the server's then */
  int64_t store_compacted; /* the simulated etcd's then */
  size_t line_from; /* of a watch: where the next line begins in in.body */
  void *user; /* the client's */
  /* over HTTP/2 */
  struct h2_link *link; /* NULL: HTTP/1.1 */
  int32_t stream_id;
  uint32_t stream_code; /* of its end */
  bool stream_over;
  uint32_t padding; /* bytes of a header that nobody reads */
  slice body_left; /* of the request */
  size_t body_held; /* so much of its end waits: call_goes_on */
  uint8_t edits; /* enum call_edits: of the next bookmark */
  const call_instead *instead; /* what DUE_CALL_INSTEAD gives it */
  const struct call_request *late; /* what DUE_CALL_GOES_ON sends */
} call;

enum call_edits { EDIT_NONE, EDIT_DROP, EDIT_TWICE };

typedef struct call_request {
  const char *method;
  slice target; /* path and query */
  slice body;
  const char *content_type; /* NULL: application/json */
  const char *accept; /* NULL: not said */
  bool watch;
  bool stream; /* a connection of its own, and no haste */
  slice raw; /* the whole request instead of what the other members say */
  int64_t timeout_ns;
  int64_t op; /* for the transcript; -1: none */
} call_request;

/* Sends it on the client's idle connection, or on a new one. Never NULL; the client's `answered`
 * comes later, exactly once, unless the call is abandoned. */
call *call_start(client *c, const call_request *q);
/* What is sent for it: of HTTP/2 what begins its stream (once only). */
slice call_bytes(call *k, const call_request *q);
/* The same as HTTP/1.1, whatever the call speaks: a copy on its own way. */
slice call_bytes_http1(const call *k, const call_request *q);
/* Over HTTP/2: it is answered by another than the server, whose own words for it are lost. */
void call_answered_instead(call *k);
/* Over HTTP/2: the request that waited is sent, or what was held of its body. */
void call_goes_on(call *k);
/* Closes its connection, or its stream; nothing more comes. */
void call_abandon(call *k);
void call_feed(call *k, slice bytes);
void call_conn_ended(sim_conn *c, conn_end how);
void call_timed_out(call *k);
/* What came is in its reader: a watch's lines are given. */
void call_progress(call *k);
void call_over(call *k, call_how how);
/* The client gives it up (a fault's doing), and hears of it as of a broken connection. */
void call_reset(call *k);
static inline slice call_body(const call *k) { return buf_slice(&k->in.body); }
/* Whether the answer says that the request did nothing (4xx of the server), or the request never
 * got there. */
bool call_surely_undone(const call *k);

#endif
