/* A connection's input side: bytes to exchanges, one at a time and in order.
 *
 * The request under way lies in one buffer from its first byte to its body's last, so that
 * everything the handler is given are slices of it. The buffer may not move while the
 * handler has the exchange; bytes that come meanwhile wait in `later`.
 *
 * Bodies. Methods that write read their body (the real server's handlers do); of the others
 * the body is drained as Go drains it: up to 256 KiB, beyond which the answer carries
 * "Connection: close". A 100 Continue is sent when the head asks for it and the body is going
 * to be read (the real server authenticates first; here the body comes first). */
#include "http/conn.h"

#include "base/heap.h"
#include "base/limits.h"

#include <assert.h>
#include <stdio.h>

#define LATER_MAX ((size_t)64 << 10) /* pipelined bytes kept before reading is paused */
#define UNSENT_MAX ((size_t)1 << 20) /* no further request is begun above this */
#define DRAIN_MAX ((uint64_t)256 << 10)
#define KEEP_BUFFER ((size_t)4 << 10) /* an idle connection's buffer above this is freed */
#define IDLE_SHRINK_NS ((int64_t)1000000000)

static void run(http_conn *conn);

static int64_t now_of(const http_conn *conn) {
  return conn->server->env->mono_ns;
}

static void on_timer(void *ctx, int64_t now_ns);

void http_conn_set_timer(http_conn *conn, int64_t after_ns) {
  timer_set(conn->server->timers, &conn->timer, now_of(conn) + after_ns, on_timer, conn);
}

static void dispatch(http_conn *conn);

/* As the real server's timeout filter, whose answer a client of HTTP/1 sees only where it has asked
 * for 100 Continue or the server leaves: otherwise Go reads on for ever, and here it is told. */
static void body_is_late(http_conn *conn) {
  conn->x.body_late = conn->close_after = true;
  conn->body_end = conn->raw_at = conn->head.end;
  conn->running = true;
  dispatch(conn);
  conn->running = false;
  if (conn->dead) http_conn_free(conn);
}

/* A second of idleness frees the arena; the rest of the idle time ends the connection. */
static void on_timer(void *ctx, int64_t now_ns) {
  (void)now_ns;
  http_conn *conn = ctx;
  if (conn->state == HTTP_UPGRADED) {
    http_conn_deliver(conn);
    return;
  }
  if (conn->state == HTTP_READ_BODY || conn->state == HTTP_READ_CHUNKED) {
    body_is_late(conn);
    return;
  }
  if (!conn->idle) {
    http_conn_end(conn, false);
    return;
  }
  conn->idle = false;
  arena_destroy(conn->arena);
  conn->arena = NULL;
  http_conn_set_timer(conn, LIMIT_IDLE_TIME_NS - IDLE_SHRINK_NS);
}

http_conn *http_conn_open(http_server *s, env_conn *c, const env_peer *peer) {
  assert(s && s->env && s->timers && s->handle);
  http_conn *conn = heap_zalloc(sizeof *conn);
  conn->server = s;
  conn->out = c;
  conn->peer = peer;
  buf_init(&conn->in, LIMIT_BUFFER);
  buf_init(&conn->later, LIMIT_BUFFER);
  conn->next = s->conns;
  conn->link = &s->conns;
  if (conn->next) conn->next->link = &conn->next;
  s->conns = conn;
  http_conn_set_timer(conn, LIMIT_HEADER_TIME_NS);
  return conn;
}

/* Tells the tap that the exchange is over, once. */
static void tell_over(http_conn *conn) {
  const http_tap *tap = conn->server->tap;
  if (tap && conn->x.tapped) tap->over(tap->ctx, &conn->x);
  conn->x.tapped = NULL;
}

void http_conn_count(http_conn *conn, bool under_way) {
  if (conn->counted == under_way) return;
  conn->counted = under_way;
  conn->server->under_way += under_way ? 1 : UINT32_MAX;
}

