/* http: HTTP/1.1 between a connection's bytes and requests; http2.h does HTTP/2 with the same
 * exchanges. Sans-I/O: bytes come in by http_conn_data, answers go out by env's conn_write.
 *
 * Strictness and limits are those of Go's net/http as kube-apiserver sets it up:
 * headers up to 1 MiB, 32 s to read them, 90 s idle. */
#ifndef APISIM_HTTP_HTTP_H
#define APISIM_HTTP_HTTP_H

#include "base/arena.h"
#include "base/blob.h"
#include "base/slice.h"
#include "base/timers.h"
#include "env/env.h"

#define HTTP_BODY_MAX ((size_t)3145728) /* of a request; over it: exchange->body_too_large */
#define HTTP_ANSWER_HEADERS_MAX 192u /* of one answer, Date and the like included */

typedef struct http_conn http_conn;
typedef struct http_server http_server;
typedef struct http_exchange http_exchange;

typedef struct http_header {
  slice name; /* as sent; compare with slice_eq_nocase */
  slice value; /* trimmed */
} http_header;

typedef struct http_part {
  slice bytes; /* what to send */
  blob *owner; /* keeps bytes alive; NULL: bytes live in the arena or are constant */
} http_part;

/* One request with its answer. Everything borrowed lives until the exchange ends. */
struct http_exchange {
  arena *arena; /* the request's memory; reset when the exchange ends */
  http_server *server;
  http_conn *conn; /* of HTTP/1; NULL: see wire */
  const struct http_wire *wire; /* HTTP/2's way of answering (http2.h); NULL: HTTP/1 */
  const env_peer *peer;
  slice method;
  slice target; /* as sent */
  slice path; /* percent-decoded, not cleaned */
  slice raw_query; /* behind '?', not decoded */
  bool http10;
  uint32_t header_count;
  const http_header *headers;
  slice body; /* whole */
  bool body_too_large; /* more than HTTP_BODY_MAX came; body holds what was read */
  bool body_broken; /* chunked framing was wrong: the handler answers 500, connection closes */
  slice body_error; /* Go's words for it */
  bool body_late; /* its time was over before its end: the handler answers 504 */
  int64_t head_mono_ns; /* when its head was complete */
  int64_t started_mono_ns;
  /* For the handler's own use. */
  void *user;
  void (*on_abort)(http_exchange *x); /* the peer went away before the answer's end */
  void (*on_drain)(http_exchange *x); /* of a stream: pending bytes fell below the low mark */
  void (*on_data)(http_exchange *x, slice bytes); /* of an upgraded exchange: what the peer sends */
  struct url_query *query; /* http's own: the parameters, once asked for */
  void *tapped; /* the tap's own; NULL: it is not told of the exchange's end */
  /* The newest revision that a read may be answered from, 0: no bound. Set by a tap that plays a
   * server whose watch cache lags. */
  int64_t horizon;
};

/* A whole answer, as given to http_respond. */
typedef struct http_answer {
  int status;
  const http_header *headers;
  uint32_t header_count;
  const http_part *parts;
  uint32_t part_count;
} http_answer;

/* tap: a world's ear on the answers, for faults and logs. A server without one (NULL) pays a
 * comparison an answer. */
typedef struct http_tap {
  void *ctx;
  /* A whole answer is about to be written. It may be changed in place (what it points at: in
   * x->arena). False: the tap keeps the exchange and ends it by http_send, http_stream_cut or
   * http_connection_cut. */
  bool (*answer)(void *ctx, http_exchange *x, http_answer *a);
  /* A streamed answer begins. */
  void (*stream)(void *ctx, http_exchange *x, int status);
  /* The exchange is over: answered, cut, or the peer left. Only where x->tapped is set. */
  void (*over)(void *ctx, http_exchange *x);
} http_tap;

/* Called once a request is complete (or its body is too large or broken). The handler
 * answers now or later, exactly once. */
typedef void (*http_handler)(void *ctx, http_exchange *x);

struct http_server { /* shared by all its connections */
  env *env;
  timers *timers;
  http_handler handle;
  void *ctx;
  const http_tap *tap; /* NULL: none */
  uint32_t http2_max_streams; /* on one connection; 0: 100 */
  /* How long the body of a request may take, whose head is complete. NULL: a minute. */
  int64_t (*body_time_ns)(const http_exchange *x);
  http_conn *conns;
  struct http2_conn *http2_conns;
  uint32_t under_way; /* requests between their head and the end of their answer */
  bool leaving;
};

