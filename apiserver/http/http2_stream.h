/* http2_stream: a stream and its connection inside http/. Private to http2*.c. */
#ifndef APISIM_HTTP_HTTP2_STREAM_H
#define APISIM_HTTP_HTTP2_STREAM_H

#include "base/buf.h"
#include "http/h2.h"
#include "http/http2.h"

/* Bytes that wait for their frame. */
typedef struct http2_part {
  struct http2_part *next;
  blob *owner; /* NULL: the arena's, or constant */
  slice bytes;
} http2_part;

typedef struct http2_stream {
  h2_source source; /* first: a data source is a stream */
  http_exchange x;
  http2_conn *conn;
  struct http2_stream *next, **link;
  int32_t id;
  /* The request. */
  http_header *headers;
  uint32_t header_count, header_cap;
  size_t header_bytes;
  slice method, path, authority;
  buf body;
  bool head_done, in_ended, expects_continue, head_too_large;
  timer late; /* set while the body comes */
  /* The handler's side. */
  bool dispatched; /* it has the exchange */
  bool over; /* and has ended it */
  bool streaming, is_head;
  /* The answer. */
  bool begun; /* its head is queued */
  bool out_end; /* nothing more is queued */
  bool high; /* pending was above ENV_PENDING_LOW */
  http2_part *parts, **parts_end;
  size_t pending;
} http2_stream;

struct http2_conn {
  h2 h2; /* first: nghttp2's user_data is both */
  http_server *server;
  const env_peer *peer;
  env_conn *out; /* NULL: gone */
  http2_stream *streams;
  uint32_t stream_count;
  uint32_t high_count; /* streams whose pending went above ENV_PENDING_LOW */
  uint32_t busy; /* callbacks below us on the stack */
  bool dead, leaving;
  bool breaks, breaks_behind; /* it is cut when the turn ends; behind what was written */
  arena *spare; /* an arena for the next stream */
  timer idle;
  http2_conn *next, **link; /* of the server's */
};

static inline http2_stream *http2_stream_of(const http_exchange *x) {
  return (http2_stream *)(void *)((char *)(uintptr_t)x - offsetof(http2_stream, x));
}

/* Around everything that may write or call back: the outermost leave sends what is queued, tells
 * streams that have drained, and frees a connection that is over. leave: false if it is. */
void http2_enter(http2_conn *c);
bool http2_leave_conn(http2_conn *c);

/* Its source, its empty queue. */
void http2_source_init(http2_stream *s);
extern const http_wire http2_wire;
/* The exchange is over for its handler: the tap hears so, once. */
void http2_over(http2_stream *s);
void http2_parts_drop(http2_stream *s);

#endif
