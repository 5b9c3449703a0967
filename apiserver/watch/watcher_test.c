/* Watches in a world of memory, where the clock is ours: what would take minutes outside. */
#include "watch/watcher.h"

#include "base/buf.h"
#include "base/heap.h"
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND_NS ((int64_t)1000000000)
#define MAPS "/api/v1/namespaces/default/configmaps"

/* A connection of the world: what the server wrote, and what the test read of it. */
struct env_conn {
  http_conn *http;
  buf out;
  size_t seen;
  size_t pending;
  bool closed;
};

typedef struct fixture {
  env env; /* first */
  server *server;
  int64_t wake_ns;
} fixture;

static void t_log(env *e, int level, slice line) { (void)e, (void)level, (void)line; }
static void t_wake(env *e, int64_t ns) { ((fixture *)e)->wake_ns = ns; }
static void t_write(env *e, env_conn *c, slice b) {
  (void)e;
  assert_false(c->closed);
  buf_append(&c->out, b);
}
static void t_write_blob(env *e, env_conn *c, blob *o, slice b) {
  assert_true(b.ptr >= o->data && b.ptr + b.len <= o->data + o->len);
  t_write(e, c, b);
}
static size_t t_pending(env *e, env_conn *c) {
  (void)e;
  return c->pending;
}
static void t_pause(env *e, env_conn *c, bool p) { (void)e, (void)c, (void)p; }
static void t_close(env *e, env_conn *c, bool flush) {
  (void)e, (void)flush;
  c->closed = true;
  c->http = NULL;
}

static fixture *fixture_create_with(bool watch_window) {
  fixture *f = heap_zalloc(sizeof *f);
  f->env = (env){.wall_ns = (int64_t)1795187295 * SECOND_NS, .mono_ns = SECOND_NS, .seed = 7,
                 .log = t_log,
                 .wake_at = t_wake, .conn_write = t_write, .conn_write_blob = t_write_blob,
                 .conn_pending = t_pending, .conn_pause = t_pause, .conn_close = t_close};
  server_options o = {.watch_window = watch_window};
  slice problem = SLICE_NONE;
  o.access.authorization_modes = SLICE_LIT("AlwaysAllow");
  o.access.anonymous = true;
  o.advertise_address = SLICE_LIT("192.0.2.2");
  o.secure_port = 6443;
  o.hostname = SLICE_LIT("apisim");
  f->server = server_create(&f->env, &o, &problem);
  if (!f->server) fail_msg("%.*s", SLICE_ARG(problem));
  return f;
}

static fixture *fixture_create(void) { return fixture_create_with(false); }

static void fixture_destroy(fixture *f) {
  server_destroy(f->server);
  heap_free(f);
}

static env_conn *request_send(fixture *f, const char *method, const char *target,
                              const char *body) {
  static const env_peer peer = {.address = {"127.0.0.1:40000", 15}};
  env_conn *c = heap_zalloc(sizeof *c);
  char text[1024];
  buf_init(&c->out, (size_t)64 << 20);
  c->http = server_conn_open(f->server, c, &peer);
  int n = snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                   "%zu\r\n\r\n%s",
                   method, target, strlen(body), body);
  assert_true(n > 0 && (size_t)n < sizeof text);
  if (!http_conn_data(c->http, slice_of(text, (size_t)n))) c->http = NULL;
  server_tick(f->server);
  return c;
}

static void conn_drop(fixture *f, env_conn *c) {
  if (c->http) http_conn_closed(c->http);
  server_tick(f->server);
  buf_dispose(&c->out);
  heap_free(c);
}

/* Time goes by, from one wake-up to the next. */
static void advance(fixture *f, int64_t seconds) {
  int64_t until = f->env.mono_ns + seconds * SECOND_NS;
  while (f->env.mono_ns < until) {
    int64_t next = f->wake_ns < until ? f->wake_ns : until;
    if (next < f->env.mono_ns) next = f->env.mono_ns;
    f->env.wall_ns += next - f->env.mono_ns;
    f->env.mono_ns = next;
    server_tick(f->server);
  }
}

/* How often a text came since the last question. */
static uint32_t news(env_conn *c, const char *text) {
  slice rest = slice_from(buf_slice(&c->out), c->seen);
  uint32_t n = 0;
  for (ptrdiff_t at; (at = slice_find(rest, slice_cstr(text))) >= 0; n++) {
    rest = slice_from(rest, (size_t)at + strlen(text));
  }
  return n;
}

static void read_all(env_conn *c) { c->seen = c->out.len; }

static void make_map(fixture *f, const char *name) {
  char body[128];
  snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"%s\"}}", name);
  env_conn *c = request_send(f, "POST", MAPS, body);
  assert_int_equal(news(c, "HTTP/1.1 201"), 1);
  conn_drop(f, c);
}

