/* The choice of forms: each row is what the real server answered to the same header. */
#include "codec/media.h"
#include "codec/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct accept_row {
  const char *accept;
  bool good;
  body_format format;
  body_as as;
} accept_row;

#define TABLE_V1 ";as=Table;v=v1;g=meta.k8s.io"
#define PROTO "application/vnd.kubernetes.protobuf"

static const accept_row accepts[] = {
    {"", true, FORMAT_JSON, AS_OBJECT},
    {"*/*", true, FORMAT_JSON, AS_OBJECT},
    {"*", true, FORMAT_JSON, AS_OBJECT},
    {"application/*", true, FORMAT_JSON, AS_OBJECT},
    {"text/html", false, FORMAT_JSON, AS_OBJECT},
    {"application/cbor", false, FORMAT_JSON, AS_OBJECT},
    {"application/yaml", true, FORMAT_YAML, AS_OBJECT},
    {"text/html,application/yaml;q=0.1", true, FORMAT_YAML, AS_OBJECT},
    {"application/json;q=0.5," PROTO, true, FORMAT_PROTOBUF, AS_OBJECT},
    {"*/*;q=0.9,application/yaml;q=0.1", true, FORMAT_YAML, AS_OBJECT},
    {"application/json" TABLE_V1 ",application/json", true, FORMAT_JSON, AS_TABLE},
    {PROTO TABLE_V1, false, FORMAT_JSON, AS_OBJECT},
    {PROTO TABLE_V1 ",application/json", true, FORMAT_JSON, AS_OBJECT},
    {PROTO ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io", true, FORMAT_PROTOBUF, AS_PARTIAL},
    {"application/json;as=Table", false, FORMAT_JSON, AS_OBJECT},
    {"application/json;as=Table;g=meta.k8s.io;v=v2", false, FORMAT_JSON, AS_OBJECT},
    {"application/json;as=Foo;g=meta.k8s.io;v=v1", false, FORMAT_JSON, AS_OBJECT},
    {"application/yaml" TABLE_V1, true, FORMAT_YAML, AS_TABLE},
    {"application/json;stream=watch", true, FORMAT_JSON, AS_OBJECT},
    {"application/json;stream=foo", false, FORMAT_JSON, AS_OBJECT},
    {"application/json;a=b=c;pretty=1", true, FORMAT_JSON, AS_OBJECT},
};

static void output_forms(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
    const accept_row *row = &accepts[i];
    arena *a = arena_create();
    status_error err = {0};
    output_form out;
    media_request rq = {.accept = slice_cstr(row->accept), .formats = MEDIA_SET_BUILTIN,
                        .tables = true};
    bool good = media_output(a, &rq, &out, &err);
    if (good != row->good) fail_msg("%s", row->accept);
    if (good && (out.format != row->format || out.as != row->as)) fail_msg("%s", row->accept);
    if (!good) {
      assert_int_equal(status_error_code(&err), 406);
      assert_string_equal(err.message.ptr,
                          "only the following media types are accepted: application/json, "
                          "application/yaml, application/vnd.kubernetes.protobuf");
    }
    arena_destroy(a);
  }
}

static void pretty_rule(void **state) {
  (void)state;
  arena *a = arena_create();
  status_error err = {0};
  output_form out;
  media_request rq = {.user_agent = SLICE_LIT("curl/8"), .formats = MEDIA_SET_BUILTIN};
  assert_true(media_output(a, &rq, &out, &err) && out.pretty);
  rq.pretty = SLICE_LIT("false");
  assert_true(media_output(a, &rq, &out, &err) && !out.pretty);
  rq.user_agent = SLICE_LIT("kubectl/1.36");
  rq.pretty = SLICE_LIT("1");
  assert_true(media_output(a, &rq, &out, &err) && out.pretty);
  rq.accept = SLICE_LIT("application/yaml");
  assert_true(media_output(a, &rq, &out, &err) && !out.pretty);
  arena_destroy(a);
}

static void watches(void **state) {
  (void)state;
  arena *a = arena_create();
  status_error err = {0};
  output_form out;
  media_request rq = {.accept = SLICE_LIT(PROTO ";stream=watch"), .formats = MEDIA_SET_BUILTIN};
  assert_true(media_watch(a, &rq, &out, &err));
  assert_true(slice_is(out.content_type, PROTO ";stream=watch"));
  rq.accept = SLICE_LIT("application/yaml");
  assert_false(media_watch(a, &rq, &out, &err));
  assert_string_equal(err.message.ptr,
                      "only the following media types are accepted: application/json;stream=watch,"
                      " application/vnd.kubernetes.protobuf;stream=watch");
  media_error(a, &rq, &out);
  assert_int_equal(out.format, FORMAT_YAML);
  rq.accept = SLICE_LIT("text/html");
  media_error(a, &rq, &out);
  assert_true(out.raw && out.format == FORMAT_JSON);
  arena_destroy(a);
}

