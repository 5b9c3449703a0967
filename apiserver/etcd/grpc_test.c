/* Client and server of gRPC against each other in memory, whole and in pieces of one byte. */
#include "etcd/grpc_client.h"
#include "etcd/grpc_server.h"
#include "etcd/memory_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND ((int64_t)1000000000)

typedef struct fixture {
  memory_world w;
  grpc_server server;
  grpc_server_conn *conn;
  grpc_client *client;
  grpc_stream *held;
  int aborts, drains, half_closes, readies, closes;
  buf log; /* what callbacks saw, a word each */
} fixture;

static fixture *of(grpc_stream *s) {
  return s->server->ctx;
}

static void echo(grpc_stream *s, slice message) {
  grpc_stream_send(s, message);
  grpc_stream_finish(s, GRPC_OK, SLICE_NONE);
}

static void refuse(grpc_stream *s, slice message) {
  (void)message;
  grpc_stream_finish(s, GRPC_OUT_OF_RANGE, SLICE_LIT("50% of \xc3\xa9verything\n"));
}

static void on_abort(grpc_stream *s) {
  of(s)->aborts++;
  of(s)->held = NULL;
}

static void on_drain(grpc_stream *s) {
  of(s)->drains++;
}

static void hold(grpc_stream *s, slice message) {
  (void)message;
  of(s)->held = s;
  s->on_abort = on_abort;
}

static void talk(grpc_stream *s, slice message) {
  s->on_abort = on_abort;
  s->on_drain = on_drain;
  of(s)->held = s;
  grpc_stream_send(s, message);
}

static void talk_end(grpc_stream *s) {
  of(s)->half_closes++;
  grpc_stream_finish(s, GRPC_OK, SLICE_LIT("bye"));
}

static const grpc_method methods[] = {{"/t.T/Echo", false, echo, NULL},
                                      {"/t.T/Refuse", false, refuse, NULL},
                                      {"/t.T/Hold", false, hold, NULL},
                                      {"/t.T/Talk", true, talk, talk_end}};

static void *accept(void *ctx, env_conn *c, const env_peer *peer, const env_conn_events **events) {
  fixture *f = ctx;
  *events = &grpc_server_conn_events;
  return f->conn = grpc_server_conn_open(&f->server, c, peer);
}

static void on_ready(void *ctx) {
  ((fixture *)ctx)->readies++;
}

static void on_closed(void *ctx, slice why) {
  fixture *f = ctx;
  f->closes++;
  f->client = NULL;
  buf_printf(&f->log, "closed(%.*s) ", SLICE_ARG(why));
}

static void on_message(void *ctx, slice message) {
  fixture *f = ctx;
  if (message.len < 40) buf_printf(&f->log, "message(%.*s) ", SLICE_ARG(message));
  else buf_printf(&f->log, "message#%zu ", message.len);
}

static void on_end(void *ctx, const grpc_result *r) {
  fixture *f = ctx;
  buf_printf(&f->log, "end(%s,%.*s%s) ", grpc_code_name(r->code), SLICE_ARG(r->message),
             r->not_processed ? ",not processed" : "");
}

static void on_answer(void *ctx, const grpc_result *r, slice answer) {
  if (r->code == GRPC_OK) on_message(ctx, answer);
  on_end(ctx, r);
}

static const grpc_call_events events = {on_message, on_end};

static void connect_client(fixture *f) {
  f->client = grpc_client_create(
      &(grpc_client_options){.env = &f->w.env,
                             .timers = &f->w.timers,
                             .target = {.host = SLICE_LIT("127.0.0.1"), .port = 2379},
                             .user_agent = SLICE_LIT("apisim"),
                             .keepalive_ns = 30 * SECOND,
                             .keepalive_timeout_ns = 10 * SECOND,
                             .receive_max = (size_t)3 << 20,
                             .on_ready = on_ready,
                             .on_closed = on_closed,
                             .ctx = f});
}

