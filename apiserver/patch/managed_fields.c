/* What a create or an update does to metadata.managedFields: the fields that it changed become its
 * manager's, and leave everybody else's sets. Source: apimachinery pkg/util/managedfields/internal
 * (the chain of managers) and structured-merge-diff merge/update.go. */
#include "patch/managed_fields.h"

#include "codec/codec.h"
#include "crd/crd_object.h"
#include "patch/patch_tree.h"
#include "patch/reset_fields.h"
#include "version/version.h"

#include <assert.h>

void managed_fields_keep_reset(arena *a, val *parsed) {
  val *list = val_getc(val_getc(parsed, "metadata"), "managedFields");
  if (val_is_list(list) && list->count == 0) val_append(a, list, val_map(a));
}

slice manage_version(const manage_args *m) {
  char text[GROUP_VERSION_ROOM];
  return arena_copy(m->arena, schema_group_version(m->resource, text));
}

managed_entry manage_entry(const manage_args *m, bool apply) {
  return (managed_entry){.manager = m->manager.len ? m->manager : SLICE_LIT("unknown"),
                         .operation = apply ? SLICE_LIT("Apply") : SLICE_LIT("Update"),
                         .api_version = manage_version(m),
                         .subresource = m->subresource};
}

/* A list with one entry that says nothing asks for all to be forgotten. */
static bool is_reset(const val *list) {
  return val_len(list) == 1 && val_len(list->u.items[0]) == 0;
}

/* The managers to start from: what the client sent where that counts, else what is stored. */
static void managed_start(const manage_args *m, managed *all, const val *live_list,
                          const val *list) {
  bool same = list == live_list || val_equal(list, live_list);
  if (m->subresource.len == 0 && is_reset(list)) return;
  if (m->subresource.len == 0 && !same && managed_read(all, list, false, NULL) && all->count) {
    return;
  }
  managed_read(all, live_list, true, NULL);
}

const resource_info *manage_resource(const resource_info *r, slice api_version) {
  slice group, version;
  schema_version_cut(api_version, &group, &version);
  if (!slice_eq(group, r->group)) return NULL; /* events of the other group are nobody's here */
  if (slice_eq(version, r->version)) return r;
  const crd_version *other = r->custom ? crd_version_of(r->custom->kind, version) : NULL;
  if (r->custom) return other && other->served ? &other->row : NULL;
  return schema_resource_of_kind(group, version, r->kind);
}

val *manage_convert(arena *a, const val *obj, const resource_info *from,
                    const resource_info *to) {
  if (!obj || from->type == to->type) return val_shared(obj);
  if (to->custom) return crd_convert(a, from->custom, to->custom, obj);
  val *stored = version_to_storage(a, val_copy(a, obj), from);
  return stored ? version_from_storage(a, stored, to) : NULL;
}

/* Every field that changed, as `other` sees the objects; false when they cannot be compared. */
static bool changed_as(const manage_args *m, const field_sets *f, const val *live, const val *obj,
                       const resource_info *other, val **changed) {
  typed_diff d;
  const val *before = manage_convert(m->arena, live, m->resource, other);
  const val *after = manage_convert(m->arena, obj, m->resource, other);
  if (!after || !typed_compare(f, before, after, other->type, false, &d)) return false;
  val *all = field_set_union(f, field_set_union(f, d.modified, d.added), d.removed);
  *changed = reset_fields_remove(f, all, other, m->subresource);
  return true;
}

/* Takes the changed fields from everybody; who has none left, or knows the object in a version that
 * is no more, goes. */
static void managers_lose(const manage_args *m, managed *all, const val *live, const val *obj,
                          val *changed) {
  const field_sets *f = &all->sets;
  for (uint32_t i = 0; i < all->count;) {
    managed_entry *e = all->items + i;
    const resource_info *other = manage_resource(m->resource, e->api_version);
    val *lost = changed;
    bool known = other && (other->type == m->resource->type ||
                           changed_as(m, f, live, obj, other, &lost));
    if (known && field_set_intersection(f, e->set, lost)) {
      managed_entry_set(e, field_set_difference(f, e->set, lost));
    }
    if (known && e->set) i++;
    else managed_drop(all, i);
  }
}

static bool is_stripped(slice element) {
  static const char *const names[] = {
      "f:clusterName", "f:creationTimestamp", "f:generation",      "f:managedFields", "f:name",
      "f:namespace",   "f:resourceVersion",   "f:selfLink", "f:uid",
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (slice_is(element, names[i])) return true;
  }
  return false;
}