http_conn *http_conn_open(http_server *s, env_conn *c, const env_peer *peer);
/* The server takes no further request: a connection without one under way ends (one that has sent
 * half a head too), every other behind its answers; of HTTP/2 GOAWAY says which are the last. As
 * Go's http.Server.Shutdown, but what it leaves a connection that is younger than five seconds, or
 * a second for reading GOAWAY, nobody would use. under_way tells what is left. */
void http_leave(http_server *s);
/* Eats all of `bytes`. May answer, close, and call the handler any number of times. Returns
 * false when the connection has been closed by it (conn is dead). */
bool http_conn_data(http_conn *conn, slice bytes);
/* The peer will send no more but may still read. A half head is answered 400 (false: conn is
 * dead); true: nothing to answer, the world goes on to http_conn_closed when it likes. */
bool http_conn_eof(http_conn *conn);
/* The peer closed (or broke): aborts the exchange under way and frees conn. */
void http_conn_closed(http_conn *conn);
/* The world calls this when a connection's pending bytes, having been above ENV_PENDING_LOW,
 * fall below it: a stream's on_drain is called. */
void http_conn_drained(http_conn *conn);
/* The four above as the world calls them; the owner is the http_conn. */
extern const env_conn_events http_conn_events;

/* First value of a header, SLICE_NONE if absent. */
slice http_header_get(const http_exchange *x, const char *name);
/* Query parameters, percent-decoded into the arena; first of that name. has: even if empty. */
slice http_query_get(const http_exchange *x, const char *name);
bool http_query_has(const http_exchange *x, const char *name);
/* Every value of a repeated parameter: index 0, 1, ...; false behind the last. */
bool http_query_nth(const http_exchange *x, const char *name, uint32_t n, slice *value);

/* Answering. Date, Content-Length (or chunked), and Connection are added here. The blob is
 * shared, not copied: http takes a reference. parts are sent one behind the other. */
void http_respond(http_exchange *x, int status, const http_header *headers, uint32_t count,
                  const http_part *parts, uint32_t part_count);
/* The same, past the tap. */
void http_send(http_exchange *x, const http_answer *a);
/* A streamed answer: chunked (or until close for HTTP/1.0). */
void http_stream_begin(http_exchange *x, int status, const http_header *headers, uint32_t count);
/* One chunk; `owner` as above (NULL: copied). The caller looks at http_stream_pending. */
void http_stream_write(http_exchange *x, slice bytes, blob *owner);
/* Bytes that many streams of one server send, framed once: a chunk, for those that
 * http_stream_frames says are chunked. The caller's reference. */
bool http_stream_frames(const http_exchange *x);
blob *http_chunk_of(slice bytes);
/* Sends such a chunk as it is. */
void http_stream_write_chunk(http_exchange *x, blob *chunk);
size_t http_stream_pending(const http_exchange *x);
/* The last chunk; the exchange is over and x is dead. */
void http_stream_end(http_exchange *x);
/* The handler of a stream that lives long needs nothing of its request any more: x->arena and all
 * that x borrows are gone. */
void http_stream_settle(http_exchange *x);
/* Cuts the connection (of HTTP/2: the stream) without an end: what a failed stream looks like. */
void http_stream_cut(http_exchange *x);
/* Cuts the connection under it: of HTTP/2 every stream of the connection ends with it. flush: what
 * was written still leaves: it breaks in the middle of an answer. Of any exchange. */
void http_connection_cut(http_exchange *x, bool flush);

/* Leaves HTTP: `head` is written as it is, and what the peer sends behind its request goes to
 * x->on_data, in a later turn where it is here already. on_data may end the exchange. Also valid
 * then: http_stream_pending, _settle and _cut. */
void http_upgrade(http_exchange *x, slice head);
/* Bytes as they are; owner as in http_part. */
void http_raw_write(http_exchange *x, slice bytes, blob *owner);
/* Ends the connection after what was written has left. x is dead. */
void http_raw_end(http_exchange *x);

#endif
