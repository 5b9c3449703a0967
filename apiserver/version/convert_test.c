/* Every recorded object (testdata/conversion, made by testdata/record_conversion.py) in both of
 * its served forms: each must convert to the other. Field labels and deprecations beside. */
#include "codec/codec.h"
#include "version/version.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define FOLDER "apiserver/version/testdata/conversion/"

static slice file_read(arena *a, const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) return SLICE_NONE;
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  size_t n = (size_t)ftell(f);
  rewind(f);
  char *bytes = arena_alloc(a, n + 1);
  assert_int_equal(fread(bytes, 1, n, f), n);
  fclose(f);
  return slice_of(bytes, n);
}

static const resource_info *resource_find(const val *v) {
  slice group, version, api = val_get_str(v, "apiVersion");
  schema_version_cut(api, &group, &version);
  return schema_resource_of_kind(group, version, val_get_str(v, "kind"));
}

static bool same_json(const char *name, const val *got, const val *want, const type_info *t) {
  buf x, y;
  buf_init(&x, 1 << 20);
  buf_init(&y, 1 << 20);
  json_encode(&x, got, t);
  json_encode(&y, want, t);
  bool same = slice_eq(buf_slice(&x), buf_slice(&y));
  if (!same) {
    print_message("%s\n  got  %.*s\n  want %.*s\n", name, SLICE_ARG(buf_slice(&x)),
                  SLICE_ARG(buf_slice(&y)));
  }
  buf_dispose(&x);
  buf_dispose(&y);
  return same;
}

static val *typed(arena *a, const val *file, const char *side, const resource_info **r) {
  slice error;
  val *v = val_copy(a, val_getc(file, side));
  *r = resource_find(v);
  assert_non_null(*r);
  v = codec_conform(a, v, (*r)->type, NULL, &error);
  assert_non_null(v);
  return v;
}

/* from -> storage -> to. */
static bool converts(arena *a, const char *name, const val *file, const char *from,
                     const char *to) {
  const resource_info *from_r, *to_r;
  val *start = typed(a, file, from, &from_r), *want = typed(a, file, to, &to_r);
  val *stored = version_to_storage(a, start, from_r);
  return same_json(name, version_from_storage(a, stored, to_r), want, to_r->type);
}

/* v1 keeps neither the place of the CPU among the metrics nor the lack of a raw value. */
static bool loses(const char *name) {
  return strcmp(name, "hpa_v2_all.json") == 0 || strncmp(name, "hpa_v1_cpu", 10) == 0;
}

static bool is_storage(arena *a, const val *file, const char *side) {
  const resource_info *r;
  typed(a, file, side, &r);
  return version_is_storage(r);
}

static void test_recorded(void **state) {
  (void)state;
  DIR *d = opendir(FOLDER);
  assert_non_null(d);
  int cases = 0, bad = 0;
  for (struct dirent *e; (e = readdir(d));) {
    char path[512];
    slice error;
    if (!slice_has_suffix(slice_cstr(e->d_name), SLICE_LIT(".json"))) continue;
    arena *a = arena_create();
    snprintf(path, sizeof path, FOLDER "%s", e->d_name);
    const val *file = json_parse(a, file_read(a, path), NULL, &error);
    assert_non_null(file);
    bool stored = is_storage(a, file, "one"), lossy = loses(e->d_name);
    if (stored || !lossy) bad += !converts(a, e->d_name, file, "one", "other");
    if (!stored || !lossy) bad += !converts(a, e->d_name, file, "other", "one");
    cases++;
    arena_destroy(a);
  }
  closedir(d);
  assert_true(cases >= 7);
  assert_int_equal(bad, 0);
}

