/* The real server translates the owners of spec.replicas into a Scale's, lets the field manager
 * work on the Scale, and translates back. On the way an owner by update changes its apiVersion, so
 * that it no longer matches its old entry: its replicas come back as an entry of their own, without
 * a time. An applier's entry has no apiVersion in its identity and stays whole. When nobody owns
 * the replicas, nothing is tracked. */
#include "verb/scale_fields.h"

#include "registry/object.h"

#include <stdlib.h>

static const val *replicas_of(const val *entry) {
  return val_getc(val_getc(val_getc(entry, "fieldsV1"), "f:spec"), "f:replicas");
}

static bool is_apply(const val *entry) {
  return slice_is(val_get_str(entry, "operation"), "Apply");
}

static bool is_writer(const val *entry, const scale_write *w) {
  return is_apply(entry) == w->apply && slice_eq(val_get_str(entry, "manager"), w->manager) &&
         slice_is(val_get_str(entry, "subresource"), "scale");
}

/* A copy of the entry without the replicas; NULL when nothing else is left. */
static val *without_replicas(arena *a, const val *entry) {
  val *copy = val_copy(a, entry), *fields = val_getc(copy, "fieldsV1"),
      *spec = val_getc(fields, "f:spec");
  val_delc(spec, "f:replicas");
  if (val_len(spec) == 0) val_delc(fields, "f:spec");
  return val_len(fields) ? copy : NULL;
}

static val *replicas_entry(request *rq, slice manager, bool apply, slice subresource) {
  arena *a = rq->arena;
  char gv[128];
  val *e = val_map(a), *fields = val_map(a), *spec = val_map(a);
  val_setc(a, spec, "f:replicas", val_map(a));
  val_setc(a, fields, "f:spec", spec);
  val_setc(a, e, "manager", val_string(a, manager));
  val_setc(a, e, "operation", val_cstr(a, apply ? "Apply" : "Update"));
  val_setc(a, e, "apiVersion", val_string_copy(a, schema_group_version(rq->resource, gv)));
  val_setc(a, e, "fieldsType", val_cstr(a, "FieldsV1"));
  val_setc(a, e, "fieldsV1", fields);
  val_set_text(a, e, "subresource", subresource);
  return e;
}

static bool refuse(request *rq, const val *entry) {
  slice manager = val_get_str(entry, "manager");
  arena *a = rq->arena;
  status_cause *c = ARENA_NEW(a, status_cause);
  slice who = is_apply(entry) ? arena_printf(a, "conflict with \"%.*s\"", SLICE_ARG(manager))
                              : arena_printf(a, "conflict with \"%.*s\" using autoscaling/v1",
                                             SLICE_ARG(manager));
  *c = (status_cause){SLICE_LIT("FieldManagerConflict"), who, SLICE_LIT(".spec.replicas")};
  status_set(&rq->error, a, STATUS_CONFLICT, "Apply failed with 1 conflict: %.*s: .spec.replicas",
             SLICE_ARG(who));
  rq->error.has_details = true;
  rq->error.cause_count = 1;
  rq->error.causes = c;
  return false;
}

/* The order of stored entries: applies first, then by time (none first), manager, subresource. */
static int entry_order(const void *x, const void *y) {
  static const char *const keys[] = {"operation", "time", "manager", "apiVersion", "subresource"};
  const val *p = *(const val *const *)x, *q = *(const val *const *)y;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    int order = slice_cmp(val_get_str(p, keys[i]), val_get_str(q, keys[i]));
    if (order) return order;
  }
  return 0;
}

static bool same_identity(const val *p, const val *q) {
  static const char *const keys[] = {"manager", "operation", "subresource", "apiVersion"};
  for (size_t i = 0; i < (is_apply(p) ? 3 : 4); i++) {
    if (!slice_eq(val_get_str(p, keys[i]), val_get_str(q, keys[i]))) return false;
  }
  return true;
}

/* Two entries of one identity (this very path makes them) are read as the later one. */
static bool is_shadowed(const val *entries, uint32_t at) {
  for (uint32_t i = at + 1; i < val_len(entries); i++) {
    if (same_identity(val_at(entries, at), val_at(entries, i))) return true;
  }
  return false;
}

static const val *readable(arena *a, const val *entries) {
  val *list = val_list(a);
  for (uint32_t i = 0; i < val_len(entries); i++) {
    if (!is_shadowed(entries, i)) val_append(a, list, val_at(entries, i));
  }
  return list;
}

bool scale_fields_update(request *rq, const scale_write *w, val *obj) {
  arena *a = rq->arena;
  const val *old = readable(a, val_path(obj, "metadata.managedFields"));
  bool changed = w->before != w->after, tracked = w->apply, kept = false;
  val *list = val_list(a);
  for (uint32_t i = 0; i < val_len(old); i++) tracked = tracked || replicas_of(val_at(old, i));
  for (uint32_t i = 0; i < val_len(old); i++) {
    const val *e = val_at(old, i);
    if (!replicas_of(e)) {
      val_append(a, list, val_copy(a, e));
      continue;
    }
    bool own = is_writer(e, w);
    if (changed && !own && w->apply && !w->force) return refuse(rq, e);
    bool owner = own ? w->after != 0 : !changed;
    kept = kept || (own && owner);
    if (is_apply(e) && owner) {
      val_append(a, list, val_copy(a, e));
      continue;
    }
    val *rest = without_replicas(a, e);
    if (rest) val_append(a, list, rest);
    if (owner) {
      val_append(a, list, replicas_entry(rq, val_get_str(e, "manager"), is_apply(e),
                                         val_get_str(e, "subresource")));
    }
  }
  bool gains = tracked && !kept && w->after != 0 && (changed || w->apply);
  if (gains) val_append(a, list, replicas_entry(rq, w->manager, w->apply, SLICE_LIT("scale")));
  qsort(list->u.items, list->count, sizeof *list->u.items, entry_order);
  if (val_len(list)) val_setc(a, object_meta(a, obj), "managedFields", list);
  else object_del(obj, "managedFields");
  return true;
}
