/* Tapes, streams and answers as they are read. */
#include "sim/replay/tape.h"

#include "sim/replay/events.h"
#include "sim/replay/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD "{\"tape\":1,\"name\":\"n\",\"client\":\"c\",\"about\":\"a\",\"exchanges\":1}\n"

static tape *parse(const char *text, char *problem) {
  return tape_parse(slice_cstr(text), "x/kubectl-1.36/01-pods.tape.jsonl", problem, 200);
}

static void reads_an_exchange(void **state) {
  (void)state;
  char problem[200];
  tape *t = parse(HEAD "{\"seq\":7,\"at_ms\":5,\"done_ms\":9,\"req\":{\"method\":\"POST\","
                       "\"target\":\"/x?a=1&b=%2F\",\"headers\":{\"Accept\":\"*\"},"
                       "\"body_b64\":\"a3VzAA==\"},\"res\":{\"status\":201,\"body\":\"{}\"}}\n",
                  problem);
  assert_non_null(t);
  assert_string_equal(t->session.ptr, "kubectl-1.36/01-pods");
  assert_int_equal(t->count, 1);
  const tape_exchange *x = &t->exchanges[0];
  assert_int_equal(x->seq, 7);
  assert_int_equal(x->request_body.len, 4);
  assert_memory_equal(x->request_body.ptr, "kus", 4);
  assert_true(slice_is(tape_header_get(&x->request_headers, "accept"), "*"));
  assert_true(slice_is(target_param(x->target, "b"), "%2F"));
  assert_null(target_param(x->target, "c").ptr);
  assert_true(slice_is(target_path(x->target), "/x"));
  tape_destroy(t);
}

static void joins_frames(void **state) {
  (void)state;
  char problem[200];
  tape *t = parse(HEAD "{\"seq\":1,\"at_ms\":0,\"done_ms\":9,\"req\":{\"method\":\"GET\","
                       "\"target\":\"/x?watch=1\"},\"res\":{\"status\":200,\"stream\":true,"
                       "\"frames\":[{\"at_ms\":3,\"data\":\"a\\nb\"},{\"at_ms\":5,"
                       "\"data\":\"c\\n\"}]}}\n",
                  problem);
  assert_non_null(t);
  const tape_exchange *x = &t->exchanges[0];
  assert_true(slice_is(x->body, "a\nbc\n"));
  assert_int_equal(event_count(x->body, false), 2);
  assert_int_equal(event_count_by(x, false, 2), 0);
  assert_int_equal(event_count_by(x, false, 4), 1);
  assert_int_equal(event_count_by(x, false, 5), 2);
  tape_destroy(t);
}

static void refuses_what_is_no_tape(void **state) {
  (void)state;
  static const char *const bad[] = {"", "{}\n", "nonsense\n", HEAD "{\"seq\":1}\n",
                                    HEAD "[]\n", HEAD "{\"req\":{},\"res\":{}}\n",
                                    HEAD "{\"req\":{\"method\":\"GET\",\"target\":\"x\"},"
                                         "\"res\":{}}\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char problem[200] = "";
    assert_null(parse(bad[i], problem));
    assert_true(problem[0] != 0);
  }
}

static void protobuf_events(void **state) {
  (void)state;
  slice body = {"\0\0\0\2ab\0\0\0\1c\0\0\0\5de", 18}, event;
  size_t at = 0;
  assert_int_equal(event_count(body, true), 2);
  assert_true(event_next(body, true, &at, &event));
  assert_true(slice_is(event, "ab"));
}

typedef struct answer {
  const char *bytes;
  response_state state;
  const char *body;
} answer;

static const answer answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", RESPONSE_DONE, "hi"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", RESPONSE_BROKEN, "hi"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
     RESPONSE_DONE, "hi!"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", RESPONSE_BROKEN, "hi"},
    {"HTTP/1.1 200 OK\r\n\r\nall of it", RESPONSE_DONE, "all of it"},
    {"HTTP/1.1 204 No Content\r\n\r\n", RESPONSE_DONE, ""},
    {"HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n", RESPONSE_DONE, ""},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", RESPONSE_DONE,
     "x"},
    {"nonsense\r\n\r\n", RESPONSE_BROKEN, ""},
    {"", RESPONSE_BROKEN, ""},
};

/* Whole and byte by byte come to the same. */
static void reads_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof answers / sizeof *answers * 2; i++) {
    const answer *row = &answers[i / 2];
    size_t step = i % 2 ? 1 : strlen(row->bytes) + 1, len = strlen(row->bytes);
    arena *a = arena_create();
    response r;
    response_init(&r, a, false);
    for (size_t at = 0; at < len; at += step) {
      response_feed(&r, slice_upto(slice_of(row->bytes + at, len - at), step));
    }
    response_eof(&r);
    assert_int_equal(r.state, row->state);
    assert_true(slice_is(buf_slice(&r.body), row->body));
    response_dispose(&r);
    arena_destroy(a);
  }
}

static void joins_repeated_headers(void **state) {
  (void)state;
  arena *a = arena_create();
  response r;
  response_init(&r, a, false);
  response_feed(&r, SLICE_LIT("HTTP/1.1 200 OK\r\nWarning: a\r\nwarning: b\r\n"
                              "Content-Length: 0\r\n\r\n"));
  assert_true(slice_is(tape_header_get(&r.headers, "Warning"), "a, b"));
  response_dispose(&r);
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_an_exchange),     cmocka_unit_test(joins_frames),
      cmocka_unit_test(refuses_what_is_no_tape), cmocka_unit_test(protobuf_events),
      cmocka_unit_test(reads_answers),         cmocka_unit_test(joins_repeated_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
