/* Rows of tables: each row is what the real server printed for the same object. */
#include "codec/codec.h"
#include "respond/table.h"
#include "respond/table_cell.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW 1795190400LL /* 2026-11-20T16:00:00Z */

typedef struct age_row {
  int64_t seconds;
  const char *text;
} age_row;

static const age_row ages[] = {
    {-5, "<invalid>"},    {-1, "0s"},          {0, "0s"},           {119, "119s"},
    {120, "2m"},          {599, "9m59s"},      {600, "10m"},        {10799, "179m"},
    {10800, "3h"},        {11160, "3h6m"},     {28800, "8h"},       {172799, "47h"},
    {172800, "2d"},       {176400, "2d1h"},    {691200, "8d"},      {63072000, "2y"},
    {63158400, "2y1d"},   {252288000, "8y"},
};

static void human_ages(void **state) {
  (void)state;
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
    slice text = human_duration(a, ages[i].seconds);
    assert_string_equal(arena_cstr(a, text), ages[i].text);
  }
  arena_destroy(a);
}

typedef struct print_row {
  const char *group, *version, *resource, *object, *cells;
} print_row;

#define CREATED "\"metadata\":{\"name\":\"x\",\"creationTimestamp\":\"2026-11-20T15:57:57Z\"}"

static const print_row prints[] = {
    {"", "v1", "pods",
     "{" CREATED ",\"spec\":{\"containers\":[{\"name\":\"c\"},{\"name\":\"d\"}],\"nodeName\""
     ":\"n\"},"
     "\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.0.0.9\"}],\"containerStatuses\":["
     "{\"name\":\"c\",\"ready\":true,\"restartCount\":2,\"state\":{\"running\":{}},\"lastState\":"
     "{\"terminated\":{\"finishedAt\":\"2026-11-20T15:59:50Z\"}}},"
     "{\"name\":\"d\",\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]}}",
     "[\"x\",\"1/2\",\"CrashLoopBackOff\",\"2 (10s ago)\",\"2m3s\",\"10.0.0.9\",\"n\",\"\\u0"
     "03cnone\\u003e\","
     "\"\\u003cnone\\u003e\"]"},
    {"", "v1", "services",
     "{" CREATED ",\"spec\":{\"type\":\"LoadBalancer\",\"clusterIPs\":[\"10.0.0.1\"],\"ports\":"
     "[{\"port\":80,\"nodePort\":30080,\"protocol\":\"TCP\"}],\"selector\":{\"b\":\"2\",\"a"
     "\":\"1\"}}}",
     "[\"x\",\"LoadBalancer\",\"10.0.0.1\",\"\\u003cpending\\u003e\",\"80:30080/TCP\",\"2m3s"
     "\",\"a=1,b=2\"]"},
    {"apps", "v1", "deployments",
     "{" CREATED ",\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"w\"},"
     "\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]}]},"
     "\"template\":"
     "{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"}]}}},\"status\":{\"readyR"
     "eplicas\":1}}",
     "[\"x\",\"1/3\",0,0,\"2m3s\",\"c\",\"i:1\",\"a in (x,y),app=w\"]"},
    {"rbac.authorization.k8s.io", "v1", "roles", "{" CREATED "}",
     "[\"x\",\"2026-11-20T15:57:57Z\"]"},
    {"", "v1", "resourcequotas",
     "{" CREATED ",\"status\":{\"hard\":{\"limits.cpu\":\"2\",\"pods\":\"10\"},\"used\":{\"p"
     "ods\":\"1\"}}}",
     "[\"x\",\"pods: 1/10\",\"limits.cpu: 0/2\",\"2m3s\"]"},
};

static slice cells_of(arena *a, const print_row *row) {
  slice error = SLICE_NONE;
  buf out;
  const resource_info *r = schema_resource(slice_cstr(row->group), slice_cstr(row->version),
                                           slice_cstr(row->resource));
  assert_non_null(r);
  val *obj = json_parse(a, slice_cstr(row->object), NULL, &error);
  assert_non_null(obj);
  obj = codec_conform(a, obj, r->type, NULL, &error);
  assert_non_null(obj);
  val *table = table_make(a, r, &obj, 1, NULL, INCLUDE_NONE, true, SLICE_LIT("v1"), NOW);
  assert_int_equal(val_len(val_getc(table, "columnDefinitions")), r->column_count);
  buf_init(&out, LIMIT_BUFFER);
  json_encode_any(&out, val_getc(val_at(val_getc(table, "rows"), 0), "cells"), false);
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static void printed_rows(void **state) {
  (void)state;
  int64_t at;
  int32_t nanos;
  assert_true(time_parse(SLICE_LIT("2026-11-20T16:00:00Z"), &at, &nanos) && at == NOW);
  for (size_t i = 0; i < sizeof prints / sizeof *prints; i++) {
    arena *a = arena_create();
    assert_string_equal(cells_of(a, &prints[i]).ptr, prints[i].cells);
    arena_destroy(a);
  }
}

/* Every listable resource has a row that fills its columns. */
static void all_resources(void **state) {
  (void)state;
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (r->column_count == 0) continue;
    arena *a = arena_create();
    val *obj = val_map(a);
    val *table = table_make(a, r, &obj, 1, NULL, INCLUDE_METADATA, true, SLICE_LIT("v1"), NOW);
    uint32_t cells = val_len(val_getc(val_at(val_getc(table, "rows"), 0), "cells"));
    bool one_more = slice_is(r->kind, "IPAddress"); /* as the real server's */
    assert_int_equal(cells, r->column_count + one_more);
    arena_destroy(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(human_ages),
      cmocka_unit_test(printed_rows),
      cmocka_unit_test(all_resources),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
