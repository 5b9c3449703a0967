/* h2: what all HTTP/2 sessions of the server share: nghttp2 with our heap, our limits and our
 * output. nghttp2 does the protocol (frames, HPACK, flow control, stream states); a session here is
 * bytes in by h2_receive and bytes out to an env connection, no sockets, no clock.
 *
 * Used by http/http2.c (the API), etcd/grpc_client.c and etcd/grpc_server.c. */
#ifndef APISIM_HTTP_H2_H
#define APISIM_HTTP_H2_H

#include "base/blob.h"
#include "env/env.h"

#include <nghttp2/nghttp2.h>

/* Output waits in nghttp2 while more than this is unsent in the world. */
#define H2_UNSENT_MAX ((size_t)1 << 20)

typedef struct h2_settings {
  bool server;
  uint32_t stream_window, connection_window; /* bytes we are willing to receive */
  uint32_t max_streams; /* that the peer may open; 0: no setting is sent */
  uint32_t max_frame; /* 0: 16384 */
  uint32_t max_header_list; /* bytes; 0: no setting is sent */
} h2_settings;

/* One session. Embed it; h2_open fills it. */
typedef struct h2 {
  nghttp2_session *session;
  env *env;
  env_conn *out; /* NULL: gone; output is dropped */
  bool running; /* inside nghttp2 */
  bool broken; /* a protocol error, or everything has been said: end the connection */
  size_t unsent_max; /* H2_UNSENT_MAX unless changed */
} h2;

/* The callbacks' user_data is `user`, whose first member must be the h2. The caller's callbacks are
 * kept in `callbacks` (made by nghttp2_session_callbacks_new, taken over). The settings frame is
 * queued; h2_flush sends it. */
void h2_open(h2 *s, const h2_settings *o, nghttp2_session_callbacks *callbacks, env *e,
             env_conn *out, void *user);
void h2_close(h2 *s);
/* Eats bytes; callbacks happen inside. */
void h2_receive(h2 *s, slice bytes);
/* Hands over what nghttp2 has to say, as far as the world takes it. Does nothing inside a callback:
 * h2_receive ends with one. */
void h2_flush(h2 *s);

/* For a data source: the bytes of a DATA frame (NGHTTP2_DATA_FLAG_NO_COPY). A frame's payload is
 * sent by reference where its owner is a blob. Called by h2's own send_data callback, with the
 * stream's source. Appends `len` bytes, which the source has promised, by h2_write. */
typedef void (*h2_send_body)(void *source, h2 *s, size_t len);
/* The data source's `ptr` begins with this, so that h2 finds the sender. */
typedef struct h2_source {
  h2_send_body send;
} h2_source;
void h2_write(h2 *s, slice bytes, blob *owner);

/* {"name", "value"} for nghttp2, borrowed. */
nghttp2_nv h2_header(slice name, slice value);
#define H2_LIT(name, value) h2_header(SLICE_LIT(name), (value))

#endif
