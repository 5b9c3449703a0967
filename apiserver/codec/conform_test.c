/* Typing: every row is a body and what the real server (v1.36) said to it, or stored. */
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

typedef struct row {
  const char *group, *version, *kind, *body, *want;
} row;

/* The encoding, the error, or the strict report's items joined by ", " (unless `lax`). */
static slice outcome(arena *a, const row *r, bool lax) {
  slice error = SLICE_NONE, text = SLICE_NONE;
  strict_report report = {0};
  const kind_info *k = schema_kind(slice_cstr(r->group), slice_cstr(r->version),
      slice_cstr(r->kind));
  assert_non_null(k);
  val *v = json_parse(a, slice_cstr(r->body), &report, &error);
  assert_non_null(v);
  v = codec_conform(a, v, k->type, &report, &error);
  if (!v) return error;
  for (uint32_t i = 0; i < report.count; i++) {
    text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), i ? ", " : "",
        SLICE_ARG(report.items[i]));
  }
  if (report.count && !lax) return text;
  buf out;
  buf_init(&out, 1 << 20);
  json_encode(&out, v, k->type);
  text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static void check(const row *rows, size_t n, bool lax) {
  for (size_t i = 0; i < n; i++) {
    arena *a = arena_create();
    slice got = outcome(a, &rows[i], lax);
    if (!slice_is(got, rows[i].want)) {
      fail_msg("%s\ngot  %.*s\nwant %s", rows[i].body, SLICE_ARG(got), rows[i].want);
    }
    arena_destroy(a);
  }
}

#define CHECK(rows) check((rows), sizeof(rows) / sizeof((rows)[0]), false)
#define CHECK_LAX(rows) check((rows), sizeof(rows) / sizeof((rows)[0]), true)
#define DEPLOYMENT "apps", "v1", "Deployment"
#define POD "", "v1", "Pod"
#define CRD "apiextensions.k8s.io", "v1", "CustomResourceDefinition"
#define INTO "json: cannot unmarshal "

