/* response: an HTTP/1.1 answer as it comes in, in pieces of any size. */
#ifndef APISIM_REPLAY_RESPONSE_H
#define APISIM_REPLAY_RESPONSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "sim/replay/tape.h"

typedef enum response_state {
  RESPONSE_HEAD,
  RESPONSE_BODY,
  RESPONSE_DONE,
  RESPONSE_BROKEN, /* not HTTP, or cut short */
} response_state;

typedef struct response {
  arena *arena;
  response_state state;
  bool head_request; /* no body whatever the head says */
  int status;
  tape_headers headers;
  buf body; /* what has come of it, chunking undone */
  bool keep_alive;
  /* private */
  buf pending;
  bool chunked, until_close;
  int64_t left; /* of the body or chunk; -1: a chunk's size line comes next */
} response;

void response_init(response *r, arena *a, bool head_request);
void response_dispose(response *r);
void response_feed(response *r, slice bytes);
/* The peer closed. */
void response_eof(response *r);

#endif
