/* Codes and codings of gRPC. */
#include "etcd/grpc.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>

#define FRAME_HEAD 5
#define INBOX_CEILING ((size_t)2 << 30)

static const char *const code_names[GRPC_CODE_COUNT] = {
    "OK",           "Canceled",         "Unknown",           "InvalidArgument",
    "DeadlineExceeded", "NotFound",     "AlreadyExists",     "PermissionDenied",
    "ResourceExhausted", "FailedPrecondition", "Aborted",    "OutOfRange",
    "Unimplemented", "Internal",        "Unavailable",       "DataLoss",
    "Unauthenticated"};

const char *grpc_code_name(int code) {
  return code >= 0 && code < GRPC_CODE_COUNT ? code_names[code] : "Unknown";
}

int grpc_code_of_http(int status) {
  switch (status) {
  case 400: return GRPC_INTERNAL;
  case 401: return GRPC_UNAUTHENTICATED;
  case 403: return GRPC_PERMISSION_DENIED;
  case 404: return GRPC_UNIMPLEMENTED;
  case 429:
  case 502:
  case 503:
  case 504: return GRPC_UNAVAILABLE;
  default: return GRPC_UNKNOWN;
  }
}

int grpc_code_of_reset(uint32_t error_code) {
  switch (error_code) {
  case NGHTTP2_REFUSED_STREAM: return GRPC_UNAVAILABLE;
  case NGHTTP2_CANCEL: return GRPC_CANCELLED;
  case NGHTTP2_ENHANCE_YOUR_CALM: return GRPC_RESOURCE_EXHAUSTED;
  case NGHTTP2_INADEQUATE_SECURITY: return GRPC_PERMISSION_DENIED;
  default: return GRPC_INTERNAL;
  }
}

void grpc_message_encode(slice text, buf *out) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c >= 0x20 && c <= 0x7e && c != '%') {
      buf_char(out, (char)c);
    } else {
      buf_char(out, '%');
      buf_char(out, digits[c >> 4]);
      buf_char(out, digits[c & 15]);
    }
  }
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

slice grpc_message_decode(arena *a, slice text) {
  if (slice_find_char(text, '%') < 0) return arena_copy(a, text);
  char *out = arena_alloc(a, text.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++) {
    bool whole = text.ptr[i] == '%' && i + 2 < text.len;
    int high = whole ? hex_value(text.ptr[i + 1]) : -1;
    int low = whole ? hex_value(text.ptr[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out[n++] = (char)(high * 16 + low);
      i += 2;
    } else {
      out[n++] = text.ptr[i];
    }
  }
  return slice_of(out, n);
}

static const struct {
  char unit;
  int64_t ns;
} units[] = {{'n', 1},
             {'u', 1000},
             {'m', 1000000},
             {'S', 1000000000},
             {'M', (int64_t)60 * 1000000000},
             {'H', (int64_t)3600 * 1000000000}};

slice grpc_timeout_encode(int64_t ns, char room[GRPC_TIMEOUT_ROOM]) {
  size_t u = 0;
  if (ns < 1) ns = 1;
  while (u + 1 < sizeof units / sizeof units[0] && ns / units[u].ns > 99999999) u++;
  int64_t n = (ns + units[u].ns - 1) / units[u].ns;
  if (n > 99999999) n = 99999999;
  room[GRPC_TIMEOUT_ROOM - 1] = units[u].unit;
  size_t at = GRPC_TIMEOUT_ROOM - 1;
  for (; n; n /= 10) room[--at] = (char)('0' + n % 10);
  return slice_of(room + at, GRPC_TIMEOUT_ROOM - at);
}

bool grpc_timeout_decode(slice text, int64_t *ns) {
  if (text.len < 2 || text.len > 9) return false;
  int64_t n = 0;
  for (size_t i = 0; i + 1 < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    n = n * 10 + (text.ptr[i] - '0');
  }
  for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
    if (units[u].unit != text.ptr[text.len - 1]) continue;
    *ns = n > INT64_MAX / units[u].ns ? INT64_MAX : n * units[u].ns;
    return true;
  }
  return false;
}

void grpc_frame(buf *out, slice message) {
  assert(message.len <= UINT32_MAX);
  uint32_t n = (uint32_t)message.len;
  char head[FRAME_HEAD] = {0, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
  buf_append(out, slice_of(head, sizeof head));
  buf_append(out, message);
}

void grpc_inbox_init(grpc_inbox *in, size_t max) {
  *in = (grpc_inbox){.max = max};
  buf_init(&in->bytes, INBOX_CEILING);
}

void grpc_inbox_dispose(grpc_inbox *in) {
  buf_dispose(&in->bytes);
}

void grpc_inbox_add(grpc_inbox *in, slice bytes) {
  if (in->at) {
    buf_consume(&in->bytes, in->at);
    in->at = 0;
  }
  buf_append(&in->bytes, bytes);
}

grpc_inbox_result grpc_inbox_next(grpc_inbox *in, slice *message) {
  slice rest = slice_from(buf_slice(&in->bytes), in->at);
  if (rest.len < FRAME_HEAD) return GRPC_INBOX_MORE;
  const unsigned char *h = (const unsigned char *)rest.ptr;
  uint32_t n = (uint32_t)h[1] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 8 | h[4];
  message->len = n;
  if (h[0] != 0) return GRPC_INBOX_COMPRESSED;
  if (n > in->max) return GRPC_INBOX_TOO_LARGE;
  if (rest.len - FRAME_HEAD < n) return GRPC_INBOX_MORE;
  *message = slice_of(rest.ptr + FRAME_HEAD, n);
  in->at += FRAME_HEAD + n;
  return GRPC_INBOX_MESSAGE;
}
