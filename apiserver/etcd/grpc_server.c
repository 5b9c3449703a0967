/* The server's session. A stream's memory lives until nghttp2 has closed it, because a frame half
 * sent refers to it; for its handler it may be over (`done`) before that. */
#include "etcd/grpc_server.h"

#include "base/heap.h"
#include "http/h2.h"

#include <assert.h>
#include <stdio.h>

#define STREAM_WINDOW ((uint32_t)1 << 20)
#define CONNECTION_WINDOW ((uint32_t)8 << 20)
#define STREAMS_MAX 4096
#define QUEUE_MAX ((size_t)1 << 30)
#define IN_FLIGHT_MAX ((size_t)64 << 20) /* of half-read messages on one connection */
#define PATH_MAX_LEN ((size_t)512)

typedef struct server_stream {
  grpc_stream base; /* first */
  h2_source source;
  grpc_server_conn *conn;
  struct server_stream *next, **link;
  int32_t id;
  buf path;
  slice problem_path; /* of `path`, for the texts */
  bool is_post, is_grpc, wants_deadline;
  int64_t timeout_ns;
  grpc_inbox in;
  uint32_t messages;
  buf out;
  size_t out_at;
  bool in_ended, done, delivering, headers_sent, high;
  int status;
  buf status_text;
  timer deadline;
} server_stream;

struct grpc_server_conn {
  h2 h2; /* first: nghttp2's user_data is both */
  const grpc_server *server;
  const env_peer *peer;
  env_conn *conn; /* NULL: gone */
  server_stream *streams;
  uint32_t stream_count;
  size_t buffered; /* bytes of messages not whole */
  uint32_t busy;
  bool dead;
};

static server_stream *stream_of(grpc_stream *s) {
  return (server_stream *)s;
}

/* ---- memory ---- */

static void stream_free(server_stream *s) {
  grpc_server_conn *c = s->conn;
  timer_clear(c->server->timers, &s->deadline);
  c->buffered -= s->in.bytes.len;
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
  c->stream_count--;
  grpc_inbox_dispose(&s->in);
  buf_dispose(&s->path);
  buf_dispose(&s->out);
  buf_dispose(&s->status_text);
  heap_free(s);
}

static void abort_stream(server_stream *s) {
  if (s->done) return;
  s->done = true;
  timer_clear(s->conn->server->timers, &s->deadline);
  if (s->base.on_abort) s->base.on_abort(&s->base);
}

static void conn_free(grpc_server_conn *c) {
  while (c->streams) stream_free(c->streams);
  h2_close(&c->h2);
  heap_free(c);
}

static void enter(grpc_server_conn *c) {
  c->busy++;
}

static void conn_end(grpc_server_conn *c, bool flush) {
  if (c->dead) return;
  c->dead = true;
  c->h2.out = NULL;
  if (c->conn) c->server->env->conn_close(c->server->env, c->conn, flush);
  c->conn = NULL;
  for (server_stream *s = c->streams; s; s = s->next) abort_stream(s);
}

/* False: the connection is gone. */
static bool leave(grpc_server_conn *c) {
  if (c->h2.broken && c->busy == 1) conn_end(c, true);
  bool alive = !c->dead;
  if (--c->busy == 0 && c->dead) conn_free(c);
  return alive;
}

static void flush(grpc_server_conn *c) {
  if (!c->dead) h2_flush(&c->h2);
}

/* ---- bytes out ---- */

static server_stream *of_source(void *source) {
  return (server_stream *)(void *)((char *)source - offsetof(server_stream, source));
}

static void send_body(void *source, h2 *h, size_t len) {
  server_stream *s = of_source(source);
  h2_write(h, slice_of(s->out.ptr + s->out_at, len), NULL);
  s->out_at += len;
  if (s->out_at < s->out.len) return;
  s->out_at = 0;
  if (s->out.cap > STREAM_WINDOW) buf_dispose(&s->out);
  else buf_clear(&s->out);
}

