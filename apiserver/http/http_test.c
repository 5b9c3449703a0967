/* The protocol layer without sockets: golden rows (what the real server answered to the same
 * bytes), the same rows byte by byte and cut short, pipelining, bodies, streams, ceilings. */
#include "base/buf.h"
#include "base/heap.h"
#include "http/conn.h"
#include "http/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#define DATE "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
#define WALL_NS ((int64_t)1767225600 * 1000000000)

typedef struct fixture {
  env env; /* first */
  timers timers;
  http_server server;
  http_conn *conn;
  env_peer peer;
  buf out;
  bool closed, flushed, paused;
  int handled, aborted;
  bool later; /* the handler keeps the exchange */
  http_exchange *kept;
  size_t pending;
} fixture;

static void t_log(env *e, int level, slice line) { (void)e, (void)level, (void)line; }
static void t_wake(env *e, int64_t ns) { (void)e, (void)ns; }
static void t_write(env *e, env_conn *c, slice b) {
  (void)c;
  assert_false(((fixture *)e)->closed);
  buf_append(&((fixture *)e)->out, b);
}
static void t_write_blob(env *e, env_conn *c, blob *o, slice b) {
  assert_true(o->refs > 0);
  t_write(e, c, b);
}
static size_t t_pending(env *e, env_conn *c) { (void)c; return ((fixture *)e)->pending; }
static void t_pause(env *e, env_conn *c, bool p) { (void)c; ((fixture *)e)->paused = p; }
static void t_close(env *e, env_conn *c, bool flush) {
  (void)c;
  fixture *f = (fixture *)e;
  assert_false(f->closed);
  f->closed = true;
  f->flushed = flush;
}

static void on_abort(http_exchange *x) { ((fixture *)x->user)->aborted++; }

static void answer(http_exchange *x) {
  http_header h = {SLICE_LIT("Content-Type"), SLICE_LIT("text/plain")};
  http_part p = {SLICE_LIT("ok"), NULL};
  int status = x->body_too_large ? 413 : x->body_broken ? 500 : 200;
  if (x->body_broken) p.bytes = x->body_error;
  else if (slice_is(x->method, "POST")) p.bytes = x->body;
  else if (slice_has_prefix(x->path, SLICE_LIT("/p"))) p.bytes = x->path;
  http_respond(x, status, &h, 1, &p, 1);
}

static void handle(void *ctx, http_exchange *x) {
  fixture *f = ctx;
  f->handled++;
  x->user = f;
  x->on_abort = on_abort;
  if (f->later) f->kept = x;
  else answer(x);
}

static void open_conn(fixture *f) {
  *f = (fixture){.env = {.wall_ns = WALL_NS,
                         .log = t_log,
                         .wake_at = t_wake,
                         .conn_write = t_write,
                         .conn_write_blob = t_write_blob,
                         .conn_pending = t_pending,
                         .conn_pause = t_pause,
                         .conn_close = t_close}};
  timers_init(&f->timers);
  buf_init(&f->out, (size_t)64 << 20);
  f->server = (http_server){.env = &f->env, .timers = &f->timers, .handle = handle, .ctx = f};
  f->conn = http_conn_open(&f->server, NULL, &f->peer);
}

static void end_conn(fixture *f) {
  if (!f->closed) http_conn_closed(f->conn);
  assert_int_equal(f->timers.count, 0);
  timers_dispose(&f->timers);
  buf_dispose(&f->out);
}

static bool feed(fixture *f, slice bytes) {
  return !f->closed && http_conn_data(f->conn, bytes);
}

#define H "Host: x\r\n"
#define G "GET /version HTTP/1.1\r\n" H
#define P "POST /p HTTP/1.1\r\n" H
#define CH P "Transfer-Encoding: chunked\r\n\r\n"
#define PLAIN(status, text) \
  "HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" text
