/* tap: where a world may look at, keep or refuse what passes the server: faults, logs, lagging
 * servers. The server knows no more of it than these two calls; without a tap (NULL) they cost a
 * comparison a request and a comparison a watch event. Answers: http_tap in http/http.h. */
#ifndef APISIM_REQUEST_TAP_H
#define APISIM_REQUEST_TAP_H

#include "request/request.h"
#include "watch/frame.h"

typedef enum tap_verdict {
  TAP_PASS,
  TAP_REFUSE, /* rq->error is set: it is the answer */
  TAP_KEEP, /* the tap goes on with it later: chain_resume, chain_refuse or the cuts of http.h */
} tap_verdict;

/* What is about to be told to a watch. Borrowed. */
typedef struct tap_frame {
  http_exchange *stream;
  event_type type;
  bool initial; /* of the state that the watch begins with, or its closing bookmark */
  int64_t revision; /* 0: of an ERROR */
  slice key; /* empty: of a BOOKMARK or an ERROR */
  blob *bytes;
} tap_frame;

typedef struct server_tap {
  void *ctx;
  /* A request, authenticated and not yet authorized: where the real server limits concurrency. */
  tap_verdict (*request)(void *ctx, request *rq);
  /* False: the tap keeps a reference of its own to the bytes and hands them over in order by
   * watcher_deliver, or drops them with the stream. An ERROR is only shown: the stream ends behind
   * it. Must not end the stream. */
  bool (*frame)(void *ctx, const tap_frame *f);
} server_tap;

#endif