void http_conn_free(http_conn *conn) {
  tell_over(conn);
  http_conn_count(conn, false);
  *conn->link = conn->next;
  if (conn->next) conn->next->link = conn->link;
  timer_clear(conn->server->timers, &conn->timer);
  arena_destroy(conn->arena);
  buf_dispose(&conn->in);
  buf_dispose(&conn->later);
  heap_free(conn);
}

void http_conn_end(http_conn *conn, bool flush) {
  if (conn->dead) return;
  conn->dead = true;
  timer_clear(conn->server->timers, &conn->timer);
  if (!conn->gone) conn->server->env->conn_close(conn->server->env, conn->out, flush);
  if (!conn->running) http_conn_free(conn);
}

void http_conn_refuse(http_conn *conn, const char *status_line, const char *text) {
  char answer[512];
  int n = snprintf(answer, sizeof answer,
                   "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Connection: close\r\n\r\n%s",
                   status_line, text);
  assert(n > 0 && (size_t)n < sizeof answer);
  if (!conn->gone) {
    conn->server->env->conn_write(conn->server->env, conn->out, slice_of(answer, (size_t)n));
  }
  http_conn_end(conn, true);
}

static void refuse_400(http_conn *conn) {
  http_conn_refuse(conn, "400 Bad Request", "400 Bad Request");
}

static void refuse_words(http_conn *conn, const char *status) {
  http_conn_refuse(conn, status, status);
}

/* The request's bytes so far. */
static slice request_bytes(const http_conn *conn) {
  return slice_from(buf_slice(&conn->in), conn->start);
}

/* What the head's fields say about framing; filled in one pass over them. */
typedef struct framing {
  uint32_t hosts, encodings, lengths;
  slice host, encoding, length, expect;
  bool length_differs, bad_trailer, close, keep_alive;
} framing;

static void note_field(framing *f, const http_header *h) {
  switch (h->name.len) {
  case 4:
    if (!slice_eq_nocase(h->name, SLICE_LIT("Host"))) return;
    if (f->hosts++ == 0) f->host = h->value;
    return;
  case 6:
    if (!f->expect.ptr && slice_eq_nocase(h->name, SLICE_LIT("Expect"))) f->expect = h->value;
    return;
  case 7:
    if (!slice_eq_nocase(h->name, SLICE_LIT("Trailer"))) return;
    if (http_value_has_token(h->value, "Transfer-Encoding") ||
        http_value_has_token(h->value, "Trailer") ||
        http_value_has_token(h->value, "Content-Length")) {
      f->bad_trailer = true;
    }
    return;
  case 10:
    if (!slice_eq_nocase(h->name, SLICE_LIT("Connection"))) return;
    f->close = f->close || http_value_has_token(h->value, "close");
    f->keep_alive = f->keep_alive || http_value_has_token(h->value, "keep-alive");
    return;
  case 14:
    if (!slice_eq_nocase(h->name, SLICE_LIT("Content-Length"))) return;
    if (f->lengths++ == 0) f->length = h->value;
    else if (!slice_eq(f->length, h->value)) f->length_differs = true;
    return;
  case 17:
    if (!slice_eq_nocase(h->name, SLICE_LIT("Transfer-Encoding"))) return;
    if (f->encodings++ == 0) f->encoding = h->value;
    return;
  default: return;
  }
}

static bool parse_length(slice s, uint64_t *out) {
  if (s.len == 0) return false;
  uint64_t n = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    if (n > (uint64_t)INT64_MAX / 10) return false;
    n = n * 10 + (uint64_t)(s.ptr[i] - '0');
  }
  *out = n;
  return n <= (uint64_t)INT64_MAX;
}