#define REFUSED(status) PLAIN(status, status)
#define BAD400 REFUSED("400 Bad Request")
#define OK_N(n, body) \
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" DATE "Content-Length: " n "\r\n\r\n" body
#define OK OK_N("2", "ok")
#define OK_CLOSE \
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" DATE \
  "Content-Length: 2\r\nConnection: close\r\n\r\nok"
#define BROKEN(n, why) \
  "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n" DATE \
  "Content-Length: " n "\r\nConnection: close\r\n\r\n" why
#define TE501 PLAIN("501 Not Implemented", "Unsupported transfer encoding")
#define V505 REFUSED("505 HTTP Version Not Supported: unsupported protocol version")
#define E417 "HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\n" DATE \
             "Content-Length: 0\r\n\r\n"
enum { OPEN, CLOSED };

static const struct row {
  const char *name;
  slice request;
  const char *answer;
  int fate;
} rows[] = {
#define R(name, request, answer, fate) {name, {request, sizeof(request) - 1}, answer, fate},
    R("plain", G "\r\n", OK, OPEN)
    R("no host", "GET / HTTP/1.1\r\n\r\n", REFUSED("400 Bad Request: missing required Host header"),
      CLOSED)
    R("two hosts", G H "\r\n", BAD400, CLOSED)
    R("bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      REFUSED("400 Bad Request: malformed Host header"), CLOSED)
    R("bad host 2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      REFUSED("400 Bad Request: malformed Host header"), CLOSED)
    R("empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", OK, OPEN)
    R("1.0", "GET / HTTP/1.0\r\n\r\n",
      "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n" DATE "Content-Length: 2\r\n\r\nok", CLOSED)
    R("1.0 stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
        DATE "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok", OPEN)
    R("close", G "Connection: close\r\n\r\n", OK_CLOSE, CLOSED)
    R("close among others", G "Connection: keep-alive, close\r\n\r\n", OK_CLOSE, CLOSED)
    R("space before colon", G "X : y\r\n\r\n", REFUSED("400 Bad Request: invalid header name"),
      CLOSED)
    R("empty name", G ": y\r\n\r\n", BAD400, CLOSED)
    R("name not a token", G "X(: y\r\n\r\n", BAD400, CLOSED)
    R("NUL in value", G "X: a\0b\r\n\r\n", BAD400, CLOSED)
    R("control in value", G "X: a\001b\r\n\r\n", BAD400, CLOSED)
    R("DEL in value", G "X: a\177b\r\n\r\n", BAD400, CLOSED)
    R("tab in value", G "X: a\tb\r\n\r\n", OK, OPEN)
    R("8 bit value", G "X: a\377b\r\n\r\n", OK, OPEN)
    R("no colon", G "Xy\r\n\r\n", BAD400, CLOSED)
    R("leading space", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", BAD400, CLOSED)
    R("continued", G "X: a\r\n b\r\n\r\n", OK, OPEN)
    R("CR in value", G "X: a\rb\r\n\r\n", BAD400, CLOSED)
    R("length twice, same", P "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", OK_N("3", "abc"),
      OPEN)
    R("length twice, different", P "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc", BAD400,
      CLOSED)
    R("length +5", P "Content-Length: +5\r\n\r\nabcde", BAD400, CLOSED)
    R("length 2^64", P "Content-Length: 18446744073709551616\r\n\r\n", BAD400, CLOSED)
    R("length 2^63", P "Content-Length: 9223372036854775808\r\n\r\n", BAD400, CLOSED)
    R("length -1", P "Content-Length: -1\r\n\r\n", BAD400, CLOSED)
    R("length 0x5", P "Content-Length: 0x5\r\n\r\n", BAD400, CLOSED)
    R("length 5, 5", P "Content-Length: 5, 5\r\n\r\nabcde", BAD400, CLOSED)
    R("length empty", P "Content-Length: \r\n\r\n", BAD400, CLOSED)
    R("length 000", G "Content-Length: 000\r\n\r\n", OK, OPEN)
    R("length and chunked",
      P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      OK_N("3", "abc"), OPEN)
    R("te identity", P "Transfer-Encoding: identity\r\n\r\n", TE501, CLOSED)
    R("te xchunked", P "Transfer-Encoding: xchunked\r\n\r\n", TE501, CLOSED)
    R("te gzip, chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n", TE501, CLOSED)
    R("te twice", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", TE501,
      CLOSED)
    R("te VT", P "Transfer-Encoding: \013chunked\r\n\r\n", BAD400, CLOSED)
    R("te empty", P "Transfer-Encoding: \r\n\r\n", TE501, CLOSED)
    R("te Chunked", P "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", OK_N("3", "abc"),
      OPEN)
    R("chunks", CH "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", OK_N("5", "abcde"), OPEN)
    R("chunk 0x3", CH "0x3\r\nabc\r\n0\r\n\r\n", BROKEN("28", "invalid byte in chunk length"),
      CLOSED)
    R("chunk 3 zz", CH "3 zz\r\nabc\r\n0\r\n\r\n", BROKEN("28", "invalid byte in chunk length"),
      CLOSED)
    R("chunk bare LF", CH "3\nabc\r\n0\r\n\r\n", BROKEN("30", "chunked line ends with bare LF"),
      CLOSED)
    R("chunk blank line", CH "\r\n3\r\nabc\r\n0\r\n\r\n",
      BROKEN("33", "empty hex number for chunk length"), CLOSED)
    R("chunk extension", CH "3;a=b\r\nabc\r\n0\r\n\r\n", OK_N("3", "abc"), OPEN)
    R("chunk -3", CH "-3\r\nabc\r\n0\r\n\r\n", BROKEN("28", "invalid byte in chunk length"), CLOSED)
    R("chunk 17 digits", CH "00000000000000003\r\nabc\r\n0\r\n\r\n",
      BROKEN("27", "http chunk length too large"), CLOSED)
    R("chunk 16 f", CH "ffffffffffffffff\r\nabc\r\n0\r\n\r\n", "", OPEN)
    R("chunk without CRLF", CH "3\r\nabcd\r\n0\r\n\r\n", BROKEN("26", "malformed chunked encoding"),
      CLOSED)
    R("chunk trailing space", CH "3 \r\nabc\r\n0\r\n\r\n", OK_N("3", "abc"), OPEN)
    R("trailer", CH "3\r\nabc\r\n0\r\nX-T: a\r\n\r\n", OK_N("3", "abc"), OPEN)
    R("bad trailer", CH "3\r\nabc\r\n0\r\nX-T\r\n\r\n",
      BROKEN("43", "malformed MIME header: missing colon: \"X-T\""), CLOSED)
    R("CR in chunk line", CH "3;a\rb\r\nabc\r\n0\r\n\r\n",
      BROKEN("26", "invalid CR in chunked line"), CLOSED)
    R("GET with bad chunk", G "Transfer-Encoding: chunked\r\n\r\nzz\r\n", OK_CLOSE, CLOSED)
    R("HTTP/3.0", "GET / HTTP/3.0\r\n" H "\r\n", V505, CLOSED)
    R("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", V505, CLOSED)
    R("HTTP/0.9", "GET / HTTP/0.9\r\n" H "\r\n", V505, CLOSED)
    R("HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", OK, OPEN)
    R("HTTP/1.10", "GET / HTTP/1.10\r\n" H "\r\n", BAD400, CLOSED)
    R("no version", "GET /version\r\n", BAD400, CLOSED)
    R("http/1.1", "GET / http/1.1\r\n", BAD400, CLOSED)
    R("garbage", "\026\003\001 garbage\r\n\r\n", BAD400, CLOSED)
    R("bare CR", "GET / HTTP/1.1\rHost: x\r\r", "", OPEN)
    R("NUL in path", "GET /a\0b HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("DEL in path", "GET /a\177b HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("bare LF", "GET / HTTP/1.1\nHost: x\n\n", OK, OPEN)
    R("absolute form", "GET http://foo/pa HTTP/1.1\r\n" H "\r\n", OK_N("3", "/pa"), OPEN)
    R("double slash", "GET //version HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R("dots stay", "GET /p/../x HTTP/1.1\r\n" H "\r\n", OK_N("7", "/p/../x"), OPEN)
    R("%2F", "GET /p%2Fv1 HTTP/1.1\r\n" H "\r\n", OK_N("5", "/p/v1"), OPEN)
    R("%zz", "GET /%zz HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("%", "GET /% HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("%zz in query", "GET /?a=%zz HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R("UTF-8 path", "GET /\303\251 HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R("expect other", P "Expect: foo\r\nContent-Length: 3\r\n\r\n", E417, CLOSED)
    R("expect empty", P "Expect: \r\nContent-Length: 3\r\n\r\nabc", OK_N("3", "abc"), OPEN)
    R("expect, GET", G "Expect: 100-continue\r\n\r\n", OK, OPEN)
    R("expect, GET with length", G "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", OK_CLOSE,
      CLOSED)
    R("method with @", "G@T / HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("method in small letters", "get / HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("space behind", "GET / HTTP/1.1 \r\n" H "\r\n", BAD400, CLOSED)
    R("CRLF in front", "\r\nGET / HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" H "\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" DATE "\r\n", OPEN)
    R("CONNECT", "CONNECT foo:443 HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R("relative", "GET version HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("mailto:", "GET mailto:a HTTP/1.1\r\n" H "\r\n", OK, OPEN)
    R(":foo", "GET :foo HTTP/1.1\r\n" H "\r\n", BAD400, CLOSED)
    R("body of a GET, then another", G "Content-Length: 3\r\n\r\nabc" G "Connection: close\r\n\r\n",
      OK OK_CLOSE, CLOSED)
    R("three at once", G "\r\n" P "Content-Length: 1\r\n\r\nz" CH "2\r\nhi\r\n0\r\n\r\n",
      OK OK_N("1", "z") OK_N("2", "hi"), OPEN)
    R("newlines after a POST", P "Content-Length: 1\r\n\r\nz\r\n\r\n" G "\r\n", OK_N("1", "z") OK,
      OPEN)
    R("HEAD", "HEAD / HTTP/1.1\r\n" H "\r\n",
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" DATE "Content-Length: 2\r\n\r\n", OPEN)
#undef R
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static void check_row(const struct row *r, const fixture *f, const char *how) {
  slice want = slice_cstr(r->answer), got = buf_slice(&f->out);
  if (slice_eq(want, got) && f->closed == (r->fate == CLOSED)) return;
  fail_msg("%s (%s): want %s [%s], got %s [%.*s]", r->name, how, r->fate ? "closed" : "open",
           r->answer, f->closed ? "closed" : "open", SLICE_ARG(got));
}

static void test_rows(void **state) {
  (void)state;
  for (size_t i = 0; i < ROW_COUNT; i++) {
    fixture f;
    open_conn(&f);
    feed(&f, rows[i].request);
    check_row(&rows[i], &f, "whole");
    end_conn(&f);
  }
}

static void test_rows_dribbled(void **state) {
  (void)state;
  for (size_t i = 0; i < ROW_COUNT; i++) {
    fixture f;
    open_conn(&f);
    for (size_t k = 0; k < rows[i].request.len; k++) {
      if (!feed(&f, slice_of(rows[i].request.ptr + k, 1))) break;
    }
    check_row(&rows[i], &f, "dribbled");
    end_conn(&f);
  }
}

/* Every cut: nothing may break, and nothing may be answered that the whole is not. */
static void test_rows_cut(void **state) {
  (void)state;
  for (size_t i = 0; i < ROW_COUNT; i++) {
    for (size_t cut = 0; cut <= rows[i].request.len; cut++) {
      fixture f;
      open_conn(&f);
      char *exact = malloc(cut ? cut : 1); /* so that reading behind it is seen */
      if (cut) memcpy(exact, rows[i].request.ptr, cut);
      bool alive = cut == 0 || feed(&f, slice_of(exact, cut));
      free(exact);
      if (!slice_has_prefix(slice_cstr(rows[i].answer), buf_slice(&f.out))) {
        fail_msg("%s cut at %zu: [%.*s]", rows[i].name, cut, SLICE_ARG(buf_slice(&f.out)));
      }
      if (alive && !f.closed) http_conn_eof(f.conn);
      end_conn(&f);
    }
  }
}

static void test_continue(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  feed(&f, SLICE_LIT(P "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
  assert_true(slice_is(buf_slice(&f.out), "HTTP/1.1 100 Continue\r\n\r\n"));
  buf_clear(&f.out);
  feed(&f, SLICE_LIT("abc"));
  assert_true(slice_is(buf_slice(&f.out), OK_N("3", "abc")));
  end_conn(&f);
}

static void test_answer_later(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  f.later = true;
  feed(&f, SLICE_LIT(P "Content-Length: 3\r\n\r\nab"));
  assert_int_equal(f.handled, 0);
  feed(&f, SLICE_LIT("c" G "\r\n"));
  assert_int_equal(f.handled, 1);
  char more[70000];
  memset(more, 'x', sizeof more);
  memcpy(more, G "X: ", sizeof G "X: " - 1);
  feed(&f, slice_of(more, sizeof more));
  assert_true(f.paused);
  assert_int_equal(f.out.len, 0);
  f.later = false;
  answer(f.kept);
  assert_false(f.paused);
  assert_int_equal(f.handled, 2);
  assert_true(slice_is(buf_slice(&f.out), OK_N("3", "abc") OK));
  buf_clear(&f.out);
  feed(&f, SLICE_LIT("\r\n\r\n"));
  assert_true(slice_is(buf_slice(&f.out), OK));
  end_conn(&f);
}

/* A peer that does not read its answers waits until it does. */
static void test_unread_answers(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  feed(&f, SLICE_LIT(G "\r\n"));
  f.pending = (size_t)2 << 20;
  feed(&f, SLICE_LIT(G "\r\n" G "\r\n"));
  assert_int_equal(f.handled, 1);
  assert_true(f.paused && f.timers.count == 0);
  f.pending = 0;
  http_conn_drained(f.conn);
  assert_false(f.paused);
  assert_int_equal(f.handled, 3);
  end_conn(&f);
}

static void test_abort(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  f.later = true;
  feed(&f, SLICE_LIT(G "\r\n"));
  http_conn_closed(f.conn);
  assert_int_equal(f.aborted, 1);
  f.closed = true;
  end_conn(&f);
}

static void test_stream(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  f.later = true;
  feed(&f, SLICE_LIT(G "\r\n"));
  http_stream_begin(f.kept, 200, NULL, 0);
  blob *b = blob_copy(SLICE_LIT("0123456789abcdef"));
  http_stream_write(f.kept, blob_slice(b), b);
  http_stream_write(f.kept, SLICE_LIT("x"), NULL);
  http_stream_end(f.kept);
  blob_unref(b);
  assert_true(slice_is(buf_slice(&f.out),
                       "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n"
                       "10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n"));
  assert_false(f.closed);
  f.later = false;
  buf_clear(&f.out);
  feed(&f, SLICE_LIT(G "\r\n"));
  assert_true(slice_is(buf_slice(&f.out), OK));
  end_conn(&f);
}

static void test_stream_10_and_cut(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  f.later = true;
  feed(&f, SLICE_LIT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  http_stream_begin(f.kept, 200, NULL, 0);
  http_stream_write(f.kept, SLICE_LIT("x"), NULL);
  assert_true(slice_is(buf_slice(&f.out), "HTTP/1.0 200 OK\r\n" DATE "\r\nx"));
  http_stream_cut(f.kept);
  assert_true(f.closed && !f.flushed);
  end_conn(&f);
}

/* Over 2048 bytes Go chunks. */
static void test_long_answer(void **state) {
  (void)state;
  for (size_t size = 2048; size <= 2049; size++) {
    fixture f;
    open_conn(&f);
    char head[128];
    snprintf(head, sizeof head, P "Content-Length: %zu\r\n\r\n", size);
    feed(&f, slice_cstr(head));
    char body[2049] = {0};
    feed(&f, slice_of(body, size));
    bool chunked_answer = slice_find(buf_slice(&f.out), SLICE_LIT("chunked\r\n\r\n801\r\n")) >= 0;
    assert_true(chunked_answer == (size == 2049));
    assert_true(slice_has_suffix(buf_slice(&f.out), SLICE_LIT("0\r\n\r\n")) == (size == 2049));
    end_conn(&f);
  }
}

static void send_body(fixture *f, uint64_t declared, size_t sent) {
  char head[128];
  snprintf(head, sizeof head, P "Content-Length: %llu\r\n\r\n", (unsigned long long)declared);
  feed(f, slice_cstr(head));
  char *body = heap_zalloc(65536);
  while (sent && !f->closed) {
    size_t n = sent < 65536 ? sent : 65536;
    feed(f, slice_of(body, n));
    sent -= n;
  }
  heap_free(body);
}

static void test_body_limits(void **state) {
  (void)state;
  static const struct {
    size_t size;
    const char *status;
    bool closes;
  } cases[] = {{HTTP_BODY_MAX, "200 OK", false},
               {HTTP_BODY_MAX + 1, "413 Request Entity Too Large", false},
               {HTTP_BODY_MAX + 200000, "413 Request Entity Too Large", false},
               {HTTP_BODY_MAX + 300000, "413 Request Entity Too Large", true},
               {SIZE_MAX / 2, "413 Request Entity Too Large", true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    open_conn(&f);
    size_t most = HTTP_BODY_MAX + 300000;
    send_body(&f, cases[i].size, cases[i].size < most ? cases[i].size : most);
    assert_int_equal(f.handled, 1);
    assert_true(slice_has_prefix(slice_from(buf_slice(&f.out), 9), slice_cstr(cases[i].status)));
    assert_true(f.closed == cases[i].closes);
    buf_clear(&f.out);
    if (!f.closed) feed(&f, SLICE_LIT(G "\r\n"));
    assert_true(f.closed || slice_is(buf_slice(&f.out), OK));
    end_conn(&f);
  }
}

static void test_large_heads(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  buf head;
  buf_init(&head, (size_t)8 << 20);
  buf_lit(&head, G);
  for (int i = 0; i < 100000; i++) buf_lit(&head, "a: b\r\n");
  buf_lit(&head, "\r\n");
  feed(&f, buf_slice(&head));
  assert_true(slice_is(buf_slice(&f.out), OK));
  buf_clear(&f.out);
  buf_clear(&head);
  buf_lit(&head, G "X: ");
  for (int i = 0; i < 200000; i++) buf_lit(&head, "aaaaaaaaaa");
  for (size_t at = 0; at < head.len && !f.closed; at += 1000) {
    feed(&f, slice_upto(slice_from(buf_slice(&head), at), 1000));
  }
  assert_true(slice_is(buf_slice(&f.out), REFUSED("431 Request Header Fields Too Large")));
  assert_true(f.closed);
  buf_dispose(&head);
  end_conn(&f);
}

static void test_query(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  f.later = true;
  feed(&f, SLICE_LIT("GET /x?a=1&b=x+y%20z&a=2&c&d=1;e=2&f=%zz&%67=h HTTP/1.1\r\n" H
                     "X-A: one\r\n\ttwo \r\nx-a: three\r\n\r\n"));
  http_exchange *x = f.kept;
  slice v;
  assert_true(slice_is(http_query_get(x, "a"), "1"));
  assert_true(http_query_nth(x, "a", 1, &v) && slice_is(v, "2"));
  assert_false(http_query_nth(x, "a", 2, &v));
  assert_true(slice_is(http_query_get(x, "b"), "x y z"));
  assert_true(http_query_has(x, "c") && http_query_get(x, "c").len == 0);
  assert_false(http_query_has(x, "d"));
  assert_false(http_query_has(x, "f"));
  assert_true(slice_is(http_query_get(x, "g"), "h"));
  assert_true(slice_is(http_header_get(x, "x-a"), "one two"));
  answer(x);
  end_conn(&f);
}

static void test_many_parameters(void **state) {
  (void)state;
  arena *a = arena_create();
  buf q;
  buf_init(&q, (size_t)1 << 20);
  for (int i = 0; i < 10000; i++) buf_lit(&q, "a&");
  assert_int_equal(url_parse_query(a, slice_upto(buf_slice(&q), q.len - 1))->count, 10000);
  assert_int_equal(url_parse_query(a, buf_slice(&q))->count, 0);
  buf_dispose(&q);
  arena_destroy(a);
}

static void test_timeouts(void **state) {
  (void)state;
  fixture f;
  open_conn(&f);
  assert_int_equal(timers_next(&f.timers), (int64_t)32 * 1000000000);
  feed(&f, SLICE_LIT(G "\r\n"));
  f.env.mono_ns = timers_next(&f.timers); /* the arena goes */
  assert_true(timers_fire_one(&f.timers, f.env.mono_ns));
  assert_false(f.closed);
  assert_int_equal(timers_next(&f.timers), (int64_t)90 * 1000000000);
  feed(&f, SLICE_LIT("G"));
  f.env.mono_ns = timers_next(&f.timers);
  assert_int_equal(f.env.mono_ns, (int64_t)33 * 1000000000);
  assert_true(timers_fire_one(&f.timers, f.env.mono_ns));
  assert_true(f.closed && f.out.len == sizeof OK - 1);
  end_conn(&f);
}

static void test_gzip(void **state) {
  (void)state;
  http_part parts[] = {{SLICE_LIT("hello "), NULL}, {SLICE_LIT("hello hello"), NULL}};
  blob *b = gzip_parts(parts, 2);
  char out[64];
  z_stream z = {.next_in = (Bytef *)b->data, .avail_in = b->len, .next_out = (Bytef *)out,
                .avail_out = sizeof out};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_true(slice_is(slice_of(out, z.total_out), "hello hello hello"));
  inflateEnd(&z);
  blob_unref(b);
}

static void test_dates(void **state) {
  (void)state;
  static const struct {
    int64_t second;
    const char *text;
  } cases[] = {{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
               {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
               {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
               {1795193657, "Fri, 20 Nov 2026 16:54:17 GMT"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[32];
    http_date(cases[i].second * 1000000000, out);
    assert_string_equal(out, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),         cmocka_unit_test(test_rows_dribbled),
      cmocka_unit_test(test_rows_cut),     cmocka_unit_test(test_continue),
      cmocka_unit_test(test_answer_later), cmocka_unit_test(test_abort),
      cmocka_unit_test(test_unread_answers),
      cmocka_unit_test(test_stream),       cmocka_unit_test(test_stream_10_and_cut),
      cmocka_unit_test(test_long_answer),  cmocka_unit_test(test_body_limits),
      cmocka_unit_test(test_large_heads),  cmocka_unit_test(test_query),
      cmocka_unit_test(test_many_parameters), cmocka_unit_test(test_timeouts),
      cmocka_unit_test(test_gzip),         cmocka_unit_test(test_dates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
