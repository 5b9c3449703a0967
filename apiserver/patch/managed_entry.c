/* Entries of managedFields. Those that a write does not touch keep the very tree they came in. */
#include "patch/managed_entry.h"

#include "base/limits.h"
#include "patch/field_element.h"

#include <assert.h>
#include <stdlib.h>

void managed_init(managed *m, arena *a) {
  *m = (managed){.sets = field_sets_make(a)};
}

managed_entry *managed_add(managed *m, managed_entry entry) {
  m->items = arena_more(m->sets.arena, m->items, m->count, &m->cap, sizeof *m->items);
  m->items[m->count] = entry;
  return m->items + m->count++;
}

void managed_drop(managed *m, uint32_t at) {
  assert(at < m->count);
  memmove(m->items + at, m->items + at + 1, (m->count - at - 1) * sizeof *m->items);
  m->count--;
}

void managed_entry_set(managed_entry *e, val *set) {
  e->set = set;
  e->source = NULL;
}

managed_entry *managed_find(managed *m, const managed_entry *like) {
  bool apply = managed_is_apply(like);
  for (uint32_t i = 0; i < m->count; i++) {
    managed_entry *e = m->items + i;
    if (slice_eq(e->manager, like->manager) && slice_eq(e->operation, like->operation) &&
        slice_eq(e->subresource, like->subresource) &&
        (apply || slice_eq(e->api_version, like->api_version))) {
      return e;
    }
  }
  return NULL;
}

/* ,"key": and a quoted value, or nothing for an empty one. */
static slice member_text(arena *a, const char *key, slice value) {
  if (value.len == 0) return SLICE_LIT("");
  slice quoted = field_quote(a, value);
  return arena_printf(a, ",\"%s\":%.*s", key, SLICE_ARG(quoted));
}

slice managed_identifier(arena *a, const managed_entry *e) {
  slice manager = member_text(a, "manager", e->manager);
  slice operation = member_text(a, "operation", e->operation);
  slice version = member_text(a, "apiVersion",
                              managed_is_apply(e) ? SLICE_LIT("") : e->api_version);
  slice subresource = member_text(a, "subresource", e->subresource);
  slice all = arena_printf(a, "%.*s%.*s%.*s%.*s}", SLICE_ARG(manager), SLICE_ARG(operation),
                           SLICE_ARG(version), SLICE_ARG(subresource));
  return arena_concat(a, SLICE_LIT("{"), slice_from(all, 1));
}

static bool entry_check(const managed *m, const val *raw, uint32_t at, slice *error) {
  slice operation = val_get_str(raw, "operation"), type = val_get_str(raw, "fieldsType");
  slice text = SLICE_NONE;
  if (!slice_is(operation, "Apply") && !slice_is(operation, "Update")) {
    text = SLICE_LIT("operation must be `Apply` or `Update`");
  } else if (val_get_str(raw, "apiVersion").len == 0) {
    text = SLICE_LIT("apiVersion must not be empty");
  } else if (type.len == 0) {
    text = arena_printf(m->sets.arena, "missing fieldsType in managed fields entry %u", at);
  } else if (!slice_is(type, "FieldsV1")) {
    text = arena_printf(m->sets.arena, "invalid fieldsType \"%.*s\" in managed fields entry %u",
                        SLICE_ARG(type), at);
  }
  if (error) *error = text;
  return text.len == 0;
}

static managed_entry entry_of(const val *raw) {
  return (managed_entry){.manager = val_get_str(raw, "manager"),
                         .operation = val_get_str(raw, "operation"),
                         .api_version = val_get_str(raw, "apiVersion"),
                         .subresource = val_get_str(raw, "subresource"),
                         .time = val_get_str(raw, "time")};
}

static bool entry_read(managed *m, val *seen, val *raw, uint32_t at, bool trusted,
                       slice *error) {
  if (!entry_check(m, raw, at, error)) return false;
  managed_entry e = entry_of(raw);
  val *fields = val_getc(raw, "fieldsV1");
  if (trusted) {
    e.set = field_node_count(fields) ? fields : NULL;
    e.source = raw;
    managed_add(m, e);
    return true;
  }
  if (!field_set_read(&m->sets, fields, &e.set)) {
    if (error) *error = SLICE_LIT("error decoding set: parsing key as path element");
    return false;
  }
  slice name = managed_identifier(m->sets.arena, &e); /* a later entry of one name wins */
  const val *before = val_get(seen, name);
  if (before) {
    m->items[before->u.i] = e;
  } else {
    val_set(m->sets.arena, seen, name, val_int(m->sets.arena, m->count));
    managed_add(m, e);
  }
  return true;
}

