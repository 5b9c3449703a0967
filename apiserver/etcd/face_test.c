/* The face through our own gRPC client in memory: what etcdctl's sessions (conformance/external) do
 * not reach: slow watchers, fragments, progress, time, revisions of transactions. */
#include "etcd/face.h"
#include "etcd/grpc_client.h"
#include "etcd/memory_world.h"
#include "etcd/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND ((int64_t)1000000000)

typedef struct fixture {
  memory_world w;
  store *store;
  etcd_face *face;
  grpc_client *client;
  grpc_call *watch;
  arena *a;
  buf log;
  int64_t last_revision; /* of the events that came */
  uint32_t events, answers, fragments;
  bool quiet; /* events are counted, not logged */
} fixture;

static void on_closed(void *ctx, slice why) {
  (void)why;
  ((fixture *)ctx)->client = NULL;
}

static void on_message(void *ctx, slice message) {
  fixture *f = ctx;
  etcd_watch_response r;
  assert_null(etcd_decode(&etcd_watch_response_message, message, f->a, &r));
  f->answers++;
  if (r.fragment) f->fragments++;
  const etcd_event *ev = r.events.items;
  for (uint32_t i = 0; i < r.events.count; i++) {
    f->events++;
    if (!f->quiet) {
      buf_printf(&f->log, "%s %.*s@%lld%s ", ev[i].type == ETCD_DELETE ? "del" : "put",
                 SLICE_ARG(ev[i].kv->key), (long long)ev[i].kv->mod_revision,
                 ev[i].prev_kv ? "+prev" : "");
    }
    assert_true(ev[i].kv->mod_revision >= f->last_revision);
    f->last_revision = ev[i].kv->mod_revision;
  }
  if (f->quiet) return;
  if (r.created && !r.canceled) buf_printf(&f->log, "created#%lld ", (long long)r.watch_id);
  else if (r.canceled) {
    buf_printf(&f->log, "cancelled#%lld(%lld,%.*s) ", (long long)r.watch_id,
               (long long)r.compact_revision, SLICE_ARG(r.cancel_reason));
  } else if (r.events.count == 0) {
    buf_printf(&f->log, "progress#%lld@%lld ", (long long)r.watch_id,
               (long long)r.header->revision);
  } else {
    buf_lit(&f->log, "; ");
  }
}

static void on_end(void *ctx, const grpc_result *r) {
  fixture *f = ctx;
  f->watch = NULL;
  buf_printf(&f->log, "end(%s) ", grpc_code_name(r->code));
}

static void on_answer(void *ctx, const grpc_result *r, slice answer) {
  fixture *f = ctx;
  (void)answer;
  buf_printf(&f->log, "%s ", r->code ? arena_cstr(f->a, r->message) : "ok");
}

static int set_up(void **state) {
  fixture *f = heap_zalloc(sizeof *f);
  memory_world_init(&f->w);
  buf_init(&f->log, 1 << 24);
  f->a = arena_create();
  f->store = store_memory_create(1);
  f->face = etcd_face_create(&(etcd_face_options){
      .env = &f->w.env, .timers = &f->w.timers, .store = f->store,
      .progress_interval_ns = 60 * SECOND});
  f->w.acceptor = etcd_face_acceptor(f->face);
  f->client = grpc_client_create(
      &(grpc_client_options){.env = &f->w.env,
                             .timers = &f->w.timers,
                             .target = {.host = SLICE_LIT("127.0.0.1"), .port = 2379},
                             .user_agent = SLICE_LIT("test"),
                             .on_closed = on_closed,
                             .ctx = f});
  static const grpc_call_events events = {on_message, on_end};
  f->watch = grpc_call_open(f->client, ETCD_PATH_WATCH, 0, &events, f);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  if (f->client) grpc_client_close(f->client);
  memory_world_dispose(&f->w);
  etcd_face_destroy(f->face);
  store_destroy(f->store);
  arena_destroy(f->a);
  buf_dispose(&f->log);
  heap_free(f);
  return 0;
}

static void expect(fixture *f, const char *log) {
  memory_world_pump(&f->w);
  buf_char(&f->log, '\0');
  assert_string_equal(f->log.ptr, log);
  buf_clear(&f->log);
}

static void call(fixture *f, const char *path, const etcd_message *m, const void *message) {
  buf b;
  buf_init(&b, 4 << 20);
  etcd_encode(m, message, &b);
  memory_world_pump(&f->w); /* streams of one connection may overtake each other */
  grpc_unary(f->client, path, buf_slice(&b), 0, on_answer, f);
  memory_world_pump(&f->w);
  buf_dispose(&b);
}

static void put(fixture *f, const char *key, slice value) {
  etcd_put_request r = {.key = slice_cstr(key), .value = value};
  call(f, ETCD_PATH_PUT, &etcd_put_request_message, &r);
}

