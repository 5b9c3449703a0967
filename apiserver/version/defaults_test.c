/* Every recorded case (testdata/defaults, made by testdata/record.py from a real server):
 * the object that was sent, defaulted here, must be what the real server stored, apart from
 * what is not defaulting (the rows below). */
#include "codec/codec.h"
#include "version/image_ref.h"
#include "version/version.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define FOLDER "apiserver/version/testdata/defaults/"

/* Set later on the write path: by admission, by strategies, by allocators. */
static const struct later {
  const char *kind, *path;
} later_rows[] = {
    {"Pod", "spec.priority"},
    {"Pod", "spec.preemptionPolicy"},
    {"Pod", "spec.tolerations"},
    {"Pod", "status"},
    {"Service", "spec.clusterIP"},
    {"Service", "spec.clusterIPs"},
    {"Service", "spec.ipFamilies"},
    {"Service", "spec.ipFamilyPolicy"},
    {"PersistentVolumeClaim", "metadata.finalizers"},
    {"PersistentVolume", "metadata.finalizers"},
    {"PersistentVolume", "status.lastPhaseTransitionTime"},
    {"Namespace", "spec"},
    {"Node", "spec.taints"},
    {"Deployment", "metadata.generation"},
    {"Job", "metadata.finalizers"},
    {"CSINode", "spec"}, /* an empty list comes back as null */
    {"CustomResourceDefinition", "status"},
    {"APIService", "status"},
    {"DaemonSet", "metadata.annotations"},
    {"PriorityLevelConfiguration", "status"},
    {"FlowSchema", "status"},
};

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

static void path_drop(val *v, slice path) {
  slice head, tail;
  if (!slice_cut(path, '.', &head, &tail)) val_del(v, path);
  else if (val_is_map(val_get(v, head))) path_drop(val_get(v, head), tail);
}

static void later_drop(val *v) {
  for (size_t i = 0; i < sizeof(later_rows) / sizeof(later_rows[0]); i++) {
    if (!slice_is(val_get_str(v, "kind"), later_rows[i].kind)) continue;
    path_drop(v, slice_cstr(later_rows[i].path));
  }
}

static const resource_info *resource_find(const val *v) {
  slice group, version, api = val_get_str(v, "apiVersion");
  schema_version_cut(api, &group, &version);
  return schema_resource_of_kind(group, version, val_get_str(v, "kind"));
}

static bool case_check(arena *a, const char *name) {
  char path[512];
  slice error;
  snprintf(path, sizeof path, FOLDER "%s", name);
  val *both = json_parse(a, file_read(a, path), NULL, &error);
  assert_non_null(both);
  const resource_info *r = resource_find(val_getc(both, "in"));
  assert_non_null(r);
  val *in = codec_conform(a, val_getc(both, "in"), r->type, NULL, &error);
  assert_non_null(in);
  version_default(a, in, r->type);
  val *out = codec_conform(a, val_getc(both, "out"), r->type, NULL, &error);
  assert_non_null(out);
  later_drop(in);
  later_drop(out);
  buf got, want;
  buf_init(&got, 1 << 20);
  buf_init(&want, 1 << 20);
  json_encode(&got, in, r->type);
  json_encode(&want, out, r->type);
  bool same = slice_eq(buf_slice(&got), buf_slice(&want));
  if (!same) {
    print_message("%s\n  got  %.*s\n  want %.*s\n", name, SLICE_ARG(buf_slice(&got)),
                  SLICE_ARG(buf_slice(&want)));
  }
  buf_dispose(&got);
  buf_dispose(&want);
  return same;
}

static void test_recorded(void **state) {
  (void)state;
  DIR *d = opendir(FOLDER);
  assert_non_null(d);
  int cases = 0, bad = 0;
  for (struct dirent *e; (e = readdir(d));) {
    if (!slice_has_suffix(slice_cstr(e->d_name), SLICE_LIT(".json"))) continue;
    arena *a = arena_create();
    bad += !case_check(a, e->d_name);
    cases++;
    arena_destroy(a);
  }
  closedir(d);
  assert_true(cases > 60);
  assert_int_equal(bad, 0);
}

static void test_images(void **state) {
  (void)state;
  static const struct {
    const char *image;
    bool latest;
  } rows[] = {{"nginx", true},     {"nginx:latest", true}, {"nginx:1", false}, {"", false},
              {"a/b/c", true},     {"A/b", true},          {"a/B", false},     {"x:y@z", false},
              {"x.io:80/a", true}, {"x.io:/a", false},     {"a/", false},      {"/a", false},
              {"a:", false},       {"@", false},           {":", false},       {"[::1]/a", true}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (image_ref_is_latest(slice_cstr(rows[i].image)) != rows[i].latest) {
      fail_msg("%s", rows[i].image);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recorded),
      cmocka_unit_test(test_images),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