static void bookmarks_come_once_a_minute(void **state) {
  (void)state;
  fixture *f = fixture_create();
  env_conn *w =
      request_send(f, "GET", MAPS "?watch=1&allowWatchBookmarks=1&timeoutSeconds=200", "");
  assert_int_equal(news(w, "initial-events-end"), 1);
  read_all(w);
  make_map(f, "a");
  assert_int_equal(news(w, "\"ADDED\""), 1);
  advance(f, 58);
  assert_int_equal(news(w, "BOOKMARK"), 0);
  advance(f, 4);
  assert_int_equal(news(w, "BOOKMARK"), 1);
  advance(f, 120);
  assert_int_equal(news(w, "BOOKMARK"), 3);
  advance(f, 14); /* 196 s */
  assert_int_equal(news(w, "BOOKMARK"), 3);
  advance(f, 3); /* two seconds before the end */
  assert_int_equal(news(w, "BOOKMARK"), 4);
  assert_int_equal(news(w, "initial-events-end"), 0);
  advance(f, 2);
  assert_true(slice_has_suffix(buf_slice(&w->out), SLICE_LIT("\r\n0\r\n\r\n")));
  assert_int_equal(watchers_count(f->server), 0);
  conn_drop(f, w);
  fixture_destroy(f);
}

static void nothing_new_is_no_bookmark(void **state) {
  (void)state;
  fixture *f = fixture_create();
  char target[128];
  snprintf(target, sizeof target, MAPS "?watch=1&allowWatchBookmarks=1&resourceVersion=%lld",
           (long long)store_revision(f->server->store) + 1);
  env_conn *w = request_send(f, "GET", target, "");
  advance(f, 125);
  assert_int_equal(news(w, "BOOKMARK"), 0);
  make_map(f, "a"); /* the version asked for: not told, nor bookmarked */
  advance(f, 60);
  assert_int_equal(news(w, "BOOKMARK") + news(w, "ADDED"), 0);
  make_map(f, "b");
  advance(f, 60);
  assert_int_equal(news(w, "\"ADDED\""), 1);
  assert_int_equal(news(w, "BOOKMARK"), 1);
  conn_drop(f, w);
  fixture_destroy(f);
}

static void a_watch_ends_by_itself(void **state) {
  (void)state;
  fixture *f = fixture_create();
  env_conn *w = request_send(f, "GET", MAPS "?watch=1", "");
  advance(f, 1799);
  assert_int_equal(watchers_count(f->server), 1);
  advance(f, 1802);
  assert_int_equal(watchers_count(f->server), 0);
  conn_drop(f, w);
  fixture_destroy(f);
}

static void who_does_not_read_is_cut(void **state) {
  (void)state;
  fixture *f = fixture_create();
  env_conn *w = request_send(f, "GET", MAPS "?watch=1", "");
  env_conn *other = request_send(f, "GET", MAPS "?watch=1", "");
  w->pending = (size_t)17 << 20;
  make_map(f, "a");
  assert_true(w->closed);
  assert_int_equal(news(w, "\r\n0\r\n\r\n"), 0);
  make_map(f, "b");
  assert_int_equal(news(other, "\"ADDED\""), 1); /* the second comes with what may follow it */
  advance(f, 1);
  assert_int_equal(news(other, "\"ADDED\""), 2);
  assert_int_equal(watchers_count(f->server), 1);
  conn_drop(f, w);
  conn_drop(f, other);
  fixture_destroy(f);
}

/* The first event of a quiet time leaves in its turn, the next ones together, in order. */
static void events_leave_together(void **state) {
  (void)state;
  fixture *f = fixture_create();
  env_conn *w = request_send(f, "GET", MAPS "?watch=1", "");
  make_map(f, "a");
  assert_int_equal(news(w, "\"ADDED\""), 1);
  read_all(w);
  char name[16];
  for (int i = 0; i < 31; i++) {
    snprintf(name, sizeof name, "m%02d", i);
    make_map(f, name);
    assert_int_equal(news(w, "\"ADDED\""), 0);
  }
  make_map(f, "m31"); /* enough: no more waiting */
  assert_int_equal(news(w, "\"ADDED\""), 32);
  slice out = slice_from(buf_slice(&w->out), w->seen);
  ptrdiff_t at = -1;
  for (int i = 0; i < 32; i++) {
    snprintf(name, sizeof name, "\"m%02d\"", i);
    ptrdiff_t next = slice_find(out, slice_cstr(name));
    assert_true(next > at);
    at = next;
  }
  read_all(w);
  make_map(f, "z");
  server_stop(f->server); /* what is held comes before the end */
  assert_int_equal(news(w, "\"z\""), 1);
  assert_int_equal(news(w, "\r\n0\r\n\r\n"), 1);
  conn_drop(f, w);
  fixture_destroy(f);
}

