/* Every input that a fuzzer once found, and the seeds, through every target, without libFuzzer: so
 * that any compiler's build keeps what was mended. The canary has no part in it. */
#include "fuzz/fuzz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

typedef int (*fuzz_fn)(const uint8_t *data, size_t size);
#define FUZZ_TARGETS(X)                                                                         \
  X(json) X(yaml) X(proto) X(cbor) X(quantity) X(label_selector) X(field_selector) X(time)              \
  X(continue_token) X(json_patch) X(merge_patch) X(strategic_patch) X(apply) X(http1) \
  X(http2) X(etcd_face)                                                                        \
  X(crd_schema) X(api_scenario)
#define X(name) int fuzz_target_##name(const uint8_t *data, size_t size);
FUZZ_TARGETS(X)
#undef X

#define INPUT_MAX ((size_t)1 << 20)

static void run_file(fuzz_fn target, const char *path) {
  static uint8_t bytes[INPUT_MAX];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  target(bytes, n);
}

static int run_folder(fuzz_fn target, const char *folder, const char *name) {
  char path[512];
  int count = 0;
  snprintf(path, sizeof path, "fuzz/%s/%s", folder, name);
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "fuzz/%s/%s/%s", folder, name, e->d_name);
    run_file(target, path);
    count++;
  }
  if (dir) closedir(dir);
  return count;
}

#define X(name)                                                         \
  static void test_##name(void **state) {                               \
    (void)state;                                                        \
    assert_true(run_folder(fuzz_target_##name, "corpus", #name) > 0);          \
    run_folder(fuzz_target_##name, "regression", #name);                       \
  }
FUZZ_TARGETS(X)
#undef X

int main(void) {
#define X(name) cmocka_unit_test(test_##name),
  const struct CMUnitTest tests[] = {FUZZ_TARGETS(X)};
#undef X
  return cmocka_run_group_tests(tests, NULL, NULL);
}