bool managed_read(managed *m, const val *list, bool trusted, slice *error) {
  val *seen = trusted ? NULL : val_map(m->sets.arena);
  m->count = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (entry_read(m, seen, list->u.items[i], i, trusted, error)) continue;
    m->count = 0;
    return false;
  }
  return true;
}

static int entry_cmp(const void *x, const void *y) {
  const managed_entry *a = x, *b = y;
  const slice left[] = {a->operation, a->time, a->manager, a->api_version, a->subresource};
  const slice right[] = {b->operation, b->time, b->manager, b->api_version, b->subresource};
  for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
    int order = slice_cmp(left[i], right[i]);
    if (order) return order;
  }
  return 0;
}

static val *entry_write(const managed *m, const managed_entry *e) {
  if (e->source) return e->source;
  arena *a = m->sets.arena;
  val *entry = val_map(a);
  val_set_text(a, entry, "manager", e->manager);
  val_set_text(a, entry, "operation", e->operation);
  val_set_text(a, entry, "apiVersion", e->api_version);
  val_set_text(a, entry, "time", e->time);
  val_set_text(a, entry, "fieldsType", SLICE_LIT("FieldsV1"));
  val_setc(a, entry, "fieldsV1", field_set_write(&m->sets, e->set));
  val_set_text(a, entry, "subresource", e->subresource);
  return entry;
}

val *managed_write(managed *m) {
  if (m->count == 0) return NULL;
  if (m->count > 1) qsort(m->items, m->count, sizeof *m->items, entry_cmp);
  val *list = val_list(m->sets.arena);
  for (uint32_t i = 0; i < m->count; i++) {
    val_append(m->sets.arena, list, entry_write(m, m->items + i));
  }
  return list;
}

/* ---- the cap on updaters ---- */

typedef struct updater {
  managed_entry entry;
  slice name;
  bool gone;
} updater;

static int updater_cmp(const void *x, const void *y) {
  const updater *a = x, *b = y;
  int order = slice_cmp(a->entry.time, b->entry.time);
  return order ? order : slice_cmp(a->name, b->name);
}

/* The real server renames the first of a version to the bucket when it meets a second one, and
 * folds every further one in. `first` and `bucket` are keyed by version. */
static void updater_fold(const managed *m, updater *all, uint32_t at, uint32_t first) {
  updater *into = all + first, *from = all + at;
  managed_entry *e = &into->entry;
  e->manager = SLICE_LIT("ancient-changes");
  e->subresource = SLICE_LIT("");
  e->time = from->entry.time;
  managed_entry_set(e, field_set_union(&m->sets, from->entry.set, e->set));
  from->gone = true;
}

void managed_cap(managed *m) {
  uint32_t updaters = 0;
  for (uint32_t i = 0; i < m->count; i++) updaters += !managed_is_apply(m->items + i);
  if (updaters <= LIMIT_UPDATE_MANAGERS) return;
  arena *a = m->sets.arena;
  updater *all = ARENA_ARRAY(a, updater, updaters);
  uint32_t kept = 0, n = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    managed_entry *e = m->items + i;
    if (managed_is_apply(e)) m->items[kept++] = *e;
    else all[n++] = (updater){*e, managed_identifier(a, e), false};
  }
  qsort(all, n, sizeof *all, updater_cmp);
  val *first = val_map(a); /* version -> place of the entry that became, or is, its bucket */
  uint32_t left = n;
  for (uint32_t i = 0; i < n; i++) { /* a bucket of an earlier time is found where it stands */
    managed_entry *e = &all[i].entry;
    if (slice_is(e->manager, "ancient-changes") && e->subresource.len == 0 &&
        !val_get(first, e->api_version)) {
      val_set(a, first, e->api_version, val_int(a, -(int64_t)i - 1));
    }
  }
  for (uint32_t i = 0; i < n && left > LIMIT_UPDATE_MANAGERS; i++) {
    slice version = all[i].entry.api_version;
    const val *place = val_get(first, version);
    if (place && place->u.i < 0) { /* the first of a version that has a bucket somewhere */
      val_set(a, first, version, val_int(a, -place->u.i - 1));
    } else if (!place) {
      val_set(a, first, version, val_int(a, i));
    } else if ((int64_t)i != place->u.i) {
      updater_fold(m, all, i, (uint32_t)place->u.i);
      left--;
    }
  }
  m->count = kept;
  for (uint32_t i = 0; i < n; i++) {
    if (!all[i].gone) managed_add(m, all[i].entry);
  }
}