static void expect_in_order(const env_conn *w, const char *const *names, uint32_t count) {
  slice out = slice_from(buf_slice(&w->out), w->seen);
  for (uint32_t i = 0; i < count; i++) {
    ptrdiff_t at = slice_find(out, slice_cstr(names[i]));
    assert_true(at >= 0);
    out = slice_from(out, (size_t)at + 1);
  }
  assert_int_equal(slice_find(out, SLICE_LIT("\"ADDED\"")), -1);
}

/* More streams than are served in one turn, of two forms: what is written while some are served and
 * others are not comes to all, in order, once; and one that goes away meanwhile harms nobody. */
static void many_streams_take_turns(void **state) {
  (void)state;
  enum { MANY = 250 };
  static const char *const names[] = {"\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"f\""};
  fixture *f = fixture_create();
  env_conn *w[MANY];
  for (int i = 0; i < MANY; i++) {
    w[i] = request_send(f, "GET", i % 2 ? MAPS "?watch=1" : MAPS "?watch=1&labelSelector=%21x", "");
    read_all(w[i]);
  }
  make_map(f, "a");
  assert_int_equal(news(w[0], "\"ADDED\""), 1);
  assert_int_equal(news(w[MANY - 1], "\"ADDED\""), 0); /* another turn's */
  make_map(f, "b");
  make_map(f, "c");
  advance(f, 1);
  make_map(f, "d");
  make_map(f, "e");
  conn_drop(f, w[MANY - 2]);
  make_map(f, "f");
  advance(f, 1);
  for (int i = 0; i < MANY; i++) {
    if (i == MANY - 2) continue;
    expect_in_order(w[i], names, 6);
    assert_int_equal(news(w[i], "\"ADDED\""), 6);
    conn_drop(f, w[i]);
  }
  assert_int_equal(watchers_count(f->server), 0);
  fixture_destroy(f);
}

/* A state larger than what a client takes at once: it comes as it reads, whole, and then the
 * changes that were made meanwhile. */
static void a_large_state_comes_in_pieces(void **state) {
  (void)state;
  enum { MANY = 3000 };
  fixture *f = fixture_create();
  char name[16];
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "m%04d", i);
    make_map(f, name);
  }
  env_conn *w = request_send(f, "GET", MAPS "?watch=1&allowWatchBookmarks=true", "");
  env_conn *old = request_send(f, "GET", MAPS "?watch=1&resourceVersion=187", "");
  w->pending = old->pending = (size_t)1 << 20;
  advance(f, 1);
  uint32_t first = news(w, "\"ADDED\"");
  assert_true(first > 0 && first < MANY && news(w, "BOOKMARK") == 0);
  assert_true(news(old, "\"ADDED\"") < MANY);
  make_map(f, "z");
  advance(f, 1);
  assert_true(news(w, "\"ADDED\"") < MANY && !w->closed); /* not cut: it is not late */
  w->pending = old->pending = 0;
  http_conn_drained(w->http);
  http_conn_drained(old->http);
  advance(f, 1);
  assert_int_equal(news(w, "\"ADDED\""), MANY + 1);
  assert_int_equal(news(old, "\"ADDED\""), MANY + 1);
  assert_int_equal(news(w, "initial-events-end"), 1);
  assert_true(slice_find(buf_slice(&w->out), SLICE_LIT("BOOKMARK")) <
              slice_find(buf_slice(&w->out), SLICE_LIT("\"z\"")));
  conn_drop(f, w);
  conn_drop(f, old);
  fixture_destroy(f);
}

/* History that goes away while a client is on its way through it: 410, no gap. */
static void compacted_on_the_way(void **state) {
  (void)state;
  fixture *f = fixture_create();
  char name[16];
  for (int i = 0; i < 3000; i++) {
    snprintf(name, sizeof name, "m%04d", i);
    make_map(f, name);
  }
  env_conn *old = request_send(f, "GET", MAPS "?watch=1&resourceVersion=187", "");
  old->pending = (size_t)1 << 20;
  advance(f, 1);
  store_compact(f->server->store, store_revision(f->server->store));
  old->pending = 0;
  http_conn_drained(old->http);
  advance(f, 1);
  assert_true(news(old, "\"ADDED\"") < 3000);
  assert_int_equal(news(old, "\"ERROR\""), 1);
  assert_int_equal(news(old, "too old resource version"), 1);
  assert_int_equal(watchers_count(f->server), 0);
  conn_drop(f, old);
  fixture_destroy(f);
}

/* What the store compacts is nothing to a watch: its resource's last hundred events are kept, and
 * all of the last 75 seconds. */