static void ask(fixture *f, const etcd_watch_request *r) {
  buf b;
  buf_init(&b, 1 << 16);
  etcd_encode(&etcd_watch_request_message, r, &b);
  memory_world_pump(&f->w);
  grpc_call_send(f->watch, buf_slice(&b));
  memory_world_pump(&f->w);
  buf_dispose(&b);
}

static void watch(fixture *f, etcd_watch_create c) {
  ask(f, &(etcd_watch_request){.which = ETCD_WATCH_CREATE, .create = &c});
}

static void a_txn_is_one_revision(void **state) {
  fixture *f = *state;
  etcd_put_request a = {.key = SLICE_LIT("a")}, b = {.key = SLICE_LIT("b")};
  etcd_delete_request d = {.key = SLICE_LIT("c"), .range_end = SLICE_LIT("e")};
  etcd_request_op ops[] = {{.which = ETCD_OP_PUT, .put = &a},
                           {.which = ETCD_OP_PUT, .put = &b},
                           {.which = ETCD_OP_DELETE, .del = &d}};
  etcd_txn_request t = {.success = {ops, 3, 3}};
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .range_end = SLICE_LIT("z"),
                               .prev_kv = true});
  put(f, "c", SLICE_NONE);
  put(f, "d", SLICE_NONE);
  expect(f, "created#0 ok put c@2 ; ok put d@3 ; ");
  call(f, ETCD_PATH_TXN, &etcd_txn_request_message, &t);
  expect(f, "ok put a@4 put b@4 del c@4+prev del d@4+prev ; ");
  assert_int_equal(store_revision(f->store), 4);
  /* A transaction that changes nothing takes no revision. */
  etcd_txn_request none = {.success = {ops + 2, 1, 1}};
  call(f, ETCD_PATH_TXN, &etcd_txn_request_message, &none);
  expect(f, "ok ");
  assert_int_equal(store_revision(f->store), 4);
  f->last_revision = 0;
  /* The past, in one answer; the store itself reads the middle of it. */
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .range_end = SLICE_LIT("z"),
                               .start_revision = 1});
  expect(f, "created#1 put c@2 put d@3 put a@4 put b@4 del c@4 del d@4 ; ");
  store_view *v = NULL;
  assert_int_equal(store_view_open(f->store, 3, &v), STORE_OK);
  assert_int_equal(store_view_count(v, SLICE_NONE, SLICE_NONE), 2);
  store_view_close(v);
}

static void compaction(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 2; i++) { /* at 0 once, where nothing was compacted */
    call(f, ETCD_PATH_COMPACT, &etcd_compact_request_message, &(etcd_compact_request){0});
  }
  expect(f, "ok etcdserver: mvcc: required revision has been compacted ");
  for (int i = 0; i < 5; i++) put(f, "a", SLICE_NONE);
  expect(f, "ok ok ok ok ok ");
  call(f, ETCD_PATH_COMPACT, &etcd_compact_request_message, &(etcd_compact_request){.revision = 4});
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .start_revision = 3, .prev_kv = true});
  expect(f, "ok created#0 cancelled#0(4,) ");
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .start_revision = 4, .prev_kv = true});
  expect(f, "created#1 put a@4 put a@5+prev put a@6+prev ; ");
  call(f, ETCD_PATH_COMPACT, &etcd_compact_request_message, &(etcd_compact_request){.revision = 4});
  expect(f, "etcdserver: mvcc: required revision has been compacted ");
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .start_revision = -1});
  watch(f, (etcd_watch_create){.key = SLICE_LIT("b"), .range_end = SLICE_LIT("a")});
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .watch_id = 1});
  expect(f, "cancelled#-1(0,etcdserver: mvcc: required revision has been compacted) "
            "cancelled#-1(0,mvcc: watcher range is empty) "
            "cancelled#-1(0,mvcc: duplicate watch ID provided on the WatchStream) ");
}

static void progress(void **state) {
  fixture *f = *state;
  etcd_empty nothing = {0};
  etcd_watch_request ask_progress = {.which = ETCD_WATCH_PROGRESS, .progress = &nothing};
  ask(f, &ask_progress); /* without a watch there is none */
  expect(f, "");
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .progress_notify = true});
  put(f, "b", SLICE_NONE);
  ask(f, &ask_progress);
  expect(f, "created#0 ok progress#-1@2 ");
  memory_world_advance(&f->w, 61 * SECOND);
  memory_world_advance(&f->w, 61 * SECOND);
  expect(f, "progress#0@2 ");
  put(f, "a", SLICE_NONE); /* a watch that had an event needs none */
  expect(f, "ok put a@3 ; ");
  memory_world_advance(&f->w, 61 * SECOND);
  expect(f, "");
  memory_world_advance(&f->w, 61 * SECOND);
  expect(f, "progress#0@3 ");
  etcd_watch_cancel cancel = {0};
  ask(f, &(etcd_watch_request){.which = ETCD_WATCH_CANCEL, .cancel = &cancel});
  put(f, "a", SLICE_NONE);
  expect(f, "cancelled#0(0,) ok ");
}

