/* Server-side apply: merge the configuration into the object, drop what the manager applied before
 * and nobody else owns, and refuse where another manager's field would change. Source:
 * structured-merge-diff merge/update.go and apimachinery pkg/util/managedfields/internal. */
#include "patch/managed_fields.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "patch/field_element.h"
#include "patch/patch_tree.h"
#include "patch/reset_fields.h"
#include "patch/typed_merge.h"

#include <assert.h>
#include <stdlib.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

typedef struct applying {
  const manage_args *m;
  const field_sets *sets;
  managed *all;
  const type_info *type;
  managed_entry self; /* the manager's identity and the fields that it applies now */
  status_error *err;
} applying;

/* ---- what is checked before anything is done ---- */

/* Go's text of a kind: "apps/v1, Kind=Deployment", "/v1, Kind=Pod"; of a version with two slashes
 * nothing is left. */
static slice gvk_text(arena *a, slice api_version, slice kind) {
  slice group, version, rest;
  schema_version_cut(api_version, &group, &version);
  if (slice_cut(version, '/', &version, &rest)) group = version = kind = SLICE_LIT("");
  return arena_printf(a, "%.*s/%.*s, Kind=%.*s", SLICE_ARG(group), SLICE_ARG(version),
                      SLICE_ARG(kind));
}

static bool gvk_check(const manage_args *m, const val *applied, status_error *err) {
  slice api_version = val_get_str(applied, "apiVersion"), kind = val_get_str(applied, "kind");
  if (slice_eq(api_version, manage_version(m)) && slice_eq(kind, m->resource->kind)) return true;
  slice text = gvk_text(m->arena, api_version, kind);
  return status_set(err, m->arena, STATUS_BAD_REQUEST, "invalid object type: %.*s",
                    SLICE_ARG(text));
}

/* "(demo/web; apps/v1, Kind=Deployment)", as errors name what was sent. */
static slice applied_name(const manage_args *m, const val *applied) {
  const val *meta = val_getc(applied, "metadata");
  slice ns = val_get_str(meta, "namespace"), name = val_get_str(meta, "name");
  slice kind = gvk_text(m->arena, manage_version(m), m->resource->kind);
  return arena_printf(m->arena, "(%.*s/%.*s; %.*s)", SLICE_ARG(ns), SLICE_ARG(name),
                      SLICE_ARG(kind));
}

bool apply_unconvertible(const manage_args *m, const val *applied, slice why, status_error *err) {
  slice name = applied_name(m, applied);
  slice kind = gvk_text(m->arena, manage_version(m), m->resource->kind);
  return status_plain(err, m->arena,
                      "failed to convert new object %.*s to proper version: unable to convert "
                      "unstructured object to %.*s: %.*s",
                      SLICE_ARG(name), SLICE_ARG(kind), SLICE_ARG(why));
}

static bool applied_check(const manage_args *m, const val *applied, status_error *err) {
  const val *meta = val_getc(applied, "metadata");
  if (val_is_list(val_getc(meta, "managedFields"))) {
    return status_set(err, m->arena, STATUS_BAD_REQUEST, "metadata.managedFields must be nil");
  }
  slice error;
  if (typed_check(m->arena, applied, m->resource->type, &error)) return true;
  slice name = applied_name(m, applied);
  return status_plain(err, m->arena, "failed to create typed patch object %.*s: %.*s",
                      SLICE_ARG(name), SLICE_ARG(error));
}

/* ---- pruning ---- */

/* What anybody owns, in this version of the type. */
static val *owned_by_all(const applying *p) {
  val *owned = NULL;
  for (uint32_t i = 0; i < p->all->count; i++) {
    const managed_entry *e = p->all->items + i;
    const resource_info *r = manage_resource(p->m->resource, e->api_version);
    if (r && r->type == p->type) owned = field_set_union(p->sets, owned, e->set);
  }
  return field_set_union(p->sets, owned, p->self.set);
}

static val *parents(const applying *p, const val *set) {
  return field_set_with_parents(p->sets, set, p->type);
}

static val *fields_of(const applying *p, const val *v) {
  val *set = NULL;
  typed_fields(p->sets, v, p->type, true, &set);
  return parents(p, set);
}

