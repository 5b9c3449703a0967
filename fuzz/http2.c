/* Fuzz target: frames through http/http2.c, whole and in pieces, and the connection's end at any
 * moment: nothing may crash, leak, over-read or leave a timer behind. The preface and an empty
 * SETTINGS frame stand in front of the input.
 * Seeds: what curl and Go's client send, and frames of every type (seeds.py). */
#include "fuzz/fuzz.h"
#include "http/http2.h"

FUZZ_TARGET(FUZZ_BYTES);

#define STREAMS_KEPT 4

typedef struct outside {
  env env; /* first */
  timers timers;
  http_server server;
  http_exchange *kept[STREAMS_KEPT]; /* streams that stay open */
  uint64_t out_bytes;
  bool closed;
} outside;

static void f_log(env *e, int level, slice line) { (void)e, (void)level, (void)line; }
static void f_wake(env *e, int64_t ns) { (void)e, (void)ns; }
static void f_write(env *e, env_conn *c, slice b) {
  (void)c;
  ((outside *)e)->out_bytes += b.len;
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

static void forget(http_exchange *x) {
  outside *o = x->user;
  for (int i = 0; i < STREAMS_KEPT; i++) {
    if (o->kept[i] == x) o->kept[i] = NULL;
  }
}

/* "/s": a stream that ends, "/k": one that stays, "/c": one that is cut; else a whole answer. */
static void handle(void *ctx, http_exchange *x) {
  outside *o = ctx;
  http_part parts[] = {{x->method, NULL}, {x->path, NULL}, {x->body, NULL}};
  char second = x->path.len > 1 ? x->path.ptr[1] : 0;
  if (second != 's' && second != 'k' && second != 'c') {
    http_respond(x, x->body_too_large ? 413 : 200, NULL, 0, parts, 3);
    return;
  }
  http_stream_begin(x, 200, NULL, 0);
  for (int i = 0; i < 3; i++) http_stream_write(x, parts[i].bytes, NULL);
  x->user = o;
  x->on_abort = forget;
  for (int i = 0; second == 'k' && i < STREAMS_KEPT; i++) {
    if (o->kept[i]) continue;
    http_stream_settle(x);
    o->kept[i] = x;
    return;
  }
  if (second == 'c') http_stream_cut(x);
  else http_stream_end(x);
}

static bool feed(http2_conn *conn, slice bytes) {
  char *piece = malloc(bytes.len ? bytes.len : 1); /* so that over-reading is seen */
  if (bytes.len) memcpy(piece, bytes.ptr, bytes.len);
  bool alive = http2_conn_events.data(conn, slice_of(piece, bytes.len));
  free(piece);
  return alive;
}

static void run(const uint8_t *data, size_t size, size_t step) {
  static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
  outside o = {.env = {.log = f_log,
                       .wake_at = f_wake,
                       .conn_write = f_write,
                       .conn_write_blob = f_write_blob,
                       .conn_pending = f_pending,
                       .conn_pause = f_pause,
                       .conn_close = f_close}};
  env_peer peer = {0};
  timers_init(&o.timers);
  o.server =
      (http_server){.env = &o.env, .timers = &o.timers, .handle = handle, .ctx = &o};
  http2_conn *conn = http2_conn_open(&o.server, NULL, &peer);
  bool alive = feed(conn, slice_of(start, sizeof start));
  for (size_t at = 0; at < size && alive; at += step) {
    size_t n = size - at < step ? size - at : step;
    alive = feed(conn, slice_of((const char *)data + at, n));
    if (alive && o.kept[0]) http_stream_write(o.kept[0], SLICE_LIT("an event"), NULL);
  }
  if (alive) http2_conn_events.closed(conn, SLICE_NONE);
  CHECK(o.timers.count == 0);
  CHECK(o.server.http2_conns == NULL);
  for (int i = 0; i < STREAMS_KEPT; i++) CHECK(o.kept[i] == NULL);
  timers_dispose(&o.timers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  run(data + 1, size - 1, size);
  run(data + 1, size - 1, data[0] % 61 + 1u);
  return 0;
}
