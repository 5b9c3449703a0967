/* The client's session. A call's memory lives until nghttp2 has closed its stream, because a frame
 * half sent refers to it; a call that is over for its owner before that is `dead` and silent. */
#include "etcd/grpc_client.h"

#include "base/heap.h"
#include "http/h2.h"

#include <assert.h>
#include <stdio.h>

#define STREAM_WINDOW ((uint32_t)1 << 20)
#define CONNECTION_WINDOW ((uint32_t)16 << 20)
#define SEND_MAX ((size_t)2 << 20)
#define QUEUE_MAX ((size_t)1 << 30)
#define ANSWER_MAX ((size_t)2 << 30)
#define STATUS_TEXT_MAX ((size_t)64 << 10)
#define HEADERS_MAX 32

struct grpc_call {
  h2_source source; /* first: a data source is a call */
  grpc_client *client;
  grpc_call *next, **link;
  int32_t id; /* of the stream; below 0: none */
  grpc_call_events events;
  void *ctx;
  grpc_inbox in;
  buf out;
  size_t out_at;
  size_t unconsumed; /* of the window, while paused */
  bool out_end, out_done; /* no more is queued; all of it is with the world */
  bool dead, delivering, paused, closed;
  bool headers_sent, has_status;
  int http_status, status;
  uint32_t reset_code;
  buf status_text;
  grpc_result failure; /* ours: code 0 for none */
  timer timer; /* the deadline, or a failure to be told */
  grpc_on_answer on_answer; /* of a unary call; its events' ctx is the call */
  void *answer_ctx;
  buf answer;
  uint32_t answers;
};

struct grpc_client {
  h2 h2; /* first: nghttp2's user_data is both */
  grpc_client_options o;
  env_conn *conn; /* NULL: gone */
  grpc_call *calls;
  uint32_t call_count; /* not dead ones */
  bool standing, ready, leaving, dead;
  uint32_t busy; /* callbacks below us on the stack */
  timer keepalive;
  int64_t heard_ns;
  bool pinged;
  char authority[300];
};

static void call_over(grpc_call *call, const grpc_result *r);

/* ---- memory ---- */

static void call_free(grpc_call *call) {
  timer_clear(call->client->o.timers, &call->timer);
  *call->link = call->next;
  if (call->next) call->next->link = call->link;
  grpc_inbox_dispose(&call->in);
  buf_dispose(&call->out);
  buf_dispose(&call->status_text);
  buf_dispose(&call->answer);
  heap_free(call);
}

static void client_free(grpc_client *c) {
  timer_clear(c->o.timers, &c->keepalive);
  h2_close(&c->h2);
  while (c->calls) call_free(c->calls);
  heap_free(c);
}

/* Enters and leaves whatever may call back. */
static void enter(grpc_client *c) {
  c->busy++;
}

static void leave(grpc_client *c) {
  if (--c->busy == 0 && c->dead) client_free(c);
}

static void flush(grpc_client *c) {
  if (c->standing && !c->dead) h2_flush(&c->h2);
}

/* ---- the end ---- */

static void client_lost(grpc_client *c, slice why) {
  if (c->dead) return;
  c->dead = true;
  c->h2.out = NULL;
  if (c->conn) c->o.env->conn_close(c->o.env, c->conn, false);
  c->conn = NULL;
  for (;;) { /* from the start each time: an owner may cancel other calls when it hears of one */
    grpc_call *call = c->calls;
    while (call && call->dead) call = call->next;
    if (!call) break;
    bool unsent = !call->headers_sent || (call->out_end && !call->out_done);
    call_over(call, &(grpc_result){GRPC_UNAVAILABLE, why, unsent});
  }
  if (c->o.on_closed) c->o.on_closed(c->o.ctx, why);
}

void grpc_client_close(grpc_client *c) {
  if (c->dead) return;
  c->dead = true;
  c->h2.out = NULL;
  if (c->conn) c->o.env->conn_close(c->o.env, c->conn, false);
  c->conn = NULL;
  for (grpc_call *call = c->calls; call; call = call->next) {
    call->dead = true;
    timer_clear(c->o.timers, &call->timer);
  }
  timer_clear(c->o.timers, &c->keepalive);
  if (c->busy == 0) client_free(c);
}

