/* A connection without a network: requests of the scenario, duplicates of a client's requests, and
 * the reading of the end state go to the server as bytes, and come back before the call returns.
 * The world's output functions are wrapped, so that what is written for such a connection comes
 * here; every other one is passed on. */
#include "sim/live/engine.h"

#include "base/heap.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MAX ((size_t)512 << 20)

typedef struct inner_conn {
  http_conn *http;
  buf out;
  bool closed;
  env_peer peer;
} inner_conn;

/* The wrapped functions find their engine by the environment: one a process. */
static live *installed;

static inner_conn *mine(const env_conn *c) {
  inner_conn *i = installed ? installed->inner : NULL;
  return i && (const void *)i == (const void *)c ? i : NULL;
}

static void inner_write(env *e, env_conn *c, slice bytes) {
  inner_conn *i = mine(c);
  if (i) buf_append(&i->out, bytes);
  else installed->inner_env.conn_write(e, c, bytes);
}

static void inner_write_blob(env *e, env_conn *c, blob *b, slice part) {
  inner_conn *i = mine(c);
  if (i) buf_append(&i->out, part);
  else installed->inner_env.conn_write_blob(e, c, b, part);
}

static size_t inner_pending(env *e, env_conn *c) {
  return mine(c) ? 0 : installed->inner_env.conn_pending(e, c);
}

static void inner_pause(env *e, env_conn *c, bool paused) {
  if (!mine(c)) installed->inner_env.conn_pause(e, c, paused);
}

static void inner_close(env *e, env_conn *c, bool flush) {
  inner_conn *i = mine(c);
  if (i) i->closed = true;
  else installed->inner_env.conn_close(e, c, flush);
}

void inner_install(live *l) {
  env *e = l->server->env;
  l->inner_env = *e;
  installed = l;
  e->conn_write = inner_write;
  e->conn_write_blob = inner_write_blob;
  e->conn_pending = inner_pending;
  e->conn_pause = inner_pause;
  e->conn_close = inner_close;
}

void inner_remove(live *l) {
  env *e = l->server->env;
  e->conn_write = l->inner_env.conn_write;
  e->conn_write_blob = l->inner_env.conn_write_blob;
  e->conn_pending = l->inner_env.conn_pending;
  e->conn_pause = l->inner_env.conn_pause;
  e->conn_close = l->inner_env.conn_close;
  installed = NULL;
}

bool inner_is(const live *l, const http_exchange *x) {
  return l->inner && x->peer == &((inner_conn *)l->inner)->peer;
}

/* Appends the body to out; chunks are joined. Returns the status. */
static int read_answer(slice all, buf *out) {
  ptrdiff_t head = slice_find(all, SLICE_LIT("\r\n\r\n"));
  slice first, rest, part;
  if (head < 0) return 0;
  slice_cut(all, ' ', &first, &rest);
  int status = (int)strtol(rest.ptr, NULL, 10);
  slice body = slice_from(all, (size_t)head + 4);
  bool chunked = slice_find(slice_upto(all, (size_t)head), SLICE_LIT("chunked")) >= 0;
  if (!chunked) {
    buf_append(out, body);
    return status;
  }
  while (body.len) {
    ptrdiff_t line = slice_find(body, SLICE_LIT("\r\n"));
    if (line < 0) break;
    size_t size = (size_t)strtoull(body.ptr, NULL, 16);
    part = slice_from(body, (size_t)line + 2);
    if (size == 0 || part.len < size) break;
    buf_append(out, slice_upto(part, size));
    body = slice_from(part, size + 2);
  }
  return status;
}

static int call_bytes(live *l, slice bytes, buf *answer) {
  inner_conn *outer = l->inner, c = {.peer = {.address = SLICE_LIT("127.0.0.1:0")}};
  exchange *current = l->current;
  buf_init(&c.out, ANSWER_MAX);
  l->inner = &c;
  c.http = server_conn_open(l->server, (env_conn *)(void *)&c, &c.peer);
  bool alive = http_conn_data(c.http, bytes);
  if (alive && !c.closed) http_conn_closed(c.http);
  int status = read_answer(buf_slice(&c.out), answer);
  buf_dispose(&c.out);
  l->inner = outer;
  l->current = current;
  return status;
}

int live_call(live *l, const char *method, slice target, const char *content_type, slice body,
              buf *answer) {
  buf b;
  buf_init(&b, ANSWER_MAX);
  buf_printf(&b, "%s %.*s HTTP/1.1\r\nHost: apisim\r\nUser-Agent: apisim-scenario\r\n"
             "Accept: application/json\r\nAuthorization: Bearer %s\r\n", method,
             SLICE_ARG(target), l->serving->token);
  if (content_type) {
    buf_printf(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, body.len);
  }
  buf_cstr(&b, "\r\n");
  buf_append(&b, body);
  exchange *ghost = l->ghost_of;
  l->ghost_of = NULL;
  int status = call_bytes(l, buf_slice(&b), answer);
  l->ghost_of = ghost;
  buf_dispose(&b);
  return status;
}

/* The request once more, as a client's or a balancer's retry would deliver it; its answer is lost.
 * The original follows. */
void inner_duplicate(live *l, exchange *ex) {
  const http_exchange *x = ex->x;
  buf b, lost;
  buf_init(&b, ANSWER_MAX);
  buf_init(&lost, ANSWER_MAX);
  buf_printf(&b, "%.*s %.*s HTTP/1.1\r\n", SLICE_ARG(x->method), SLICE_ARG(x->target));
  for (uint32_t i = 0; i < x->header_count; i++) {
    const http_header *h = &x->headers[i];
    bool framing = slice_eq_nocase(h->name, SLICE_LIT("Content-Length")) ||
                   slice_eq_nocase(h->name, SLICE_LIT("Transfer-Encoding")) ||
                   slice_eq_nocase(h->name, SLICE_LIT("Expect"));
    if (!framing) {
      buf_printf(&b, "%.*s: %.*s\r\n", SLICE_ARG(h->name), SLICE_ARG(h->value));
    }
  }
  buf_printf(&b, "Content-Length: %zu\r\n\r\n", x->body.len);
  buf_append(&b, x->body);
  l->ghost_of = ex;
  call_bytes(l, buf_slice(&b), &lost);
  l->ghost_of = NULL;
  buf_dispose(&b);
  buf_dispose(&lost);
}