/* Go's order of refusals. False: it has been answered. */
static bool check_framing(http_conn *conn, const framing *f) {
  const http_head *h = &conn->head;
  bool at_least_11 = h->major > 1 || (h->major == 1 && h->minor >= 1);
  if (f->hosts > 1) return refuse_400(conn), false;
  if (f->encodings && at_least_11) {
    if (f->encodings > 1 || !slice_eq_nocase(f->encoding, SLICE_LIT("chunked"))) {
      http_conn_refuse(conn, "501 Not Implemented", "Unsupported transfer encoding");
      return false;
    }
    conn->chunked_in = true;
  }
  conn->content_length = 0;
  if (f->lengths &&
      (f->length_differs || !parse_length(f->length, &conn->content_length))) {
    return refuse_400(conn), false;
  }
  if (conn->chunked_in && f->bad_trailer) return refuse_400(conn), false;
  bool preface = h->major == 2 && h->minor == 0 && slice_is(conn->x.method, "PRI") &&
                 slice_is(conn->x.target, "*");
  if (h->major != 1 && !preface) {
    refuse_words(conn, "505 HTTP Version Not Supported: unsupported protocol version");
    return false;
  }
  if (at_least_11 && f->hosts == 0 && !preface && !slice_is(conn->x.method, "CONNECT")) {
    return refuse_words(conn, "400 Bad Request: missing required Host header"), false;
  }
  if (f->hosts && !http_is_host(f->host)) {
    return refuse_words(conn, "400 Bad Request: malformed Host header"), false;
  }
  if (h->name_space) return refuse_words(conn, "400 Bad Request: invalid header name"), false;
  conn->close_after = f->close || preface || (!at_least_11 && !f->keep_alive);
  conn->keep_alive_10 = !at_least_11 && f->keep_alive;
  return true;
}

static bool reads_body(slice method) {
  return slice_is(method, "POST") || slice_is(method, "PUT") || slice_is(method, "PATCH") ||
         slice_is(method, "DELETE");
}

/* "OPTIONS *" and "Expect: something else" are answered by Go itself. */
static bool answered_by_protocol(http_conn *conn, slice expect) {
  if (expect.len && !conn->expects_continue) {
    conn->close_after = true;
    http_header h = {SLICE_LIT("Connection"), SLICE_LIT("close")};
    conn->state = HTTP_ANSWER;
    http_respond(&conn->x, 417, &h, 1, NULL, 0);
    return true;
  }
  if (slice_is(conn->x.method, "OPTIONS") && slice_is(conn->x.target, "*")) {
    http_header h = {SLICE_LIT("Content-Length"), SLICE_LIT("0")};
    conn->state = HTTP_ANSWER;
    http_respond(&conn->x, 200, &h, 1, NULL, 0);
    return true;
  }
  return false;
}

/* The exchange's slices. They are made again when the body is complete, because the buffer
 * may have moved since. */
static bool fill_exchange(http_conn *conn) {
  http_exchange *x = &conn->x;
  const http_head *h = &conn->head;
  slice bytes = request_bytes(conn);
  x->method = slice_upto(bytes, h->method_len);
  x->target = slice_of(bytes.ptr + h->target_at, h->target_len);
  http_header *headers = arena_alloc(conn->arena, sizeof(http_header) * (h->count + 1));
  http_head_fields(h, bytes, conn->arena, headers);
  x->headers = headers;
  x->header_count = h->count;
  url u;
  if (!url_parse_target(conn->arena, x->target, slice_is(x->method, "CONNECT"), &u)) return false;
  x->path = u.path;
  x->raw_query = u.raw_query;
  x->query = NULL;
  return true;
}

/* A target that can't be parsed is refused with the request line, before any header. */
static bool target_ok(http_conn *conn) {
  slice bytes = request_bytes(conn);
  slice target = slice_of(bytes.ptr + conn->head.target_at, conn->head.target_len);
  url u;
  bool connect = slice_is(slice_upto(bytes, conn->head.method_len), "CONNECT");
  return url_parse_target(conn->arena, target, connect, &u);
}

static void begin_exchange(http_conn *conn) {
  conn->x = (http_exchange){
      .arena = conn->arena, .server = conn->server, .conn = conn, .peer = conn->peer,
      .started_mono_ns = now_of(conn)};
  conn->close_after = conn->keep_alive_10 = conn->expects_continue = conn->is_head = false;
  conn->streaming = conn->chunked_out = conn->chunked_in = false;
  conn->chunk = (chunked){0};
  conn->strays = 0;
  conn->skip = 0;
}

