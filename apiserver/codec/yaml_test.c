/* YAML: how scalars are read, errors, aliases and merges; how strings are written. All rows
 * were compared with the real server. */
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(slice got, const char *from, const char *want) {
  if (!slice_is(got, want)) fail_msg("%s\ngot  %.*s\nwant %s", from, SLICE_ARG(got), want);
}

/* The tree as JSON, or the error, or the strict report. */
static slice read(arena *a, slice text) {
  slice error = SLICE_NONE;
  strict_report report = {0};
  val *v = yaml_parse(a, text, &report, &error);
  if (!v) return error;
  if (report.count) return report.items[0];
  buf out;
  buf_init(&out, 1 << 20);
  json_encode_any(&out, v, false);
  slice copy = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return copy;
}

static slice written(arena *a, const val *v) {
  buf out;
  buf_init(&out, 1 << 20);
  yaml_encode(&out, v, NULL);
  slice copy = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return copy;
}

static void reading(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", "null"},
      {"[yes, N, on, Off, TRUE, tRUE, ~, Null, '']", "[true,false,true,false,true,\"tRUE\",null"
             ",null,\"\"]"},
      {"[0777, 0o777, 0x1F, 0b11, 1_000, +1, -0, 08, 1.0, 1e3]", "[511,511,31,3,1000,1,0,8,1,10"
             "00]"},
      {"[1.5, .5, 1e999, 2020-01-01, 1:30, 0x, 18446744073709551616]",
       "[1.5,0.5,\"1e999\",\"2020-01-01\",\"1:30\",\"0x\",18446744073709552000]"},
      {"[!!str 1, !!int \"3\", !!float 3, !!binary YQ==, !x 1, \"1\"]", "[\"1\",3,3,\"a\",\"1\""
             ",\"1\"]"},
      {"{1: a, 1.5: b, yes: c, 0x10: d}", "{\"1\":\"a\",\"1.5\":\"b\",\"16\":\"d\",\"true\":\""
             "c\"}"},
      {"a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":{\""
             "b\":1,\"e\":2}}"},
      {"a: |\n  x\n  y\nb: >\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\"}"},
      {"a: 1\n---\nb: [\n", "{\"a\":1}"},
      {"{\"b\":[1.0,2e2],\"a\":\"x\"}", "{\"a\":\"x\",\"b\":[1,200]}"},
      {"a: 1\nb: 2\na: 3\n", "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map"},
      {"a: b: c", "yaml: mapping values are not allowed in this context"},
      {"x: y\na: b: c", "yaml: line 2: mapping values are not allowed in this context"},
      {"a: .inf", "json: unsupported value: +Inf"},
      {"{? [a] : b}", "yaml: invalid map key: []interface {}{\"a\"}"},
      {"{~ : b}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"b\""},
      {"{~ : {0: a, ~: b}}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: map[int"
             "erface {}]interface {}{interface {}(nil):\"b\", 0:\"a\"}"},
      {"- 9223372036854775808: a", "unsupported map key of type: uint64, key: 0x8000000000000000, "
             "value: \"a\""},
      {"{-.0: a, 06775808: b, .inf: c, -.Inf: d, .NaN: e, 1.0: f}", "{\"-.inf\":\"d\",\"-0\":\"a"
             "\",\".inf\":\"c\",\".nan\":\"e\",\"1\":\"f\",\"6.775808e+06\":\"b\"}"},
      {"a: .inf\na: 1", "yaml: unmarshal errors:\n  line 2: key \"a\" already set in map"},
      {"1: a\n\"1\": b\n0x1: c", "yaml: unmarshal errors:\n  line 3: key 1 already set in map"},
      {"[-.0, -0]", "[-0,0]"},
      {"a: \"\\/\"", "yaml: found unknown escape character"},
      {"é: \"\\\\/é\"\nb: \"x\\\n \\/\"", "yaml: line 3: found unknown escape character"},
      {"a: [http://x?y=1]", "yaml: did not find expected ',' or ']'"},
      {"a: [b: c?d]", "yaml: did not find expected ',' or ']'"},
      {"a:\n- {x: y,\n  z: w?v}", "yaml: line 2: did not find expected ',' or '}'"},
      {"a?b: [\"c?d\"]", "{\"a?b\":[\"c?d\"]}"},
      {"*x", "yaml: unknown anchor 'x' referenced"},
      {"&a [*a]", "yaml: anchor 'a' value contains itself"},
      {"<<: 5", "yaml: map merge requires map or sequence of maps as the value"},
      {"!!int x", "yaml: cannot decode !!str `x` as a !!int"},
      {"\"\x01\"", "yaml: control characters are not allowed"},
  };
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    expect(read(a, slice_cstr(rows[i][0])), rows[i][0], rows[i][1]);
  }
  arena_destroy(a);
}

