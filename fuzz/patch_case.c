/* The frame around a patch: what a request does before and after. */
#include "fuzz/patch_case.h"

#include "registry/stored.h"
#include "version/version.h"

bool patch_case_open(patch_case *p, const uint8_t *data, size_t size) {
  *p = (patch_case){0};
  slice object, error = SLICE_NONE;
  if (!fuzz_head_open(&p->head, data, size)) return false;
  const kind_info *k = p->head.kind;
  p->resource = schema_resource_of_kind(k->group, k->version, k->kind);
  if (!p->resource) p->resource = schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("pods"));
  p->arena = arena_create();
  slice_cut(p->head.body, '\n', &object, &p->patch);
  p->live = json_parse(p->arena, object, NULL, &error);
  if (p->live) p->live = codec_conform(p->arena, p->live, p->resource->type, NULL, &error);
  if (!val_is_map(p->live)) {
    patch_case_close(p);
    return false;
  }
  version_default(p->arena, p->live, p->resource->type); /* it was in the store */
  stored_settle(p->resource, p->live);
  p->before = val_copy(p->arena, p->live);
  p->options = (patch_options){.ignore = (p->head.flags & 1) != 0,
                               .report = p->head.flags & 2 ? &p->report : NULL};
  return true;
}

val *patch_case_check(patch_case *p, val *result) {
  arena *a = p->arena;
  const type_info *t = p->resource->type;
  slice error = SLICE_NONE;
  CHECK(val_equal(p->live, p->before));
  if (!result) {
    CHECK(p->err.set && p->err.message.len > 0 && status_error_code(&p->err) >= 400);
    return NULL;
  }
  val *out = codec_conform(a, result, t, NULL, &error);
  CHECK(out || error.len > 0);
  CHECK(val_equal(p->live, p->before));
  if (!val_is_map(out)) return NULL;
  version_default(a, out, t);
  fuzz_check_formats(a, out, t);
  val *managed = val_copy(a, out);
  manage_args m = {.arena = a, .resource = p->resource, .manager = SLICE_LIT("kubectl"),
                   .now_s = 1000};
  managed_fields_update(&m, p->live, managed);
  managed_fields_keep_times(a, p->live, managed);
  fuzz_check_formats(a, managed, t);
  CHECK(val_equal(p->live, p->before));
  return out;
}

void patch_case_close(patch_case *p) {
  arena_destroy(p->arena);
  fuzz_head_close(&p->head);
}
