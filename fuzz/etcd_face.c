/* Fuzz target: calls against the etcd face: a byte for the method, two for the length, the message;
 * and again. What decodes must encode to bytes that decode to the same; revisions only grow; the
 * answers decode; nothing crashes or leaks. */
#include "etcd/face.h"
#include "etcd/grpc_client.h"
#include "etcd/memory_world.h"
#include "etcd/rpc.h"
#include "fuzz/fuzz.h"
#include "registry/stored_etcd.h"

FUZZ_TARGET(FUZZ_BYTES);

#define CALLS_MAX 32

static const struct {
  const char *path;
  const etcd_message *request, *answer;
} rows[] = {
    {ETCD_PATH_PUT, &etcd_put_request_message, &etcd_put_response_message},
    {ETCD_PATH_RANGE, &etcd_range_request_message, &etcd_range_response_message},
    {ETCD_PATH_DELETE_RANGE, &etcd_delete_request_message, &etcd_delete_response_message},
    {ETCD_PATH_TXN, &etcd_txn_request_message, &etcd_txn_response_message},
    {ETCD_PATH_COMPACT, &etcd_compact_request_message, &etcd_header_response_message},
    {ETCD_PATH_WATCH, &etcd_watch_request_message, &etcd_watch_response_message},
    {ETCD_PATH_LEASE_GRANT, &etcd_lease_grant_request_message,
     &etcd_lease_grant_response_message},
    {ETCD_PATH_LEASE_REVOKE, &etcd_lease_id_request_message, &etcd_header_response_message},
    {ETCD_PATH_LEASE_TIME_TO_LIVE, &etcd_lease_ttl_request_message,
     &etcd_lease_ttl_response_message},
    {ETCD_PATH_ALARM, &etcd_alarm_request_message, &etcd_alarm_response_message},
    {ETCD_PATH_HASH_KV, &etcd_hashkv_request_message, &etcd_hashkv_response_message},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void check_answer(const etcd_message *m, slice bytes) {
  arena *a = arena_create();
  void *out = arena_zalloc(a, m->size);
  CHECK(etcd_decode(m, bytes, a, out) == NULL);
  arena_destroy(a);
}

static void on_watch(void *ctx, slice message) {
  (void)ctx;
  check_answer(&etcd_watch_response_message, message);
}

static void on_answer(void *ctx, const grpc_result *r, slice answer) {
  if (r->code == GRPC_OK) check_answer(ctx, answer);
}

static void check_round_trip(const etcd_message *m, slice bytes) {
  arena *a = arena_create();
  void *once = arena_zalloc(a, m->size), *twice = arena_zalloc(a, m->size);
  if (!etcd_decode(m, bytes, a, once)) {
    buf first, second;
    buf_init(&first, (size_t)1 << 24);
    buf_init(&second, (size_t)1 << 24);
    etcd_encode(m, once, &first);
    CHECK(first.len == etcd_size(m, once));
    CHECK(etcd_decode(m, buf_slice(&first), a, twice) == NULL);
    etcd_encode(m, twice, &second);
    CHECK(slice_eq(buf_slice(&first), buf_slice(&second)));
    buf_dispose(&first);
    buf_dispose(&second);
  }
  arena_destroy(a);
}

static const uint8_t *step(memory_world *w, grpc_client *c, grpc_call *watch, const uint8_t *data,
                           const uint8_t *end) {
  size_t row = data[0] % ROWS, n = (size_t)data[1] << 8 | data[2];
  data += 3;
  if (n > (size_t)(end - data)) n = (size_t)(end - data);
  slice message = slice_of((const char *)data, n);
  const etcd_message *answer = rows[row].answer;
  check_round_trip(rows[row].request, message);
  if (row == 5) grpc_call_send(watch, message);
  else {
    grpc_unary(c, rows[row].path, message, 0, on_answer, (void *)(uintptr_t)answer);
  }
  memory_world_pump(w);
  return data + n;
}

static void end_watch(void *ctx, const grpc_result *r) {
  (void)r;
  *(grpc_call **)ctx = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  memory_world w;
  memory_world_init(&w);
  store *st = store_memory_create(1);
  etcd_face *face = etcd_face_create(
      &(etcd_face_options){.env = &w.env, .timers = &w.timers, .store = st,
                           .values = size && data[0] & 0x80 ? &stored_etcd_values : NULL});
  w.acceptor = etcd_face_acceptor(face);
  grpc_client *c = grpc_client_create(&(grpc_client_options){
      .env = &w.env, .timers = &w.timers, .target = {.host = SLICE_LIT("a"), .port = 1}});
  static const grpc_call_events events = {on_watch, end_watch};
  grpc_call *watch = NULL;
  const uint8_t *end = data + size;
  int64_t revision = 1;
  for (int i = 0; i < CALLS_MAX && end - data > 3; i++) {
    if (!watch) watch = grpc_call_open(c, ETCD_PATH_WATCH, 0, &events, &watch);
    data = step(&w, c, watch, data, end);
    CHECK(store_revision(st) >= revision);
    revision = store_revision(st);
  }
  memory_world_advance(&w, (int64_t)10 * 1000000000);
  grpc_client_close(c);
  memory_world_dispose(&w);
  etcd_face_destroy(face);
  store_destroy(st);
  return 0;
}