static val *metadata_strip(const field_sets *f, const val *x) {
  val *out = field_node_begin(f, false);
  for (uint32_t i = field_node_first(x); i < field_node_count(x); i++) {
    const val_entry *e = x->u.entries + i;
    bool kept = !is_stripped(e->key) || field_node_count(e->value);
    if (kept) field_node_push(f, out, e->key, e->value);
  }
  return field_node_end(f, out, false);
}

val *managed_strip(const field_sets *f, const val *x) {
  if (!x) return NULL;
  val *out = field_node_begin(f, false);
  VAL_EACH(e, x) {
    if (slice_is(e->key, "f:apiVersion") || slice_is(e->key, "f:kind")) continue;
    bool meta = slice_is(e->key, "f:metadata");
    field_node_push(f, out, e->key, meta ? metadata_strip(f, e->value) : e->value);
  }
  return field_node_end(f, out, false);
}

bool managed_update(const manage_args *m, managed *all, const val *live, const val *obj,
                    slice manager) {
  const field_sets *f = &all->sets;
  typed_diff diff;
  if (!typed_compare(f, live, obj, m->resource->type, false, &diff)) return false;
  diff.removed = reset_fields_remove(f, diff.removed, m->resource, m->subresource);
  diff.modified = reset_fields_remove(f, diff.modified, m->resource, m->subresource);
  diff.added = reset_fields_remove(f, diff.added, m->resource, m->subresource);
  val *touched = field_set_union(f, diff.modified, diff.added);
  managers_lose(m, all, live, obj, field_set_union(f, touched, diff.removed));
  val *own = managed_strip(f, touched);
  if (own) {
    managed_entry entry = manage_entry(m, false);
    entry.manager = manager.len ? manager : entry.manager;
    managed_entry *e = managed_find(all, &entry);
    if (!e) e = managed_add(all, entry);
    managed_entry_set(e, field_set_union(f, own, e->set));
    e->time = time_text(m->arena, m->now_s);
  }
  managed_cap(all);
  return true;
}

void managed_fields_put(arena *a, val *obj, val *list) {
  val *meta = val_ensure_map(a, obj, "metadata");
  if (list) val_setc(a, meta, "managedFields", list);
  else val_delc(meta, "managedFields");
}

void managed_fields_update(const manage_args *m, const val *live, val *obj) {
  assert(m->resource && val_is_map(obj));
  val *live_meta = val_getc(live, "metadata"), *meta = val_ensure_map(m->arena, obj, "metadata");
  val *live_list = val_getc(live_meta, "managedFields"), *list = val_getc(meta, "managedFields");
  if (meta == live_meta) val_setc(m->arena, obj, "metadata", map_copy(m->arena, meta));
  managed all;
  managed_init(&all, m->arena);
  managed_start(m, &all, live_list, list);
  bool tracked = all.count || val_get_str(val_getc(live, "metadata"), "uid").len == 0;
  /* The comparison must not see managedFields: the same list on both sides is no difference. */
  managed_fields_put(m->arena, obj, live_list);
  if (tracked) tracked = managed_update(m, &all, live, obj, SLICE_NONE);
  managed_fields_put(m->arena, obj, tracked ? managed_write(&all) : NULL);
}

bool managed_fields_valid(arena *a, const val *list, slice *error) {
  managed all;
  managed_init(&all, a);
  return managed_read(&all, list, false, error);
}

/* Equal but for the time. */
static bool entries_match(const val *x, const val *y) {
  static const char *const keys[] = {"manager", "operation", "apiVersion", "fieldsType",
                                     "subresource"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (!slice_eq(val_get_str(x, keys[i]), val_get_str(y, keys[i]))) return false;
  }
  return field_set_equal(val_getc(x, "fieldsV1"), val_getc(y, "fieldsV1"));
}

void managed_fields_keep_times(arena *a, const val *live, val *obj) {
  val *before = val_getc(val_getc(live, "metadata"), "managedFields");
  val *after = val_getc(val_getc(obj, "metadata"), "managedFields");
  if (before == after || !before || !after || before->count != after->count) return;
  bool times_equal = true;
  for (uint32_t i = 0; i < after->count; i++) {
    const val *x = before->u.items[i], *y = after->u.items[i];
    if (!entries_match(x, y)) return;
    times_equal = times_equal && slice_eq(val_get_str(x, "time"), val_get_str(y, "time"));
  }
  if (times_equal) return;
  managed_fields_put(a, obj, before);
  if (!val_equal(live, obj)) managed_fields_put(a, obj, after);
}
