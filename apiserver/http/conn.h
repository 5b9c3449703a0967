/* conn: what a connection is inside http/. Private to this folder. */
#ifndef APISIM_HTTP_CONN_H
#define APISIM_HTTP_CONN_H

#include "base/buf.h"
#include "http/chunked.h"
#include "http/head.h"
#include "http/http.h"
#include "http/url.h"

enum http_state {
  HTTP_READ_HEAD,
  HTTP_READ_BODY, /* Content-Length */
  HTTP_READ_CHUNKED,
  HTTP_SKIP, /* the rest of a body that is too large */
  HTTP_ANSWER, /* the handler has the exchange */
  HTTP_UPGRADED, /* the handler has the connection */
};

struct http_conn {
  http_server *server;
  env_conn *out;
  const env_peer *peer;
  arena *arena; /* NULL while idle and shrunk */
  buf in; /* the request under way starts at `start` */
  size_t start;
  buf later; /* what comes while the handler has the exchange: `in` may not move then */
  http_head head;
  chunked chunk;
  size_t body_end; /* offset in `in` from start: behind the decoded body */
  size_t raw_at; /* offset from start: undecoded bytes begin here */
  uint64_t skip; /* bytes of the body still to be dropped */
  uint64_t content_length;
  uint8_t state;
  uint8_t strays; /* newlines skipped in front of the request */
  bool running; /* http_conn_data is below us on the stack */
  bool dead; /* closed; freed by whoever is outermost */
  bool gone; /* the peer left: write nothing more */
  bool paused;
  bool stalled; /* too much is unsent for another request */
  bool close_after; /* this exchange is the connection's last */
  bool keep_alive_10; /* HTTP/1.0 that asked to stay */
  bool expects_continue;
  bool is_head;
  bool reads; /* the method's handlers read a body */
  bool streaming;
  bool chunked_out;
  bool last_was_post;
  bool chunked_in;
  bool idle; /* between requests, and not yet shrunk */
  bool counted; /* in the server's under_way */
  http_exchange x;
  timer timer;
  http_conn *next, **link; /* of the server's */
};

/* In and out of the server's under_way. */
void http_conn_count(http_conn *conn, bool under_way);
/* The answer has been written: the next request, or the end. conn may be freed by it. */
void http_conn_finish(http_conn *conn);
/* Hands over what came before its turn on an upgraded connection (upgrade.c). conn may be freed by
 * it. */
void http_conn_deliver(http_conn *conn);
bool http_conn_upgraded_data(http_conn *conn, slice bytes);
void http_conn_free(http_conn *conn);
void http_conn_set_timer(http_conn *conn, int64_t after_ns);
/* Ends the connection, after what was written has left (flush) or at once. */
void http_conn_end(http_conn *conn, bool flush);
/* Plain answer of the HTTP layer, outside any handler. */
void http_conn_refuse(http_conn *conn, const char *status_line, const char *text);

/* The whole time from its head for the body of a request. */
int64_t http_body_time_ns(const http_exchange *x);
/* "OK" for 200; NULL when unknown. */
const char *http_status_text(int status);
/* "Fri, 20 Nov 2026 16:54:17 GMT": 29 bytes. */
void http_date(int64_t wall_ns, char out[32]);

#endif