static void check_broken(grpc_client *c) {
  if (c->h2.broken) client_lost(c, SLICE_LIT("the HTTP/2 connection ended with an error"));
}

/* ---- a call's end ---- */

/* Its owner hears the last of it. The memory stays while nghttp2 has a stream. */
static void call_over(grpc_call *call, const grpc_result *r) {
  assert(!call->dead);
  grpc_client *c = call->client;
  call->dead = true;
  c->call_count--;
  timer_clear(c->o.timers, &call->timer);
  enter(c);
  call->events.on_end(call->ctx, r);
  leave(c);
}

static void reset_stream(grpc_call *call) {
  if (call->id < 0 || call->closed || call->client->dead) return;
  nghttp2_submit_rst_stream(call->client->h2.session, NGHTTP2_FLAG_NONE, call->id,
                            NGHTTP2_CANCEL);
}

/* We end it: the deadline, a broken message, what could not be sent. */
static void call_fail(grpc_call *call, const grpc_result *r) {
  grpc_client *c = call->client;
  enter(c);
  reset_stream(call);
  bool free_now = call->id < 0 && !call->delivering;
  call_over(call, r);
  if (free_now) call_free(call);
  flush(c);
  leave(c);
}

static void on_call_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  grpc_call *call = ctx;
  if (call->failure.code) {
    call_fail(call, &call->failure);
  } else {
    bool unsent = !call->headers_sent;
    call_fail(call, &(grpc_result){GRPC_DEADLINE_EXCEEDED, SLICE_LIT("context deadline exceeded"),
                                   unsent});
  }
}

/* Tells a failure in a turn of its own. */
static void fail_later(grpc_call *call, int code, slice text, bool not_processed) {
  call->failure = (grpc_result){code, text, not_processed};
  timer_set(call->client->o.timers, &call->timer, call->client->o.env->mono_ns, on_call_timer,
            call);
}

void grpc_call_cancel(grpc_call *call) {
  assert(!call->dead);
  grpc_client *c = call->client;
  enter(c);
  call->dead = true;
  c->call_count--;
  timer_clear(c->o.timers, &call->timer);
  reset_stream(call);
  if ((call->id < 0 || call->closed) && !call->delivering) call_free(call);
  flush(c);
  leave(c);
}

/* The stream is closed and everything delivered: what was its status? */
static void call_finish(grpc_call *call) {
  arena *a = arena_create();
  grpc_result r = {GRPC_INTERNAL, SLICE_LIT("stream ended without a status"), false};
  if (call->has_status) {
    r.code = call->status;
    r.message = grpc_message_decode(a, buf_slice(&call->status_text));
    if (r.code == GRPC_OK && grpc_inbox_partial(&call->in)) {
      r = (grpc_result){GRPC_INTERNAL, SLICE_LIT("unexpected EOF"), false};
    }
  } else if (call->http_status && call->http_status != 200) {
    r.code = grpc_code_of_http(call->http_status);
    r.message = arena_printf(a, "unexpected HTTP status code received from server: %d",
                             call->http_status);
  } else if (call->reset_code != NGHTTP2_NO_ERROR) {
    r.code = grpc_code_of_reset(call->reset_code);
    r.message = arena_printf(a, "stream terminated by RST_STREAM with error code: %s",
                             nghttp2_http2_strerror(call->reset_code));
    r.not_processed = call->reset_code == NGHTTP2_REFUSED_STREAM;
  }
  call_over(call, &r);
  arena_destroy(a);
}

/* ---- messages in ---- */

static void too_large(grpc_call *call, size_t len) {
  char text[96];
  int n = snprintf(text, sizeof text, "grpc: received message larger than max (%zu vs. %zu)", len,
                   call->in.max);
  call_fail(call, &(grpc_result){GRPC_RESOURCE_EXHAUSTED, slice_of(text, (size_t)n), false});
}

static void give_window(grpc_call *call) {
  if (call->unconsumed && !call->closed && !call->client->dead) {
    nghttp2_session_consume_stream(call->client->h2.session, call->id, call->unconsumed);
  }
  call->unconsumed = 0;
}

