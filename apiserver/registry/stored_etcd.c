/* JSON with a resourceVersion inside, and etcd's bytes without: there and back. */
#include "registry/stored_etcd.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/crd_object.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "version/version.h"

#define REGISTRY SLICE_LIT("/registry/")
#define ENVELOPE slice_of("k8s\0", 4)

static size_t count_slashes(slice s) {
  size_t n = 0;
  for (size_t i = 0; i < s.len; i++) n += s.ptr[i] == '/';
  return n;
}

/* A prefix has one part or two: "pods", "services/specs". */
const resource_info *stored_resource_of(slice key) {
  slice first, behind;
  if (!slice_has_prefix(key, REGISTRY)) return NULL;
  slice rest = slice_from(key, REGISTRY.len);
  if (!slice_cut(rest, '/', &first, &behind)) return NULL;
  for (size_t len = first.len;;) {
    const resource_info *r = schema_resource_of_prefix(slice_upto(rest, len));
    slice name = slice_from(rest, len + 1);
    if (r && name.len && count_slashes(name) == (r->namespaced ? 1 : 0)) return r;
    ptrdiff_t second = len == first.len ? slice_find_char(behind, '/') : -1;
    if (second < 0) return NULL;
    len = first.len + 1 + (size_t)second;
  }
}

/* Custom resources' definitions and aggregated APIs are stored as JSON, a line. */
static bool is_json_kind(const resource_info *r) {
  return slice_is(r->group, "apiextensions.k8s.io") || slice_is(r->group, "apiregistration.k8s.io");
}

slice stored_for_etcd(arena *a, const resource_info *r, slice value, bool json) {
  slice error;
  val *raw = json_parse(a, value, NULL, &error);
  val *obj = raw ? codec_conform(a, raw, r->type, NULL, &error) : NULL;
  if (!obj) return SLICE_NONE;
  object_del(obj, "resourceVersion");
  buf body, out;
  buf_init(&body, LIMIT_BUFFER);
  buf_init(&out, LIMIT_BUFFER);
  if (json || is_json_kind(r)) {
    json_encode(&out, obj, r->type);
    buf_char(&out, '\n');
  } else {
    char gv[GROUP_VERSION_ROOM];
    proto_encode(&body, obj, r->type);
    proto_envelope(&out, schema_group_version(r, gv), r->kind, buf_slice(&body));
  }
  slice copy = arena_copy(a, buf_slice(&out));
  buf_dispose(&body);
  buf_dispose(&out);
  return copy;
}

static slice values_out(void *ctx, arena *a, const store_entry *e) {
  (void)ctx;
  const blob *put = store_entry_form(e, ETCD_FORM_PUT);
  if (put) return blob_slice(put);
  const resource_info *r = stored_resource_of(store_entry_key(e));
  slice bytes = r ? stored_for_etcd(a, r, blob_slice(e->value), false) : SLICE_NONE;
  if (!r && crd_is_key(store_entry_key(e))) bytes = crd_for_etcd(a, blob_slice(e->value));
  return bytes.ptr ? bytes : blob_slice(e->value);
}

/* "apps/v1" -> group and version. */
static void split_group_version(slice api_version, slice *group, slice *version) {
  if (slice_cut(api_version, '/', group, version)) return;
  *version = api_version;
  *group = SLICE_LIT("");
}

/* The served form that the bytes name; it must be stored where `r` is. */
static const resource_info *form_of(arena *a, const resource_info *r, slice api_version,
                                    slice kind, slice *problem) {
  slice group, version;
  split_group_version(api_version, &group, &version);
  const resource_info *from = schema_resource_of_kind(group, version, kind);
  if (from && from->storage == r) return from;
  *problem = arena_printf(a, "it is a %.*s of %.*s, not a %.*s", SLICE_ARG(kind),
                          SLICE_ARG(api_version), SLICE_ARG(r->kind));
  return NULL;
}

static val *decode(arena *a, const resource_info *r, slice bytes, const resource_info **from,
                   slice *problem) {
  if (slice_has_prefix(bytes, ENVELOPE)) {
    slice api_version, kind, message, encoding, type;
    if (!proto_open_envelope(a, bytes, &api_version, &kind, &message, &encoding, &type, problem)) {
      return NULL;
    }
    *from = form_of(a, r, api_version, kind, problem);
    return *from ? proto_decode(a, message, (*from)->type, problem) : NULL;
  }
  val *raw = json_parse(a, bytes, NULL, problem);
  if (!raw) return NULL;
  slice api_version = val_str(val_getc(raw, "apiVersion")), kind = val_str(val_getc(raw, "kind"));
  *from = form_of(a, r, api_version, kind, problem);
  return *from ? codec_conform(a, raw, (*from)->type, NULL, problem) : NULL;
}

blob *stored_from_etcd(arena *a, slice key, slice bytes, int64_t revision, slice *problem) {
  const resource_info *r = stored_resource_of(key), *from = NULL;
  if (!r && crd_is_key(key)) return crd_from_etcd(a, bytes, revision, problem);
  if (!r) return blob_copy(bytes);
  val *obj = decode(a, r, arena_copy(a, bytes), &from, problem);
  if (!obj) return NULL;
  version_default(a, obj, from->type);
  return stored_encode(a, r, version_to_storage(a, obj, from), revision);
}

static blob *values_in(void *ctx, arena *a, slice key, slice bytes, int64_t revision,
                       slice *problem) {
  (void)ctx;
  return stored_from_etcd(a, key, bytes, revision, problem);
}

static blob *values_final(void *ctx, const store_entry *e, int64_t revision) {
  (void)ctx;
  slice key = store_entry_key(e);
  if (!stored_resource_of(key) && !crd_is_key(key)) return NULL;
  return stored_with_revision(blob_slice(e->value), revision);
}

const etcd_values stored_etcd_values = {values_out, values_in, values_final, NULL};
