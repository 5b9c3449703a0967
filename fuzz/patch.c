/* Fuzz target: the four patches over hostile objects and bodies. The first byte says which patch and how,
 * the second of what kind the object is; then come the object, a newline and the patch. What comes
 * out goes through typing, defaulting, managed fields and the encoder, as a request's would.
 *
 * Build: clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iapiserver -I. -Ibuild/gen with the
 * sources of base/, codec/ (not YAML), schema/, version/ and patch/ (no tests) and the generated tables,
 * -lcrypto -lm. Seeds: the rows of apiserver/patch/testdata. */
#include "codec/codec.h"
#include "patch/patch.h"
#include "patch/restore.h"
#include "version/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[][3] = {
    {"", "v1", "pods"},
    {"apps", "v1", "deployments"},
    {"", "v1", "configmaps"},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions"},
    {"autoscaling", "v2", "horizontalpodautoscalers"},
    {"", "v1", "services"},
};

static val *strategic(arena *a, const val *live, slice patch, const type_info *t,
                      const patch_options *o, status_error *err) {
  slice error;
  val *quoted, *out = strategic_patch_apply_as(a, live, patch, t, o, &quoted, err);
  return out && restore_check(a, out, t, &error) ? out : NULL;
}

static val *run(const manage_args *m, uint8_t how, const val *live, slice patch) {
  arena *a = m->arena;
  status_error err = {0};
  strict_report report = {0};
  slice error;
  patch_options o = {.ignore = (how & 64) != 0, .report = how & 32 ? &report : NULL};
  switch (how % 4) {
    case 0: return json_patch_apply_as(a, live, patch, &o, &err);
    case 1: return merge_patch_apply_as(a, live, patch, &o, &err);
    case 2: return strategic(a, live, patch, m->resource->type, &o, &err);
    default: break;
  }
  val *applied = json_parse(a, patch, NULL, &error);
  return val_is_map(applied) ? server_side_apply(m, live, applied, &err) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  arena *a = arena_create();
  slice object, patch, error;
  slice_cut(slice_of((const char *)data + 2, size - 2), '\n', &object, &patch);
  const char *const *k = kinds[data[1] % (sizeof kinds / sizeof kinds[0])];
  manage_args m = {.arena = a, .manager = SLICE_LIT("kubectl"), .now_s = 1000};
  m.resource = schema_resource(slice_cstr(k[0]), slice_cstr(k[1]), slice_cstr(k[2]));
  m.subresource = data[0] & 128 ? SLICE_LIT("status") : SLICE_LIT("");
  m.force = (data[0] & 16) != 0;
  val *live = json_parse(a, object, NULL, &error);
  if (live) live = codec_conform(a, live, m.resource->type, NULL, &error);
  val *out = val_is_map(live) ? run(&m, data[0], live, patch) : NULL;
  if (out) out = codec_conform(a, out, m.resource->type, NULL, &error);
  if (val_is_map(out)) {
    version_default(a, out, m.resource->type);
    managed_fields_update(&m, live, out);
    managed_fields_keep_times(a, live, out);
    buf text;
    buf_init(&text, (size_t)1 << 24);
    json_encode(&text, out, m.resource->type);
    buf_dispose(&text);
  }
  arena_destroy(a);
  return 0;
}
