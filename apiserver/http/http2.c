/* A connection's input side: frames to exchanges. A stream's memory lives until nghttp2 has closed
 * it, because a frame half sent refers to it; for its handler it may be over before that. */
#include "http/http2.h"

#include "base/heap.h"
#include "base/limits.h"
#include "http/conn.h"
#include "http/http2_stream.h"
#include "http/url.h"

#include <assert.h>

#define STREAM_WINDOW ((uint32_t)256 << 10)
#define FRAME_MAX ((uint32_t)256 << 10)
#define STREAMS_MAX 100u
#define HEADER_LIST_MAX ((uint32_t)(1 << 20) + 320)
#define FIELD_OVERHEAD 32 /* of each field, by HTTP/2's own count */
#define PREFACE_NS ((int64_t)10 * 1000000000)

/* ---- memory ---- */

static void stream_free(http2_stream *s) {
  http2_conn *c = s->conn;
  http2_parts_drop(s);
  timer_clear(c->server->timers, &s->late);
  if (s->head_done) c->server->under_way--;
  buf_dispose(&s->body);
  if (s->x.arena && !c->spare) {
    arena_reset(s->x.arena);
    c->spare = s->x.arena;
  } else {
    arena_destroy(s->x.arena);
  }
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
  c->stream_count--;
  if (s->high) c->high_count--;
  heap_free(s);
}

void http2_over(http2_stream *s) {
  if (s->over) return;
  s->over = true;
  const http_tap *tap = s->conn->server->tap;
  if (tap && s->x.tapped) tap->over(tap->ctx, &s->x);
  s->x.tapped = NULL;
}

/* The peer gave up on it, or is gone. */
static void stream_abort(http2_stream *s) {
  if (!s->dispatched || s->over) return;
  if (s->x.on_abort) s->x.on_abort(&s->x);
  http2_over(s);
}

static void conn_free(http2_conn *c) {
  while (c->streams) stream_free(c->streams);
  timer_clear(c->server->timers, &c->idle);
  h2_close(&c->h2);
  if (c->spare) arena_destroy(c->spare);
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  heap_free(c);
}

static void conn_end(http2_conn *c, bool flush) {
  if (c->dead) return;
  c->dead = true;
  c->h2.out = NULL;
  if (c->out) c->server->env->conn_close(c->server->env, c->out, flush);
  c->out = NULL;
  for (http2_stream *s = c->streams; s; s = s->next) stream_abort(s);
}

/* ---- the idle timer ---- */

static void on_idle(void *ctx, int64_t now_ns) {
  (void)now_ns;
  http2_conn *c = ctx;
  http2_enter(c);
  nghttp2_session_terminate_session(c->h2.session, NGHTTP2_NO_ERROR);
  http2_leave_conn(c);
}

static void watch_idleness(http2_conn *c, int64_t after_ns) {
  if (c->stream_count) {
    timer_clear(c->server->timers, &c->idle);
  } else {
    timer_set(c->server->timers, &c->idle, c->server->env->mono_ns + after_ns, on_idle, c);
  }
}

/* ---- entering and leaving ---- */

void http2_enter(http2_conn *c) {
  c->busy++;
}

static void tell_drained(http2_conn *c) {
  bool again = c->high_count > 0;
  while (again && !c->dead) {
    again = false;
    for (http2_stream *s = c->streams; s && !again; s = s->next) {
      if (!s->high || s->over || s->pending >= ENV_PENDING_LOW) continue;
      s->high = false;
      c->high_count--;
      again = true; /* the list may have changed */
      if (s->streaming && s->x.on_drain) s->x.on_drain(&s->x);
    }
  }
}

bool http2_leave_conn(http2_conn *c) {
  if (c->busy == 1 && !c->dead && c->breaks) {
    if (c->breaks_behind) h2_flush(&c->h2);
    conn_end(c, c->breaks_behind);
  }
  if (c->busy == 1 && !c->dead) {
    h2_flush(&c->h2);
    tell_drained(c);
    if (c->h2.broken) conn_end(c, true);
  }
  bool alive = !c->dead;
  if (--c->busy == 0 && c->dead) conn_free(c);
  return alive;
}

/* ---- requests ---- */

static bool reads_body(slice method) {
  return slice_is(method, "POST") || slice_is(method, "PUT") || slice_is(method, "PATCH") ||
         slice_is(method, "DELETE");
}

/* Answers of the protocol itself, outside any handler. */
static void answer_plain(http2_stream *s, int status, const char *type, slice text) {
  http_header h = {SLICE_LIT("Content-Type"), slice_cstr(type)};
  http_part part = {text, NULL};
  s->dispatched = true;
  http_send(&s->x, &(http_answer){status, &h, type[0] ? 1 : 0, &part, 1});
}

