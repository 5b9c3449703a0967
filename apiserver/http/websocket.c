/* The reader is a state machine that keeps a frame's head and a ping's payload, nothing else: what
 * the client of a watch says is of no interest. */
#include "http/websocket.h"

#include "http/head.h"
#include "http/url.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define CLOSE_NORMAL 1000
#define CLOSE_PROTOCOL 1002

static bool contains_nocase(slice text, slice word) {
  for (size_t i = 0; i + word.len <= text.len; i++) {
    if (slice_eq_nocase(slice_of(text.ptr + i, word.len), word)) return true;
  }
  return false;
}

bool websocket_asked(const http_exchange *x) {
  if (!slice_eq_nocase(http_header_get(x, "Upgrade"), SLICE_LIT("websocket"))) return false;
  for (uint32_t i = 0; i < x->header_count; i++) {
    if (slice_eq_nocase(x->headers[i].name, SLICE_LIT("Connection")) &&
        contains_nocase(x->headers[i].value, SLICE_LIT("upgrade"))) return true;
  }
  return false;
}

/* The refusal's bytes, or NULL. */
static const char *refusal(const http_exchange *x) {
  if (!contains_nocase(http_header_get(x, "Connection"), SLICE_LIT("upgrade"))) {
    return "HTTP/1.1 400 Bad Request\r\n\r\nnot websocket protocol";
  }
  if (http_header_get(x, "Sec-WebSocket-Key").len == 0) {
    return "HTTP/1.1 400 Bad Request\r\n\r\nmismatch challenge/response";
  }
  if (!slice_is(http_header_get(x, "Sec-WebSocket-Version"), "13")) {
    return "HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\nmissing or bad WebSocket "
           "Version";
  }
  url origin;
  if (!url_parse_target(x->arena, http_header_get(x, "Origin"), false, &origin)) {
    return "HTTP/1.1 403 Forbidden\r\n\r\n";
  }
  if (slice_find_char(http_header_get(x, "Sec-WebSocket-Protocol"), ',') >= 0) {
    return "HTTP/1.1 400 Bad Request\r\n\r\n";
  }
  return NULL;
}

static slice accept_key(arena *a, slice key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char sum[SHA_DIGEST_LENGTH + 1] = {0};
  slice both = arena_concat(a, key, SLICE_LIT(GUID));
  char *out = arena_alloc(a, 28);
  SHA1((const unsigned char *)both.ptr, both.len, sum);
  for (size_t i = 0, n = 0; i < SHA_DIGEST_LENGTH + 1; i += 3) {
    unsigned word = (unsigned)sum[i] << 16 | (unsigned)sum[i + 1] << 8 | sum[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) out[n++] = digits[word >> shift & 63];
  }
  out[27] = '=';
  return slice_of(out, 28);
}

bool websocket_accept(http_exchange *x) {
  const char *no = refusal(x);
  if (no) {
    http_upgrade(x, slice_cstr(no));
    http_raw_end(x);
    return false;
  }
  slice protocol = http_header_get(x, "Sec-WebSocket-Protocol");
  slice key = accept_key(x->arena, http_header_get(x, "Sec-WebSocket-Key"));
  slice head = arena_printf(x->arena,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                            "Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n%s%.*s%s\r\n",
                            SLICE_ARG(key), protocol.len ? "Sec-WebSocket-Protocol: " : "",
                            SLICE_ARG(protocol), protocol.len ? "\r\n" : "");
  http_upgrade(x, head);
  return true;
}

void websocket_write(http_exchange *x, enum websocket_opcode opcode, slice payload, blob *owner) {
  char head[10] = {(char)(0x80 | opcode)};
  size_t n = 2;
  size_t size_bytes = payload.len <= 125 ? 0 : payload.len < 65536 ? 2 : 8;
  head[1] = size_bytes == 0 ? (char)payload.len : size_bytes == 2 ? 126 : 127;
  for (size_t i = size_bytes; i > 0; i--) {
    head[n++] = (char)((uint64_t)payload.len >> (8 * (i - 1)));
  }
  http_raw_write(x, slice_of(head, n), NULL);
  http_raw_write(x, payload, owner);
}

static void write_close(http_exchange *x, int code) {
  char payload[2] = {(char)(code >> 8), (char)code};
  websocket_write(x, WEBSOCKET_CLOSE, slice_of(payload, 2), NULL);
}

void websocket_close(http_exchange *x) {
  write_close(x, CLOSE_NORMAL);
  http_raw_end(x);
}

static size_t size_bytes_of(const websocket *ws) {
  uint8_t n = ws->head[1] & 0x7f;
  return n == 126 ? 2 : n == 127 ? 8 : 0;
}

static size_t head_size(const websocket *ws) {
  return ws->head_len < 2 ? 2 : 2 + size_bytes_of(ws) + (ws->head[1] & 0x80 ? 4 : 0);
}

/* The head is complete. */
static bool begin_payload(websocket *ws, http_exchange *x) {
  size_t bytes = size_bytes_of(ws);
  ws->left = bytes ? 0 : ws->head[1] & 0x7f;
  for (size_t i = 0; i < bytes; i++) {
    ws->left = ws->left << 8 | (bytes == 8 && i == 0 ? ws->head[2] & 0x7fu : ws->head[2 + i]);
  }
  if (!(ws->head[1] & 0x80)) { /* a client masks */
    write_close(x, CLOSE_PROTOCOL);
    return false;
  }
  ws->at = 0;
  ws->control_len = 0;
  ws->in_payload = true;
  return (ws->head[0] & 15) != WEBSOCKET_CLOSE && ws->left <= WEBSOCKET_FRAME_MAX;
}

static size_t take_payload(websocket *ws, slice bytes) {
  size_t n = ws->left < bytes.len ? (size_t)ws->left : bytes.len;
  const uint8_t *mask = ws->head + 2 + size_bytes_of(ws);
  bool ping = (ws->head[0] & 15) == WEBSOCKET_PING;
  for (size_t i = 0; ping && i < n && ws->control_len < WEBSOCKET_CONTROL_MAX; i++, ws->at++) {
    ws->control[ws->control_len++] = (char)(bytes.ptr[i] ^ mask[ws->at & 3]);
  }
  ws->left -= n;
  return n;
}

static void end_frame(websocket *ws, http_exchange *x) {
  if ((ws->head[0] & 15) == WEBSOCKET_PING) {
    websocket_write(x, WEBSOCKET_PONG, slice_of(ws->control, ws->control_len), NULL);
  }
  ws->in_payload = false;
  ws->head_len = 0;
}

bool websocket_take(websocket *ws, http_exchange *x, slice bytes) {
  while (bytes.len || (ws->in_payload && ws->left == 0)) {
    if (ws->in_payload) {
      bytes = slice_from(bytes, take_payload(ws, bytes));
      if (ws->left == 0) end_frame(ws, x);
      continue;
    }
    ws->head[ws->head_len++] = (uint8_t)bytes.ptr[0];
    bytes = slice_from(bytes, 1);
    if (ws->head_len == head_size(ws) && !begin_payload(ws, x)) return false;
  }
  return true;
}
