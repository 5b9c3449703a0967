/* Every object of the official corpus must survive decoding and encoding byte for byte. The
 * corpus is not ours to commit: APISIM_CORPUS names its folder, and without it nothing runs. */
#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_OUTPUT ((size_t)16 << 20)

static slice read_file(arena *a, const char *folder, const char *name) {
  slice path = arena_printf(a, "%s/%s", folder, name);
  FILE *file = fopen(path.ptr, "rb");
  assert_non_null(file);
  char *bytes = arena_alloc(a, 1 << 20);
  size_t n = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return slice_of(bytes, n);
}

static const type_info *type_of(const val *v) {
  slice group, version;
  slice api = val_get_str(v, "apiVersion");
  schema_version_cut(api, &group, &version);
  const kind_info *k = schema_kind(group, version, val_get_str(v, "kind"));
  return k ? k->type : NULL;
}

static bool check(slice want, slice got, const char *name, const char *what) {
  while (want.len && want.ptr[want.len - 1] == '\n') want.len--;
  while (got.len && got.ptr[got.len - 1] == '\n') got.len--;
  if (slice_eq(want, got)) return true;
  size_t i = 0;
  while (i < want.len && i < got.len && want.ptr[i] == got.ptr[i]) i++;
  size_t from = i > 60 ? i - 60 : 0;
  print_error("%s (%s) at %zu:\n  want ...%.120s\n  got  ...%.*s\n", name, what, i, want.ptr + from,
              (int)(got.len - from < 120 ? got.len - from : 120), got.ptr + from);
  return false;
}

static bool round_trip_json(arena *a, const char *name, slice text, bool *known) {
  buf out, pretty;
  slice error = SLICE_NONE;
  strict_report report = {0};
  val *v = json_parse(a, text, &report, &error);
  *known = false;
  if (!v) print_error("%s: %.*s\n", name, SLICE_ARG(error));
  if (!v) return false;
  const type_info *t = type_of(v);
  if (!t) return true;
  *known = true;
  v = codec_conform(a, v, t, &report, &error);
  for (uint32_t i = 0; i < report.count; i++) {
    print_error("%s: %.*s\n", name, SLICE_ARG(report.items[i]));
  }
  if (!v) print_error("%s: %.*s\n", name, SLICE_ARG(error));
  if (!v) return false;
  buf_init(&out, MAX_OUTPUT);
  buf_init(&pretty, MAX_OUTPUT);
  json_encode(&out, v, t);
  json_indent(&pretty, buf_slice(&out));
  bool good = check(text, buf_slice(&pretty), name, "json") && report.count == 0;
  buf_dispose(&out);
  buf_dispose(&pretty);
  return good;
}

/* The YAML file must give the tree of the JSON file, and be what the tree is written as. */
static bool round_trip_yaml(arena *a, const char *name, slice text, slice json) {
  buf out;
  slice error = SLICE_NONE;
  strict_report report = {0};
  val *v = yaml_parse(a, text, &report, &error), *same = json_parse(a, json, NULL, &error);
  if (!v || !same || report.count) print_error("%s: %.*s\n", name, SLICE_ARG(error));
  if (!v || !same || report.count) return false;
  buf_init(&out, MAX_OUTPUT);
  const type_info *t = type_of(v);
  if (t) v = codec_conform(a, v, t, &report, &error);
  if (t) same = codec_conform(a, same, t, NULL, &error);
  bool good = v && val_equal(v, same);
  if (!good) print_error("%s: not the JSON's tree: %.*s\n", name, SLICE_ARG(error));
  if (v) yaml_encode(&out, v, t);
  good = good && check(text, buf_slice(&out), name, "yaml");
  buf_dispose(&out);
  return good;
}

static void walk(const char *suffix, bool yaml) {
  const char *folder = getenv("APISIM_CORPUS");
  if (!folder) skip();
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  int good = 0, bad = 0, unknown = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    slice name = slice_cstr(entry->d_name);
    if (!slice_has_suffix(name, slice_cstr(suffix))) continue;
    if (slice_find(name, SLICE_LIT("after_roundtrip")) >= 0) continue; /* of another release */
    arena *a = arena_create();
    bool known = false;
    slice text = read_file(a, folder, entry->d_name);
    bool ok;
    if (yaml) {
      slice stem = slice_upto(name, name.len - strlen(suffix));
      slice json = arena_concat(a, stem, SLICE_LIT(".json"));
      known = true;
      ok = round_trip_yaml(a, entry->d_name, text, read_file(a, folder, json.ptr));
    } else {
      ok = round_trip_json(a, entry->d_name, text, &known);
    }
    if (!ok) bad++;
    else if (known) good++;
    else unknown++;
    arena_destroy(a);
  }
  closedir(dir);
  print_message("%d good, %d bad, %d of kinds that are not served\n", good, bad, unknown);
  assert_int_equal(bad, 0);
}

static void json_files(void **state) {
  (void)state;
  walk(".json", false);
}

static void yaml_files(void **state) {
  (void)state;
  walk(".yaml", true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(json_files), cmocka_unit_test(yaml_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
