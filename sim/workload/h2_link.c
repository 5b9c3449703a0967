/* One session a connection. */
#include "sim/workload/h2_link.h"

#include "base/heap.h"
#include "sim/check/check.h"
#include "sim/workload/client.h"

#define WINDOW ((uint32_t)1 << 20)
#define OUT_MAX ((size_t)64 << 20)
#define HEADERS_MAX 8

/* ---- what nghttp2 writes ---- */

static h2_link *link_of(env *e) { return (h2_link *)((char *)e - offsetof(h2_link, env)); }

static void on_write(env *e, env_conn *c, slice bytes) {
  (void)c;
  buf_append(&link_of(e)->out, bytes);
}

static size_t on_pending(env *e, env_conn *c) {
  (void)e;
  (void)c;
  return 0;
}

/* What is to be sent, taken out. */
static slice taken(h2_link *l) {
  h2_flush(&l->session);
  slice bytes = arena_copy(l->conn->world->arena, buf_slice(&l->out));
  buf_clear(&l->out);
  return bytes;
}

static void send_rest(h2_link *l) {
  slice bytes = taken(l);
  if (bytes.len && l->conn->open) net_send(l->conn, bytes);
}

/* ---- what comes ---- */

static call *call_of(nghttp2_session *session, int32_t stream) {
  return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  (void)flags;
  (void)user;
  call *k = call_of(session, frame->hd.stream_id);
  slice n = slice_of((const char *)name, name_len), v = slice_of((const char *)value, value_len);
  if (k && k->how == CALL_OPEN) reader_header(&k->in, n, v);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *user) {
  (void)flags;
  (void)user;
  call *k = call_of(session, stream);
  if (k && k->how == CALL_OPEN) buf_append(&k->in.body, slice_of((const char *)data, len));
  nghttp2_session_consume(session, stream, len);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  h2_link *l = user;
  if (frame->hd.type == NGHTTP2_GOAWAY) l->closing = true;
  bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
              (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
  call *k = last ? call_of(session, frame->hd.stream_id) : NULL;
  if (k) k->in.state = READER_DONE;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user) {
  (void)user;
  call *k = call_of(session, stream);
  if (!k) return 0;
  k->stream_over = true;
  k->stream_code = code;
  return 0;
}

/* ---- a connection ---- */

static void open_session(h2_link *l) {
  nghttp2_session_callbacks *cb = NULL;
  nghttp2_session_callbacks_new(&cb);
  nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
  h2_settings settings = {.stream_window = WINDOW, .connection_window = WINDOW};
  h2_open(&l->session, &settings, cb, &l->env, l->conn, l);
}

static h2_link *open_link(client *c) {
  world *w = c->world;
  h2_link *l = ARENA_NEW(w->arena, h2_link);
  l->conn = net_open(w, c, &w->servers[c->server]);
  l->conn->h2 = l;
  l->conn->peer.alpn = SLICE_LIT("h2");
  l->env.conn_write = on_write;
  l->env.conn_pending = on_pending;
  buf_init(&l->out, OUT_MAX);
  open_session(l);
  return l;
}

/* Nobody waits on it any more. */
static void close_if_idle(h2_link *l) {
  if (l->closing && l->count == 0 && l->conn->open) net_close(l->conn);
}

bool h2_link_takes(const h2_link *l) {
  return l->conn->open && !l->closing &&
         nghttp2_session_check_request_allowed(l->session.session);
}

h2_link *h2_link_for(client *c) {
  h2_link *l = c->link;
  bool fits = l && h2_link_takes(l) && l->conn->server->index == c->server;
  if (fits) return l;
  if (l) {
    bool spent = nghttp2_session_get_next_stream_id(l->session.session) > (uint32_t)INT32_MAX;
    if (spent) SOMETIMES(c->world, STREAM_IDS);
    l->closing = true;
    close_if_idle(l);
  }
  return c->link = open_link(c);
}

/* ---- calls ---- */

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session;
  (void)stream;
  (void)user;
  call *k = source->ptr;
  size_t may = k->body_left.len > k->body_held ? k->body_left.len - k->body_held : 0;
  size_t n = may < room ? may : room;
  if (n == 0 && k->body_held) return NGHTTP2_ERR_DEFERRED;
  memcpy(out, k->body_left.ptr, n);
  k->body_left = slice_from(k->body_left, n);
  if (k->body_left.len == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)n;
}

