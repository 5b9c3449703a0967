/* proxy: a plain-HTTP server on loopback that hands every request on, tapes it, and hands the
 * answer back, streams as they come.
 *
 * Credentials are added on the way up and never reach the tape. A protocol upgrade is passed on
 * as a request; if the upstream agrees to it the client is told 501, since frames of another
 * protocol are no exchange. */
#ifndef APISIM_RECORD_PROXY_H
#define APISIM_RECORD_PROXY_H

#include "sim/record/tape_writer.h"
#include "sim/replay/uplink.h"

typedef struct proxy proxy;

typedef struct proxy_options {
  uplink_target upstream;
  const char *upstream_host; /* for the Host header */
  const char *token; /* NULL: none */
  const char *listen; /* "127.0.0.1:0" */
} proxy_options;

/* Listens at once. NULL with a line in problem. */
proxy *proxy_create(const proxy_options *o, tape_writer *writer, char *problem, size_t size);
/* "127.0.0.1:41234" */
const char *proxy_address(const proxy *p);
/* Until SIGTERM or SIGINT. */
void proxy_run(proxy *p);
/* Milliseconds since it was created: the tape's clock. */
int64_t proxy_now_ms(const proxy *p);
void proxy_destroy(proxy *p);

#endif
