/* testdata/cases.json, recorded from a real server by testdata/record.py: objects that are there,
 * requests, answers. Each request goes through defaulting and admission here; what admission
 * refuses, warns of or fills in must be the same. Also the plugin flags. */
#include "admission/admission.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "registry/stored.h"
#include "server.h"
#include "version/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define CASES "apiserver/admission/testdata/cases.json"

typedef struct fixture {
  env env;
  server server;
  arena *arena;
  request rq; /* of the step under way */
  int bad;
} fixture;

static slice file_read(arena *a, const char *path) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  size_t n = (size_t)ftell(f);
  rewind(f);
  char *bytes = arena_alloc(a, n + 1);
  assert_int_equal(fread(bytes, 1, n, f), n);
  fclose(f);
  return slice_of(bytes, n);
}

static void fixture_start(fixture *f) {
  slice unknown;
  memset(f, 0, sizeof *f);
  f->env.wall_ns = (int64_t)1795187295 * 1000000000;
  f->server.env = &f->env;
  f->server.store = store_memory_create(1);
  rng_init(&f->server.name_rng, 1);
  rng_init(&f->server.uid_rng, 2);
  assert_true(admission_configure(&f->server, SLICE_NONE, SLICE_NONE, &unknown));
  f->arena = arena_create();
}

static void fixture_end(fixture *f) {
  store_destroy(f->server.store);
  arena_destroy(f->arena);
}

static const resource_info *resource_of(const val *step) {
  return schema_resource(val_get_str(step, "group"), SLICE_LIT("v1"),
                         val_get_str(step, "resource"));
}

static val *typed(fixture *f, const val *v, const resource_info *r) {
  slice error;
  if (!val_is_map(v)) return NULL;
  return codec_conform(f->arena, val_copy(f->arena, v), r->type, NULL, &error);
}

/* As it was read: kind and all. Replaces what is there. */
static void object_store(fixture *f, const resource_info *r, val *obj) {
  store *s = f->server.store;
  const val *meta = val_getc(obj, "metadata");
  slice key = stored_key(f->arena, r, val_get_str(meta, "namespace"), val_get_str(meta, "name"));
  store_entry *e = NULL;
  blob *bytes = stored_encode(f->arena, r, obj, store_next_revision(s));
  if (store_get(s, key, 0, &e) == STORE_OK) {
    assert_int_equal(store_update(s, key, e->mod_revision, bytes, NULL), STORE_OK);
    store_entry_unref(e);
  } else {
    assert_int_equal(store_create(s, key, bytes, NULL), STORE_OK);
  }
  blob_unref(bytes);
}

static bool text_same(fixture *f, const char *what, const val *step, slice got, slice want) {
  if (slice_eq(got, want)) return true;
  slice name = val_str(val_path(step, "object.metadata.name"));
  slice ns = val_get_str(step, "namespace");
  print_message("%.*s/%.*s %s\n  got  %.*s\n  want %.*s\n", SLICE_ARG(ns), SLICE_ARG(name), what,
                SLICE_ARG(got), SLICE_ARG(want));
  f->bad++;
  return false;
}