slice h2_link_request(h2_link *l, call *k, const call_request *q) {
  client *c = k->owner;
  arena *a = c->world->arena;
  nghttp2_nv headers[HEADERS_MAX + 1];
  size_t n = 0;
  headers[n++] = H2_LIT(":method", slice_cstr(q->method));
  headers[n++] = H2_LIT(":scheme", SLICE_LIT("https"));
  headers[n++] = H2_LIT(":authority", SLICE_LIT("apisim"));
  headers[n++] = H2_LIT(":path", q->target);
  headers[n++] = H2_LIT("authorization", SLICE_LIT("Bearer " SIM_TOKEN));
  headers[n++] = H2_LIT("user-agent",
                        arena_printf(a, "%s%u", actor_word(c->who.kind), c->who.index));
  if (q->accept) headers[n++] = H2_LIT("accept", slice_cstr(q->accept));
  if (q->body.len || q->content_type) {
    const char *type = q->content_type ? q->content_type : "application/json";
    headers[n++] = H2_LIT("content-type", slice_cstr(type));
  }
  if (k->padding) { /* more than one frame holds: CONTINUATION */
    char *pad = arena_alloc(a, k->padding);
    memset(pad, 'x', k->padding);
    headers[n++] = H2_LIT("x-padding", slice_of(pad, k->padding));
  }
  nghttp2_data_provider body = {.source.ptr = k, .read_callback = read_body};
  k->body_left = q->body;
  k->stream_id = nghttp2_submit_request(l->session.session, NULL, headers, n,
                                        q->body.len ? &body : NULL, k);
  l->calls = arena_more(a, l->calls, l->count, &l->cap, sizeof *l->calls);
  l->calls[l->count++] = k;
  return taken(l);
}

void h2_link_body_goes_on(h2_link *l, call *k) {
  if (k->stream_over || !l->conn->open) return;
  nghttp2_session_resume_data(l->session.session, k->stream_id);
  send_rest(l);
}

call *h2_link_watch(const h2_link *l) {
  for (uint32_t i = 0; i < l->count; i++) {
    if (l->calls[i]->how == CALL_OPEN && l->calls[i]->watch) return l->calls[i];
  }
  return NULL;
}

call *h2_link_unanswered(const h2_link *l) {
  for (uint32_t i = 0; i < l->count; i++) {
    call *k = l->calls[i];
    if (k->how == CALL_OPEN && !k->watch && k->in.state == READER_HEAD) return k;
  }
  return NULL;
}

static void forget(h2_link *l, uint32_t i) {
  call *k = l->calls[i];
  memmove(l->calls + i, l->calls + i + 1, (--l->count - i) * sizeof *l->calls);
  if (!k->stream_over) nghttp2_session_set_stream_user_data(l->session.session, k->stream_id, NULL);
}

/* Hands on what has come; a call that ends may begin others, and give others up. */
static void hand_on(h2_link *l) {
  for (uint32_t i = 0; i < l->count;) {
    call *k = l->calls[i];
    bool over = k->in.state == READER_DONE || k->stream_over;
    if (k->how == CALL_OPEN) call_progress(k);
    if (k->how == CALL_OPEN && !over) {
      i++;
      continue;
    }
    for (i = 0; i < l->count && l->calls[i] != k;) i++; /* it may have moved */
    if (i < l->count) forget(l, i);
    bool whole = k->in.state == READER_DONE;
    if (k->how == CALL_OPEN) {
      bool unread = k->stream_code == NGHTTP2_REFUSED_STREAM;
      call_over(k, whole ? CALL_ANSWERED : unread ? CALL_REFUSED : CALL_CUT);
    }
    i = 0;
  }
  close_if_idle(l);
}

void h2_link_feed(h2_link *l, slice bytes) {
  h2_receive(&l->session, bytes);
  world *w = l->conn->world;
  bool over = l->session.broken && l->closing;
  CHECK_THAT(w, HTTP, !l->session.broken || over, "%s%u: frames that are no HTTP/2",
             actor_word(l->conn->owner->who.kind), l->conn->owner->who.index);
  hand_on(l);
  send_rest(l);
}

void h2_link_ended(h2_link *l, conn_end how) {
  l->closing = true;
  while (l->count) {
    call *k = l->calls[0];
    forget(l, 0);
    if (k->how == CALL_OPEN) call_over(k, how == CONN_END_REFUSED ? CALL_REFUSED : CALL_CUT);
  }
}

void h2_link_reset(h2_link *l, call *k) {
  for (uint32_t i = 0; i < l->count; i++) {
    if (l->calls[i] != k) continue;
    if (!k->stream_over) {
      nghttp2_submit_rst_stream(l->session.session, 0, k->stream_id, NGHTTP2_CANCEL);
    }
    forget(l, i);
    break;
  }
  if (!l->session.running) send_rest(l);
  close_if_idle(l);
}

void h2_link_close(h2_link *l) {
  l->closing = true;
  if (l->conn->open) net_close(l->conn);
}

void h2_link_dispose(h2_link *l) {
  if (l->session.session) h2_close(&l->session);
  buf_dispose(&l->out);
}

/* ---- for the fault plan ---- */

slice h2_link_pings(h2_link *l, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) nghttp2_submit_ping(l->session.session, 0, NULL);
  return taken(l);
}

slice h2_link_settings(h2_link *l, uint32_t window) {
  nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
                                      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, window % 2 ? 0 : 4096}};
  nghttp2_submit_settings(l->session.session, 0, entries, 2);
  return taken(l);
}

slice h2_link_goaway(h2_link *l) {
  l->closing = true;
  nghttp2_submit_goaway(l->session.session, 0, 0, NGHTTP2_NO_ERROR, NULL, 0);
  return taken(l);
}

void h2_link_last_ids(h2_link *l, uint32_t left) {
  nghttp2_session_set_next_stream_id(l->session.session, INT32_MAX - 2 * (int32_t)left);
}