static void reset(http2_stream *s, uint32_t code) {
  nghttp2_submit_rst_stream(s->conn->h2.session, NGHTTP2_FLAG_NONE, s->id, code);
}

static void fill_exchange(http2_stream *s, const url *u) {
  http_exchange *x = &s->x;
  x->method = s->method;
  x->target = s->path;
  x->path = u->path;
  x->raw_query = u->raw_query;
  x->headers = s->headers;
  x->header_count = s->header_count;
  x->body = slice_upto(buf_slice(&s->body), HTTP_BODY_MAX);
  x->body_too_large = s->body.len > HTTP_BODY_MAX;
  x->started_mono_ns = s->conn->server->env->mono_ns;
}

static void dispatch(http2_stream *s) {
  if (s->dispatched) return;
  timer_clear(s->conn->server->timers, &s->late);
  url u;
  bool connect = slice_is(s->method, "CONNECT");
  slice target = connect ? s->authority : s->path;
  if (!url_parse_target(s->x.arena, target, connect, &u)) {
    s->dispatched = s->over = true;
    reset(s, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  fill_exchange(s, &u);
  s->dispatched = true;
  if (slice_is(s->method, "OPTIONS") && slice_is(s->path, "*")) {
    answer_plain(s, 200, "", SLICE_NONE);
    return;
  }
  s->conn->server->handle(s->conn->server->ctx, &s->x);
}

static void on_late(void *ctx, int64_t now_ns) {
  (void)now_ns;
  http2_stream *s = ctx;
  http2_conn *c = s->conn;
  http2_enter(c);
  s->x.body_late = true;
  dispatch(s);
  http2_leave_conn(c);
}

static void await_body(http2_stream *s) {
  http_server *server = s->conn->server;
  url u;
  if (url_parse_target(s->x.arena, s->path, false, &u)) fill_exchange(s, &u);
  timer_set(server->timers, &s->late, server->env->mono_ns + http_body_time_ns(&s->x), on_late, s);
}

static void send_continue(http2_stream *s) {
  nghttp2_nv status = H2_LIT(":status", SLICE_LIT("100"));
  nghttp2_submit_headers(s->conn->h2.session, NGHTTP2_FLAG_NONE, s->id, NULL, &status, 1, NULL);
}

static void add_header(http2_stream *s, slice name, slice value) {
  s->headers = arena_more(s->x.arena, s->headers, s->header_count, &s->header_cap,
                          sizeof(http_header));
  s->headers[s->header_count++] = (http_header){name, value};
}

/* Several cookie fields are one, as they were before compression took them apart. */
static bool join_cookie(http2_stream *s, slice value) {
  for (uint32_t i = 0; i < s->header_count; i++) {
    if (!slice_is(s->headers[i].name, "cookie")) continue;
    s->headers[i].value = arena_printf(s->x.arena, "%.*s; %.*s", SLICE_ARG(s->headers[i].value),
                                       SLICE_ARG(value));
    return true;
  }
  return false;
}

/* The request's head is complete. */
static void head_done(http2_stream *s) {
  s->head_done = true;
  s->conn->server->under_way++;
  s->x.head_mono_ns = s->conn->server->env->mono_ns;
  s->is_head = slice_is(s->method, "HEAD");
  if (s->head_too_large) {
    answer_plain(s, 431, "text/html",
                 SLICE_LIT("<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>"));
    return;
  }
  if (s->authority.len) add_header(s, SLICE_LIT("host"), s->authority);
  bool reads = reads_body(s->method);
  if (s->in_ended || !reads) {
    dispatch(s);
    return;
  }
  await_body(s);
  if (s->expects_continue) send_continue(s);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  http2_conn *c = user;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  http2_stream *s = heap_zalloc(sizeof *s);
  http2_source_init(s);
  s->conn = c;
  s->id = frame->hd.stream_id;
  s->x.arena = c->spare ? c->spare : arena_create();
  c->spare = NULL;
  s->x.server = c->server;
  s->x.wire = &http2_wire;
  s->x.peer = c->peer;
  buf_init(&s->body, LIMIT_BUFFER);
  s->next = c->streams;
  s->link = &c->streams;
  if (s->next) s->next->link = &s->next;
  c->streams = s;
  c->stream_count++;
  timer_clear(c->server->timers, &c->idle);
  nghttp2_session_set_stream_user_data(session, s->id, s);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  (void)flags;
  (void)user;
  http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!s || s->head_done || s->head_too_large) return 0; /* trailers are of no interest */
  s->header_bytes += name_len + value_len + FIELD_OVERHEAD;
  if (s->header_bytes > HEADER_LIST_MAX) {
    s->head_too_large = true;
    return 0;
  }
  arena *a = s->x.arena;
  slice n = slice_of((const char *)name, name_len);
  slice v = arena_copy(a, slice_of((const char *)value, value_len));
  if (slice_is(n, ":method")) s->method = v;
  else if (slice_is(n, ":path")) s->path = v;
  else if (slice_is(n, ":authority")) s->authority = v;
  else if (name_len && name[0] == ':') return 0;
  else if (slice_is(n, "cookie") && join_cookie(s, v)) return 0;
  else add_header(s, arena_copy(a, n), v);
  if (slice_is(n, "expect")) s->expects_continue = slice_eq_nocase(v, SLICE_LIT("100-continue"));
  return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  bool head = frame->hd.type == NGHTTP2_HEADERS;
  if (!head && frame->hd.type != NGHTTP2_DATA) return 0;
  http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!s) return 0;
  if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) s->in_ended = true;
  if (head && !s->head_done) head_done(s);
  else if (s->in_ended) dispatch(s);
  return 0;
}

