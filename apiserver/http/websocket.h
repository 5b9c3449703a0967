/* websocket: RFC 6455, the server's side, on an upgraded exchange. As strict and as lenient as what
 * the real server uses (golang.org/x/net/websocket): every message of the peer is thrown away,
 * pings are answered, an Origin must be there, one subprotocol at most may be named and is
 * granted. */
#ifndef APISIM_HTTP_WEBSOCKET_H
#define APISIM_HTTP_WEBSOCKET_H

#include "http/http.h"

enum websocket_opcode { WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2, WEBSOCKET_CLOSE = 8,
                       WEBSOCKET_PING = 9,
                        WEBSOCKET_PONG = 10 };

#define WEBSOCKET_CONTROL_MAX 125
#define WEBSOCKET_FRAME_MAX ((uint64_t)32 << 20) /* of one that comes in */

/* Reading, in place; zeroed is the beginning. */
typedef struct websocket {
  uint64_t left; /* payload of the frame under way */
  uint64_t at;
  uint8_t head[14];
  uint8_t head_len, control_len;
  bool in_payload;
  char control[WEBSOCKET_CONTROL_MAX];
} websocket;

/* Whether the request asks for an upgrade. */
bool websocket_asked(const http_exchange *x);
/* Answers the handshake; x->on_data must be set. False: refused, x is dead. */
bool websocket_accept(http_exchange *x);
/* Takes what the peer sent. False: the peer closed or broke the rules, so close. */
bool websocket_take(websocket *ws, http_exchange *x, slice bytes);
/* One message. */
void websocket_write(http_exchange *x, enum websocket_opcode opcode, slice payload, blob *owner);
/* Says goodbye (1000) and ends the exchange; x is dead. */
void websocket_close(http_exchange *x);

#endif