/* Hands over what is whole. The call may be freed by it. */
static void deliver(grpc_call *call) {
  grpc_client *c = call->client;
  if (call->delivering) return;
  enter(c);
  call->delivering = true;
  while (!call->paused && !call->dead) {
    slice message;
    grpc_inbox_result r = grpc_inbox_next(&call->in, &message);
    if (r == GRPC_INBOX_MORE) break;
    if (r == GRPC_INBOX_TOO_LARGE) too_large(call, message.len);
    else if (r == GRPC_INBOX_COMPRESSED) {
      call_fail(call, &(grpc_result){GRPC_INTERNAL, SLICE_LIT("compressed message"), false});
    } else if (call->events.on_message) {
      call->events.on_message(call->ctx, message);
    }
  }
  call->delivering = false;
  if (!call->paused && !call->dead) give_window(call);
  if (call->closed && !call->dead && !call->paused) call_finish(call);
  if (call->closed && call->dead) call_free(call);
  leave(c);
}

void grpc_call_pause(grpc_call *call, bool paused) {
  assert(!call->dead);
  if (call->paused == paused) return;
  call->paused = paused;
  if (paused || call->delivering) return;
  grpc_client *c = call->client;
  enter(c);
  deliver(call);
  flush(c);
  leave(c);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user) {
  (void)flags;
  grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
  nghttp2_session_consume_connection(session, len);
  if (!call || call->dead) {
    nghttp2_session_consume_stream(session, id, len);
    return 0;
  }
  (void)user;
  call->unconsumed += len;
  grpc_inbox_add(&call->in, slice_of((const char *)data, len));
  deliver(call);
  return 0;
}

/* ---- headers in ---- */

static bool parse_int(slice text, int *out) {
  long long n;
  if (!slice_to_i64(text, &n) || n < 0 || n > 999) return false;
  *out = (int)n;
  return true;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  (void)flags;
  (void)user;
  grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!call || call->dead) return 0;
  slice n = slice_of((const char *)name, name_len), v = slice_of((const char *)value, value_len);
  if (slice_is(n, ":status")) {
    parse_int(v, &call->http_status);
  } else if (slice_is(n, "grpc-status")) {
    call->has_status = parse_int(v, &call->status);
  } else if (slice_is(n, "grpc-message")) {
    buf_clear(&call->status_text);
    buf_append(&call->status_text, v);
  }
  return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)session;
  grpc_client *c = user;
  if (frame->hd.type == NGHTTP2_GOAWAY) c->leaving = true;
  if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK) && !c->ready) {
    c->ready = true;
    if (c->o.on_ready) c->o.on_ready(c->o.ctx);
  }
  return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (call && frame->hd.type == NGHTTP2_HEADERS) call->headers_sent = true;
  if (call && frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
    call->out_done = true;
  }
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user) {
  (void)user;
  grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
  if (!call) return 0;
  call->closed = true;
  call->reset_code = error_code;
  deliver(call);
  return 0;
}

/* ---- bytes out ---- */

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session;
  (void)id;
  (void)to;
  (void)user;
  grpc_call *call = source->ptr;
  size_t have = call->out.len - call->out_at;
  if (have == 0) {
    if (!call->out_end) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (have <= len && call->out_end) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)(have < len ? have : len);
}

static void send_body(void *source, h2 *s, size_t len) {
  grpc_call *call = source;
  h2_write(s, slice_of(call->out.ptr + call->out_at, len), NULL);
  call->out_at += len;
  if (call->out_at == call->out.len) {
    call->out_at = 0;
    buf_clear(&call->out);
  }
}

bool grpc_call_send(grpc_call *call, slice message) {
  assert(!call->dead && !call->out_end);
  grpc_client *c = call->client;
  size_t max = c->o.send_max ? c->o.send_max : SEND_MAX;
  if (message.len > max) {
    fail_later(call, GRPC_RESOURCE_EXHAUSTED,
               SLICE_LIT("trying to send message larger than max"), true);
    return false;
  }
  if (call->id < 0) return true; /* its failure is on the way */
  if (call->out_at) {
    buf_consume(&call->out, call->out_at);
    call->out_at = 0;
  }
  grpc_frame(&call->out, message);
  nghttp2_session_resume_data(c->h2.session, call->id);
  enter(c);
  flush(c);
  leave(c);
  return true;
}