static void the_window_is_the_resources_own(void **state) {
  (void)state;
  fixture *f = fixture_create_with(true);
  char target[128], name[32];
  make_map(f, "a");
  snprintf(target, sizeof target, MAPS "?watch=1&resourceVersion=%lld",
           (long long)store_revision(f->server->store));
  make_map(f, "b");
  advance(f, 700); /* the store has compacted that twice */
  make_map(f, "c");
  assert_true(store_compacted(f->server->store) >= store_revision(f->server->store) - 1);
  env_conn *w = request_send(f, "GET", target, "");
  assert_int_equal(news(w, "\"ADDED\""), 2);
  make_map(f, "d");
  assert_int_equal(news(w, "\"ADDED\""), 3);
  conn_drop(f, w);
  for (int i = 0; i < 97; i++) {
    snprintf(name, sizeof name, "m%d", i);
    make_map(f, name);
  }
  w = request_send(f, "GET", target, ""); /* behind "a": 100 events and no more */
  assert_int_equal(news(w, "\"ADDED\""), 100);
  conn_drop(f, w);
  make_map(f, "e"); /* not full of young ones: "b" is old */
  w = request_send(f, "GET", target, "");
  assert_int_equal(news(w, "too old resource version"), 1);
  conn_drop(f, w);
  fixture_destroy(f);
}

/* A list that has to look into thousands of objects gives way to others in between. */
static void a_long_search_gives_way(void **state) {
  (void)state;
  enum { MANY = 9000 };
  fixture *f = fixture_create();
  char name[16];
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "m%04d", i);
    make_map(f, name);
  }
  env_conn *some = request_send(f, "GET", MAPS "?labelSelector=a", "");
  env_conn *left = request_send(f, "GET", MAPS "?labelSelector=!a", "");
  env_conn *all = request_send(f, "GET", MAPS "?labelSelector=!a", "");
  assert_true(some->out.len == 0 && all->out.len == 0);
  make_map(f, "z");
  conn_drop(f, left);
  advance(f, 1);
  assert_int_equal(news(some, "\"items\":[]"), 1);
  assert_int_equal(news(all, "\"name\":\"m"), MANY);
  assert_int_equal(news(all, "\"name\":\"z\""), 0); /* of one moment */
  conn_drop(f, some);
  conn_drop(f, all);
  fixture_destroy(f);
}

static void a_read_of_the_future_waits(void **state) {
  (void)state;
  fixture *f = fixture_create();
  char target[128];
  snprintf(target, sizeof target, MAPS "?resourceVersion=%lld",
           (long long)store_revision(f->server->store) + 2);
  env_conn *early = request_send(f, "GET", target, "");
  env_conn *gone = request_send(f, "GET", target, "");
  conn_drop(f, gone); /* its waiter goes with it */
  make_map(f, "a");
  assert_int_equal(early->out.len, 0);
  advance(f, 2);
  assert_int_equal(early->out.len, 0);
  make_map(f, "b");
  assert_int_equal(news(early, "HTTP/1.1 200"), 1);
  snprintf(target, sizeof target, MAPS "?resourceVersion=%lld",
           (long long)store_revision(f->server->store) + 1);
  env_conn *late = request_send(f, "GET", target, "");
  advance(f, 2);
  assert_int_equal(late->out.len, 0);
  advance(f, 1);
  assert_int_equal(news(late, "HTTP/1.1 504"), 1);
  conn_drop(f, early);
  conn_drop(f, late);
  fixture_destroy(f);
}

static void a_socket_ends_with_its_server(void **state) {
  (void)state;
  fixture *f = fixture_create();
  env_conn *w =
      request_send(f, "GET",
                   MAPS "?watch=1 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                             "Origin: http://x\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: "
                             "13\r\nX: y", "");
  assert_int_equal(news(w, "101 Switching Protocols"), 1);
  make_map(f, "a");
  assert_int_equal(news(w, "\"ADDED\""), 1);
  assert_int_equal(news(w, "\x81"), 1);
  server_stop(f->server);
  assert_true(w->closed);
  assert_true(slice_has_suffix(buf_slice(&w->out), SLICE_LIT("\x88\x02\x03\xe8")));
  conn_drop(f, w);
  fixture_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bookmarks_come_once_a_minute), cmocka_unit_test(nothing_new_is_no_bookmark),
      cmocka_unit_test(a_watch_ends_by_itself),       cmocka_unit_test(who_does_not_read_is_cut),
      cmocka_unit_test(events_leave_together),         cmocka_unit_test(many_streams_take_turns),
      cmocka_unit_test(a_large_state_comes_in_pieces),
      cmocka_unit_test(compacted_on_the_way),
      cmocka_unit_test(a_long_search_gives_way),
      cmocka_unit_test(the_window_is_the_resources_own),
      cmocka_unit_test(a_read_of_the_future_waits),
        cmocka_unit_test(a_socket_ends_with_its_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