static void submit_trailers(server_stream *s) {
  char digits[SLICE_U64_ROOM];
  nghttp2_nv t[2] = {
      H2_LIT("grpc-status", slice_of_u64(digits, (uint64_t)s->status)),
      H2_LIT("grpc-message", buf_slice(&s->status_text)),
  };
  nghttp2_submit_trailer(s->conn->h2.session, s->id, t, s->status_text.len ? 2 : 1);
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session;
  (void)id;
  (void)to;
  (void)user;
  server_stream *s = of_source(source->ptr);
  size_t have = s->out.len - s->out_at;
  if (have == 0 && !s->done) return NGHTTP2_ERR_DEFERRED;
  if (have) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (have <= len && s->done) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    submit_trailers(s);
  }
  return (ssize_t)(have < len ? have : len);
}

/* The head of the answer goes with the first message. */
static void begin_answer(server_stream *s) {
  if (s->headers_sent) {
    nghttp2_session_resume_data(s->conn->h2.session, s->id);
    return;
  }
  s->headers_sent = true;
  nghttp2_nv h[2] = {H2_LIT(":status", SLICE_LIT("200")),
                     H2_LIT("content-type", SLICE_LIT("application/grpc"))};
  nghttp2_data_provider body = {.source = {.ptr = &s->source}, .read_callback = on_read};
  nghttp2_submit_response(s->conn->h2.session, s->id, h, 2, &body);
}

static void only_trailers(server_stream *s, const char *http_status) {
  char digits[SLICE_U64_ROOM];
  nghttp2_nv h[4] = {H2_LIT(":status", slice_cstr(http_status)),
                     H2_LIT("content-type", SLICE_LIT("application/grpc")),
                     H2_LIT("grpc-status", slice_of_u64(digits, (uint64_t)s->status)),
                     H2_LIT("grpc-message", buf_slice(&s->status_text))};
  nghttp2_submit_response(s->conn->h2.session, s->id, h, s->status_text.len ? 4 : 3, NULL);
}

void grpc_stream_send(grpc_stream *base, slice message) {
  server_stream *s = stream_of(base);
  assert(!s->done);
  grpc_server_conn *c = s->conn;
  if (s->out_at) {
    buf_consume(&s->out, s->out_at);
    s->out_at = 0;
  }
  grpc_frame(&s->out, message);
  if (grpc_stream_pending(base) >= GRPC_PENDING_LOW) s->high = true;
  enter(c);
  begin_answer(s);
  flush(c);
  leave(c);
}

size_t grpc_stream_pending(const grpc_stream *base) {
  const server_stream *s = (const server_stream *)base;
  return s->out.len - s->out_at;
}

static void finish(server_stream *s, int code, slice text, const char *http_status) {
  assert(!s->done);
  grpc_server_conn *c = s->conn;
  s->done = true;
  s->status = code;
  timer_clear(c->server->timers, &s->deadline);
  grpc_message_encode(text, &s->status_text);
  enter(c);
  if (s->headers_sent) nghttp2_session_resume_data(c->h2.session, s->id);
  else only_trailers(s, http_status);
  flush(c);
  leave(c);
}

void grpc_stream_finish(grpc_stream *s, int code, slice message) {
  finish(stream_of(s), code, message, "200");
}

/* ---- requests ---- */

static const grpc_method *find_method(const grpc_server *server, slice path) {
  for (uint32_t i = 0; i < server->method_count; i++) {
    if (slice_is(path, server->methods[i].path)) return &server->methods[i];
  }
  return NULL;
}

/* grpc-go's words for a path without a row. */
static void refuse_path(server_stream *s) {
  slice path = buf_slice(&s->path), service, method;
  char text[PATH_MAX_LEN + 64];
  const grpc_server *server = s->conn->server;
  bool known = false;
  slice inner = slice_from(path, 1);
  ptrdiff_t slash = -1;
  for (size_t i = 0; i < inner.len; i++) {
    if (inner.ptr[i] == '/') slash = (ptrdiff_t)i;
  }
  if (path.len == 0 || path.ptr[0] != '/' || slash < 0) {
    snprintf(text, sizeof text, "malformed method name: \"%.*s\"", SLICE_ARG(path));
  } else {
    service = slice_upto(inner, (size_t)slash);
    method = slice_from(inner, (size_t)slash + 1);
    slice with_slash = slice_upto(path, (size_t)slash + 2);
    for (uint32_t i = 0; i < server->method_count && !known; i++) {
      known = slice_has_prefix(slice_cstr(server->methods[i].path), with_slash);
    }
    if (known) {
      snprintf(text, sizeof text, "unknown method %.*s for service %.*s", SLICE_ARG(method),
               SLICE_ARG(service));
    } else {
      snprintf(text, sizeof text, "unknown service %.*s", SLICE_ARG(service));
    }
  }
  finish(s, GRPC_UNIMPLEMENTED, slice_cstr(text), "200");
}