static int set_up(void **state) {
  fixture *f = heap_zalloc(sizeof *f);
  memory_world_init(&f->w);
  buf_init(&f->log, 1 << 20);
  f->server = (grpc_server){.env = &f->w.env,
                            .timers = &f->w.timers,
                            .methods = methods,
                            .method_count = 4,
                            .receive_max = (size_t)2 << 20,
                            .ctx = f};
  f->w.acceptor = (env_acceptor){accept, f};
  connect_client(f);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  if (f->client) grpc_client_close(f->client);
  memory_world_dispose(&f->w);
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

static void unary(void **state) {
  fixture *f = *state;
  grpc_unary(f->client, "/t.T/Echo", SLICE_LIT("hello"), 5 * SECOND, on_answer, f);
  grpc_unary(f->client, "/t.T/Echo", SLICE_NONE, 0, on_answer, f);
  expect(f, "message(hello) end(OK,) message() end(OK,) ");
  assert_int_equal(f->readies, 1);
  grpc_unary(f->client, "/t.T/Refuse", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "end(OutOfRange,50% of \xc3\xa9verything\n) ");
  grpc_unary(f->client, "/t.T/None", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "end(Unimplemented,unknown method None for service t.T) ");
  grpc_unary(f->client, "/u.U/None", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "end(Unimplemented,unknown service u.U) ");
  assert_int_equal(grpc_client_calls(f->client), 0);
}

static void pieces(void **state) {
  fixture *f = *state;
  f->w.piece = 1;
  unary(state);
}

static void large(void **state) {
  fixture *f = *state;
  char *big = heap_zalloc((size_t)3 << 20);
  grpc_unary(f->client, "/t.T/Echo", slice_of(big, (size_t)2 << 20), 0, on_answer, f);
  expect(f, "message#2097152 end(OK,) ");
  grpc_unary(f->client, "/t.T/Echo", slice_of(big, ((size_t)2 << 20) + 1), 0, on_answer, f);
  expect(f, "end(ResourceExhausted,trying to send message larger than max,not processed) ");
  grpc_call *call = grpc_call_open(f->client, "/t.T/Talk", 0, &events, f);
  grpc_call_send(call, SLICE_LIT("a"));
  expect(f, "message(a) ");
  grpc_stream_send(f->held, slice_of(big, (size_t)3 << 20));
  assert_true(grpc_stream_pending(f->held) > 0);
  expect(f, "message#3145728 ");
  assert_int_equal(f->drains, 1);
  f->server.receive_max = 10;
  grpc_call_half_close(call);
  expect(f, "end(OK,bye) ");
  grpc_unary(f->client, "/t.T/Echo", slice_of(big, 11), 0, on_answer, f);
  expect(f, "end(ResourceExhausted,grpc: received message larger than max (11 vs. 10)) ");
  heap_free(big);
}

static void streaming(void **state) {
  fixture *f = *state;
  grpc_call *call = grpc_call_open(f->client, "/t.T/Talk", 0, &events, f);
  grpc_call_send(call, SLICE_LIT("one"));
  grpc_call_send(call, SLICE_LIT("two"));
  expect(f, "message(one) message(two) ");
  grpc_call_pause(call, true);
  grpc_call_send(call, SLICE_LIT("three"));
  grpc_call_half_close(call);
  expect(f, "");
  assert_int_equal(f->half_closes, 1);
  grpc_call_pause(call, false);
  expect(f, "message(three) end(OK,bye) ");
}

static void cancel_and_deadline(void **state) {
  fixture *f = *state;
  grpc_call *call = grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "");
  assert_non_null(f->held);
  grpc_call_cancel(call);
  expect(f, "");
  assert_int_equal(f->aborts, 1);
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 2 * SECOND, on_answer, f);
  expect(f, "");
  memory_world_advance(&f->w, 2 * SECOND);
  expect(f, "end(DeadlineExceeded,context deadline exceeded) ");
  assert_int_equal(f->aborts, 2);
  /* Cancelled before a byte of it left. */
  grpc_call_cancel(grpc_call_open(f->client, "/t.T/Talk", 0, &events, f));
  grpc_unary(f->client, "/t.T/Echo", SLICE_LIT("still"), 0, on_answer, f);
  expect(f, "message(still) end(OK,) ");
}

static void connection_lost(void **state) {
  fixture *f = *state;
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "");
  for (struct env_conn *c = f->w.conns; c; c = c->next) c->broken = true;
  expect(f, "end(Unavailable,the connection was closed) closed(the connection was closed) ");
  assert_int_equal(f->aborts, 1);
  /* Nobody listens: nothing of the call has left. */
  f->w.acceptor.open = NULL;
  connect_client(f);
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "end(Unavailable,refused,not processed) closed(refused) ");
}

static void goaway(void **state) {
  fixture *f = *state;
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "");
  grpc_server_conn_leave(f->conn);
  memory_world_pump(&f->w);
  assert_true(grpc_client_leaving(f->client));
  grpc_unary(f->client, "/t.T/Echo", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "end(Unavailable,the connection takes no more calls,not processed) ");
  grpc_stream_send(f->held, SLICE_LIT("late"));
  grpc_stream_finish(f->held, GRPC_OK, SLICE_NONE);
  expect(f, "message(late) end(OK,) closed(the HTTP/2 connection ended with an error) ");
}

static void keepalive(void **state) {
  fixture *f = *state;
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  expect(f, "");
  for (int i = 0; i < 10; i++) memory_world_advance(&f->w, 31 * SECOND); /* pings are answered */
  expect(f, "");
  f->w.cut = true;
  memory_world_advance(&f->w, 31 * SECOND);
  expect(f, "");
  memory_world_advance(&f->w, 10 * SECOND);
  expect(f, "end(Unavailable,keepalive ping failed to receive ACK within timeout) "
            "closed(keepalive ping failed to receive ACK within timeout) ");
}

static void garbage(void **state) {
  fixture *f = *state;
  memory_world_pump(&f->w);
  grpc_unary(f->client, "/t.T/Hold", SLICE_LIT("x"), 0, on_answer, f);
  memory_world_pump(&f->w);
  buf_append(&f->w.conns->next->in, SLICE_LIT("this is not HTTP/2 at all, is it?"));
  buf_append(&f->w.conns->in, SLICE_LIT("nor is this, which is as long"));
  memory_world_pump(&f->w);
  assert_int_equal(f->closes, 1);
}

static void timeouts(void **state) {
  (void)state;
  char room[GRPC_TIMEOUT_ROOM];
  int64_t ns;
  static const int64_t all[] = {1, 99999999, 100000000, 5 * SECOND, 3600 * SECOND,
                                (int64_t)1000000 * SECOND};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    assert_true(grpc_timeout_decode(grpc_timeout_encode(all[i], room), &ns));
    assert_true(ns >= all[i] && ns - all[i] <= all[i] / 1000000);
  }
  assert_false(grpc_timeout_decode(SLICE_LIT("123456789S"), &ns));
  assert_false(grpc_timeout_decode(SLICE_LIT("S"), &ns));
  assert_false(grpc_timeout_decode(SLICE_LIT("1x"), &ns));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {CASE(unary), CASE(pieces), CASE(large), CASE(streaming),
                                     CASE(cancel_and_deadline), CASE(connection_lost),
                                     CASE(goaway), CASE(keepalive), CASE(garbage),
                                     cmocka_unit_test(timeouts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
