/* Lists of type set hold each item once, those of type map each key once. Source:
 * apiextensions-apiserver pkg/apiserver/schema/listtype. Items are compared by their sorted JSON,
 * so that n of them cost n log n. */
#include "crd/structural_internal.h"

#include "codec/codec.h"
#include "base/limits.h"

#include <stdlib.h>

typedef struct keyed {
  slice text; /* what is compared */
  uint32_t index;
} keyed;

static int keyed_order(const void *x, const void *y) {
  const keyed *p = x, *q = y;
  int order = slice_cmp(p->text, q->text);
  return order ? order : p->index < q->index ? -1 : 1;
}

static int index_order(const void *x, const void *y) {
  uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;
  return p < q ? -1 : p > q;
}

/* Go's scalars are equal when their types are, too: a float is never an integer. */
static slice compared(arena *a, const val *v) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_char(&b, !v ? 'u' : val_is_float(v) ? 'f' : 'v');
  if (v) json_encode_any(&b, v, true);
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

uint32_t values_repeated(arena *a, val *const *values, uint32_t count, uint32_t *out) {
  keyed *all = ARENA_ARRAY(a, keyed, count + 1);
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) all[i] = (keyed){compared(a, values[i]), i};
  qsort(all, count, sizeof *all, keyed_order);
  for (uint32_t i = 1; i < count; i++) {
    bool same = slice_eq(all[i].text, all[i - 1].text);
    bool third = i > 1 && slice_eq(all[i].text, all[i - 2].text);
    if (same && !third) out[found++] = all[i].index;
  }
  qsort(out, found, sizeof *out, index_order);
  return found;
}

static void set_check(field_errors *errs, const path *p, const val *list) {
  uint32_t *again = ARENA_ARRAY(errs->a, uint32_t, list->count);
  uint32_t count = values_repeated(errs->a, list->u.items, list->count, again);
  for (uint32_t i = 0; i < count; i++) {
    path at = path_index(p, again[i]);
    field_duplicate(errs, &at, list->u.items[again[i]]);
  }
}

/* What tells an item from the others: one key's value (NULL: none), or a map of several. */
static val *key_of(arena *a, const structural *s, const val *item) {
  if (s->list_key_count == 1) return val_get(item, s->list_keys[0]);
  val *key = val_map(a);
  for (uint32_t i = 0; i < s->list_key_count; i++) {
    val *v = val_get(item, s->list_keys[i]);
    if (v) val_set(a, key, s->list_keys[i], v);
  }
  return key;
}

static void map_check(field_errors *errs, const path *p, const structural *s, const val *list) {
  arena *a = errs->a;
  for (uint32_t i = 0; i < list->count; i++) {
    path at = path_index(p, i);
    const val *item = list->u.items[i];
    if (val_is_map(item) || val_is_null(item)) continue;
    field_invalid(errs, &at, item, "must be an object for an array of list-type map");
    return;
  }
  val **keys = ARENA_ARRAY(a, val *, list->count);
  uint32_t *again = ARENA_ARRAY(a, uint32_t, list->count);
  for (uint32_t i = 0; i < list->count; i++) keys[i] = key_of(a, s, list->u.items[i]);
  uint32_t count = values_repeated(a, keys, list->count, again);
  for (uint32_t i = 0; i < count; i++) {
    path at = path_index(p, again[i]);
    val *shown = keys[again[i]];
    if (s->list_key_count == 1) {
      shown = val_map(a);
      if (keys[again[i]]) val_set(a, shown, s->list_keys[0], keys[again[i]]);
    } else {
      val_sort(shown);
    }
    field_duplicate(errs, &at, shown);
  }
}

static void check(field_errors *errs, const path *p, const structural *s, const val *v) {
  if (!s) return;
  if (val_is_list(v) && v->count) {
    if (slice_is(s->list_type, "set")) set_check(errs, p, v);
    if (slice_is(s->list_type, "map")) map_check(errs, p, s, v);
    for (uint32_t i = 0; s->items && i < v->count; i++) {
      path at = path_index(p, i);
      check(errs, &at, s->items, v->u.items[i]);
    }
  }
  VAL_EACH(e, v) {
    const structural *field = structural_property(s, e->key);
    path at = field ? path_child_slice(p, e->key) : path_key(p, e->key);
    check(errs, &at, field ? field : s->additional, e->value);
  }
}

void structural_validate_lists(field_errors *errs, const path *p, const structural *s,
                               const val *now, const val *old) {
  field_errors before = {.a = errs->a};
  if (old) check(&before, p, s, old);
  if (before.count == 0) check(errs, p, s, now);
}