static void dispatch(http_conn *conn) {
  timer_clear(conn->server->timers, &conn->timer);
  size_t body_at = conn->head.end;
  slice bytes = request_bytes(conn);
  if (bytes.ptr + conn->head.target_at != conn->x.target.ptr) fill_exchange(conn);
  size_t len = conn->body_end - body_at;
  if (len > HTTP_BODY_MAX) {
    conn->x.body_too_large = true;
    len = HTTP_BODY_MAX;
  }
  conn->x.body = slice_of(bytes.ptr + body_at, len);
  conn->x.started_mono_ns = now_of(conn);
  conn->state = HTTP_ANSWER;
  conn->server->handle(conn->server->ctx, &conn->x);
}

/* Decides how much of a body of known length is kept, dropped, or left unread. */
static void plan_length(http_conn *conn) {
  uint64_t length = conn->content_length;
  bool reads = conn->reads;
  uint64_t keep_max = reads ? HTTP_BODY_MAX + 1 : DRAIN_MAX;
  uint64_t keep = length < keep_max ? length : keep_max;
  if (!reads && (length >= DRAIN_MAX || (length && conn->expects_continue))) {
    conn->close_after = true;
    keep = 0;
  }
  uint64_t rest = length - keep;
  if (rest >= DRAIN_MAX) conn->close_after = true;
  conn->skip = conn->close_after ? 0 : rest;
  conn->body_end = conn->head.end + (size_t)keep;
  conn->raw_at = conn->body_end;
  conn->state = HTTP_READ_BODY;
}

