/* client_internal: shared by client.c and client_answer.c; nobody else's. */
#ifndef APISIM_HTTP_CLIENT_INTERNAL_H
#define APISIM_HTTP_CLIENT_INTERNAL_H

#include "base/buf.h"
#include "http/chunked.h"
#include "http/client.h"

typedef enum answer_state { ANSWER_MORE, ANSWER_WHOLE, ANSWER_BAD } answer_state;

/* An answer as its bytes come. Zero it, but for `in`. */
typedef struct answer_reader {
  buf in;
  size_t head_len; /* 0: the head is not whole */
  size_t scanned;
  int code;
  bool is_chunked, to_the_end, gzip, close;
  size_t length; /* of a body that says so */
  size_t at, out; /* chunked: read up to, written up to */
  chunked chunks;
  size_t type_at, type_len, retry_at, retry_len; /* header values, in `in` */
  slice why; /* static */
} answer_reader;

void answer_init(answer_reader *r);
void answer_dispose(answer_reader *r);
/* More bytes; ended: the peer sends no more. */
answer_state answer_feed(answer_reader *r, slice bytes, bool ended);
/* Of a whole one: the body as it was sent, decompressed into *plain (initialized by this) where it
 * is gzip. False: it can't be. */
bool answer_body(const answer_reader *r, buf *plain, slice *body);

#endif