/* `merged` without what was applied before (`last`), is not applied now and is nobody else's. */
static const val *fields_prune(const applying *p, const val *merged, const val *last) {
  if (!last) return merged;
  const field_sets *f = p->sets;
  last = parents(p, last);
  const val *all = fields_of(p, merged);
  const val *pruned = typed_remove(f, merged, last, p->type);
  const val *keep = field_set_union(f, fields_of(p, pruned), parents(p, owned_by_all(p)));
  pruned = typed_remove(f, merged, field_set_difference(f, all, keep), p->type);
  const val *gone = field_set_difference(f, all, fields_of(p, pruned));
  return typed_remove(f, merged, field_set_intersection(f, gone, last), p->type);
}

/* ---- conflicts ---- */

typedef struct conflict {
  const managed_entry *with;
  slice name; /* the manager's identifier, which conflicts are sorted by */
  val *fields;
} conflict;

typedef struct conflict_report {
  const applying *p;
  slice manager; /* as messages print it */
  status_cause *causes;
  uint32_t count, cap;
  buf text;
} conflict_report;

static int conflict_cmp(const void *x, const void *y) {
  return slice_cmp(((const conflict *)x)->name, ((const conflict *)y)->name);
}

static slice manager_text(arena *a, const managed_entry *e) {
  slice text = field_quote(a, e->manager);
  if (e->subresource.len) {
    slice sub = field_quote(a, e->subresource);
    text = arena_printf(a, "%.*s with subresource %.*s", SLICE_ARG(text), SLICE_ARG(sub));
  }
  if (managed_is_apply(e)) return text;
  return arena_printf(a, "%.*s using %.*s", SLICE_ARG(text), SLICE_ARG(e->api_version));
}

static void conflict_path(void *ctx, slice path) {
  conflict_report *r = ctx;
  arena *a = r->p->m->arena;
  r->causes = arena_more(a, r->causes, r->count, &r->cap, sizeof *r->causes);
  slice message = arena_concat(a, SLICE_LIT("conflict with "), r->manager);
  r->causes[r->count++] = (status_cause){SLICE_LIT("FieldManagerConflict"), message, path};
  buf_printf(&r->text, "\n- %.*s", SLICE_ARG(path));
}

static val *conflicts_report(const applying *p, conflict *found, uint32_t count) {
  arena *a = p->m->arena;
  conflict_report r = {.p = p};
  buf_init(&r.text, LIMIT_BUFFER);
  qsort(found, count, sizeof *found, conflict_cmp);
  for (uint32_t i = 0; i < count; i++) {
    r.manager = manager_text(a, found[i].with);
    buf_printf(&r.text, "%sconflicts with %.*s:", i ? "\n" : "", SLICE_ARG(r.manager));
    field_set_each(p->sets, found[i].fields, conflict_path, &r);
  }
  if (r.count == 1) {
    status_set(p->err, a, STATUS_CONFLICT, "Apply failed with 1 conflict: %.*s: %.*s",
               SLICE_ARG(r.causes[0].message), SLICE_ARG(r.causes[0].field));
  } else {
    slice text = buf_slice(&r.text);
    status_set(p->err, a, STATUS_CONFLICT, "Apply failed with %u conflicts: %.*s", r.count,
               SLICE_ARG(text));
  }
  buf_dispose(&r.text);
  p->err->has_details = true;
  p->err->causes = r.causes;
  p->err->cause_count = r.count;
  return NULL;
}

/* ---- kubectl's migration from its own apply ---- */

/* The fields in which the object is still as kubectl's annotation says it applied it; a conflict
 * over those is none. false: there is no annotation that counts. */
static bool fields_last_applied(const applying *p, const val *live, val **out) {
  arena *a = p->m->arena;
  const val *notes = val_getc(val_getc(live, "metadata"), "annotations");
  slice text = val_get_str(notes, LAST_APPLIED), error;
  val *last = text.len ? json_parse(a, text, NULL, &error) : NULL;
  if (!val_is_map(last)) return false;
  if (!slice_eq(val_get_str(last, "apiVersion"), manage_version(p->m))) return false;
  typed_diff d;
  if (!typed_check(a, last, p->type, &error) || !typed_fields(p->sets, last, p->type, false, out)) {
    return false;
  }
  if (!typed_compare(p->sets, live, last, p->type, true, &d)) return false;
  *out = field_set_difference(p->sets, *out, d.modified);
  *out = field_set_difference(p->sets, *out, d.added);
  *out = field_set_difference(p->sets, *out, d.removed);
  return true;
}

