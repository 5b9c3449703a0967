/* The field manager works on a Scale like on any object; these are the two translations around it.
 * On the way an owner by update changes its apiVersion, so that it no longer matches its old entry:
 * its replicas come back as an entry of their own, without a time. An applier's entry has no
 * apiVersion in its identity and stays whole. */
#include "verb/scale_fields.h"

#include "patch/managed_fields.h"
#include "registry/object.h"

#define REPLICAS SLICE_LIT(".spec.replicas")

static slice element_of(arena *a, slice name) { return arena_concat(a, SLICE_LIT("f:"), name); }

static slice names_of(slice path) {
  return slice_has_prefix(path, SLICE_LIT(".")) ? slice_from(path, 1) : path;
}

static bool owns_replicas(arena *a, const managed_entry *e, slice path) {
  slice name, rest = names_of(path);
  const val *at = e->set;
  bool more;
  do {
    more = slice_cut(rest, '.', &name, &rest);
    at = val_get(at, element_of(a, name));
  } while (more && at);
  return at != NULL;
}

static val *replicas_set(const field_sets *f, slice path) {
  val *fields = val_map(f->arena), *at = fields, *set = NULL;
  slice name, rest = names_of(path);
  bool more;
  do {
    val *below = val_map(f->arena);
    more = slice_cut(rest, '.', &name, &rest);
    val_set(f->arena, at, element_of(f->arena, name), below);
    at = below;
  } while (more);
  field_set_read(f, fields, &set);
  return set;
}

static const val *entries_of(const val *obj) {
  return val_path(obj, "metadata.managedFields");
}

val *scale_fields_of(arena *a, const val *parent, slice path) {
  if (!path.len) path = REPLICAS;
  managed all;
  managed_init(&all, a);
  managed_read(&all, entries_of(parent), false, NULL);
  for (uint32_t i = all.count; i-- > 0;) {
    managed_entry *e = all.items + i;
    e->api_version = SLICE_LIT("autoscaling/v1");
    if (owns_replicas(a, e, path)) managed_entry_set(e, replicas_set(&all.sets, REPLICAS));
    else managed_drop(&all, i);
  }
  return managed_write(&all);
}

void scale_fields_return(request *rq, val *obj, const val *scale, slice path) {
  if (!path.len) path = REPLICAS;
  char gv[GROUP_VERSION_ROOM];
  managed all, owners;
  managed_init(&all, rq->arena);
  managed_init(&owners, rq->arena);
  managed_read(&all, entries_of(obj), false, NULL);
  managed_read(&owners, entries_of(scale), false, NULL);
  val *replicas = replicas_set(&all.sets, path);
  for (uint32_t i = all.count; i-- > 0;) {
    managed_entry *e = all.items + i, *kept = managed_find(&owners, e);
    if (!owns_replicas(rq->arena, e, path)) continue;
    if (kept) {
      managed_drop(&owners, (uint32_t)(kept - owners.items));
      continue;
    }
    managed_entry_set(e, field_set_difference(&all.sets, e->set, replicas));
    if (!e->set) managed_drop(&all, i);
  }
  for (uint32_t i = 0; i < owners.count; i++) {
    managed_entry e = owners.items[i];
    if (!owns_replicas(rq->arena, &e, REPLICAS)) continue;
    e.api_version = arena_copy(rq->arena, schema_group_version(rq->resource, gv));
    e.time = SLICE_NONE;
    managed_entry_set(&e, replicas);
    managed_add(&all, e);
  }
  managed_fields_put(rq->arena, obj, managed_write(&all));
}
