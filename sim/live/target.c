/* Look-ups in the schema's list of resources; it has some hundred, so they are walked. */
#include "sim/live/target.h"

#include <string.h>

static const resource_info *find_resource(slice name, slice group, bool grouped) {
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (!slice_eq(r->resource, name) || !r->list_type) continue;
    if (!grouped || slice_eq(r->group, group)) return r;
  }
  return NULL;
}

bool live_target_of(arena *a, slice key, live_target *out) {
  slice resource, rest, name, more, group;
  (void)a;
  *out = (live_target){0};
  if (!slice_cut(key, '/', &resource, &rest)) return false;
  bool grouped = slice_cut(resource, '.', &name, &group);
  out->resource = find_resource(name, group, grouped);
  if (!out->resource || rest.len == 0) return false;
  bool two = slice_cut(rest, '/', &name, &more);
  if (two != out->resource->namespaced) return false;
  out->name = two ? more : rest;
  out->namespace = two ? name : SLICE_NONE;
  return out->name.len > 0 && slice_find_char(out->name, '/') < 0;
}

bool live_target_of_stored(slice key, live_target *out) {
  static const char root[] = "/registry/";
  slice rest = slice_from(key, sizeof root - 1);
  if (!slice_has_prefix(key, SLICE_LIT("/registry/"))) return false;
  *out = (live_target){0};
  for (uint16_t i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    if (!r->list_type || !slice_has_prefix(rest, r->etcd_prefix)) continue;
    if (rest.len <= r->etcd_prefix.len || rest.ptr[r->etcd_prefix.len] != '/') continue;
    if (out->resource && out->resource->etcd_prefix.len >= r->etcd_prefix.len) continue;
    slice tail = slice_from(rest, r->etcd_prefix.len + 1), head, name;
    bool two = slice_cut(tail, '/', &head, &name);
    if (two != r->namespaced) continue;
    *out = (live_target){r, two ? head : SLICE_NONE, two ? name : tail};
  }
  return out->resource != NULL;
}

slice live_key(arena *a, slice group, slice resource, slice namespace, slice name) {
  return arena_printf(a, "%.*s%s%.*s/%.*s%s%.*s", SLICE_ARG(resource), group.len ? "." : "",
                      SLICE_ARG(group), SLICE_ARG(namespace), namespace.len ? "/" : "",
                      SLICE_ARG(name));
}

slice live_target_key(arena *a, const live_target *t) {
  return live_key(a, t->resource->group, t->resource->resource, t->namespace, t->name);
}

slice live_target_path(arena *a, const live_target *t, slice subresource) {
  const resource_info *r = t->resource;
  char version[GROUP_VERSION_ROOM];
  slice gv = schema_group_version(r, version);
  return arena_printf(a, "%s%.*s%s%.*s/%.*s%s%.*s%s%.*s", r->group.len ? "/apis/" : "/api/",
                      SLICE_ARG(gv), t->namespace.len ? "/namespaces/" : "",
                      SLICE_ARG(t->namespace), SLICE_ARG(r->resource), t->name.len ? "/" : "",
                      SLICE_ARG(t->name), subresource.len ? "/" : "", SLICE_ARG(subresource));
}

const resource_info *live_resource_of_kind(slice api_version, slice kind) {
  slice group, version;
  if (!slice_cut(api_version, '/', &group, &version)) {
    version = api_version;
    group = SLICE_NONE;
  }
  return schema_resource_of_kind(group, version, kind);
}
