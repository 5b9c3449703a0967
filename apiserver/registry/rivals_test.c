/* Writes while another server of the same etcd writes the same object, and while etcd is away, in
 * a world of memory where the clock is ours. */
#include "base/buf.h"
#include "base/heap.h"
#include "server.h"
#include "store/mirror_internal.h"
#include "store/remote_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND_NS ((int64_t)1000000000)
#define MILLI_NS ((int64_t)1000000)
#define PODS "/api/v1/namespaces/default/pods"
#define POD_KEY "/registry/pods/default/a"
#define POD(version, more)                                                                   \
  "{\"metadata\":{\"name\":\"a\"" version more "},"                                          \
  "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

struct env_conn {
  http_conn *http;
  buf out;
};

typedef struct fixture {
  env env; /* first */
  server *server;
  int64_t wake_ns;
  store *data; /* etcd's, shared with the rival */
  remote *remote;
  timer rival_timer;
  int rivals_left;
} fixture;

static void t_log(env *e, int level, slice line) { (void)e, (void)level, (void)line; }
static void t_wake(env *e, int64_t ns) { ((fixture *)e)->wake_ns = ns; }
static void t_write(env *e, env_conn *c, slice b) {
  (void)e;
  buf_append(&c->out, b);
}
static void t_write_blob(env *e, env_conn *c, blob *o, slice b) {
  (void)o;
  t_write(e, c, b);
}
static size_t t_pending(env *e, env_conn *c) {
  (void)e, (void)c;
  return 0;
}
static void t_pause(env *e, env_conn *c, bool p) { (void)e, (void)c, (void)p; }
static void t_close(env *e, env_conn *c, bool flush) {
  (void)e, (void)flush;
  c->http = NULL;
}

static remote *make_remote(void *ctx, slice servers, env *e, timers *t, slice *problem) {
  fixture *f = ctx;
  (void)servers, (void)problem;
  return f->remote = remote_memory_create(f->data, e, t);
}

static remote_memory_knobs *knobs(fixture *f) { return remote_memory_knobs_of(f->remote); }

static void step(fixture *f) {
  assert_true(f->wake_ns < INT64_MAX); /* else nothing will ever happen */
  if (f->wake_ns > f->env.mono_ns) f->env.mono_ns = f->wake_ns;
  f->wake_ns = INT64_MAX;
  server_tick(f->server);
}

static fixture *fixture_create(void) {
  fixture *f = heap_zalloc(sizeof *f);
  f->env = (env){.wall_ns = (int64_t)1795187295 * SECOND_NS, .mono_ns = SECOND_NS, .seed = 7,
                 .log = t_log, .wake_at = t_wake, .conn_write = t_write,
                 .conn_write_blob = t_write_blob, .conn_pending = t_pending,
                 .conn_pause = t_pause, .conn_close = t_close};
  f->wake_ns = INT64_MAX;
  f->data = store_memory_create(1);
  server_options o = {0};
  slice problem = SLICE_NONE;
  o.access.authorization_modes = SLICE_LIT("AlwaysAllow");
  o.access.anonymous = true;
  o.disable_admission = SLICE_LIT("ServiceAccount");
  o.advertise_address = SLICE_LIT("192.0.2.2");
  o.secure_port = 6443;
  o.hostname = SLICE_LIT("apisim");
  o.remote = (server_remote){.make = make_remote, .ctx = f, .prefix = SLICE_LIT("/registry"),
                             .json = true};
  f->server = server_create(&f->env, &o, &problem);
  if (!f->server) fail_msg("%.*s", SLICE_ARG(problem));
  server_tick(f->server);
  while (!f->server->ready) step(f);
  knobs(f)->answer_ns = 5 * MILLI_NS;
  return f;
}

static void fixture_destroy(fixture *f) {
  timer_clear(&f->server->timers, &f->rival_timer);
  server_destroy(f->server);
  store_destroy(f->data);
  heap_free(f);
}

/* The answer's status; its text is in *out until the next. */
static int ask(fixture *f, const char *method, const char *target, const char *body,
               char out[4096]) {
  static const env_peer peer = {.address = {"127.0.0.1:40000", 15}};
  env_conn c = {0};
  char text[1024];
  buf_init(&c.out, (size_t)1 << 20);
  c.http = server_conn_open(f->server, &c, &peer);
  int n = snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                   "%zu\r\n\r\n%s", method, target, strlen(body), body);
  assert_true(n > 0 && (size_t)n < sizeof text);
  if (!http_conn_data(c.http, slice_of(text, (size_t)n))) c.http = NULL;
  server_tick(f->server);
  while (c.out.len == 0) step(f);
  int status = 0;
  slice got = slice_upto(buf_slice(&c.out), 4095);
  memcpy(out, got.ptr, got.len);
  out[got.len] = 0;
  assert_int_equal(sscanf(out, "HTTP/1.1 %d", &status), 1);
  if (c.http) http_conn_closed(c.http);
  server_tick(f->server);
  buf_dispose(&c.out);
  return status;
}