/* The window opens again at once: a body has a ceiling of its own, behind which the handler gets
 * what is there and the rest is thrown away. */
static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user) {
  (void)flags;
  (void)user;
  nghttp2_session_consume(session, id, len);
  http2_stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s || s->dispatched) return 0;
  size_t room = HTTP_BODY_MAX + 1 - s->body.len;
  buf_append(&s->body, slice_of((const char *)data, len < room ? len : room));
  if (s->body.len > HTTP_BODY_MAX) dispatch(s);
  return 0;
}

/* Behind a whole answer to a request that is still coming: the rest is of no interest. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  bool payload = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!payload || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
  http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (s && !s->in_ended) reset(s, NGHTTP2_NO_ERROR);
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user) {
  (void)error_code;
  http2_conn *c = user;
  http2_stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s) return 0;
  stream_abort(s);
  nghttp2_session_set_stream_user_data(session, id, NULL);
  stream_free(s);
  watch_idleness(c, LIMIT_IDLE_TIME_NS);
  return 0;
}

/* ---- the connection ---- */

static void open_session(http2_conn *c, env_conn *out) {
  nghttp2_session_callbacks *cb = NULL;
  nghttp2_session_callbacks_new(&cb);
  nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
  nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
  uint32_t streams = c->server->http2_max_streams ? c->server->http2_max_streams : STREAMS_MAX;
  uint64_t window = (uint64_t)STREAM_WINDOW * streams;
  h2_settings settings = {.server = true,
                          .stream_window = STREAM_WINDOW,
                          .connection_window = window > INT32_MAX ? INT32_MAX : (uint32_t)window,
                          .max_streams = streams,
                          .max_frame = FRAME_MAX,
                          .max_header_list = HEADER_LIST_MAX};
  h2_open(&c->h2, &settings, cb, c->server->env, out, c);
}

http2_conn *http2_conn_open(http_server *server, env_conn *out, const env_peer *peer) {
  http2_conn *c = heap_zalloc(sizeof *c);
  c->server = server;
  c->peer = peer;
  c->out = out;
  c->next = server->http2_conns;
  c->link = &server->http2_conns;
  if (c->next) c->next->link = &c->next;
  server->http2_conns = c;
  open_session(c, out);
  watch_idleness(c, PREFACE_NS);
  http2_enter(c);
  http2_leave_conn(c);
  return c;
}

static bool on_data(void *owner, slice bytes) {
  http2_conn *c = owner;
  http2_enter(c);
  h2_receive(&c->h2, bytes);
  if (c->stream_count == 0 && !c->dead) watch_idleness(c, LIMIT_IDLE_TIME_NS);
  return http2_leave_conn(c);
}

static bool on_eof(void *owner) {
  (void)owner;
  return true;
}

static void on_closed(void *owner, slice why) {
  (void)why;
  http2_conn *c = owner;
  http2_enter(c);
  c->out = NULL;
  conn_end(c, false);
  http2_leave_conn(c);
}

static void on_drained(void *owner) {
  http2_conn *c = owner;
  http2_enter(c);
  http2_leave_conn(c);
}

const env_conn_events http2_conn_events = {
    .data = on_data, .eof = on_eof, .closed = on_closed, .drained = on_drained};

void http2_leave(http_server *s) {
  for (http2_conn *c = s->http2_conns, *next; c; c = next) {
    next = c->next;
    http2_enter(c);
    if (!c->leaving) {
      c->leaving = true;
      nghttp2_submit_goaway(c->h2.session, NGHTTP2_FLAG_NONE,
                            nghttp2_session_get_last_proc_stream_id(c->h2.session),
                            NGHTTP2_NO_ERROR, NULL, 0);
    }
    http2_leave_conn(c);
  }
}
