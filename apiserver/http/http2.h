/* http2: HTTP/2 between a connection's bytes and requests, a stream an exchange (http.h). nghttp2
 * keeps the protocol; limits and answers are those of Go's http2 server as kube-apiserver sets it
 * up: 100 streams, frames up to 256 KiB, windows of 256 KiB a stream and 100 of them a connection,
 * headers up to 1 MiB in all (431 above; a single one up to 64 KiB, nghttp2's bound), 90 s idle.
 *
 * Back-pressure: what a stream writes waits in its own queue (http_stream_pending) while the peer's
 * window is shut or the world has more than H2_UNSENT_MAX unsent.
 * Floods (resets, pings, settings, continuations) end the connection with ENHANCE_YOUR_CALM. */
#ifndef APISIM_HTTP_HTTP2_H
#define APISIM_HTTP_HTTP2_H

#include "http/http.h"

/* How an exchange of HTTP/2 answers: what http.h's functions do for it. */
typedef struct http_wire {
  void (*send)(http_exchange *x, const http_answer *a);
  void (*stream_begin)(http_exchange *x, int status, const http_header *headers, uint32_t count);
  void (*stream_write)(http_exchange *x, slice bytes, blob *owner);
  size_t (*pending)(const http_exchange *x);
  void (*stream_end)(http_exchange *x);
  void (*cut)(http_exchange *x);
  void (*cut_connection)(http_exchange *x, bool flush); /* behind this turn */
  void (*settle)(http_exchange *x);
} http_wire;

typedef struct http2_conn http2_conn;
http2_conn *http2_conn_open(http_server *s, env_conn *c, const env_peer *peer);
extern const env_conn_events http2_conn_events; /* owner: the http2_conn */
/* GOAWAY on every connection: streams under way end, then the connection does. */
void http2_leave(http_server *s);

#endif
