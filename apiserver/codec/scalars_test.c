/* Quantities, times, durations, base64: rows of text and what the real server makes of it. */
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define QUANTITY_FORMAT "quantities must match the regular expression " \
                        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define QUANTITY_SUFFIX "unable to parse quantity's suffix"

static void expect(slice got, const char *from, const char *want) {
  if (!slice_is(got, want)) fail_msg("%s: got %.*s, want %s", from, SLICE_ARG(got), want);
}

static void quantities(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"0", "0"}, {"0.0", "0"}, {"0Ki", "0"}, {"1.0", "1"}, {"0.5", "500m"}, {"1.500", "1.500"},
      {".5", "500m"}, {"+1", "+1"}, {"+5Gi", "+5Gi"}, {"005Gi", "005Gi"}, {"1024Mi", "1Gi"},
      {"1536Mi", "1536Mi"}, {"0.5Gi", "512Mi"}, {"1.1Ki", "1126400m"}, {"1e3", "1e3"},
      {"100e-1", "10"}, {"0.0000000001", "1n"}, {"-0.0000000001", "-1n"}, {"1000k", "1M"},
      {"1000E", "1"}, {"16Ei", "9223372036854775807"}, {"8Ei", "9223372036854775807"},
      {"9223372036854775808", "9223372036854775808"}, {"0.123456789", "123456789n"},
      {"0.1234567891", "123456790n"}, {" 1 ", "1"}, {"512Ki", "512Ki"}, {"1000n", "1u"},
      {"100000000000000000000000000000000", "100"},
      {"", QUANTITY_FORMAT}, {"x", QUANTITY_FORMAT}, {"1.1.1", QUANTITY_FORMAT},
      {"1e", QUANTITY_SUFFIX}, {"1ee3", QUANTITY_SUFFIX}, {"1m1", QUANTITY_SUFFIX},
      {"++1", QUANTITY_SUFFIX},
  };
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice out = SLICE_NONE;
    quantity_canonical(a, slice_cstr(rows[i][0]), &out, &out);
    expect(out, rows[i][0], rows[i][1]);
  }
  arena_destroy(a);
}

static void quantity_arithmetic(void **state) {
  (void)state;
  arena *a = arena_create();
  assert_int_equal(quantity_cmp(SLICE_LIT("1Gi"), SLICE_LIT("1024Mi")), 0);
  assert_int_equal(quantity_cmp(SLICE_LIT("1"), SLICE_LIT("1001m")), -1);
  assert_int_equal(quantity_cmp(SLICE_LIT("-1"), SLICE_LIT("-2")), 1);
  assert_int_equal(quantity_cmp(SLICE_LIT("1e1000"), SLICE_LIT("1Ei")), 1);
  assert_int_equal(quantity_cmp(SLICE_LIT("0"), SLICE_LIT("-1n")), 1);
  expect(quantity_add(a, SLICE_LIT("1Gi"), SLICE_LIT("512Mi")), "add", "1536Mi");
  expect(quantity_add(a, SLICE_LIT("500m"), SLICE_LIT("500m")), "add", "1");
  expect(quantity_add(a, SLICE_LIT("0"), SLICE_LIT("1Ki")), "add", "1Ki");
  expect(quantity_add(a, SLICE_LIT("999"), SLICE_LIT("1n")), "add", "999000000001n");
  expect(quantity_sub(a, SLICE_LIT("1"), SLICE_LIT("1500m")), "sub", "-500m");
  expect(quantity_sub(a, SLICE_LIT("1Mi"), SLICE_LIT("1Mi")), "sub", "0");
  expect(quantity_sub(a, SLICE_LIT("1000"), SLICE_LIT("1")), "sub", "999");
  assert_int_equal(quantity_value(SLICE_LIT("1500m")), 2);
  assert_int_equal(quantity_value(SLICE_LIT("1n")), 1);
  assert_int_equal(quantity_milli(SLICE_LIT("0.0001")), 1);
  assert_int_equal(quantity_milli(SLICE_LIT("1Ki")), 1024000);
  slice out;
  assert_true(quantity_from_i64(a, -12000, &out));
  expect(out, "from", "-12k");
  arena_destroy(a);
}

