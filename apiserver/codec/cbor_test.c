/* CBOR against what apimachinery's serializer made of the same bytes (testdata/cbor.tsv: version,
 * kind, hex, a tab, then OK with strict error, JSON and canonical CBOR, or ERR and the text), the
 * vectors of RFC 8949 that are floats, hostile heads, and libcbor as a second reader of what we
 * write. */
#include "base/heap.h"
#include "base/limits.h"
#include "base/quote.h"
#include "codec/cbor_wire.h"
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cbor.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static slice hex_of(arena *a, slice s) {
  static const char digits[] = "0123456789abcdef";
  char *out = arena_alloc(a, s.len * 2 + 1);
  for (size_t i = 0; i < s.len; i++) {
    out[2 * i] = digits[(unsigned char)s.ptr[i] >> 4];
    out[2 * i + 1] = digits[(unsigned char)s.ptr[i] & 15];
  }
  return slice_of(out, s.len * 2);
}

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static slice bytes_of(arena *a, slice hex) {
  char *out = arena_alloc(a, hex.len / 2 + 1);
  for (size_t i = 0; i < hex.len / 2; i++) {
    out[i] = (char)(nibble(hex.ptr[2 * i]) << 4 | nibble(hex.ptr[2 * i + 1]));
  }
  return slice_of(out, hex.len / 2);
}

static slice encoded(arena *a, const val *v, const type_info *t, bool document) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  if (document) cbor_document(&out, v, t);
  else cbor_encode(&out, v, t);
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

static slice json_of(arena *a, const val *v, const type_info *t) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  json_encode(&out, v, t);
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

/* The line that the comparing program prints. */
static slice answer_any(arena *a, slice body) {
  slice error = SLICE_NONE;
  val *v = cbor_parse(a, body, &error);
  if (!v) return arena_concat(a, SLICE_LIT("ERR "), go_quote(a, error));
  return arena_concat(a, SLICE_LIT("OK "), hex_of(a, encoded(a, v, NULL, false)));
}

static slice answer(arena *a, const kind_info *k, slice body) {
  slice api_version, kind, error = SLICE_NONE, unknown = SLICE_NONE;
  val *v = NULL;
  if (cbor_type_meta(a, body, &api_version, &kind, &error)) {
    v = cbor_decode(a, body, k->type, &unknown, &error);
  }
  if (!v) return arena_concat(a, SLICE_LIT("ERR "), go_quote(a, error));
  if (unknown.len) unknown = arena_printf(a, "strict decoding error: %.*s", SLICE_ARG(unknown));
  slice strict = go_quote(a, unknown), json = json_of(a, v, k->type);
  slice hex = hex_of(a, encoded(a, v, k->type, true));
  return arena_printf(a, "OK %.*s %.*s %.*s", SLICE_ARG(strict), SLICE_ARG(json), SLICE_ARG(hex));
}

static const kind_info *kind_of(slice api_version, slice kind) {
  slice group = SLICE_LIT(""), version = api_version;
  if (slice_find_char(api_version, '/') >= 0) slice_cut(api_version, '/', &group, &version);
  return schema_kind(group, version, kind);
}

static void check_line(arena *a, slice line) {
  slice input, want, version, kind, hex;
  slice_cut(line, '\t', &input, &want);
  slice_cut(input, ' ', &version, &hex);
  slice_cut(hex, ' ', &kind, &hex);
  slice body = bytes_of(a, hex);
  const kind_info *k = kind_of(version, kind);
  slice got = slice_is(kind, "ANY") ? answer_any(a, body) : answer(a, k, body);
  if (slice_eq(got, want)) return;
  fail_msg("%.*s\n got: %.*s\nwant: %.*s", SLICE_ARG(input), SLICE_ARG(got), SLICE_ARG(want));
}

static void test_recorded(void **state) {
  (void)state;
  char *line = NULL;
  size_t room = 0, count = 0;
  ssize_t n;
  FILE *file = fopen("apiserver/codec/testdata/cbor.tsv", "r");
  assert_non_null(file);
  while ((n = getline(&line, &room, file)) > 0) {
    arena *a = arena_create();
    check_line(a, slice_of(line, (size_t)n - (line[n - 1] == '\n')));
    arena_destroy(a);
    count++;
  }
  free(line);
  fclose(file);
  assert_true(count > 200);
}

