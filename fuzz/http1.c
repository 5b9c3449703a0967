/* Fuzz target: a connection's bytes through http/, once whole and once in small pieces. Both
 * must give the same answers and the same fate; nothing may crash, leak or over-read.
 * Seeds: the requests of conformance/external/test_http_raw.py. */
#include "fuzz/fuzz.h"
#include "http/http.h"

FUZZ_TARGET(FUZZ_BYTES);

typedef struct outside {
  env env; /* first */
  timers timers;
  http_server server;
  buf out;
  bool closed;
} outside;

static void f_log(env *e, int level, slice line) { (void)e, (void)level, (void)line; }
static void f_wake(env *e, int64_t ns) { (void)e, (void)ns; }
static void f_write(env *e, env_conn *c, slice b) {
  (void)c;
  buf_append(&((outside *)e)->out, b);
}
static void f_write_blob(env *e, env_conn *c, blob *o, slice b) {
  (void)o;
  f_write(e, c, b);
}
static size_t f_pending(env *e, env_conn *c) { (void)e, (void)c; return 0; }
static void f_pause(env *e, env_conn *c, bool p) { (void)e, (void)c, (void)p; }
static void f_close(env *e, env_conn *c, bool flush) {
  (void)c, (void)flush;
  ((outside *)e)->closed = true;
}

/* Echoes what it understood, so that the comparison sees it. */
static void handle(void *ctx, http_exchange *x) {
  (void)ctx;
  slice a = http_query_get(x, "a"), host = http_header_get(x, "host");
  http_part parts[] = {{x->method, NULL}, {x->path, NULL}, {a, NULL},
                       {host, NULL},      {x->body, NULL}, {x->body_error, NULL}};
  int status = x->body_broken ? 500 : x->body_too_large ? 413 : 200;
  if (slice_has_prefix(x->path, SLICE_LIT("/s"))) {
    http_stream_begin(x, 200, NULL, 0);
    for (int i = 0; i < 6; i++) http_stream_write(x, parts[i].bytes, NULL);
    http_stream_end(x);
    return;
  }
  http_respond(x, status, NULL, 0, parts, 6);
}

static outside run(const uint8_t *data, size_t size, size_t step) {
  outside o = {.env = {.log = f_log,
                       .wake_at = f_wake,
                       .conn_write = f_write,
                       .conn_write_blob = f_write_blob,
                       .conn_pending = f_pending,
                       .conn_pause = f_pause,
                       .conn_close = f_close}};
  env_peer peer = {0};
  timers_init(&o.timers);
  buf_init(&o.out, (size_t)1 << 30);
  o.server = (http_server){.env = &o.env, .timers = &o.timers, .handle = handle};
  http_conn *conn = http_conn_open(&o.server, NULL, &peer);
  bool alive = true;
  for (size_t at = 0; at < size && alive; at += step) {
    size_t n = size - at < step ? size - at : step;
    char *piece = malloc(n); /* its own block, so that over-reading is seen */
    memcpy(piece, data + at, n);
    alive = http_conn_data(conn, slice_of(piece, n));
    free(piece);
  }
  if (alive) http_conn_closed(conn);
  if (o.timers.count) abort();
  timers_dispose(&o.timers);
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  outside whole = run(data + 1, size - 1, size);
  outside pieces = run(data + 1, size - 1, data[0] % 61 + 1u);
  if (!slice_eq(buf_slice(&whole.out), buf_slice(&pieces.out)) || whole.closed != pieces.closed) {
    fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", SLICE_ARG(buf_slice(&whole.out)),
            SLICE_ARG(buf_slice(&pieces.out)));
    abort();
  }
  buf_dispose(&whole.out);
  buf_dispose(&pieces.out);
  return 0;
}