/* Those that the real server rounds up in a container's resources, zeros or not. */
static void below_milli(void **state) {
  (void)state;
  static const char *const below[] = {"12.345678", "1.500m", "1.000500", "100u", "1n", "1.5e-3"};
  static const char *const not_below[] = {"1e-0", "1.0e-2", "1e-3", "1m", "0.123", "1.5Ki", "1"};
  for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
    assert_true(quantity_is_below_milli(slice_cstr(below[i])));
  }
  for (size_t i = 0; i < sizeof not_below / sizeof *not_below; i++) {
    assert_false(quantity_is_below_milli(slice_cstr(not_below[i])));
  }
}

/* Past int64, as Go answers. */
static void quantities_overflow(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t value, milli;
  } rows[] = {
      {"1E", 1000000000000000000ll, 0ll},
      {"1e19", 0ll, 0ll},
      {"1e30", 0ll, 0ll},
      {"9223372036854775807", 9223372036854775807ll, -1000ll},
      {"9223372036854775808", INT64_MIN, 0ll},
      {"9223372036854775807Ki", 9223372036854775807ll, -1000ll},
      {"8Ei", 9223372036854775807ll, -1000ll},
      {"10Pi", 11258999068426240ll, -7187745005283311616ll},
      {"1.5Pi", 1688849860263936ll, 1688849860263936000ll},
      {"100000000000000001", 100000000000000001ll, 7766279631452242920ll},
      {"123456789012345678k", -5670419503621183312ll, -7269072992350965888ll},
      {"12345678901234567E", 0ll, 0ll},
      {"99999999999999999.999", 100000000000000000ll, 7766279631452241919ll},
      {"99999999999999999999", 7766279631452241919ll, 200376420520688664ll},
      {"99999999999999999999m", 100000000000000000ll, 7766279631452241919ll},
      {"123456789012345678901234567890", -4362896299872285998ll, 8982045596877734992ll},
      {"9000T", 9000000000000000ll, 9000000000000000000ll},
      {"9300T", 9300000000000000ll, 0ll},
      {"12345678901234567k", -6101065172474984616ll, 4807115922876968896ll},
      {"1e900", 0ll, 0ll},
      {"0.5Ei", 576460752303423488ll, 4611686018427387904ll},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    slice text = slice_cstr(rows[i].text);
    if (quantity_value(text) != rows[i].value || quantity_milli(text) != rows[i].milli) {
      fail_msg("%s: %lld %lld", rows[i].text, (long long)quantity_value(text),
               (long long)quantity_milli(text));
    }
  }
}

static void times(void **state) {
  (void)state;
#define AS " as \"2006-01-02T15:04:05Z07:00\": cannot parse "
  static const char *const rows[][2] = {
      {"2020-02-29T23:59:59Z", "2020-02-29T23:59:59Z"},
      {"2020-01-01T00:00:00+01:30", "2019-12-31T22:30:00Z"},
      {"1600-02-29T1:02:03.999Z", "1600-02-29T01:02:03Z"},
      {"x", "parsing time \"x\"" AS "\"x\" as \"2006\""},
      {"2020-01-01", "parsing time \"2020-01-01\"" AS "\"\" as \"T\""},
      {"2020-13-01T00:00:00Z", "parsing time \"2020-13-01T00:00:00Z\": month out of range"},
      {"2021-02-29T00:00:00Z", "parsing time \"2021-02-29T00:00:00Z\": day out of range"},
      {"2020-01-01T00:00:00Zx", "parsing time \"2020-01-01T00:00:00Zx\": extra text: \"x\""},
      {"2020-01-01T00:00:00", "parsing time \"2020-01-01T00:00:00\"" AS "\"\" as \"Z07:00\""},
      {"\xC3\xA9", "parsing time \"\\xc3\\xa9\"" AS "\"\\xc3\\xa9\" as \"2006\""},
  };
  arena *a = arena_create();
  slice out;
  int64_t seconds;
  int32_t nanos;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    time_canonical(a, slice_cstr(rows[i][0]), false, &out, &out);
    expect(out, rows[i][0], rows[i][1]);
  }
  assert_true(time_canonical(a, SLICE_LIT("0001-01-01T00:00:00Z"), false, &out, &out));
  assert_null(out.ptr);
  assert_true(time_canonical(a, SLICE_LIT("2020-01-01T00:00:00.1234567+00:00"), true, &out, &out) ==
              false);
  assert_true(time_parse(SLICE_LIT("1969-12-31T23:59:59.5Z"), &seconds, &nanos));
  assert_int_equal(seconds, -1);
  assert_int_equal(nanos, 500000000);
  expect(time_text(a, 951782400), "text", "2000-02-29T00:00:00Z");
  expect(time_text(a, -1), "text", "1969-12-31T23:59:59Z");
  expect(microtime_text(a, 1577836800123456789), "text", "2020-01-01T00:00:00.123456Z");
  expect(microtime_text(a, -1), "text", "1969-12-31T23:59:59.999999Z");
  arena_destroy(a);
}

