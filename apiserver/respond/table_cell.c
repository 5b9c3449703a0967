/* The general cells: a path, and how to print what stands there. */
#include "respond/table_cell.h"

#include "codec/codec.h"
#include "registry/selector.h"

#include <stdlib.h>

enum { MINUTE = 60, HOUR = 3600 };

/* "3h6m", and "3h" when there are no minutes. */
static slice two_units(arena *a, long long n, char unit, long long rest, char rest_unit) {
  if (rest == 0) return arena_printf(a, "%lld%c", n, unit);
  return arena_printf(a, "%lld%c%lld%c", n, unit, rest, rest_unit);
}

slice human_duration(arena *a, int64_t seconds) {
  long long s = seconds, m = s / MINUTE, h = s / HOUR, d = h / 24, y = d / 365;
  if (s < -1) return SLICE_LIT("<invalid>");
  if (s < 0) return SLICE_LIT("0s");
  if (s < 2 * MINUTE) return two_units(a, s, 's', 0, ' ');
  if (m < 10) return two_units(a, m, 'm', s % 60, 's');
  if (m < 3 * 60) return two_units(a, m, 'm', 0, ' ');
  if (h < 8) return two_units(a, h, 'h', m % 60, 'm');
  if (h < 48) return two_units(a, h, 'h', 0, ' ');
  if (d < 8) return two_units(a, d, 'd', h % 24, 'h');
  if (y < 2) return two_units(a, d, 'd', 0, ' ');
  if (y < 8) return two_units(a, y, 'y', d % 365, 'd');
  return two_units(a, y, 'y', 0, ' ');
}

bool time_of(const val *v, int64_t *seconds) {
  int32_t nanos;
  return val_is_string(v) && time_parse(val_str(v), seconds, &nanos);
}

slice human_since(const cell_env *e, const val *v) {
  int64_t at;
  if (!time_of(v, &at)) return SLICE_LIT("<unknown>");
  return human_duration(e->arena, e->now_s - at);
}

slice join_set(arena *a, slice *items, uint32_t count) {
  uint32_t kept = 0;
  if (count > 1) qsort(items, count, sizeof *items, slice_order);
  for (uint32_t i = 0; i < count; i++) {
    if (kept == 0 || !slice_eq(items[kept - 1], items[i])) items[kept++] = items[i];
  }
  return arena_join_with(a, items, kept, ",");
}

static val *none_of(const cell_env *e, const cell *c) {
  return val_cstr(e->arena, c->none ? c->none : "");
}

val *cell_name(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_string(e->arena, val_get_str(val_getc(obj, "metadata"), "name"));
}

val *cell_text(const cell_env *e, const val *obj, const cell *c) {
  const val *v = val_path(obj, c->path);
  if (val_is_int(v)) return val_printf(e->arena, "%lld", (long long)val_i64(v));
  return val_is_string(v) ? val_string(e->arena, val_str(v)) : none_of(e, c);
}

val *cell_int(const cell_env *e, const val *obj, const cell *c) {
  return val_int(e->arena, val_i64(val_path(obj, c->path)));
}

val *cell_bool(const cell_env *e, const val *obj, const cell *c) {
  const val *v = val_path(obj, c->path);
  return val_bool(e->arena, val_is_bool(v) ? val_true(v) : c->none != NULL);
}

val *cell_count(const cell_env *e, const val *obj, const cell *c) {
  return val_int(e->arena, val_len(val_path(obj, c->path)));
}

val *cell_join(const cell_env *e, const val *obj, const cell *c) {
  const val *list = val_path(obj, c->path);
  uint32_t count = val_is_list(list) ? list->count : 0;
  slice *items = ARENA_ARRAY(e->arena, slice, count + 1);
  for (uint32_t i = 0; i < count; i++) items[i] = val_str(val_at(list, i));
  slice text = arena_join_with(e->arena, items, count, ",");
  return text.len ? val_string(e->arena, text) : none_of(e, c);
}

val *cell_age(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_string(e->arena, human_since(e, val_path(obj, "metadata.creationTimestamp")));
}

val *cell_created(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  slice at = val_str(val_path(obj, "metadata.creationTimestamp"));
  return at.len ? val_string(e->arena, at) : val_cstr(e->arena, "0001-01-01T00:00:00Z");
}

val *cell_since(const cell_env *e, const val *obj, const cell *c) {
  const val *v = val_path(obj, c->path);
  return v ? val_string(e->arena, human_since(e, v)) : none_of(e, c);
}

/* "spec.a,spec.b" into its two values. */
static void pair_of(const cell_env *e, const val *obj, const cell *c, const val **x,
                    const val **y) {
  slice left, right;
  slice_cut(slice_cstr(c->path), ',', &left, &right);
  *x = val_path(obj, arena_cstr(e->arena, left));
  *y = val_path(obj, arena_cstr(e->arena, right));
}

val *cell_slash(const cell_env *e, const val *obj, const cell *c) {
  const val *x, *y;
  pair_of(e, obj, c, &x, &y);
  if (!x && !y && c->none) return none_of(e, c);
  slice a = val_str(x), b = val_str(y);
  return val_printf(e->arena, "%.*s/%.*s", SLICE_ARG(a), SLICE_ARG(b));
}

val *cell_ratio(const cell_env *e, const val *obj, const cell *c) {
  const val *x, *y;
  pair_of(e, obj, c, &x, &y);
  return val_printf(e->arena, "%lld/%lld", (long long)val_i64(x), (long long)val_i64(y));
}

static val *of_containers(const cell_env *e, const val *obj, const cell *c, const char *what) {
  const val *list = val_path(obj, c->path);
  uint32_t count = val_is_list(list) ? list->count : 0;
  slice *items = ARENA_ARRAY(e->arena, slice, count + 1);
  for (uint32_t i = 0; i < count; i++) items[i] = val_get_str(val_at(list, i), what);
  return val_string(e->arena, arena_join_with(e->arena, items, count, ","));
}

val *cell_names(const cell_env *e, const val *obj, const cell *c) {
  return of_containers(e, obj, c, "name");
}

val *cell_images(const cell_env *e, const val *obj, const cell *c) {
  return of_containers(e, obj, c, "image");
}

val *cell_labels(const cell_env *e, const val *obj, const cell *c) {
  const val *map = val_path(obj, c->path);
  uint32_t count = 0;
  slice *items = ARENA_ARRAY(e->arena, slice, val_len(map) + 1);
  VAL_EACH(entry, map) {
    slice value = val_str(entry->value);
    items[count++] = arena_printf(e->arena, "%.*s=%.*s", SLICE_ARG(entry->key),
                                  SLICE_ARG(value));
  }
  if (count > 1) qsort(items, count, sizeof *items, slice_order);
  if (count == 0) return val_cstr(e->arena, "<none>");
  return val_string(e->arena, arena_join_with(e->arena, items, count, ","));
}

/* none: "<none>" for an empty one and "<error>" for a bad one; else "" and "<invalid>". */
val *cell_selector(const cell_env *e, const val *obj, const cell *c) {
  slice text;
  if (!label_selector_text(e->arena, val_path(obj, c->path), &text)) {
    return val_cstr(e->arena, c->none ? "<error>" : "<invalid>");
  }
  return text.len ? val_string(e->arena, text) : none_of(e, c);
}

val *cell_phase(const cell_env *e, const val *obj, const cell *c) {
  if (val_path(obj, "metadata.deletionTimestamp")) return val_cstr(e->arena, "Terminating");
  return cell_text(e, obj, c);
}
