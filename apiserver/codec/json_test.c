/* JSON in and out: the grammar's refusals in Go's words, values, depth, escaping, layout. */
#include "codec/codec.h"

#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static arena *a;

static int begin(void **state) {
  (void)state;
  a = arena_create();
  return 0;
}

static int end(void **state) {
  (void)state;
  arena_destroy(a);
  return 0;
}

static void expect(slice got, const char *want) {
  if (!slice_is(got, want)) fail_msg("got  %.*s\nwant %s", SLICE_ARG(got), want);
}

static slice encoded(const val *v, bool sort) {
  buf out;
  buf_init(&out, 1 << 20);
  json_encode_any(&out, v, sort);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static void refused_texts(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", "unexpected end of JSON input"},
      {"{", "unexpected end of JSON input"},
      {"{\"a\":", "unexpected end of JSON input"},
      {"{\"a\"", "unexpected end of JSON input"},
      {"\"abc", "unexpected end of JSON input"},
      {"x", "invalid character 'x' looking for beginning of value"},
      {"'", "invalid character '\\'' looking for beginning of value"},
      {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"{} {}", "invalid character '{' after top-level value"},
      {"01", "invalid character '1' after top-level value"},
      {"-", "invalid character ' ' in numeric literal"},
      {"1.", "invalid character ' ' after decimal point in numeric literal"},
      {"1ex", "invalid character 'x' in exponent of numeric literal"},
      {"nulx", "invalid character 'x' in literal null (expecting 'l')"},
      {"tru", "invalid character ' ' in literal true (expecting 'e')"},
      {"\"a\nb\"", "invalid character '\\n' in string literal"},
      {"\"\\x\"", "invalid character 'x' in string escape code"},
      {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
      {"\xC3\xA9", "invalid character '\xC3\x83' looking for beginning of value"},
      {"\x01", "invalid character '\\x01' looking for beginning of value"},
      {"1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice error = SLICE_NONE;
    assert_null(json_parse(a, slice_cstr(rows[i][0]), NULL, &error));
    expect(error, rows[i][1]);
  }
}

static void round_trips(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {" { \"b\" : [ 1 , -0 , 2.50 ] , \"a\" : null } ", "{\"b\":[1,0,2.5],\"a\":null}"},
      {"[9223372036854775807,9223372036854775808]", "[9223372036854775807,9223372036854776000]"},
      {"[1e3,1e21,1e-7,100000000000000000000,1.0,-0.0]",
       "[1000,1e+21,1e-7,100000000000000000000,1,-0]"},
      {"\"\\u0041\\/\\ud83d\\ude00\\ud800x\\u0000\"", "\"A/\xF0\x9F\x98\x80\xEF\xBF\xBDx\\u0000\""},
      {"\"a\xFFz\xC3\"", "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\""},
      {"\"<a>&\\b\\f\\n\\r\\t\\u001f\xE2\x80\xA8\xE2\x80\xA9\x7F\"",
       "\"\\u003ca\\u003e\\u0026\\b\\f\\n\\r\\t\\u001f\\u2028\\u2029\x7F\""},
      {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice error = SLICE_NONE;
    val *v = json_parse(a, slice_cstr(rows[i][0]), NULL, &error);
    assert_non_null(v);
    expect(encoded(v, false), rows[i][1]);
  }
}

static void keys_may_hold_nul_and_sort_by_bytes(void **state) {
  (void)state;
  slice error;
  val *v = json_parse(a, SLICE_LIT("{\"b\":1,\"a\\u0000\":2,\"a\":3,\"B\":4}"), NULL, &error);
  assert_int_equal(val_i64(val_get(v, SLICE_LIT("a\0"))), 2);
  expect(encoded(v, true), "{\"B\":4,\"a\":3,\"a\\u0000\":2,\"b\":1}");
}

static void duplicates_are_reported_by_path(void **state) {
  (void)state;
  strict_report report = {0};
  slice error;
  slice text = SLICE_LIT("{\"a\":[{},{\"x\":1,\"x\":2}],\"a\":1,\"m\":{\"a.b\":{\"c\":1,\"c\":2"
  ",\"c\":3}}}");
  assert_non_null(json_parse(a, text, &report, &error));
  assert_int_equal(report.count, 4);
  expect(report.items[0], "duplicate field \"a[1].x\"");
  expect(report.items[1], "duplicate field \"m.a.b.c\"");
}

static void a_large_map_stays_linear(void **state) {
  (void)state;
  buf text;
  slice error;
  buf_init(&text, 64 << 20);
  buf_char(&text, '{');
  for (int i = 0; i < 100000; i++) buf_printf(&text, "%s\"k%d\":%d", i ? "," : "", i % 99999, i);
  buf_char(&text, '}');
  strict_report report = {0};
  val *v = json_parse(a, buf_slice(&text), &report, &error);
  assert_int_equal(val_len(v), 99999);
  assert_int_equal(report.count, 1);
  assert_int_equal(val_i64(val_getc(v, "k0")), 99999);
  buf_dispose(&text);
}

static val *nested(int depth, slice *error) {
  char *text = arena_alloc(a, (size_t)depth * 2);
  memset(text, '[', (size_t)depth);
  memset(text + depth, ']', (size_t)depth);
  return json_parse(a, slice_of(text, (size_t)depth * 2), NULL, error);
}

static void depth_has_an_end(void **state) {
  (void)state;
  slice error = SLICE_NONE;
  val *v = nested(10000, &error);
  assert_non_null(v);
  assert_int_equal(encoded(v, true).len, 20000);
  assert_null(nested(10001, &error));
  expect(error, "invalid character '[' exceeded max depth");
  assert_null(nested(1000000, &error));
}

static void indented(void **state) {
  (void)state;
  buf out;
  buf_init(&out, 4096);
  json_indent(&out, SLICE_LIT("{\"a\":[],\"b\":{},\"c\":[1,\"x:{\\\"\"],\"d\":{\"e\":null}}"));
  expect(buf_slice(&out), "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    \"x:{\\\"\"\n"
  "  ],\n"
                          "  \"d\": {\n    \"e\": null\n  }\n}");
  buf_dispose(&out);
}

static void truncations_never_crash(void **state) {
  (void)state;
  static const char text[] = "{\"a\":[1.5e-3,true,null,\"\\u00e9\\ud83d\\ude00\xC3\xA9\"],\"b\""
  ":{\"c\":-1}}";
  for (size_t n = 0; n < sizeof text - 1; n++) {
    slice error = SLICE_NONE;
    char *copy = heap_alloc(n); /* of its own, so that a sanitizer sees a read behind it */
    memcpy(copy, text, n);
    assert_null(json_parse(a, slice_of(copy, n), NULL, &error));
    assert_true(error.len > 0);
    heap_free(copy);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(refused_texts, begin, end),
      cmocka_unit_test_setup_teardown(round_trips, begin, end),
      cmocka_unit_test_setup_teardown(keys_may_hold_nul_and_sort_by_bytes, begin, end),
      cmocka_unit_test_setup_teardown(duplicates_are_reported_by_path, begin, end),
      cmocka_unit_test_setup_teardown(a_large_map_stays_linear, begin, end),
      cmocka_unit_test_setup_teardown(depth_has_an_end, begin, end),
      cmocka_unit_test_setup_teardown(indented, begin, end),
      cmocka_unit_test_setup_teardown(truncations_never_crash, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
