/* See crd_object.h. */
#include "crd/crd_object.h"

#include "base/buf.h"
#include "base/limits.h"
#include "crd/structural.h"
#include "registry/object.h"

#define OBJECT_META SLICE_LIT("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

static const structural *root_of(const crd_version *v) {
  return v->schema ? v->schema->root : NULL;
}

static void set_type(arena *a, const crd_version *v, val *obj) {
  char gv[GROUP_VERSION_ROOM];
  val_setc(a, obj, "apiVersion", val_string_copy(a, schema_group_version(&v->row, gv)));
  val_setc(a, obj, "kind", val_string(a, v->row.kind));
}

/* What says that it is of another version has no schema here: all of it is unknown. */
static bool is_of(const crd_version *v, const val *obj) {
  char gv[GROUP_VERSION_ROOM];
  slice said = val_get_str(obj, "apiVersion");
  return said.len == 0 || slice_eq(said, schema_group_version(&v->row, gv));
}

bool crd_coerce(arena *a, const crd_version *v, val *obj, strict_report *report, slice *error) {
  structural_unknown unknown = {.a = a};
  const structural *s = is_of(v, obj) ? root_of(v) : NULL;
  if (!structural_coerce(a, s, obj, false, v->kind->preserve, &unknown, error)) {
    return false;
  }
  for (uint32_t i = 0; report && i < unknown.count; i++) {
    strict_add(report, a, arena_printf(a, "unknown field \"%.*s\"", SLICE_ARG(unknown.paths[i])));
  }
  return true;
}

void crd_default(arena *a, const crd_version *v, val *obj) {
  if (v->schema) structural_default(a, v->schema->root, obj);
}

val *crd_convert(arena *a, const crd_version *from, const crd_version *to, const val *obj) {
  slice error;
  val *copy = val_copy(a, obj);
  set_type(a, to, copy);
  if (from != to) structural_coerce(a, root_of(to), copy, true, to->kind->preserve, NULL, &error);
  return copy;
}

val *crd_from_storage(arena *a, const crd_version *v, slice bytes) {
  slice error = SLICE_NONE, group, version;
  val *obj = json_parse(a, bytes, NULL, &error);
  if (!val_is_map(obj)) return NULL;
  schema_version_cut(val_get_str(obj, "apiVersion"), &group, &version);
  const crd_version *from = crd_version_of(v->kind, version);
  if (!from) from = v;
  structural_coerce(a, root_of(from), obj, true, v->kind->preserve, NULL, &error);
  crd_default(a, from, obj);
  if (from == v) return obj;
  set_type(a, v, obj);
  structural_coerce(a, root_of(v), obj, true, v->kind->preserve, NULL, &error);
  return obj;
}

val *crd_to_storage(arena *a, const crd_version *v, val *obj) {
  const crd_version *to = v->kind->storage;
  if (to != v) return crd_convert(a, v, to, obj);
  val *fork = object_fork(a, obj);
  set_type(a, to, fork);
  return fork;
}

/* ---- etcd ---- */

bool crd_is_key(slice key) {
  slice group, rest, prefix = SLICE_LIT("/registry/");
  if (!slice_has_prefix(key, prefix)) return false;
  if (!slice_cut(slice_from(key, prefix.len), '/', &group, &rest)) return false;
  if (slice_find_char(group, '.') < 0) return false;
  size_t slashes = 0;
  for (size_t i = 0; i < rest.len; i++) slashes += rest.ptr[i] == '/';
  return (slashes == 1 || slashes == 2) && rest.ptr[rest.len - 1] != '/';
}

static slice key_part(slice key, int n) {
  slice part, rest = slice_from(key, sizeof "/registry/" - 1);
  do slice_cut(rest, '/', &part, &rest);
  while (n-- > 0);
  return part;
}

slice crd_key_group(slice key) { return key_part(key, 0); }
slice crd_key_resource(slice key) { return key_part(key, 1); }

static slice encoded(arena *a, const val *obj, bool line) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  json_encode_any(&b, obj, true);
  if (line) buf_char(&b, '\n');
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

slice crd_for_etcd(arena *a, slice stored) {
  slice error;
  val *obj = json_parse(a, stored, NULL, &error);
  if (!val_is_map(obj)) return SLICE_NONE;
  object_del(obj, "resourceVersion");
  return encoded(a, obj, true);
}

blob *crd_from_etcd(arena *a, slice bytes, int64_t revision, slice *problem) {
  val *obj = json_parse(a, bytes, NULL, problem);
  if (!obj) return NULL;
  if (!val_is_map(obj)) {
    *problem = SLICE_LIT("it is no object");
    return NULL;
  }
  object_set_str(a, obj, "resourceVersion", arena_printf(a, "%lld", (long long)revision));
  return blob_copy(encoded(a, obj, false));
}