static void filters(void **state) {
  fixture *f = *state;
  int32_t no_put = ETCD_NOPUT, no_delete = ETCD_NODELETE;
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .filters = {&no_put, 1, 1}});
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .filters = {&no_delete, 1, 1}});
  put(f, "a", SLICE_NONE);
  expect(f, "created#0 created#1 ok put a@2 ; ");
  call(f, ETCD_PATH_DELETE_RANGE, &etcd_delete_request_message,
       &(etcd_delete_request){.key = SLICE_LIT("a")});
  expect(f, "ok del a@3 ; ");
}

/* A reader that stops is not waited for and costs no more than its window and the queue; when it
 * reads again nothing is missing. */
static void slow_watcher(void **state) {
  fixture *f = *state;
  char *value = heap_zalloc(100000);
  f->quiet = true;
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a")});
  memory_world_pump(&f->w);
  grpc_call_pause(f->watch, true);
  for (int i = 0; i < 300; i++) {
    put(f, "a", slice_of(value, 100000));
  }
  assert_int_equal(f->events, 0);
  grpc_call_pause(f->watch, false);
  memory_world_pump(&f->w);
  assert_int_equal(f->events, 300);
  assert_int_equal(f->last_revision, 301);
  assert_true(f->answers < 300); /* what it had missed came in batches */
  heap_free(value);
}

static void fragments(void **state) {
  fixture *f = *state;
  char *value = heap_zalloc(1000000);
  f->quiet = true;
  for (int i = 0; i < 6; i++) put(f, "a", slice_of(value, 1000000));
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .start_revision = 1, .fragment = true});
  memory_world_pump(&f->w);
  assert_int_equal(f->events, 6);
  assert_int_equal(f->fragments, 2); /* two events in each, the last is none */
  heap_free(value);
}

static void leases_end(void **state) {
  fixture *f = *state;
  etcd_lease_grant_request short_lease = {.ttl = 1, .id = 7}, long_lease = {.ttl = 100, .id = 8};
  etcd_put_request a = {.key = SLICE_LIT("a"), .lease = 7};
  etcd_put_request b = {.key = SLICE_LIT("b"), .lease = 7};
  call(f, ETCD_PATH_LEASE_GRANT, &etcd_lease_grant_request_message, &short_lease);
  call(f, ETCD_PATH_LEASE_GRANT, &etcd_lease_grant_request_message, &short_lease);
  call(f, ETCD_PATH_LEASE_GRANT, &etcd_lease_grant_request_message, &long_lease);
  call(f, ETCD_PATH_PUT, &etcd_put_request_message, &a);
  call(f, ETCD_PATH_PUT, &etcd_put_request_message, &b);
  b.lease = 8; /* moves to the other */
  call(f, ETCD_PATH_PUT, &etcd_put_request_message, &b);
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a"), .range_end = SLICE_LIT("z")});
  expect(f, "ok etcdserver: lease already exists ok ok ok ok created#0 ");
  memory_world_advance(&f->w, SECOND);
  expect(f, ""); /* two seconds at least */
  memory_world_advance(&f->w, SECOND);
  expect(f, "del a@5 ; ");
  call(f, ETCD_PATH_PUT, &etcd_put_request_message, &a);
  expect(f, "etcdserver: requested lease not found ");
  memory_world_advance(&f->w, 100 * SECOND);
  expect(f, "del b@6 ; ");
}

static void reset(void **state) {
  fixture *f = *state;
  store_checkpoint *c = store_memory_checkpoint(f->store);
  watch(f, (etcd_watch_create){.key = SLICE_LIT("a")});
  put(f, "a", SLICE_NONE);
  expect(f, "created#0 ok put a@2 ; ");
  store_memory_restore(f->store, c);
  etcd_face_reset(f->face);
  expect(f, "end(Unavailable) ");
  put(f, "a", SLICE_NONE);
  expect(f, "ok ");
  assert_int_equal(store_revision(f->store), 2);
  store_checkpoint_free(c);
}

static void too_large(void **state) {
  fixture *f = *state;
  char *value = heap_zalloc(2 << 20);
  put(f, "a", slice_of(value, 1572864 - 100));
  put(f, "a", slice_of(value, 1572864));
  put(f, "a", slice_of(value, 2 << 20));
  expect(f, "ok etcdserver: request is too large "
            "trying to send message larger than max ");
  heap_free(value);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {CASE(a_txn_is_one_revision), CASE(compaction), CASE(progress),
                                     CASE(filters), CASE(slow_watcher), CASE(fragments),
                                     CASE(leases_end), CASE(reset), CASE(too_large)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
