/* watcher: one client's watch: a place in the store's log, a selector, a form, and the stream it
 * writes to. Frames go out in revision order, each event once; a client that does not read is
 * disconnected, never skipped. Source: apiserver
 * pkg/endpoints/handlers/watch.go. */
#ifndef APISIM_WATCH_WATCHER_H
#define APISIM_WATCH_WATCHER_H

#include "codec/negotiate.h"
#include "registry/selector.h"
#include "request/options.h"
#include "request/request.h"

typedef struct watch_args {
  output_form form;
  list_options options;
  selector selector;
  uint64_t from; /* events behind this revision */
  bool initial; /* the state of at least that revision first, as synthetic ADDED events */
  bool wants_end; /* a bookmark that closes the initial events */
  bool over; /* ends as it begins, with rq's error where that is set */
} watch_args;

/* Begins the answer and owns the exchange from now on. */
void watcher_start(request *rq, const watch_args *args);
/* Ends n of the server's watches; how many are left. */
uint32_t watchers_end(server *s, uint32_t n);
/* Ends every watch of the server (shutdown). */
void watchers_stop(server *s);
struct crd_kind;
/* Ends those of a custom resource's kind that is served no more, or otherwise. */
void watchers_end_of(server *s, const struct crd_kind *k);
/* Ends every watch with an ERROR event, 410 Expired: what it would tell next has no order with what
 * it told (the store was put back to another state). */
void watchers_expire(server *s);
/* For a tap (request/tap.h); x is a watch's exchange whose answer has begun, and none is called
 * from within the tap. deliver: bytes that it kept. end: as after its time. cut: the connection
 * breaks (of HTTP/2: all of it, or the stream alone). expire: an ERROR event, 410 Expired, and
 * the end. */
void watcher_deliver(http_exchange *x, blob *frame);
void watcher_end(http_exchange *x);
void watcher_cut(http_exchange *x, bool connection);
void watcher_expire(http_exchange *x);
/* How many are open. */
uint32_t watchers_count(const server *s);

#endif
