/* grpc: what gRPC's client and server share: status codes, the framing of messages, the coding of
 * grpc-message and grpc-timeout. Source: the gRPC over HTTP2 protocol document. */
#ifndef APISIM_ETCD_GRPC_H
#define APISIM_ETCD_GRPC_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum grpc_code {
  GRPC_OK,
  GRPC_CANCELLED,
  GRPC_UNKNOWN,
  GRPC_INVALID_ARGUMENT,
  GRPC_DEADLINE_EXCEEDED,
  GRPC_NOT_FOUND,
  GRPC_ALREADY_EXISTS,
  GRPC_PERMISSION_DENIED,
  GRPC_RESOURCE_EXHAUSTED,
  GRPC_FAILED_PRECONDITION,
  GRPC_ABORTED,
  GRPC_OUT_OF_RANGE,
  GRPC_UNIMPLEMENTED,
  GRPC_INTERNAL,
  GRPC_UNAVAILABLE,
  GRPC_DATA_LOSS,
  GRPC_UNAUTHENTICATED,
  GRPC_CODE_COUNT,
} grpc_code;

/* "InvalidArgument"; as Go prints codes. */
const char *grpc_code_name(int code);
/* The code of an answer that is no gRPC answer: by its HTTP status. */
int grpc_code_of_http(int status);
/* The code of a stream that was reset: by HTTP/2's error code. */
int grpc_code_of_reset(uint32_t error_code);

/* grpc-message: percent-encoded where it must be; decoding leaves broken escapes as they are. */
void grpc_message_encode(slice text, buf *out);
slice grpc_message_decode(arena *a, slice text);

/* grpc-timeout: at most 8 digits and a unit. */
#define GRPC_TIMEOUT_ROOM 10
slice grpc_timeout_encode(int64_t ns, char room[GRPC_TIMEOUT_ROOM]);
bool grpc_timeout_decode(slice text, int64_t *ns);

/* A message with its five bytes in front. */
void grpc_frame(buf *out, slice message);

/* What has come of a stream's messages. */
typedef struct grpc_inbox {
  buf bytes;
  size_t at; /* read so far */
  size_t max; /* of one message */
} grpc_inbox;

void grpc_inbox_init(grpc_inbox *in, size_t max);
void grpc_inbox_dispose(grpc_inbox *in);
void grpc_inbox_add(grpc_inbox *in, slice bytes);
typedef enum grpc_inbox_result {
  GRPC_INBOX_MESSAGE, /* *message is borrowed until the next add */
  GRPC_INBOX_MORE,
  GRPC_INBOX_TOO_LARGE, /* message->len says how large */
  GRPC_INBOX_COMPRESSED,
} grpc_inbox_result;
grpc_inbox_result grpc_inbox_next(grpc_inbox *in, slice *message);
/* Something has begun and is not whole. */
static inline bool grpc_inbox_partial(const grpc_inbox *in) { return in->bytes.len > in->at; }

#endif