static void on_deadline(void *ctx, int64_t now_ns) {
  (void)now_ns;
  server_stream *s = ctx;
  grpc_server_conn *c = s->conn;
  enter(c);
  s->done = true;
  if (s->base.on_abort) s->base.on_abort(&s->base);
  s->done = false;
  finish(s, GRPC_DEADLINE_EXCEEDED, SLICE_LIT("context deadline exceeded"), "200");
  leave(c);
}

/* The request's head is complete. */
static void begin_call(server_stream *s) {
  const grpc_server *server = s->conn->server;
  if (!s->is_grpc) {
    finish(s, GRPC_INTERNAL, SLICE_LIT("invalid gRPC request content-type"), "415");
    return;
  }
  if (!s->is_post) {
    finish(s, GRPC_INTERNAL, SLICE_LIT("gRPC requires the HTTP method POST"), "405");
    return;
  }
  s->base.method = find_method(server, buf_slice(&s->path));
  if (!s->base.method) {
    refuse_path(s);
    return;
  }
  if (s->wants_deadline) {
    int64_t at = server->env->mono_ns;
    at = s->timeout_ns > INT64_MAX - at ? INT64_MAX : at + s->timeout_ns;
    timer_set(server->timers, &s->deadline, at, on_deadline, s);
  }
}

static void refuse_message(server_stream *s, grpc_inbox_result r, size_t len) {
  char text[96];
  if (r == GRPC_INBOX_TOO_LARGE) {
    snprintf(text, sizeof text, "grpc: received message larger than max (%zu vs. %zu)", len,
             s->in.max);
  } else {
    snprintf(text, sizeof text,
             "grpc: compressed flag set with identity or empty encoding");
  }
  int code = r == GRPC_INBOX_TOO_LARGE ? GRPC_RESOURCE_EXHAUSTED : GRPC_INTERNAL;
  if (s->base.on_abort) s->base.on_abort(&s->base);
  finish(s, code, slice_cstr(text), "200");
}

static void deliver(server_stream *s) {
  if (s->delivering) return;
  s->delivering = true;
  while (!s->done) {
    slice message = SLICE_NONE;
    size_t at = s->in.at;
    grpc_inbox_result r = grpc_inbox_next(&s->in, &message);
    if (r == GRPC_INBOX_MORE) break;
    if (r == GRPC_INBOX_MESSAGE && !s->base.method->streaming && !s->in_ended) {
      s->in.at = at; /* the one message is handled when nothing follows */
      break;
    }
    if (r != GRPC_INBOX_MESSAGE) {
      refuse_message(s, r, message.len);
    } else if (s->messages++ == 0 || s->base.method->streaming) {
      s->base.method->handle(&s->base, message);
    }
  }
  if (s->in_ended && !s->done) {
    if (s->base.method->streaming) {
      s->base.method->half_close(&s->base);
    } else if (s->messages == 0) {
      finish(s, GRPC_INTERNAL, SLICE_LIT("unexpected EOF"), "200");
    }
  }
  s->delivering = false;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  grpc_server_conn *c = user;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  server_stream *s = heap_zalloc(sizeof *s);
  s->base.server = c->server;
  s->base.peer = c->peer;
  s->source.send = send_body;
  s->conn = c;
  s->id = frame->hd.stream_id;
  grpc_inbox_init(&s->in, c->server->receive_max);
  buf_init(&s->path, PATH_MAX_LEN);
  buf_init(&s->out, QUEUE_MAX);
  buf_init(&s->status_text, (size_t)64 << 10);
  s->next = c->streams;
  s->link = &c->streams;
  if (s->next) s->next->link = &s->next;
  c->streams = s;
  c->stream_count++;
  nghttp2_session_set_stream_user_data(session, s->id, s);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  (void)flags;
  (void)user;
  server_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!s || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  slice n = slice_of((const char *)name, name_len), v = slice_of((const char *)value, value_len);
  if (slice_is(n, ":path")) buf_append(&s->path, slice_upto(v, PATH_MAX_LEN));
  else if (slice_is(n, ":method")) s->is_post = slice_is(v, "POST");
  else if (slice_is(n, "grpc-timeout")) s->wants_deadline = grpc_timeout_decode(v, &s->timeout_ns);
  else if (slice_is(n, "content-type")) {
    slice rest = slice_from(v, 16);
    s->is_grpc = slice_has_prefix(v, SLICE_LIT("application/grpc")) &&
                 (rest.len == 0 || rest.ptr[0] == '+' || rest.ptr[0] == ';');
  }
  return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  server_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!s) return 0;
  bool head = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  bool body = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (body && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) s->in_ended = true;
  if (head) begin_call(s);
  if (s->in_ended && body && !s->done) deliver(s);
  return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user) {
  (void)flags;
  grpc_server_conn *c = user;
  nghttp2_session_consume(session, id, len);
  server_stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s || s->done) return 0;
  size_t before = s->in.bytes.len;
  grpc_inbox_add(&s->in, slice_of((const char *)data, len));
  deliver(s);
  if (!grpc_inbox_partial(&s->in)) {
    buf_clear(&s->in.bytes);
    s->in.at = 0;
  }
  c->buffered += s->in.bytes.len - before;
  if (c->buffered > IN_FLIGHT_MAX) {
    nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
  }
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user) {
  (void)error_code;
  (void)user;
  server_stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s) return 0;
  abort_stream(s);
  nghttp2_session_set_stream_user_data(session, id, NULL);
  stream_free(s);
  return 0;
}