static void send_continue(http_conn *conn) {
  conn->server->env->conn_write(conn->server->env, conn->out,
                                SLICE_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void begin_body(http_conn *conn) {
  bool reads = conn->reads;
  if (conn->chunked_in) {
    conn->body_end = conn->raw_at = conn->head.end;
    conn->state = HTTP_READ_CHUNKED;
    if (conn->expects_continue && !reads) {
      conn->close_after = true;
      dispatch(conn);
      return;
    }
  } else {
    plan_length(conn);
  }
  size_t have = conn->in.len - conn->start;
  bool waits = conn->chunked_in || have < conn->body_end;
  if (conn->expects_continue && reads) send_continue(conn); /* Go sends it even too late */
  if (!waits) return;
  if (!conn->chunked_in) buf_reserve(&conn->in, conn->body_end - have);
  if (conn->in.ptr + conn->start != conn->x.method.ptr) fill_exchange(conn);
  http_conn_set_timer(conn, http_body_time_ns(&conn->x));
}

int64_t http_body_time_ns(const http_exchange *x) {
  return x->server->body_time_ns ? x->server->body_time_ns(x) : LIMIT_REQUEST_TIME_NS;
}

/* The head is complete. */
static void read_head_done(http_conn *conn) {
  begin_exchange(conn);
  conn->x.http10 = conn->head.major == 1 && conn->head.minor == 0;
  if (!fill_exchange(conn)) {
    refuse_400(conn);
    return;
  }
  framing f = {0};
  for (uint32_t i = 0; i < conn->x.header_count; i++) note_field(&f, &conn->x.headers[i]);
  if (!check_framing(conn, &f)) return;
  conn->x.head_mono_ns = now_of(conn);
  http_conn_count(conn, true);
  conn->is_head = slice_is(conn->x.method, "HEAD");
  conn->reads = reads_body(conn->x.method);
  bool continue_wanted = http_value_has_token(f.expect, "100-continue");
  conn->expects_continue = continue_wanted;
  conn->last_was_post = slice_is(conn->x.method, "POST");
  conn->body_end = conn->raw_at = conn->head.end;
  if (answered_by_protocol(conn, f.expect)) return;
  bool no_body = !conn->chunked_in && conn->content_length == 0;
  if (conn->x.http10 || no_body) conn->expects_continue = false;
  if (no_body) dispatch(conn);
  else begin_body(conn);
}

/* After a POST, Go forgives up to four stray CR or LF. */
static void skip_stray_newlines(http_conn *conn) {
  if (!conn->last_was_post || conn->head.seen || conn->head.in_fields) return;
  for (; conn->strays < 4 && conn->start < conn->in.len; conn->strays++) {
    char c = conn->in.ptr[conn->start];
    if (c != '\r' && c != '\n') break;
    conn->start++;
  }
}

/* A peer that sends requests and does not read answers is not listened to until it does. */
static bool stall(http_conn *conn) {
  env *e = conn->server->env;
  if (e->conn_pending(e, conn->out) <= UNSENT_MAX) return false;
  conn->stalled = true;
  timer_clear(conn->server->timers, &conn->timer);
  if (!conn->paused) e->conn_pause(e, conn->out, true);
  conn->paused = true;
  return true;
}

static bool step_head(http_conn *conn) {
  skip_stray_newlines(conn);
  slice bytes = request_bytes(conn);
  if (bytes.len == 0) return false;
  if (conn->head.seen == 0 && stall(conn)) return false;
  if (!conn->arena) conn->arena = arena_create();
  if (conn->head.seen == 0) {
    conn->idle = false;
    http_conn_set_timer(conn, LIMIT_HEADER_TIME_NS);
  }
  bool had_line = conn->head.in_fields;
  http_scan r = http_head_scan(&conn->head, slice_upto(bytes, LIMIT_HEADER_BYTES));
  if (r == HTTP_SCAN_DONE) {
    read_head_done(conn);
    return true;
  }
  bool too_large = r == HTTP_SCAN_PARTIAL && bytes.len >= LIMIT_HEADER_BYTES;
  if (too_large) {
    refuse_words(conn, "431 Request Header Fields Too Large");
  } else if (r == HTTP_SCAN_BAD || (!had_line && conn->head.in_fields && !target_ok(conn))) {
    refuse_400(conn);
  }
  return false;
}

static bool step_body(http_conn *conn) {
  size_t have = conn->in.len - conn->start;
  if (have < conn->body_end) return false;
  if (conn->skip) {
    conn->state = HTTP_SKIP;
    return true;
  }
  dispatch(conn);
  return true;
}

/* Drops what lies behind the kept body, as far as it belongs to it. */
static bool step_skip(http_conn *conn) {
  size_t end = conn->start + conn->body_end;
  size_t extra = conn->in.len - end;
  size_t n = conn->skip < extra ? (size_t)conn->skip : extra;
  if (n < extra) memmove(conn->in.ptr + end, conn->in.ptr + end + n, extra - n);
  conn->in.len -= n;
  conn->skip -= n;
  if (conn->skip) return false;
  dispatch(conn);
  return true;
}

static bool step_chunked(http_conn *conn) {
  bool reads = conn->reads;
  size_t most = conn->head.end + (size_t)DRAIN_MAX + 1 + (reads ? HTTP_BODY_MAX : 0);
  slice why = SLICE_NONE;
  chunked_result r = chunked_decode(&conn->chunk, conn->in.ptr + conn->start,
                                    conn->in.len - conn->start, &conn->raw_at, &conn->body_end,
                                    most, conn->arena, &why);
  if (r == CHUNKED_MORE) { /* close the gap that decoding left */
    size_t gap = conn->raw_at - conn->body_end;
    if (gap == 0) return false;
    char *to = conn->in.ptr + conn->start + conn->body_end;
    size_t tail = conn->in.len - conn->start - conn->raw_at;
    if (tail) memmove(to, to + gap, tail);
    conn->in.len -= gap;
    conn->raw_at = conn->body_end;
    return false;
  }
  if (r != CHUNKED_DONE) conn->close_after = true;
  if (r == CHUNKED_BAD && reads) {
    conn->x.body_broken = true;
    conn->x.body_error = why;
  }
  dispatch(conn);
  return true;
}

static bool step(http_conn *conn) {
  switch (conn->state) {
  case HTTP_READ_HEAD: return step_head(conn);
  case HTTP_READ_BODY: return step_body(conn);
  case HTTP_READ_CHUNKED: return step_chunked(conn);
  case HTTP_SKIP: return step_skip(conn);
  default: return false;
  }
}

/* Runs until more bytes or the handler's answer are needed. conn may be freed by it. */
static void run(http_conn *conn) {
  if (conn->running) return;
  conn->running = true;
  while (!conn->dead && step(conn)) {}
  conn->running = false;
  if (conn->dead) http_conn_free(conn);
}

static void append_input(http_conn *conn, slice bytes) {
  if (conn->start) {
    buf_consume(&conn->in, conn->start);
    conn->start = 0;
  }
  buf_append(&conn->in, bytes);
}

bool http_conn_data(http_conn *conn, slice bytes) {
  assert(!conn->running && !conn->dead);
  if (conn->state == HTTP_UPGRADED) return http_conn_upgraded_data(conn, bytes);
  if (conn->state == HTTP_ANSWER) {
    buf_append(&conn->later, bytes);
    if (conn->later.len > LATER_MAX && !conn->paused) {
      conn->paused = true;
      conn->server->env->conn_pause(conn->server->env, conn->out, true);
    }
    return true;
  }
  append_input(conn, bytes);
  conn->running = true;
  while (!conn->dead && step(conn)) {}
  conn->running = false;
  bool alive = !conn->dead;
  if (!alive) http_conn_free(conn);
  return alive;
}

/* Leaves nothing of an idle connection but itself and a small buffer. */
static void shrink(http_conn *conn) {
  if (conn->in.len == conn->start) {
    buf_clear(&conn->in);
    conn->start = 0;
    if (conn->in.cap > KEEP_BUFFER) buf_dispose(&conn->in);
  }
  if (conn->later.cap && conn->later.len == 0) buf_dispose(&conn->later);
}

void http_conn_finish(http_conn *conn) {
  assert(conn->state == HTTP_ANSWER);
  tell_over(conn);
  http_conn_count(conn, false);
  if (conn->close_after || conn->gone || conn->server->leaving) {
    http_conn_end(conn, true);
    return;
  }
  conn->start += conn->raw_at;
  assert(conn->start <= conn->in.len);
  conn->state = HTTP_READ_HEAD;
  conn->head = (http_head){0};
  if (conn->arena) arena_reset(conn->arena);
  if (conn->later.len) {
    append_input(conn, buf_slice(&conn->later));
    buf_clear(&conn->later);
  }
  if (conn->paused) {
    conn->paused = false;
    conn->server->env->conn_pause(conn->server->env, conn->out, false);
  }
  shrink(conn);
  conn->idle = conn->in.len == conn->start;
  http_conn_set_timer(conn, conn->idle ? IDLE_SHRINK_NS : LIMIT_HEADER_TIME_NS);
  run(conn);
}

bool http_conn_eof(http_conn *conn) {
  assert(!conn->running && !conn->dead);
  bool in_head = conn->state == HTTP_READ_HEAD && conn->in.len > conn->start;
  if (!in_head) return true;
  refuse_400(conn);
  return false;
}

void http_conn_closed(http_conn *conn) {
  assert(!conn->running && !conn->dead);
  conn->gone = true;
  conn->running = true; /* an answer from within on_abort must not free conn */
  if (conn->state >= HTTP_ANSWER && conn->x.on_abort) conn->x.on_abort(&conn->x);
  conn->running = false;
  conn->dead = true;
  http_conn_free(conn);
}

void http_conn_drained(http_conn *conn) {
  if (conn->stalled) {
    conn->stalled = conn->paused = false;
    conn->server->env->conn_pause(conn->server->env, conn->out, false);
    http_conn_set_timer(conn, LIMIT_HEADER_TIME_NS);
    run(conn);
  } else if (conn->streaming && conn->x.on_drain &&
             (conn->state == HTTP_ANSWER || conn->state == HTTP_UPGRADED)) {
    conn->x.on_drain(&conn->x);
  }
}

static bool events_data(void *owner, slice bytes) {
  return http_conn_data(owner, bytes);
}

static bool events_eof(void *owner) {
  return http_conn_eof(owner);
}

static void events_closed(void *owner, slice why) {
  (void)why;
  http_conn_closed(owner);
}

static void events_drained(void *owner) {
  http_conn_drained(owner);
}

const env_conn_events http_conn_events = {
    .data = events_data, .eof = events_eof, .closed = events_closed, .drained = events_drained};