/* Compact JSON of the configuration without its own annotation; kept out where it is too large. */
static void last_applied_put(const applying *p, val *obj, const val *applied) {
  arena *a = p->m->arena;
  val *meta = val_getc(obj, "metadata"), *notes = val_getc(meta, "annotations");
  if (val_get_str(notes, LAST_APPLIED).len == 0) return;
  val *config = tree_copy(a, applied), *own = val_getc(config, "metadata");
  val_delc(val_getc(own, "annotations"), LAST_APPLIED);
  if (val_getc(own, "annotations") && val_len(val_getc(own, "annotations")) == 0) {
    val_delc(own, "annotations");
  }
  buf text;
  buf_init(&text, LIMIT_BUFFER);
  json_encode_any(&text, config, true);
  buf_char(&text, '\n');
  notes = map_copy(a, notes);
  val_setc(a, notes, LAST_APPLIED, val_string_copy(a, buf_slice(&text)));
  buf_dispose(&text);
  size_t total = 0;
  VAL_EACH(e, notes) total += e->key.len + val_str(e->value).len;
  if (total > LIMIT_ANNOTATION_BYTES) val_delc(notes, LAST_APPLIED);
  meta = map_copy(a, meta);
  val_setc(a, meta, "annotations", notes);
  val_setc(a, obj, "metadata", meta);
}

/* ---- the apply itself ---- */

/* What changed between live and next, as an entry's version sees it. false: the version is no
 * more. */
static bool diff_for(const applying *p, const managed_entry *e, const val *live, const val *next,
                     const typed_diff *ours, typed_diff *out) {
  const resource_info *other = manage_resource(p->m->resource, e->api_version);
  *out = *ours;
  if (!other || other->type == p->type) return other != NULL;
  slice error;
  val *typed = codec_conform(p->m->arena, tree_copy(p->m->arena, next), p->type, NULL, &error);
  if (!typed) return false;
  const val *before = manage_convert(p->m->arena, live, p->m->resource, other);
  const val *after = manage_convert(p->m->arena, typed, p->m->resource, other);
  return after && typed_compare(p->sets, before, after, other->type, false, out);
}

/* Takes from the others what changed; false and err on conflicts that are not forced. */
static bool managers_yield(const applying *p, const val *live, const val *next, bool force) {
  const field_sets *f = p->sets;
  typed_diff ours, d;
  if (!typed_compare(f, live, next, p->type, true, &ours)) {
    return status_plain(p->err, p->m->arena, "failed to compare objects");
  }
  ours.removed = reset_fields_remove(f, ours.removed, p->m->resource, p->m->subresource);
  ours.modified = reset_fields_remove(f, ours.modified, p->m->resource, p->m->subresource);
  ours.added = reset_fields_remove(f, ours.added, p->m->resource, p->m->subresource);
  conflict *found = ARENA_ARRAY(p->m->arena, conflict, p->all->count + 1);
  val **sets = ARENA_ARRAY(p->m->arena, val *, p->all->count + 1);
  uint32_t count = 0;
  for (uint32_t i = 0; i < p->all->count; i++) {
    managed_entry *e = p->all->items + i;
    if (!diff_for(p, e, live, next, &ours, &d)) continue;
    val *fields = field_set_intersection(f, e->set, field_set_union(f, d.modified, d.added));
    if (fields) found[count++] = (conflict){e, managed_identifier(f->arena, e), fields};
    sets[i] = field_set_difference(f, field_set_difference(f, e->set, fields), d.removed);
  }
  if (count && !force) return conflicts_report(p, found, count) != NULL;
  for (uint32_t i = p->all->count; i-- > 0;) {
    managed_entry *e = p->all->items + i;
    if (!sets[i]) managed_drop(p->all, i);
    else if (!field_set_equal(sets[i], e->set)) managed_entry_set(e, sets[i]);
  }
  return true;
}

