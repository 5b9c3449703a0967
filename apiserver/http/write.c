/* Answers: the head as Go's net/http prints it, then the parts.
 *
 * Go's rules kept here: the handler's headers sorted by name, then Date, Content-Length,
 * Connection, Transfer-Encoding; a body of up to 2048 bytes has a length, a longer one is
 * chunked unless the handler set Content-Length; HEAD, 204 and 304 have no body. */
#include "http/conn.h"
#include "http/http2.h"

#include "base/limits.h"

#include <assert.h>
#include <stdio.h>

#define LENGTH_MAX ((size_t)2048) /* Go's buffer before it starts chunking */
#define HEAD_FIRST 1024u

typedef struct head_writer {
  char *ptr;
  size_t len, cap;
  arena *arena;
  char first[HEAD_FIRST];
} head_writer;

static void put(head_writer *w, slice s) {
  if (w->cap - w->len < s.len) {
    size_t cap = (w->cap + s.len) * 2;
    char *bigger = arena_alloc(w->arena, cap);
    memcpy(bigger, w->ptr, w->len);
    w->ptr = bigger;
    w->cap = cap;
  }
  if (s.len) memcpy(w->ptr + w->len, s.ptr, s.len);
  w->len += s.len;
}

#define PUT(w, text) put((w), SLICE_LIT(text))

static void put_number(head_writer *w, size_t n) {
  char room[SLICE_U64_ROOM];
  put(w, slice_of_u64(room, n));
}

static void put_status(head_writer *w, const http_exchange *x, int status) {
  if (x->http10) PUT(w, "HTTP/1.0 ");
  else PUT(w, "HTTP/1.1 ");
  put_number(w, (size_t)status);
  const char *text = http_status_text(status);
  if (text) {
    PUT(w, " ");
    put(w, slice_cstr(text));
  } else {
    PUT(w, " status code ");
    put_number(w, (size_t)status);
  }
  PUT(w, "\r\n");
}

/* Sorted by name, equal names in the order given. CR and LF in a value become spaces. */
static void put_headers(head_writer *w, const http_header *headers, uint32_t count, bool no_close) {
  uint16_t order[HTTP_ANSWER_HEADERS_MAX];
  uint32_t n = 0;
  assert(count <= HTTP_ANSWER_HEADERS_MAX);
  for (uint32_t i = 0; i < count; i++) {
    if (no_close && slice_eq_nocase(headers[i].name, SLICE_LIT("Connection"))) continue;
    uint32_t at = n++;
    while (at > 0 && slice_cmp(headers[order[at - 1]].name, headers[i].name) > 0) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = (uint16_t)i;
  }
  for (uint32_t i = 0; i < n; i++) {
    const http_header *h = &headers[order[i]];
    put(w, h->name);
    PUT(w, ": ");
    size_t value_at = w->len;
    put(w, h->value);
    for (size_t k = value_at; k < w->len; k++) {
      if (w->ptr[k] == '\r' || w->ptr[k] == '\n') w->ptr[k] = ' ';
    }
    PUT(w, "\r\n");
  }
}

static const http_header *find(const http_header *headers, uint32_t count, slice name) {
  for (uint32_t i = 0; i < count; i++) {
    if (slice_eq_nocase(headers[i].name, name)) return &headers[i];
  }
  return NULL;
}

typedef struct answer {
  int status;
  const http_header *headers;
  uint32_t count;
  bool sized; /* body is the whole body's length */
  size_t body;
} answer;

static bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

/* The connection's fate, as Go decides it when it writes the head. Returns what to say about
 * it behind Content-Length, or nothing. */
static slice decide_fate(http_conn *conn, const answer *a, bool has_length, bool *no_close) {
  const http_header *own = find(a->headers, a->count, SLICE_LIT("Connection"));
  bool own_close = own && http_value_has_token(own->value, "close");
  if (own_close || conn->server->leaving) conn->close_after = true;
  if (conn->keep_alive_10 && !conn->close_after &&
      (conn->is_head || has_length || !status_has_body(a->status))) {
    return own ? SLICE_NONE : SLICE_LIT("Connection: keep-alive\r\n");
  }
  if (conn->x.http10) conn->close_after = true;
  if (!conn->close_after || own_close || a->status == 101) return SLICE_NONE;
  *no_close = true;
  return conn->x.http10 ? SLICE_NONE : SLICE_LIT("Connection: close\r\n");
}

static void write_head(http_conn *conn, const answer *a) {
  head_writer w = {.ptr = w.first, .cap = HEAD_FIRST, .arena = conn->arena};
  env *e = conn->server->env;
  bool own_length = find(a->headers, a->count, SLICE_LIT("Content-Length")) != NULL;
  bool bodied = status_has_body(a->status) && !conn->is_head;
  bool add_length = a->sized && !own_length && status_has_body(a->status) &&
                    a->body <= LENGTH_MAX && (!conn->is_head || a->body > 0);
  bool has_length = own_length || add_length;
  bool no_close = false;
  slice fate = decide_fate(conn, a, has_length, &no_close);
  put_status(&w, &conn->x, a->status);
  put_headers(&w, a->headers, a->count, no_close);
  if (!find(a->headers, a->count, SLICE_LIT("Date"))) {
    char date[32];
    http_date(e->wall_ns, date);
    PUT(&w, "Date: ");
    put(&w, slice_of(date, 29));
    PUT(&w, "\r\n");
  }
  if (add_length) {
    PUT(&w, "Content-Length: ");
    put_number(&w, a->body);
    PUT(&w, "\r\n");
  }
  put(&w, fate);
  if (bodied && !has_length) {
    if (conn->x.http10) {
      conn->close_after = true;
    } else {
      conn->chunked_out = true;
      PUT(&w, "Transfer-Encoding: chunked\r\n");
    }
  }
  PUT(&w, "\r\n");
  if (conn->chunked_out && a->sized) {
    char size[20];
    int n = snprintf(size, sizeof size, "%zx\r\n", a->body);
    put(&w, slice_of(size, (size_t)n));
  }
  if (!conn->gone) e->conn_write(e, conn->out, slice_of(w.ptr, w.len));
}