static slice encoded(fixture *f, const val *v) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  json_encode_any(&out, v, true);
  slice text = arena_copy(f->arena, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static void warnings_check(fixture *f, const val *step) {
  const val *want = val_getc(step, "warnings");
  uint32_t n = val_len(want), got = f->rq.warning_count, at = 0;
  for (uint32_t i = 0; i < n; i++) {
    /* Strategies warn too; admission's own are the last ones. */
    if (slice_find(val_str(val_at(want, i)), SLICE_LIT("PodSecurity")) < 0 && at >= got) continue;
    slice have = at < got ? f->rq.warnings[at] : SLICE_LIT("(none)");
    if (at < got) at++;
    text_same(f, "warning", step, have, val_str(val_at(want, i)));
  }
  if (at < got) text_same(f, "more warnings", step, f->rq.warnings[at], SLICE_NONE);
}

static void part_check(fixture *f, const val *step, const val *got, const val *want,
                       const char *path) {
  const val *x = val_path(got, path), *y = val_path(want, path);
  if (val_is_empty(x) && val_is_empty(y)) return;
  text_same(f, path, step, x ? encoded(f, x) : SLICE_NONE, y ? encoded(f, y) : SLICE_NONE);
}

static void answer_check(fixture *f, const val *step, val *obj, bool ok) {
  const resource_info *r = resource_of(step);
  const val *status = val_getc(step, "status");
  slice want = status ? val_get_str(status, "message") : SLICE_NONE;
  if (!text_same(f, "message", step, ok ? SLICE_NONE : f->rq.error.message, want) || !obj) return;
  if (!ok) {
    assert_int_equal(status_error_code(&f->rq.error), val_i64(val_getc(step, "code")));
    return;
  }
  const val *answer = typed(f, val_getc(step, "answer"), r);
  static const char *const parts[] = {"spec", "metadata.annotations", "metadata.labels",
                                      "metadata.finalizers"};
  bool deployment = slice_is(r->resource, "deployments"); /* its annotations are others' work */
  for (int i = 0; i < 4 && !deployment; i++) part_check(f, step, obj, answer, parts[i]);
  if (slice_is(val_get_str(step, "do"), "create")) {
    object_store(f, r, typed(f, val_getc(step, "answer"), r));
  }
}

static void step_run(fixture *f, const val *step) {
  const resource_info *r = resource_of(step);
  assert_non_null(r);
  slice op = val_get_str(step, "do");
  val *obj = typed(f, val_getc(step, "object"), r);
  if (slice_is(op, "store")) {
    object_store(f, r, obj);
    return;
  }
  bool gone = slice_is(op, "delete");
  slice ns = val_get_str(step, "namespace"), name = val_str(val_path(step, "object.metadata.name"));
  version_default(f->arena, obj, r->type);
  if (ns.len) val_setc(f->arena, val_getc(obj, "metadata"), "namespace", val_string(f->arena, ns));
  f->rq = (request){.arena = f->arena, .server = &f->server, .wall_ns = f->env.wall_ns,
                    .resource = r};
  admission_args args = {.rq = &f->rq, .resource = r, .namespace = ns, .name = name,
                         .obj = gone ? NULL : obj, .old = typed(f, val_getc(step, "old"), r),
                         .op = gone                        ? ADMIT_DELETE
                               : slice_is(op, "update") ? ADMIT_UPDATE
                                                        : ADMIT_CREATE};
  bool ok = admission_mutate(&args) && admission_validate(&args);
  answer_check(f, step, args.obj, ok);
  if (ok) warnings_check(f, step);
  request_done(&f->rq);
}

static void test_recorded(void **state) {
  (void)state;
  fixture f;
  slice error;
  fixture_start(&f);
  const val *steps = json_parse(f.arena, file_read(f.arena, CASES), NULL, &error);
  assert_true(val_len(steps) > 100);
  for (uint32_t i = 0; i < val_len(steps); i++) step_run(&f, val_at(steps, i));
  fixture_end(&f);
  assert_int_equal(f.bad, 0);
}

static void test_flags(void **state) {
  (void)state;
  server s = {0};
  slice unknown = SLICE_NONE;
  assert_true(admission_configure(&s, SLICE_NONE, SLICE_NONE, &unknown));
  uint64_t usual = s.disabled_admission;
  assert_true(usual != 0);
  assert_true(admission_configure(&s, SLICE_LIT("AlwaysDeny"), SLICE_LIT("Priority,LimitRanger"),
                                  &unknown));
  assert_true(s.disabled_admission != usual);
  assert_false(admission_configure(&s, SLICE_LIT("Nope"), SLICE_NONE, &unknown));
  assert_true(slice_is(unknown, "Nope"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recorded),
      cmocka_unit_test(test_flags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
