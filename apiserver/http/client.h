/* client: POST requests to other HTTP/1.1 servers, over connections that are kept and reused.
 *
 * As client-go's: one request at a time on a connection, idle ones kept for 90 s, 25 of one server
 * at most. All connections together are bounded (LIMIT_CLIENT_CONNECTIONS): what comes beyond
 * waits for one, in order. Nothing is sent twice. Redirects are not followed. */
#ifndef APISIM_HTTP_CLIENT_H
#define APISIM_HTTP_CLIENT_H

#include "base/timers.h"
#include "env/env.h"

typedef struct http_client http_client;
typedef struct http_call http_call;

/* Where to and what; copied by http_client_post. */
typedef struct http_client_request {
  slice host; /* to connect to: a name or an IP literal, without brackets */
  uint16_t port;
  bool secure; /* TLS */
  slice trust_pem; /* authorities of the server's certificate; empty: the system's */
  slice server_name; /* what the certificate must be for; empty: host */
  slice authority; /* the Host header */
  slice target; /* path and query */
  slice fields; /* header lines in front of and behind Content-Length, each with its CRLF */
  slice late_fields;
  slice body;
  int64_t deadline_ns; /* on the monotonic clock */
} http_client_request;

typedef enum http_client_failure {
  HTTP_CLIENT_OK,
  HTTP_CLIENT_BROKEN, /* `why` says how, in Go's words */
  HTTP_CLIENT_LATE, /* the deadline passed */
} http_client_failure;

/* Borrowed for the callback. */
typedef struct http_client_answer {
  http_client_failure failure;
  slice why;
  int code;
  slice content_type; /* empty: none */
  slice retry_after;
  slice body; /* decompressed */
} http_client_answer;

/* Never NULL. */
http_client *http_client_create(env *e, timers *t);
/* Ends all connections; calls under way end without a callback. NULL is fine. */
void http_client_destroy(http_client *c);
/* on_end comes once, from a timer, never from inside of this; the call is dead then. */
http_call *http_client_post(http_client *c, const http_client_request *r,
                            void (*on_end)(void *ctx, const http_client_answer *a), void *ctx);
/* No callback comes any more; the call is dead. */
void http_call_cancel(http_call *call);

#endif