static void write_bytes(http_conn *conn, slice bytes, blob *owner) {
  env *e = conn->server->env;
  if (bytes.len == 0 || conn->gone) return;
  if (owner) e->conn_write_blob(e, conn->out, owner, bytes);
  else e->conn_write(e, conn->out, bytes);
}

void http_respond(http_exchange *x, int status, const http_header *headers, uint32_t count,
                  const http_part *parts, uint32_t part_count) {
  http_answer a = {status, headers, count, parts, part_count};
  const http_tap *tap = x->server->tap;
  if (tap && !tap->answer(tap->ctx, x, &a)) return;
  http_send(x, &a);
}

void http_send(http_exchange *x, const http_answer *given) {
  if (x->wire) {
    x->wire->send(x, given);
    return;
  }
  http_conn *conn = x->conn;
  assert(conn->state == HTTP_ANSWER && !conn->streaming);
  const http_part *parts = given->parts;
  uint32_t part_count = given->part_count;
  answer a = {.status = given->status, .headers = given->headers, .count = given->header_count,
              .sized = true};
  for (uint32_t i = 0; i < part_count; i++) a.body += parts[i].bytes.len;
  write_head(conn, &a);
  if (!conn->is_head && status_has_body(a.status)) {
    for (uint32_t i = 0; i < part_count; i++) write_bytes(conn, parts[i].bytes, parts[i].owner);
    if (conn->chunked_out) write_bytes(conn, SLICE_LIT("\r\n0\r\n\r\n"), NULL);
  }
  http_conn_finish(conn);
}

void http_stream_begin(http_exchange *x, int status, const http_header *headers, uint32_t count) {
  const http_tap *tap = x->server->tap;
  if (tap) tap->stream(tap->ctx, x, status);
  if (x->wire) {
    x->wire->stream_begin(x, status, headers, count);
    return;
  }
  http_conn *conn = x->conn;
  assert(conn->state == HTTP_ANSWER && !conn->streaming);
  answer a = {.status = status, .headers = headers, .count = count};
  write_head(conn, &a);
  conn->streaming = true;
}

/* The line in front of a chunk; `out` has room for 18 bytes. */
static size_t chunk_head(size_t bytes, char *out) {
  static const char digits[] = "0123456789abcdef";
  size_t n = 1, at;
  while (n < 16 && bytes >> (4 * n)) n++;
  for (at = 0; at < n; at++) out[at] = digits[bytes >> (4 * (n - 1 - at)) & 15];
  out[n] = '\r';
  out[n + 1] = '\n';
  return n + 2;
}

void http_stream_write(http_exchange *x, slice bytes, blob *owner) {
  if (x->wire) {
    x->wire->stream_write(x, bytes, owner);
    return;
  }
  http_conn *conn = x->conn;
  assert(conn->streaming);
  if (bytes.len == 0 || conn->is_head) return;
  if (!conn->chunked_out) {
    write_bytes(conn, bytes, owner);
    return;
  }
  char head[18];
  write_bytes(conn, slice_of(head, chunk_head(bytes.len, head)), NULL);
  write_bytes(conn, bytes, owner);
  write_bytes(conn, SLICE_LIT("\r\n"), NULL);
}

bool http_stream_frames(const http_exchange *x) { return !x->wire && x->conn->chunked_out; }

blob *http_chunk_of(slice bytes) {
  char head[18];
  size_t n = chunk_head(bytes.len, head);
  blob *b = blob_alloc(n + bytes.len + 2);
  memcpy(b->data, head, n);
  memcpy(b->data + n, bytes.ptr, bytes.len);
  memcpy(b->data + n + bytes.len, "\r\n", 2);
  return b;
}

void http_stream_write_chunk(http_exchange *x, blob *chunk) {
  http_conn *conn = x->conn;
  assert(conn->streaming && conn->chunked_out);
  if (!conn->is_head) write_bytes(conn, blob_slice(chunk), chunk);
}

size_t http_stream_pending(const http_exchange *x) {
  if (x->wire) return x->wire->pending(x);
  const http_conn *conn = x->conn;
  env *e = conn->server->env;
  return conn->gone ? 0 : e->conn_pending(e, conn->out);
}

void http_stream_end(http_exchange *x) {
  if (x->wire) {
    x->wire->stream_end(x);
    return;
  }
  http_conn *conn = x->conn;
  assert(conn->streaming);
  if (conn->chunked_out) write_bytes(conn, SLICE_LIT("0\r\n\r\n"), NULL);
  http_conn_finish(conn);
}

void http_stream_cut(http_exchange *x) {
  if (x->wire) x->wire->cut(x);
  else http_conn_end(x->conn, false);
}

void http_connection_cut(http_exchange *x, bool flush) {
  if (x->wire) x->wire->cut_connection(x, flush);
  else http_conn_end(x->conn, flush);
}