void grpc_call_half_close(grpc_call *call) {
  assert(!call->dead);
  grpc_client *c = call->client;
  call->out_end = true;
  if (call->id < 0) return;
  nghttp2_session_resume_data(c->h2.session, call->id);
  enter(c);
  flush(c);
  leave(c);
}

/* ---- opening ---- */

static int32_t submit(grpc_call *call, const char *path, int64_t timeout_ns) {
  grpc_client *c = call->client;
  nghttp2_nv headers[HEADERS_MAX];
  char room[GRPC_TIMEOUT_ROOM];
  size_t n = 0;
  headers[n++] = H2_LIT(":method", SLICE_LIT("POST"));
  headers[n++] = H2_LIT(":scheme", c->o.target.tls ? SLICE_LIT("https") : SLICE_LIT("http"));
  headers[n++] = H2_LIT(":path", slice_cstr(path));
  headers[n++] = H2_LIT(":authority", slice_cstr(c->authority));
  headers[n++] = H2_LIT("content-type", SLICE_LIT("application/grpc"));
  headers[n++] = H2_LIT("user-agent", c->o.user_agent);
  headers[n++] = H2_LIT("te", SLICE_LIT("trailers"));
  if (timeout_ns) headers[n++] = H2_LIT("grpc-timeout", grpc_timeout_encode(timeout_ns, room));
  for (uint32_t i = 0; i < c->o.metadata_count && n < HEADERS_MAX; i++) {
    headers[n++] = h2_header(c->o.metadata[i].name, c->o.metadata[i].value);
  }
  nghttp2_data_provider body = {.source = {.ptr = call}, .read_callback = on_read};
  return nghttp2_submit_request(c->h2.session, NULL, headers, n, &body, call);
}

grpc_call *grpc_call_open(grpc_client *c, const char *path, int64_t timeout_ns,
                          const grpc_call_events *events, void *ctx) {
  assert(!c->dead && events->on_end);
  grpc_call *call = heap_zalloc(sizeof *call);
  call->source.send = send_body;
  call->client = c;
  call->events = *events;
  call->ctx = ctx;
  grpc_inbox_init(&call->in, c->o.receive_max ? c->o.receive_max : INT32_MAX);
  buf_init(&call->out, QUEUE_MAX);
  buf_init(&call->status_text, STATUS_TEXT_MAX);
  call->next = c->calls;
  call->link = &c->calls;
  if (call->next) call->next->link = &call->next;
  c->calls = call;
  c->call_count++;
  call->id = c->leaving ? -1 : submit(call, path, timeout_ns);
  if (call->id < 0) {
    fail_later(call, GRPC_UNAVAILABLE, SLICE_LIT("the connection takes no more calls"), true);
    return call;
  }
  if (timeout_ns) {
    timer_set(c->o.timers, &call->timer, c->o.env->mono_ns + timeout_ns, on_call_timer, call);
  }
  enter(c);
  flush(c);
  leave(c);
  return call;
}

/* ---- unary calls ---- */

static void on_unary_message(void *ctx, slice message) {
  grpc_call *call = ctx;
  if (call->answers++ == 0) buf_append(&call->answer, message);
}

static void on_unary_end(void *ctx, const grpc_result *r) {
  grpc_call *call = ctx;
  grpc_result wrong = {GRPC_INTERNAL, SLICE_LIT("the answer is not one message"), false};
  if (r->code == GRPC_OK && call->answers != 1) r = &wrong;
  call->on_answer(call->answer_ctx, r, buf_slice(&call->answer));
}

grpc_call *grpc_unary(grpc_client *c, const char *path, slice message, int64_t timeout_ns,
                      grpc_on_answer on_answer, void *ctx) {
  static const grpc_call_events events = {on_unary_message, on_unary_end};
  grpc_call *call = grpc_call_open(c, path, timeout_ns, &events, NULL);
  call->ctx = call;
  call->on_answer = on_answer;
  call->answer_ctx = ctx;
  buf_init(&call->answer, ANSWER_MAX);
  if (grpc_call_send(call, message)) grpc_call_half_close(call);
  return call;
}