/* Behind a whole answer: what the peer still sends is of no interest. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  bool last = frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
  if (!last) return 0;
  server_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (s && !s->in_ended) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

/* ---- the connection ---- */

grpc_server_conn *grpc_server_conn_open(const grpc_server *server, env_conn *conn,
                                        const env_peer *peer) {
  grpc_server_conn *c = heap_zalloc(sizeof *c);
  c->server = server;
  c->peer = peer;
  c->conn = conn;
  nghttp2_session_callbacks *cb = NULL;
  nghttp2_session_callbacks_new(&cb);
  nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
  nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
  h2_settings settings = {.server = true,
                          .stream_window = STREAM_WINDOW,
                          .connection_window = CONNECTION_WINDOW,
                          .max_streams = STREAMS_MAX};
  h2_open(&c->h2, &settings, cb, server->env, conn, c);
  enter(c);
  flush(c);
  leave(c);
  return c;
}

/* What a stream queued has left: the handlers that waited for it hear so. */
static void tell_drained(grpc_server_conn *c) {
  bool again = true;
  while (again && !c->dead) {
    again = false;
    for (server_stream *s = c->streams; s; s = s->next) {
      if (!s->high || s->done || grpc_stream_pending(&s->base) >= GRPC_PENDING_LOW) continue;
      s->high = false;
      if (s->base.on_drain) s->base.on_drain(&s->base);
      again = true;
      break; /* the list may have changed */
    }
  }
}

static bool on_data(void *owner, slice bytes) {
  grpc_server_conn *c = owner;
  enter(c);
  h2_receive(&c->h2, bytes);
  tell_drained(c);
  return leave(c);
}

static bool on_eof(void *owner) {
  (void)owner;
  return true;
}

static void on_closed(void *owner, slice why) {
  (void)why;
  grpc_server_conn *c = owner;
  enter(c);
  c->conn = NULL;
  conn_end(c, false);
  leave(c);
}

static void on_drained(void *owner) {
  grpc_server_conn *c = owner;
  enter(c);
  flush(c);
  tell_drained(c);
  leave(c);
}

const env_conn_events grpc_server_conn_events = {
    .data = on_data, .eof = on_eof, .closed = on_closed, .drained = on_drained};

void grpc_server_conn_leave(grpc_server_conn *c) {
  if (c->dead) return;
  enter(c);
  nghttp2_submit_shutdown_notice(c->h2.session);
  nghttp2_submit_goaway(c->h2.session, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(c->h2.session), NGHTTP2_NO_ERROR,
                        NULL, 0);
  flush(c);
  leave(c);
}