static void kinds_that_do_not_fit(void **state) {
  (void)state;
  static const row rows[] = {
      {DEPLOYMENT, "{\"spec\":{\"replicas\":\"x\"}}",
       INTO "string into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {DEPLOYMENT, "{\"spec\":{\"replicas\":1.50,\"x\":1}}",
       INTO "number 1.50 into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {DEPLOYMENT, "{\"spec\":{\"replicas\":99999999999}}",
       INTO "number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {DEPLOYMENT, "{\"spec\":{\"template\":{\"spec\":{\"containers\":{}}}}}",
       INTO "object into Go struct field PodSpec.spec.template.spec.containers of type "
            "[]v1.Container"},
      {DEPLOYMENT, "{\"spec\":5}",
       INTO "number into Go struct field Deployment.spec of type v1.DeploymentSpec"},
      {DEPLOYMENT, "{\"metadata\":{\"labels\":{\"a\":1}}}",
       INTO "number into Go struct field ObjectMeta.metadata.labels of type string"},
      {DEPLOYMENT, "{\"metadata\":{\"creationTimestamp\":5}}",
       INTO "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"},
      {POD, "{\"spec\":{\"volumes\":[{\"hostPath\":1}]}}",
       INTO "number into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type "
            "v1.HostPathVolumeSource"},
      {POD, "{\"spec\":{\"containers\":[{\"livenessProbe\":{\"httpGet\":{\"port\":1.5}}}]}}",
       INTO "number 1.5 into Go struct field "
            "HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32"},
      {POD, "{\"spec\":{\"containers\":[{\"imagePullPolicy\":1}]}}",
       INTO "number into Go struct field Container.spec.containers.imagePullPolicy of type "
            "v1.PullPolicy"},
      {"", "v1", "Secret", "{\"data\":{\"a\":1}}",
       INTO "number into Go struct field Secret.data of type []uint8"},
      {"", "v1", "Secret", "{\"data\":{\"a\":\"xx=x\"}}", "illegal base64 data at input byte 2"},
      {POD, "[]", INTO "array into Go value of type v1.Pod"},
      /* a hand-written decoder's refusal wins over what was noted before it */
      {DEPLOYMENT, "{\"spec\":{\"replicas\":\"x\"},\"metadata\":{\"creationTimestamp\":\"x\"}}",
       "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""},
      {CRD, "{\"spec\":{\"versions\":[{\"schema\":{\"openAPIV3Schema\":"
            "{\"additionalProperties\":\"x\"}}}]}}",
       "boolean or JSON schema expected"},
      {CRD, "{\"spec\":{\"versions\":[{\"schema\":{\"openAPIV3Schema\":"
            "{\"items\":{\"type\":1}}}}]}}",
       INTO "number into Go struct field "
            "JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items.type of type string"},
  };
  CHECK(rows);
}

static void strict_reports(void **state) {
  (void)state;
  static const row rows[] = {
      {DEPLOYMENT,
       "{\"foo\":1,\"spec\":{\"replicas\":1,\"replicas\":2,\"a\":1,\"template\":{\"b\":{\"c\":1,"
       "\"c\":2}},\"selector\":{\"matchLabels\":{\"x\":\"y\",\"x\":\"z\"}},\"selector\":{}}}",
       "unknown field \"foo\", duplicate field \"spec.replicas\", unknown field \"spec.a\", "
       "unknown field \"spec.template.b\", duplicate field \"spec.selector.matchLabels.x\", "
       "duplicate field \"spec.selector\""},
      {POD, "{\"spec\":{\"containers\":[{},{\"x\":1,\"X\":2,\"x\":3}]},\"Spec\":{}}",
       "unknown field \"spec.containers[1].x\", unknown field \"spec.containers[1].X\", "
       "unknown field \"Spec\""},
      {POD, "{\"spec\":{\"a\\\"b\":1,\"\\u2028\":1,\"\":1}}",
       "unknown field \"spec.a\\\"b\", unknown field \"spec.\\u2028\", unknown field \"spec.\""},
  };
  CHECK(rows);
}

#define JOB_SPEC(text) \
  "{\"metadata\":{},\"spec\":{" text "\"template\":{\"metadata\":{},\"spec\":" \
                       "{\"containers\":null}}},\"status\":{}}"
#define JOB "batch", "v1", "Job"

/* A later value is read into the earlier one. */
static void repeated_fields(void **state) {
  (void)state;
  static const row rows[] = {
      {JOB, "{\"spec\":{\"parallelism\":3,\"backoffLimit\":1},\"spec\":{\"parallelism\":4}}",
       JOB_SPEC("\"parallelism\":4,\"backoffLimit\":1,")},
      {JOB, "{\"spec\":{\"parallelism\":3,\"parallelism\":null}}", JOB_SPEC("")},
      {JOB, "{\"spec\":{\"completions\":2},\"spec\":null}", JOB_SPEC("\"completions\":2,")},
      {JOB, "{\"spec\":{\"parallelism\":[],\"parallelism\":1}}",
       INTO "array into Go struct field JobSpec.spec.parallelism of type int32"},
      {JOB, "{\"metadata\":{\"labels\":{\"a\":1,\"a\":\"b\"}}}",
       INTO "number into Go struct field ObjectMeta.metadata.labels of type string"},
      {POD, "{\"metadata\":{\"deletionTimestamp\":\"0001-01-01T00:00:00Z\"}}",
       "{\"metadata\":{\"deletionTimestamp\":null},\"spec\":{\"containers\":null},"
       "\"status\":{}}"},
  };
  CHECK_LAX(rows);
}

static void canonical_trees(void **state) {
  (void)state;
  static const row rows[] = {
      {POD, "{\"foo\":null,\"spec\":{\"nodeName\":\"\",\"containers\":[{\"image\":\"b\",\"name"
             "\":\"a\","
            "\"env\":[],\"resources\":{\"limits\":{\"memory\":\"1024Mi\",\"cpu\":0.5}}}]},"
            "\"metadata\":{\"labels\":{\"b\":\"1\",\"a\":null}}}", "unknown field \"foo\""},
      {POD, "{\"spec\":{\"nodeName\":\"\",\"containers\":[{\"image\":\"b\",\"name\":\"a\",\"en"
             "v\":[],"
            "\"resources\":{\"limits\":{\"memory\":\"1024Mi\",\"cpu\":0.5}}}]},"
            "\"metadata\":{\"labels\":{\"b\":\"1\",\"a\":null}}}",
       "{\"metadata\":{\"labels\":{\"a\":\"\",\"b\":\"1\"}},\"spec\":{\"containers\":[{\"name\""
       ":\"a\","
       "\"image\":\"b\",\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Gi\"}}}]},"
       "\"status\":{}}"},
      {DEPLOYMENT, "{}",
       "{\"metadata\":{},\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":"
       "{\"containers\":null}},\"strategy\":{}},\"status\":{}}"},
      {"rbac.authorization.k8s.io", "v1", "ClusterRole",
       "{\"rules\":[null,{\"verbs\":[\"get\",null],\"apiGroups\":null}]}",
       "{\"metadata\":{},\"rules\":[{\"verbs\":null},{\"verbs\":[\"get\",\"\"]}]}"},
      {"", "v1", "Secret", "{\"data\":{\"a\":\"eHh4\\neA==\",\"b\":[120],\"c\":null,\"d\":\"\"}}",
       "{\"metadata\":{},\"data\":{\"a\":\"eHh4eA==\",\"b\":\"eA==\",\"c\":null,\"d\":\"\"}}"},
      {"coordination.k8s.io", "v1", "Lease",
       "{\"metadata\":{\"creationTimestamp\":\"2020-01-01T01:00:00.9+01:00\"},"
       "\"spec\":{\"renewTime\":\"2020-01-01T00:00:00.123456Z\"}}",
       "{\"metadata\":{\"creationTimestamp\":\"2020-01-01T00:00:00Z\"},"
       "\"spec\":{\"renewTime\":\"2020-01-01T00:00:00.123456Z\"}}"},
      {CRD, "{\"spec\":{\"versions\":[{\"schema\":{\"openAPIV3Schema\":{\"items\":{\"x\":1,"
            "\"type\":\"a\"},\"default\":{\"z\":1.0,\"a\":\"<\"}}}}]}}",
       "{\"metadata\":{},\"spec\":{\"group\":\"\",\"names\":{\"plural\":\"\",\"kind\":\"\"},"
       "\"scope\":\"\",\"versions\":[{\"name\":\"\",\"served\":false,\"storage\":false,\"schema\":"
       "{\"openAPIV3Schema\":{\"default\":{\"z\":1.0,\"a\":\"\\u003c\"},\"items\":{\"type\":\""
       "a\"}}}}]},"
       "\"status\":{\"conditions\":null,\"acceptedNames\":{\"plural\":\"\",\"kind\":\"\"},"
       "\"storedVersions\":null}}"},
  };
  CHECK(rows);
}

static void a_field_given_twice_is_merged(void **state) {
  (void)state;
  arena *a = arena_create();
  strict_report report = {0};
  slice error = SLICE_NONE;
  const type_info *t = schema_kind(SLICE_LIT("apps"), SLICE_LIT("v1"), SLICE_LIT("Deploymen"
  "t"))->type;
  val *v = json_parse(a, SLICE_LIT("{\"spec\":{\"replicas\":1},\"spec\":{\"paused\":true}}"),
      &report,
                      &error);
  v = codec_conform(a, v, t, &report, &error);
  assert_int_equal(val_i64(val_path(v, "spec.replicas")), 1);
  assert_true(val_true(val_path(v, "spec.paused")));
  assert_int_equal(report.count, 1);
  arena_destroy(a);
}

static void any_order_is_encoded_in_schema_order(void **state) {
  (void)state;
  arena *a = arena_create();
  buf out;
  val *v = val_map(a), *meta = val_map(a);
  val_setc(a, v, "spec", val_map(a));
  val_setc(a, v, "metadata", meta);
  val_setc(a, meta, "namespace", val_cstr(a, "b"));
  val_setc(a, meta, "name", val_cstr(a, "a"));
  buf_init(&out, 4096);
  json_encode(&out, v, schema_kind(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("Namespace"))->type);
  assert_true(slice_is(buf_slice(&out), "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"},"
                                        "\"spec\":{},\"status\":{}}"));
  buf_dispose(&out);
  arena_destroy(a);
}

static void deep_schemas_need_no_stack(void **state) {
  (void)state;
  arena *a = arena_create();
  buf text;
  slice error = SLICE_NONE;
  buf_init(&text, 1 << 20);
  buf_lit(&text, "{\"spec\":{\"versions\":[{\"schema\":{\"openAPIV3Schema\":");
  for (int i = 0; i < 4990; i++) buf_lit(&text, "{\"properties\":{\"a\":");
  buf_lit(&text, "{\"type\":1}");
  for (int i = 0; i < 4990; i++) buf_lit(&text, "}}");
  buf_lit(&text, "}}]}}");
  val *v = json_parse(a, buf_slice(&text), NULL, &error);
  assert_non_null(v);
  const type_info *t = schema_kind(SLICE_LIT("apiextensions.k8s.io"), SLICE_LIT("v1"),
                                   SLICE_LIT("CustomResourceDefinition"))->type;
  assert_null(codec_conform(a, v, t, NULL, &error));
  assert_true(slice_has_suffix(error, SLICE_LIT("properties.properties.type of type string")));
  buf_dispose(&text);
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_that_do_not_fit),
      cmocka_unit_test(strict_reports),
      cmocka_unit_test(repeated_fields),
      cmocka_unit_test(canonical_trees),
      cmocka_unit_test(a_field_given_twice_is_merged),
      cmocka_unit_test(any_order_is_encoded_in_schema_order),
      cmocka_unit_test(deep_schemas_need_no_stack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
