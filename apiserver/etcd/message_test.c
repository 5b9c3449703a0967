/* The messages' bytes against what protoc's code for Go writes, and hostile input. */
#include "etcd/rpc.h"

#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_bytes(const etcd_message *m, const void *in, slice want) {
  buf out;
  buf_init(&out, 1 << 20);
  etcd_encode(m, in, &out);
  assert_int_equal(out.len, want.len);
  assert_memory_equal(out.ptr ? out.ptr : "", want.ptr, want.len);
  assert_int_equal(etcd_size(m, in), want.len);
  buf_dispose(&out);
}

static void range_request(void **state) {
  (void)state;
  arena *a = arena_create();
  etcd_range_request r = {.key = SLICE_LIT("foo"), .range_end = SLICE_LIT("fop"), .limit = 300,
                          .revision = -1, .sort_order = ETCD_SORT_DESCEND, .keys_only = true,
                          .max_create_revision = 7}, back;
  slice want = SLICE_LIT("\x0a\x03" "foo" "\x12\x03" "fop" "\x18\xac\x02"
                         "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "\x28\x02" "\x40\x01"
                         "\x68\x07");
  expect_bytes(&etcd_range_request_message, &r, want);
  assert_null(etcd_decode(&etcd_range_request_message, want, a, &back));
  expect_bytes(&etcd_range_request_message, &back, want);
  assert_int_equal(back.revision, -1);
  assert_true(slice_is(back.range_end, "fop"));
  arena_destroy(a);
}

/* A oneof's member is written even when it is zero, and only the chosen one. */
static void txn(void **state) {
  (void)state;
  arena *a = arena_create();
  etcd_compare c = {.which = ETCD_WITH_MOD, .target = ETCD_CMP_MOD, .key = SLICE_LIT("k")};
  etcd_put_request put = {.key = SLICE_LIT("k"), .value = SLICE_LIT("v"), .lease = 5};
  etcd_range_request get = {.key = SLICE_LIT("k")};
  etcd_request_op success = {.which = ETCD_OP_PUT, .put = &put};
  etcd_request_op failure = {.which = ETCD_OP_RANGE, .range = &get};
  etcd_txn_request t = {.compare = {&c, 1, 1}, .success = {&success, 1, 1},
                        .failure = {&failure, 1, 1}};
  slice want = SLICE_LIT("\x0a\x07" "\x10\x02" "\x1a\x01k" "\x30\x00"
                         "\x12\x0a" "\x12\x08" "\x0a\x01k" "\x12\x01v" "\x18\x05"
                         "\x1a\x05" "\x0a\x03" "\x0a\x01k");
  expect_bytes(&etcd_txn_request_message, &t, want);
  etcd_txn_request back;
  assert_null(etcd_decode(&etcd_txn_request_message, want, a, &back));
  const etcd_compare *bc = back.compare.items;
  assert_int_equal(bc->which, ETCD_WITH_MOD);
  const etcd_request_op *op = back.success.items;
  assert_int_equal(op->which, ETCD_OP_PUT);
  assert_int_equal(op->put->lease, 5);
  expect_bytes(&etcd_txn_request_message, &back, want);
  arena_destroy(a);
}

static void watch(void **state) {
  (void)state;
  arena *a = arena_create();
  etcd_watch_request w;
  /* filters packed and not; unknown fields of every wire type are stepped over */
  slice in = SLICE_LIT("\x0a\x13" "\x0a\x01k" "\x2a\x01\x01" "\x28\x00" "\x80\x01\x01"
                       "\x8a\x01\x01x" "\x30\x01" "\x40\x01");
  assert_null(etcd_decode(&etcd_watch_request_message, in, a, &w));
  assert_int_equal(w.which, ETCD_WATCH_CREATE);
  assert_int_equal(w.create->filters.count, 2);
  assert_int_equal(((int32_t *)w.create->filters.items)[0], ETCD_NODELETE);
  assert_int_equal(((int32_t *)w.create->filters.items)[1], ETCD_NOPUT);
  assert_true(w.create->prev_kv && w.create->fragment);
  /* the last member counts */
  assert_null(etcd_decode(&etcd_watch_request_message, SLICE_LIT("\x0a\x00\x1a\x00"), a, &w));
  assert_int_equal(w.which, ETCD_WATCH_PROGRESS);
  arena_destroy(a);
}

static void hostile(void **state) {
  (void)state;
  static const struct {
    slice in;
    const char *problem;
  } rows[] = {
      {SLICE_LIT("\x0a"), "unexpected EOF"},
      {SLICE_LIT("\x0a\x05" "ab"), "unexpected EOF"},
      {SLICE_LIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
       "proto: negative length found during unmarshaling"},
      {SLICE_LIT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: integer overflow"},
      {SLICE_LIT("\x08\x01"), "proto: wrong wireType = 0 for field 1 of RangeRequest"},
      {SLICE_LIT("\x0c"), "proto: RangeRequest: wiretype end group for non-group"},
      {SLICE_LIT("\x00\x00"), "proto: RangeRequest: illegal tag 0 (wire type 0)"},
  };
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    etcd_range_request r;
    char *copy = heap_alloc(rows[i].in.len); /* a byte too far is seen by the sanitizer */
    memcpy(copy, rows[i].in.ptr, rows[i].in.len);
    const char *got =
        etcd_decode(&etcd_range_request_message, slice_of(copy, rows[i].in.len), a, &r);
    assert_non_null(got);
    assert_string_equal(got, rows[i].problem);
    heap_free(copy);
  }
  arena_destroy(a);
}

/* txn in txn in txn... */
static void deep(void **state) {
  (void)state;
  arena *a = arena_create();
  buf b, next;
  buf_init(&b, 1 << 20);
  for (int i = 0; i < 1000; i++) {
    char head[16];
    size_t n = 0;
    size_t len = b.len;
    head[n++] = i % 2 ? 0x12 : 0x22; /* success: an op; op: a txn */
    for (; len >= 0x80; len >>= 7) head[n++] = (char)(len | 0x80);
    head[n++] = (char)len;
    buf_init(&next, 1 << 20);
    buf_append(&next, slice_of(head, n));
    buf_append(&next, buf_slice(&b));
    buf_dispose(&b);
    b = next;
  }
  etcd_txn_request t;
  assert_ptr_equal(etcd_decode(&etcd_txn_request_message, buf_slice(&b), a, &t),
                   etcd_text_too_deep);
  buf_dispose(&b);
  arena_destroy(a);
}

static void errors(void **state) {
  (void)state;
  for (int e = ETCD_OK + 1; e < ETCD_ERROR_OTHER; e++) {
    assert_int_equal(etcd_error_of(etcd_error_code((etcd_error)e), etcd_error_text((etcd_error)e)),
                     e);
  }
  assert_int_equal(etcd_error_of(14, SLICE_LIT("transport is closing")), ETCD_ERROR_OTHER);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(range_request), cmocka_unit_test(txn),
                                     cmocka_unit_test(watch), cmocka_unit_test(hostile),
                                     cmocka_unit_test(deep), cmocka_unit_test(errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