/* Annotations that are no JSON, or JSON of another shape, must do no harm. */
static void test_bad_annotations(void **state) {
  (void)state;
  static const char *const texts[] = {"", "[", "{}", "[1,[],{}]", "[{\"pods\":3}]", "null",
                                      "[{\"pods\":{\"metricName\":null}}]",
                                      "{\"ScaleUp\":{\"Policies\":[[[[[[[[[[1]]]]]]]]]]}}"};
  static const char *const names[] = {"metrics", "current-metrics", "conditions", "behavior"};
  const resource_info *r = schema_resource(SLICE_LIT("autoscaling"), SLICE_LIT("v1"),
                                           SLICE_LIT("horizontalpodautoscalers"));
  for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
    arena *a = arena_create();
    val *obj = val_map(a);
    val *notes = val_ensure_map(a, val_ensure_map(a, obj, "metadata"), "annotations");
    for (int n = 0; n < 4; n++) {
      slice key = arena_printf(a, "autoscaling.alpha.kubernetes.io/%s", names[n]);
      val_set(a, notes, key, val_cstr(a, texts[t]));
    }
    val *v2 = version_to_storage(a, obj, r);
    assert_true(val_len(val_path(v2, "spec.metrics")) > 0);
    assert_non_null(version_from_storage(a, v2, r));
    arena_destroy(a);
  }
}

static const struct label_case {
  const char *group, *resource, *label, *json, *want; /* want NULL: not known */
} label_cases[] = {
    {"", "pods", "spec.nodeName", "{\"spec\":{\"nodeName\":\"n\"}}", "n"},
    {"", "pods", "spec.host", "{\"spec\":{\"nodeName\":\"n\"}}", "n"},
    {"", "pods", "spec.hostNetwork", "{}", "false"},
    {"", "pods", "status.podIP", "{\"status\":{\"podIPs\":[{\"ip\":\"1.2.3.4\"}]}}", "1.2.3.4"},
    {"", "pods", "status.podIPs", "{\"status\":{\"podIPs\":[{\"ip\":\"1.2.3.4\"}]}}", ""},
    {"", "pods", "spec.foo", "{}", NULL},
    {"", "nodes", "metadata.namespace", "{}", NULL},
    {"", "nodes", "spec.unschedulable", "{\"spec\":{\"unschedulable\":true}}", "true"},
    {"", "configmaps", "metadata.name", "{\"metadata\":{\"name\":\"a\"}}", "a"},
    {"", "configmaps", "data", "{}", NULL},
    {"", "events", "source", "{\"reportingComponent\":\"r\"}", "r"},
    {"", "events", "source", "{\"source\":{\"component\":\"c\"}}", "c"},
    {"batch", "jobs", "status.successful", "{}", "0"},
    {"apps", "replicasets", "status.replicas", "{}", NULL},
    {"certificates.k8s.io", "certificatesigningrequests", "spec.signerName",
     "{\"spec\":{\"signerName\":\"s\"}}", "s"},
    {"events.k8s.io", "events", "regarding.name", "{\"involvedObject\":{\"name\":\"x\"}}", "x"},
    {"events.k8s.io", "events", "involvedObject.name", "{}", NULL},
};

static void test_field_labels(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof label_cases / sizeof *label_cases; i++) {
    const struct label_case *c = &label_cases[i];
    arena *a = arena_create();
    slice error, label = slice_cstr(c->label);
    const resource_info *r =
        schema_resource(slice_cstr(c->group), SLICE_LIT("v1"), slice_cstr(c->resource));
    assert_non_null(r);
    assert_int_equal(version_field_label_known(r, label), c->want != NULL);
    const val *obj = json_parse(a, slice_cstr(c->json), NULL, &error);
    slice got = version_field_label_value(a, r, obj, label);
    if (c->want && !slice_is(got, c->want)) fail_msg("%s: %.*s", c->label, SLICE_ARG(got));
    if (!c->want) assert_true(version_field_label_error(a, r, label).len > 0);
    arena_destroy(a);
  }
}

static void test_deprecation(void **state) {
  (void)state;
  const resource_info *endpoints =
      schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("endpoints"));
  const resource_info *pods = schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("pods"));
  arena *a = arena_create();
  assert_true(version_deprecation(a, endpoints).len > 0);
  assert_true(version_deprecation(a, pods).len == 0);
  const resource_info *claims = schema_resource(SLICE_LIT("resource.k8s.io"), SLICE_LIT("v1beta1"),
                                                SLICE_LIT("resourceclaims"));
  assert_true(slice_is(version_deprecation(a, claims),
                       "resource.k8s.io/v1beta1 ResourceClaim is deprecated in v1.35+, unavailable "
                       "in v1.38+"));
  arena_destroy(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recorded),
      cmocka_unit_test(test_bad_annotations),
      cmocka_unit_test(test_field_labels),
      cmocka_unit_test(test_deprecation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