/* The wire's own forms are read another way than all others: both ways give the same. */
static void times_of_the_wire(void **state) {
  (void)state;
  static const char *const bad[] = {
      "2020-00-01T00:00:00Z", "2020-01-00T00:00:00Z", "2020-01-32T00:00:00Z",
      "2021-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z",
      "2020-01-01T00:00:60Z", "2020-01-01 00:00:00Z", "202\xff-01-01T00:00:00Z",
      "2020-01-01T00:00:0:Z", "2020/01/01T00:00:00Z", "2020-01-01T00:00:00.00000:Z"};
  enum { STEP = 86400 * 17 + 3671 };
  int64_t first = -62167219200, last = 253402300800, seconds, again;
  int32_t nanos;
  for (int64_t at = first; at < last; at += STEP) {
    arena *a = arena_create();
    slice text = time_text(a, at), micro = microtime_text_at(a, at, 1002003000);
    slice zoned = arena_concat(a, slice_upto(text, 19), SLICE_LIT("+00:00"));
    assert_true(time_parse(text, &seconds, &nanos) && seconds == at && nanos == 0);
    assert_true(time_parse(zoned, &again, &nanos) && again == at);
    if (at + 1 < last) {
      assert_true(time_parse(micro, &seconds, &nanos) && seconds == at + 1 && nanos == 2003000);
    }
    arena_destroy(a);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_false(time_parse(slice_cstr(bad[i]), &seconds, &nanos));
  }
}

static void durations(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"0", "0s"}, {"1h", "1h0m0s"}, {"90m", "1h30m0s"}, {"1.5s", "1.5s"}, {"-1m1s", "-1m1s"},
      {"1us", "1\xC2\xB5s"}, {"1500us", "1.5ms"}, {"100ns", "100ns"}, {".5h", "30m0s"},
      {"2562047h47m16.854775807s", "2562047h47m16.854775807s"},
      {"", "time: invalid duration \"\""}, {"1", "time: missing unit in duration \"1\""},
      {"1x", "time: unknown unit \"x\" in duration \"1x\""}, {".s", "time: invalid duration \"."
             "s\""},
      {"9223372037s", "time: invalid duration \"9223372037s\""},
  };
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    slice out;
    duration_canonical(a, slice_cstr(rows[i][0]), &out, &out);
    expect(out, rows[i][0], rows[i][1]);
  }
  arena_destroy(a);
}

static void base64(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"", ""}, {"a", "YQ=="}, {"ab", "YWI="}, {"abc", "YWJj"},
                                        {"\xFF\xFE\xFD\xFC", "//79/A=="}};
  static const char *const bad[] = {"Y", "YQ", "YQ=", "YQ==x", "Y!==", "=YQ=", "YQ=a"};
  arena *a = arena_create();
  slice out;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    expect(base64_encode(a, slice_cstr(rows[i][0])), rows[i][0], rows[i][1]);
    assert_true(base64_decode(a, slice_cstr(rows[i][1]), &out));
    expect(out, rows[i][1], rows[i][0]);
  }
  assert_true(base64_decode(a, SLICE_LIT("YW\nI=\r\n"), &out));
  expect(out, "lines", "ab");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_false(base64_decode(a, slice_cstr(bad[i]), &out));
  }
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantities_overflow),
      cmocka_unit_test(below_milli),
      cmocka_unit_test(quantities), cmocka_unit_test(quantity_arithmetic), cmocka_unit_test(times),
      cmocka_unit_test(times_of_the_wire), cmocka_unit_test(durations), cmocka_unit_test(base64),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