static void test_floats(void **state) {
  (void)state;
  static const struct {
    double f;
    const char *hex;
  } rows[] = {
      {0.0, "f90000"}, {-0.0, "f98000"}, {1.0, "f93c00"}, {1.5, "f93e00"}, {65504.0, "f97bff"},
      {1.1, "fb3ff199999999999a"}, {100000.0, "fa47c35000"}, {5.960464477539063e-8, "f90001"},
      {3.4028234663852886e+38, "fa7f7fffff"}, {1.0e+300, "fb7e37e43c8800759c"},
      {0.00006103515625, "f90400"}, {-4.0, "f9c400"}, {-4.1, "fbc010666666666666"},
      {65505.0, "fa477fe100"}, {8.940696716308594e-8, "fa33c00000"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    arena *a = arena_create();
    slice hex = hex_of(a, encoded(a, val_float(a, rows[i].f), NULL, false)), error = SLICE_NONE;
    if (!slice_is(hex, rows[i].hex)) fail_msg("%g: %.*s", rows[i].f, SLICE_ARG(hex));
    slice map = arena_concat(a, SLICE_LIT("a14161"), hex);
    val *v = cbor_parse(a, bytes_of(a, map), &error);
    assert_non_null(v);
    double f = val_getc(v, "a")->u.f;
    assert_true(f == rows[i].f && signbit(f) == signbit(rows[i].f));
    arena_destroy(a);
  }
}

/* Heads that promise more than there is ask for no memory. */
static void test_hostile(void **state) {
  (void)state;
  static const char *const bodies[] = {
      "9b00000000ffffffff", "9bffffffffffffffff", "bb00000000001fffff", "bb0000000000200001",
      "5b7fffffffffffffff", "5bffffffffffffffff", "7b00000000ffffffff", "9f", "bf", "5f", "bf41",
      "bf4161ff", "c0", "d9d9f7", "1c", "3f", "ff", "f818", "5f6161ff", "5f5f4161ffff", "fc",
      "a14161ba001fffff", "9a7fffffff", "c249010000000000000000", "f97e00", "fa7f800000",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    size_t before = heap_total();
    arena *a = arena_create();
    slice body = bytes_of(a, slice_cstr(bodies[i])), error = SLICE_NONE;
    if (cbor_parse(a, body, &error) || error.len == 0) fail_msg("%s", bodies[i]);
    assert_true(heap_total() - before < (size_t)24 << 10);
    arena_destroy(a);
  }
}

static void test_depth(void **state) {
  (void)state;
  arena *a = arena_create();
  for (uint32_t depth = CBOR_DEPTH_MAX - 1; depth <= CBOR_DEPTH_MAX; depth++) {
    char *p = arena_alloc(a, depth + 4);
    slice error = SLICE_NONE;
    memcpy(p, "\xa1\x41\x61", 3);
    memset(p + 3, '\x81', depth);
    p[3 + depth] = '\0';
    val *v = cbor_parse(a, slice_of(p, depth + 4), &error);
    assert_int_equal(v != NULL, depth < CBOR_DEPTH_MAX);
    if (!v) assert_true(slice_is(error, "cbor: exceeded max nested level 10000"));
  }
  arena_destroy(a);
}

/* libcbor, which shares nothing with us, reads and writes the same bytes. */
static void check_libcbor(slice bytes) {
  struct cbor_load_result result;
  cbor_item_t *item = cbor_load((const unsigned char *)bytes.ptr, bytes.len, &result);
  unsigned char *again = NULL;
  size_t room = 0, n;
  assert_non_null(item);
  assert_int_equal(result.read, bytes.len);
  n = cbor_serialize_alloc(item, &again, &room);
  assert_int_equal(n, bytes.len);
  assert_memory_equal(again, bytes.ptr, n);
  free(again);
  cbor_decref(&item);
}

static void test_second_reader(void **state) {
  (void)state;
  for (uint16_t i = 0; i < schema_kind_count; i++) {
    arena *a = arena_create();
    val *empty = val_map(a), *meta = val_map(a);
    val_setc(a, empty, "kind", val_string(a, schema_kinds[i].kind));
    val_setc(a, meta, "name", val_cstr(a, "a name with more than twenty-three bytes in it"));
    val_setc(a, meta, "generation", val_int(a, INT64_MIN));
    bool named = type_field(schema_kinds[i].type, SLICE_LIT("metadata")) != NULL;
    if (named) val_setc(a, empty, "metadata", meta);
    check_libcbor(encoded(a, empty, schema_kinds[i].type, true));
    arena_destroy(a);
  }
}

static void test_diagnose(void **state) {
  (void)state;
  static const struct {
    const char *hex, *text;
  } rows[] = {
      {"d9d9f7a1446b696e6463c3bc22", "55799({'kind': \"\\u00fc\\\"\"})"},
      {"830120f93c00", "[1, -1, 1.0]"},
      {"bf41619f01ffff", "{_ 'a': [_ 1]}"},
      {"8343ff00ff5f4161ff40", "[h'ff00ff', (_ 'a'), h'']"},
      {"84f4f5f6f0", "[false, true, null, simple(16)]"},
      {"811b7fffffffffffffff", "[9223372036854775807]"},
      {"a1616b61f5", "a1616b61f5"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    arena *a = arena_create();
    slice text = cbor_diagnose(a, bytes_of(a, slice_cstr(rows[i].hex)));
    if (!slice_is(text, rows[i].text)) fail_msg("%s: %.*s", rows[i].hex, SLICE_ARG(text));
    arena_destroy(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recorded), cmocka_unit_test(test_floats),
      cmocka_unit_test(test_hostile),  cmocka_unit_test(test_depth),
      cmocka_unit_test(test_second_reader), cmocka_unit_test(test_diagnose),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