/* One attempt. *changed: the object is not as it was. */
static const val *apply_once(applying *p, const val *live, const val *applied, bool force,
                             bool *changed) {
  const val *next = typed_merge(p->m->arena, live, applied, p->type);
  managed_entry *old = managed_find(p->all, &p->self);
  const val *last = old ? old->set : NULL;
  p->self.time = old ? old->time : SLICE_NONE;
  if (old) managed_drop(p->all, (uint32_t)(old - p->all->items));
  next = fields_prune(p, next, last);
  if (!managers_yield(p, live, next, force)) return NULL;
  *changed = !typed_equal(live, next, p->type);
  return next;
}

/* The managers before the first apply, when none are known: somebody made what is there. */
static void managers_begin(const applying *p, const val *live) {
  if (p->all->count || val_get_str(val_getc(live, "metadata"), "uid").len == 0) return;
  manage_args m = *p->m;
  managed_update(&m, p->all, NULL, live, SLICE_LIT("before-first-apply"));
}

static managed managed_copy(arena *a, const managed *all) {
  managed copy = *all;
  copy.items = ARENA_ARRAY(a, managed_entry, all->count + 1);
  copy.cap = all->count + 1;
  if (all->count) memcpy(copy.items, all->items, all->count * sizeof *copy.items);
  return copy;
}

/* Are all conflicts over fields in `allowed`? Else err tells of the others only. */
static bool conflicts_allowed(const applying *p, const val *live, const val *next, managed *all,
                              const val *allowed);

static const val *apply_run(applying *p, const val *live, const val *applied, bool *changed) {
  managed before = managed_copy(p->m->arena, p->all);
  const val *next = apply_once(p, live, applied, p->m->force, changed);
  if (next || p->err->reason != STATUS_CONFLICT) return next;
  val *allowed = NULL;
  if (!slice_is(p->m->manager, "kubectl") || !fields_last_applied(p, live, &allowed)) return NULL;
  *p->all = before;
  managed probe = managed_copy(p->m->arena, &before);
  const val *merged = typed_merge(p->m->arena, live, applied, p->type);
  if (!conflicts_allowed(p, live, merged, &probe, allowed)) return NULL;
  *p->err = (status_error){0};
  return apply_once(p, live, applied, true, changed);
}

static bool conflicts_allowed(const applying *p, const val *live, const val *next, managed *all,
                              const val *allowed) {
  for (uint32_t i = 0; i < all->count; i++) {
    managed_entry *e = all->items + i;
    managed_entry_set(e, field_set_difference(p->sets, e->set, allowed));
  }
  applying rest = *p;
  status_error again = {0};
  rest.all = all;
  rest.err = &again;
  managed_entry *self = managed_find(all, &p->self);
  if (self) managed_drop(all, (uint32_t)(self - all->items));
  if (managers_yield(&rest, live, next, false)) return true;
  *p->err = again;
  return false;
}

val *server_side_apply(const manage_args *m, const val *live, val *applied, status_error *err) {
  assert(m->resource && val_is_map(applied));
  arena *a = m->arena;
  managed all;
  managed_init(&all, a);
  bool creating = !live;
  if (creating) {
    val *empty = val_map(a); /* what the real server makes of the kind: a zero object */
    val_setc(a, empty, "apiVersion", val_string(a, manage_version(m)));
    val_setc(a, empty, "kind", val_string(a, m->resource->kind));
    live = empty;
  }
  managed_read(&all, val_getc(val_getc(live, "metadata"), "managedFields"), true, NULL);
  if (!gvk_check(m, applied, err)) return NULL;
  applying p = {.m = m, .sets = &all.sets, .all = &all, .type = m->resource->type, .err = err,
                .self = manage_entry(m, true)};
  managers_begin(&p, live);
  if (!applied_check(m, applied, err)) return NULL;
  val *fields;
  typed_fields(p.sets, applied, p.type, false, &fields);
  p.self.set = reset_fields_remove(p.sets, fields, m->resource, m->subresource);
  bool changed = false;
  const val *next = apply_run(&p, live, applied, &changed);
  if (!next) return NULL;
  p.self.set = managed_strip(p.sets, p.self.set);
  if (changed || creating) p.self.time = time_text(a, m->now_s);
  if (p.self.set) managed_add(&all, p.self);
  val *out = tree_copy(a, next);
  if (slice_is(m->manager, "kubectl")) last_applied_put(&p, out, applied);
  managed_fields_put(a, out, managed_write(&all));
  return out;
}