typedef struct type_row {
  const char *header;
  int code; /* 0: taken */
  int what; /* body_format or patch_kind */
} type_row;

static const type_row bodies[] = {
    {"", 0, FORMAT_JSON},
    {"application/json; charset=utf-8", 0, FORMAT_JSON},
    {"Application/JSON;", 0, FORMAT_JSON},
    {"application/json; charset", 415, 0},
    {"application/json; a=1; a=2", 415, 0},
    {"application/json; a=1; A=1", 0, FORMAT_JSON},
    {"application/json; a=\"x;y\"", 0, FORMAT_JSON},
    {"application/json, text/plain", 415, 0},
    {"application/yaml", 0, FORMAT_YAML},
    {PROTO, 0, FORMAT_PROTOBUF},
    {"text/plain", 415, 0},
};

static const type_row patches[] = {
    {"application/merge-patch+json; charset=utf-8", 0, PATCH_MERGE},
    {"application/json-patch+json", 0, PATCH_JSON},
    {"application/apply-patch+yaml", 0, PATCH_APPLY},
    {"application/strategic-merge-patch+json", 0, PATCH_STRATEGIC},
    {"application/merge-patch+json ; a=b", 415, 0},
    {"application/merge-patch+json, a/b", 415, 0},
};

static void content_types(void **state) {
  (void)state;
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    status_error err = {0};
    body_format format;
    bool good = media_body(a, slice_cstr(bodies[i].header), MEDIA_SET_BUILTIN, &format, &err);
    if (good != (bodies[i].code == 0)) fail_msg("%s", bodies[i].header);
    if (good) assert_int_equal(format, bodies[i].what);
  }
  for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
    status_error err = {0};
    patch_kind kind;
    bool cbor = false;
    slice header = slice_cstr(patches[i].header);
    bool good = media_patch(a, header, MEDIA_SET_BUILTIN, &kind, &cbor, &err);
    if (good != (patches[i].code == 0)) fail_msg("%s", patches[i].header);
    if (good) assert_int_equal(kind, patches[i].what);
  }
  arena_destroy(a);
}

static void router(void **state) {
  (void)state;
  arena *a = arena_create();
  status_error err = {0};
  assert_true(media_route(a, SLICE_NONE, SLICE_NONE, MEDIA_SET_BUILTIN, false, MEDIA_ROUTE_OBJECT,
                          &err));
  assert_true(media_route(a, SLICE_LIT("text/html, */*;q=0.1"), SLICE_NONE, MEDIA_SET_BUILTIN,
                          false, MEDIA_ROUTE_OBJECT, &err));
  assert_false(media_route(a, SLICE_LIT("text/html"), SLICE_NONE, MEDIA_SET_BUILTIN, false,
                           MEDIA_ROUTE_LIST, &err));
  assert_true(err.has_details);
  assert_string_equal(err.message.ptr,
                      "406: Not Acceptable\n\nAvailable representations: application/json, "
                      "application/yaml, application/vnd.kubernetes.protobuf, "
                      "application/json;stream=watch, "
                      "application/vnd.kubernetes.protobuf;stream=watch");
  err = (status_error){0};
  assert_true(media_route(a, SLICE_LIT("text/plain"), SLICE_NONE, MEDIA_SET_BUILTIN, false,
                          MEDIA_ROUTE_LOG, &err));
  assert_false(media_route(a, SLICE_LIT("image/png"), SLICE_NONE, MEDIA_SET_BUILTIN, false,
                           MEDIA_ROUTE_LOG, &err));
  assert_string_equal(err.message.ptr,
                      "406: Not Acceptable\n\nAvailable representations: text/plain, "
                      "application/json, application/yaml, application/vnd.kubernetes.protobuf");
  err = (status_error){0};
  assert_false(media_route(a, SLICE_NONE, SLICE_LIT("application/json"), MEDIA_SET_BUILTIN, true,
                           MEDIA_ROUTE_OBJECT, &err));
  assert_string_equal(err.message.ptr, "415: Unsupported Media Type");
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(output_forms),  cmocka_unit_test(pretty_rule), cmocka_unit_test(watches),
      cmocka_unit_test(content_types), cmocka_unit_test(router),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
