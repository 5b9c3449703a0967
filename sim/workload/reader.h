/* reader: an HTTP/1.1 answer as its bytes come in, for the simulated clients. It is strict about
 * what a server may send (that is invariant I19) and cheap. */
#ifndef APISIM_SIM_READER_H
#define APISIM_SIM_READER_H

#include "base/buf.h"

typedef enum reader_state { READER_HEAD, READER_BODY, READER_DONE, READER_BROKEN } reader_state;

typedef struct reader {
  uint8_t state;
  bool chunked, until_close, closes;
  bool size_line; /* chunked: the next thing is a chunk's size */
  bool last; /* chunked: the empty chunk came, its line end has not */
  int status;
  int64_t left; /* of the body or the chunk */
  int32_t retry_after_s; /* -1: not said */
  buf head; /* and size lines under way */
  bool keeps_head;
  buf whole_head; /* if so: the answer's status line and headers */
  buf body;
  char type[48]; /* Content-Type */
  const char *problem; /* of a broken one */
} reader;

void reader_init(reader *r);
/* A header of HTTP/2; ":status" is the answer's. */
void reader_header(reader *r, slice name, slice value);
void reader_dispose(reader *r);
/* Takes what belongs to the answer and says how many bytes that was. */
size_t reader_feed(reader *r, slice bytes);
/* The connection ended: whether the answer is whole. */
bool reader_ended(reader *r);

#endif