/* The rival stores the pod's bytes once more, every 3 ms: between a read and its transaction. */
static void on_rival(void *ctx, int64_t now_ns) {
  fixture *f = ctx;
  store_entry *e = NULL;
  if (store_get(f->data, SLICE_LIT(POD_KEY), 0, &e) != STORE_OK) return;
  assert_int_equal(store_update(f->data, SLICE_LIT(POD_KEY), e->mod_revision, e->value, NULL),
                   STORE_OK);
  store_entry_unref(e);
  if (--f->rivals_left > 0) {
    timer_set(&f->server->timers, &f->rival_timer, now_ns + 3 * MILLI_NS, on_rival, f);
  }
}

static void rival(fixture *f, int times) {
  f->rivals_left = times;
  if (knobs(f)->watch_ns == 0) knobs(f)->watch_ns = 20 * MILLI_NS;
  timer_set(&f->server->timers, &f->rival_timer, f->env.mono_ns + MILLI_NS, on_rival, f);
  server_tick(f->server);
  while (f->rivals_left == times) step(f); /* the first is there, and the copy has not heard */
}

static bool is_there(fixture *f) {
  store_entry *e = NULL;
  bool there = store_get(f->data, SLICE_LIT(POD_KEY), 0, &e) == STORE_OK;
  if (there) store_entry_unref(e);
  return there;
}

/* A world where the pod has been made. */
static fixture *fixture_with(const char *pod) {
  char text[4096];
  fixture *f = fixture_create();
  assert_int_equal(ask(f, "POST", PODS, pod, text), 201);
  return f;
}

static void a_deletion_outlasts_others(void **state) {
  (void)state;
  char text[4096];
  fixture *f = fixture_with(POD("", ""));
  rival(f, 40);
  assert_int_equal(ask(f, "DELETE", PODS "/a", "", text), 200);
  assert_false(is_there(f));
  fixture_destroy(f);
}

static void an_update_outlasts_others(void **state) {
  (void)state;
  char text[4096];
  fixture *f = fixture_with(POD("", ""));
  rival(f, 40);
  assert_int_equal(ask(f, "PUT", PODS "/a", POD("", ",\"labels\":{\"a\":\"b\"}"), text), 200);
  assert_non_null(strstr(text, "\"a\":\"b\""));
  fixture_destroy(f);
}

/* The update that takes the last finalizer off removes the object, whoever writes meanwhile. */
static void the_last_finalizer_goes(void **state) {
  (void)state;
  char text[4096];
  fixture *f = fixture_with(POD("", ",\"finalizers\":[\"sim.test/hold\"]"));
  assert_int_equal(ask(f, "DELETE", PODS "/a", "", text), 200);
  assert_true(is_there(f));
  rival(f, 40);
  assert_int_equal(ask(f, "PUT", PODS "/a", POD("", ""), text), 200);
  assert_false(is_there(f));
  fixture_destroy(f);
}

/* What conflicts with the copy's old state may be right: without the newest nobody knows. */
static void no_conflict_with_an_old_copy(void **state) {
  (void)state;
  char text[4096], body[512];
  fixture *f = fixture_with(POD("", ""));
  knobs(f)->watch_ns = 100 * SECOND_NS;
  rival(f, 1);
  snprintf(body, sizeof body, POD(",\"resourceVersion\":\"%lld\"", ""),
           (long long)store_revision(f->data));
  knobs(f)->down = true;
  int64_t begun = f->env.mono_ns;
  assert_int_equal(ask(f, "PUT", PODS "/a", body, text), 504);
  assert_int_equal(f->env.mono_ns - begun, 34 * SECOND_NS);
  knobs(f)->down = false;
  assert_int_equal(ask(f, "PUT", PODS "/a", body, text), 200);
  fixture_destroy(f);
}

static void on_compaction(void *ctx, int64_t now_ns) {
  (void)now_ns;
  fixture *f = ctx;
  store_compact(f->data, store_revision(f->data));
}

/* {"v":"meta.k8s.io/v1","rv":3,"start":"b\u0000"}: older than the copy, and kept by etcd until it
 * is compacted between two of the server's questions. The 410 is a page's, with its token. */
static void a_page_is_compacted_under_the_view(void **state) {
  (void)state;
  char text[4096];
  const char *page = PODS "?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mywic3RhcnQiOiJi"
                     "XHUwMDAwIn0";
  fixture *f = fixture_create();
  replica_drop(mirror_of(f->server->store)->replica, 4);
  assert_int_equal(store_compacted(f->server->store), 4);
  assert_int_equal(ask(f, "GET", page, "", text), 200);
  timer_set(&f->server->timers, &f->rival_timer, f->env.mono_ns + 3 * MILLI_NS, on_compaction, f);
  server_tick(f->server);
  assert_int_equal(ask(f, "GET", page, "", text), 410);
  assert_non_null(strstr(text, "The provided continue parameter is too old"));
  assert_non_null(strstr(text, "\"continue\":\""));
  fixture_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_deletion_outlasts_others),
      cmocka_unit_test(an_update_outlasts_others),
      cmocka_unit_test(the_last_finalizer_goes),
      cmocka_unit_test(no_conflict_with_an_old_copy),
      cmocka_unit_test(a_page_is_compacted_under_the_view),
  };
  return cmocka_run_group_tests_name("rivals", tests, NULL, NULL);
}
