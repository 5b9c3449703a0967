/* The four patches against answers of the real server: each line of the files in testdata is one
 * request to it, with the object before and what came of it. */
#include "base/heap.h"
#include "codec/codec.h"
#include "patch/patch.h"
#include "version/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef bool (*row_fn)(arena *a, const val *row, const resource_info *r, slice *why);

static slice file_read(arena *a, const char *path) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  char *text = arena_alloc(a, 8 << 20);
  size_t len = fread(text, 1, 8 << 20, f);
  assert_int_equal(fclose(f), 0);
  assert_true(len < (8 << 20));
  return slice_of(text, len);
}

static void rows_run(const char *path, row_fn run) {
  arena *text_arena = arena_create();
  slice text = file_read(text_arena, path), line, error, why;
  int rows = 0, failed = 0;
  while (text.len) {
    slice_cut(text, '\n', &line, &text);
    if (line.len == 0) continue;
    rows++;
    arena *a = arena_create();
    val *row = json_parse(a, line, NULL, &error);
    assert_non_null(row);
    const resource_info *r = schema_resource(val_get_str(row, "group"),
                                             val_get_str(row, "version"),
                                             val_get_str(row, "resource"));
    assert_non_null(r);
    why = SLICE_LIT("");
    if (!run(a, row, r, &why)) {
      failed++;
      printf("%s:%d: %.*s\n", path, rows, SLICE_ARG(why));
    }
    arena_destroy(a);
  }
  arena_destroy(text_arena);
  printf("%s: %d of %d rows\n", path, rows - failed, rows);
  assert_true(rows > 0);
  assert_int_equal(failed, 0);
}

static val *typed(arena *a, val *v, const resource_info *r) {
  slice error = SLICE_NONE;
  if (!v || val_is_null(v)) return NULL;
  val *t = codec_conform(a, v, r->type, NULL, &error);
  if (!t) printf("conform: %.*s\n", SLICE_ARG(error));
  return t;
}

static slice text_of(arena *a, const val *v) {
  buf out;
  buf_init(&out, 1 << 24);
  if (v) json_encode_any(&out, v, true);
  slice s = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return s;
}

static bool same(arena *a, const val *got, const val *want, slice *why) {
  slice x = text_of(a, got), y = text_of(a, want);
  if (slice_eq(x, y)) return true;
  *why = arena_printf(a, "\n  got  %.*s\n  want %.*s", SLICE_ARG(x), SLICE_ARG(y));
  return false;
}

/* Times are the run's; metadata that the registry writes is not the patch's. */
static val *settled(val *v, bool times) {
  val *meta = val_getc(v, "metadata"), *list = val_getc(meta, "managedFields");
  static const char *const gone[] = {"resourceVersion", "generation", "uid", "creationTimestamp",
                                     "namespace"};
  for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) val_delc(meta, gone[i]);
  for (uint32_t i = 0; times && i < val_len(list); i++) val_delc(list->u.items[i], "time");
  return v;
}

static bool error_same(arena *a, const status_error *e, const val *row, slice *why) {
  int64_t code = val_i64(val_getc(row, "code"));
  slice want = val_get_str(val_getc(row, "want"), "message");
  if (e->set && status_error_code(e) == code && slice_eq(e->message, want)) return true;
  *why = arena_printf(a, "\n  got  %d %.*s\n  want %d %.*s", e->set ? status_error_code(e) : 0,
                      SLICE_ARG(e->message), (int)code, SLICE_ARG(want));
  return false;
}

static bool patch_row(arena *a, const val *row, const resource_info *r, slice *why) {
  status_error err = {0};
  val *live = typed(a, val_getc(row, "live"), r), *out = NULL;
  slice patch = val_get_str(row, "patch"), type = val_get_str(row, "type");
  slice before = text_of(a, live);
  if (slice_is(type, "json")) out = json_patch_apply(a, live, patch, &err);
  else if (slice_is(type, "merge")) out = merge_patch_apply(a, live, patch, &err);
  else out = strategic_patch_apply(a, live, patch, r->type, &err);
  assert_true(slice_eq(before, text_of(a, live)));
  if (!out) return error_same(a, &err, row, why);
  if (val_i64(val_getc(row, "code")) != 200) return true; /* refused by what comes after */
  if (!(out = typed(a, out, r))) return false;
  version_default(a, out, r->type);
  return same(a, settled(out, false), settled(typed(a, val_getc(row, "want"), r), false), why);
}

static void test_patches(void **state) {
  (void)state;
  rows_run("apiserver/patch/testdata/patches.jsonl", patch_row);
}

static bool managed_row(arena *a, const val *row, const resource_info *r, slice *why) {
  val *live = typed(a, val_getc(row, "live"), r), *obj = typed(a, val_getc(row, "obj"), r);
  manage_args m = {.arena = a, .resource = r, .subresource = val_get_str(row, "subresource"),
                   .manager = val_get_str(row, "manager"), .now_s = val_i64(val_getc(row, "now"))};
  if (slice_is(m.manager, "reset")) { /* rows have the object as it came out */
    val *list = val_list(a);
    val_append(a, list, val_map(a));
    val_setc(a, val_getc(obj, "metadata"), "managedFields", list);
  }
  managed_fields_update(&m, live, obj);
  val *want = typed(a, val_copy(a, val_getc(row, "obj")), r);
  val *list = val_getc(row, "want");
  val *meta = val_getc(want, "metadata");
  if (list && !val_is_null(list)) val_setc(a, meta, "managedFields", list);
  return same(a, settled(obj, true), settled(want, true), why);
}

static void test_managed(void **state) {
  (void)state;
  rows_run("apiserver/patch/testdata/managed.jsonl", managed_row);
}

static bool apply_row(arena *a, const val *row, const resource_info *r, slice *why) {
  status_error err = {0};
  val *live = typed(a, val_getc(row, "live"), r);
  manage_args m = {.arena = a, .resource = r, .subresource = val_get_str(row, "subresource"),
                   .manager = val_get_str(row, "manager"), .apply = true,
                   .force = val_true(val_getc(row, "force")),
                   .now_s = val_i64(val_getc(row, "now"))};
  val *out = server_side_apply(&m, live, val_getc(row, "applied"), &err);
  if (!out) return error_same(a, &err, row, why);
  if (val_i64(val_getc(row, "code")) > 201) return val_i64(val_getc(row, "code")) == 422;
  if (!(out = typed(a, out, r))) return false;
  version_default(a, out, r->type);
  val *want = typed(a, val_getc(row, "want"), r);
  if (m.subresource.len == 0) { /* status is not the main endpoint's */
    val_delc(out, "status");
    val_delc(want, "status");
  } else {
    val_delc(out, "spec");
    val_delc(want, "spec");
    val_delc(val_getc(out, "metadata"), "labels");
    val_delc(val_getc(want, "metadata"), "labels");
  }
  return same(a, settled(out, true), settled(want, true), why);
}

static void test_applies(void **state) {
  (void)state;
  rows_run("apiserver/patch/testdata/applies.jsonl", apply_row);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_patches),
      cmocka_unit_test(test_managed),
      cmocka_unit_test(test_applies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