static void bombs(void **state) {
  (void)state;
  arena *a = arena_create();
  buf text;
  buf_init(&text, 1 << 20);
  buf_lit(&text, "a: &a [x,x,x,x,x,x,x,x,x]\n");
  for (char c = 'b'; c < 'j'; c++) {
    buf_printf(&text, "%c: &%c [", c, c);
    for (int i = 0; i < 9; i++) buf_printf(&text, "%s*%c", i ? "," : "", c - 1);
    buf_lit(&text, "]\n");
  }
  expect(read(a, buf_slice(&text)), "aliases", "yaml: document contains excessive aliasing");
  buf_clear(&text);
  for (int i = 0; i < 10001; i++) buf_char(&text, '[');
  expect(read(a, buf_slice(&text)), "depth", "yaml: exceeded max depth of 10000");
  buf_dispose(&text);
  arena_destroy(a);
}

static void writing_strings(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"a b", "a b\n"}, {"", "\"\"\n"}, {"yes", "\"yes\"\n"}, {"1", "\"1\"\n"}, {"0x1F", "\"0x1"
             "F\"\n"},
      {"1:30", "\"1:30\"\n"}, {"2020-01-01", "\"2020-01-01\"\n"}, {"<<", "<<\n"}, {"- a", "'- a"
             "'\n"},
      {"-a", "-a\n"}, {"a: b", "'a: b'\n"}, {"a:b", "a:b\n"}, {"a #b", "'a #b'\n"}, {"#a", "'#a"
             "'\n"},
      {"it's", "it's\n"}, {"'x", "'''x'\n"}, {" a", "' a'\n"}, {"a\nb", "|-\n  a\n  b\n"},
      {"a\nb\n", "|\n  a\n  b\n"}, {"a\n\n", "|+\n  a\n\n"}, {"\na", "|2-\n\n  a\n"},
      {"a \nb", "\"a \\nb\"\n"}, {"a\tb", "\"a\\tb\"\n"}, {"\xF0\x9F\x98\x80", "\"\\U0001F600\"\n"},
      {"\xC3\xA9", "\xC3\xA9\n"}, {"---a", "'---a'\n"}, {"{a}", "'{a}'\n"}, {"a,b", "a,b\n"},
      {"a \xC2\x85 b", "a b\n"}, {"\xC2\x85 \xC2\x85", "|2+\n\n"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b c",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  b"
       " c\n"},
  };
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    expect(written(a, val_cstr(a, rows[i][0])), rows[i][0], rows[i][1]);
  }
  arena_destroy(a);
}

static void writing_trees(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"{\"b\":[1,[2,{\"x\":null,\"a\":true}],{}],\"a10\":{\"c\":\"\"},\"a9\":[],\"y\":1.5}",
       "a9: []\na10:\n  c: \"\"\nb:\n- 1\n- - 2\n  - a: true\n    x: null\n- {}\n\"y\": 1.5\n"},
      {"[{\"a\":[1]},2e21,1234567.5]", "- a:\n  - 1\n- 2e+21\n- 1.2345675e+06\n"},
      {"{\"a\\nb\":{\"c\":[1]}}", "? |-\n  a\n  b\n: c:\n  - 1\n"},
      {"{}", "{}\n"},
  };
  arena *a = arena_create();
  slice error;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    val *v = json_parse(a, slice_cstr(rows[i][0]), NULL, &error);
    expect(written(a, v), rows[i][0], rows[i][1]);
  }
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reading),
      cmocka_unit_test(bombs),
      cmocka_unit_test(writing_strings),
      cmocka_unit_test(writing_trees),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