/* ---- keepalive ---- */

static void on_keepalive(void *ctx, int64_t now_ns) {
  grpc_client *c = ctx;
  int64_t quiet = now_ns - c->heard_ns;
  enter(c);
  if (c->pinged && quiet >= c->o.keepalive_ns + c->o.keepalive_timeout_ns) {
    client_lost(c, SLICE_LIT("keepalive ping failed to receive ACK within timeout"));
  } else if (quiet >= c->o.keepalive_ns) {
    if (!c->pinged) nghttp2_submit_ping(c->h2.session, NGHTTP2_FLAG_NONE, NULL);
    c->pinged = true;
    flush(c);
    timer_set(c->o.timers, &c->keepalive,
              c->heard_ns + c->o.keepalive_ns + c->o.keepalive_timeout_ns, on_keepalive, c);
  } else {
    timer_set(c->o.timers, &c->keepalive, c->heard_ns + c->o.keepalive_ns, on_keepalive, c);
  }
  leave(c);
}

/* ---- the connection ---- */

static void on_opened(void *owner, const env_peer *peer) {
  grpc_client *c = owner;
  enter(c);
  if (c->o.target.tls && !slice_is(peer->alpn, "h2")) {
    client_lost(c, SLICE_LIT("the server does not speak HTTP/2 (ALPN)"));
  } else {
    c->standing = true;
    c->h2.out = c->conn;
    c->heard_ns = c->o.env->mono_ns;
    if (c->o.keepalive_ns) {
      timer_set(c->o.timers, &c->keepalive, c->heard_ns + c->o.keepalive_ns, on_keepalive, c);
    }
    flush(c);
  }
  leave(c);
}

static bool on_data(void *owner, slice bytes) {
  grpc_client *c = owner;
  enter(c);
  c->heard_ns = c->o.env->mono_ns;
  c->pinged = false;
  h2_receive(&c->h2, bytes);
  check_broken(c);
  bool alive = !c->dead;
  leave(c);
  return alive;
}

static void on_closed(void *owner, slice why) {
  grpc_client *c = owner;
  enter(c);
  c->conn = NULL;
  client_lost(c, why.len ? why : SLICE_LIT("the connection was closed"));
  leave(c);
}

static bool on_eof(void *owner) {
  (void)owner;
  return true;
}

static void on_drained(void *owner) {
  grpc_client *c = owner;
  enter(c);
  flush(c);
  check_broken(c);
  leave(c);
}

static const env_conn_events connection_events = {.opened = on_opened,
                                                  .data = on_data,
                                                  .eof = on_eof,
                                                  .closed = on_closed,
                                                  .drained = on_drained};

static void open_session(grpc_client *c) {
  nghttp2_session_callbacks *cb = NULL;
  nghttp2_session_callbacks_new(&cb);
  nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
  nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
  h2_settings settings = {.stream_window = STREAM_WINDOW, .connection_window = CONNECTION_WINDOW};
  h2_open(&c->h2, &settings, cb, c->o.env, NULL, c);
}

grpc_client *grpc_client_create(const grpc_client_options *o) {
  assert(o->env->connect);
  grpc_client *c = heap_zalloc(sizeof *c);
  c->o = *o;
  bool v6 = slice_find_char(o->target.host, ':') >= 0;
  snprintf(c->authority, sizeof c->authority, v6 ? "[%.*s]:%u" : "%.*s:%u",
           SLICE_ARG(o->target.host), o->target.port);
  open_session(c);
  env_target target = o->target;
  target.alpn = SLICE_LIT("h2");
  c->conn = o->env->connect(o->env, &target, &connection_events, c);
  return c;
}

bool grpc_client_leaving(const grpc_client *c) {
  return c->leaving || c->dead; /* dead: its calls are just being told */
}

uint32_t grpc_client_calls(const grpc_client *c) {
  return c->call_count;
}
