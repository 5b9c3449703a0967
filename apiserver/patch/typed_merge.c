/* Merging and removing by the schema. Lists with identities keep the configuration's order for its
 * own items and interleave what only the object has as the real merge does. */
#include "patch/typed_merge.h"

#include "patch/field_element.h"

#include <assert.h>

typedef struct merge_walk {
  arena *arena;
  int depth;
} merge_walk;

static val *merge_values(merge_walk *w, const val *l, const val *r, const typed_shape *s);

static val *merge_maps(merge_walk *w, const val *l, const val *r, const typed_shape *s) {
  val *out = val_map(w->arena);
  VAL_EACH(e, l) {
    const val *right = val_get(r, e->key);
    typed_shape below;
    bool both = right && shape_member(s, e->key, &below);
    val_set(w->arena, out, e->key, both ? merge_values(w, e->value, right, &below) : e->value);
  }
  VAL_EACH(e, r) {
    if (!val_get(l, e->key)) val_set(w->arena, out, e->key, e->value);
  }
  return out;
}

/* A list's elements; `places` finds the first item of each. */
typedef struct indexed_list {
  const val *list;
  slice *elements;
  val *places;
  val *repeated; /* elements that come more than once */
} indexed_list;

static indexed_list list_index(merge_walk *w, const val *list, const typed_shape *s,
                               bool typed) {
  arena *a = w->arena;
  uint32_t count = val_len(list);
  indexed_list x = {list, ARENA_ARRAY(a, slice, count + 1), val_map(a), val_map(a)};
  for (uint32_t i = 0; i < count; i++) {
    if (item_element(a, s, list->u.items[i], typed, x.elements + i)) {
      x.elements[i] = arena_printf(a, "?%u", i); /* an item without identity matches none */
    }
    bool again = val_get(x.places, x.elements[i]) != NULL;
    val_set(a, again ? x.repeated : x.places, x.elements[i], val_int(a, i));
  }
  return x;
}

static bool list_has(const indexed_list *x, slice element) {
  return val_get(x->places, element) != NULL;
}

/* The item on the left that r's item at j merges with; one that comes twice there merges as null,
 * which is: the right one alone. */
static val *merge_item(merge_walk *w, const indexed_list *l, const indexed_list *r, uint32_t j,
                       const typed_shape *below) {
  val *right = r->list->u.items[j];
  const val *place = val_get(l->places, r->elements[j]);
  if (!place || val_get(l->repeated, r->elements[j])) return right;
  return merge_values(w, l->list->u.items[place->u.i], right, below);
}

/* The next item of r, from *at on, that l has too; its element, or none. */
static slice shared_next(const indexed_list *l, const indexed_list *r, uint32_t *at) {
  while (*at < val_len(r->list)) {
    slice element = r->elements[(*at)++];
    if (list_has(l, element)) return element;
  }
  return SLICE_NONE;
}

/* The real loop, step by step: equal heads merge; a left item that r has further on waits for its
 * turn; items of the left alone go out where they stand; else r's next goes out. */
static val *merge_lists(merge_walk *w, const val *left, const val *right, const typed_shape *s) {
  indexed_list l = list_index(w, left, s, true), r = list_index(w, right, s, false);
  typed_shape below = shape_elem(s);
  val *out = val_list(w->arena), *merged = val_map(w->arena);
  uint32_t i = 0, j = 0, seen = 0, lefts = val_len(left), rights = val_len(right);
  slice shared = shared_next(&l, &r, &seen);
  while (i < lefts || j < rights) {
    if (i < lefts && j < rights) {
      if (slice_eq(l.elements[i], r.elements[j])) {
        val_set(w->arena, merged, l.elements[i], right->u.items[j]);
        val_append(w->arena, out, merge_item(w, &l, &r, j, &below));
        i++, j++;
        shared = shared_next(&l, &r, &seen);
        continue;
      }
      if (list_has(&r, l.elements[i]) && shared.len && !slice_eq(shared, l.elements[i])) {
        i++;
        continue;
      }
    }
    if (i < lefts) {
      if (!list_has(&r, l.elements[i])) {
        val_append(w->arena, out, left->u.items[i++]);
        continue;
      }
      if (val_get(merged, l.elements[i])) i++;
    }
    if (j < rights) {
      val_set(w->arena, merged, r.elements[j], right->u.items[j]);
      val_append(w->arena, out, merge_item(w, &l, &r, j, &below));
      if (slice_eq(shared, r.elements[j])) shared = shared_next(&l, &r, &seen);
      j++;
    }
  }
  return out;
}

static val *merge_values(merge_walk *w, const val *l, const val *r, const typed_shape *s) {
  bool list = s->kind == SHAPE_SET || s->kind == SHAPE_KEYED;
  uint8_t type = list ? VAL_LIST : VAL_MAP;
  bool parts = s->kind != SHAPE_LEAF && w->depth < TYPED_DEPTH_MAX;
  bool left = parts && l->type == type && l->count > 0;
  bool right = parts && r->type == type && r->count > 0;
  bool nothing = val_is_null(r) || (r->type == type && r->count == 0);
  if (left && nothing && (s->kind != SHAPE_ANY || r->type == type)) return val_shared(l);
  if (!left || !right) return val_shared(r);
  w->depth++;
  val *out = list ? merge_lists(w, l, r, s) : merge_maps(w, l, r, s);
  w->depth--;
  return out;
}

val *typed_merge(arena *a, const val *live, const val *config, const type_info *t) {
  merge_walk w = {.arena = a};
  typed_shape s = shape_of(t, NULL);
  return merge_values(&w, live, config, &s);
}

/* ---- removal ---- */

static val *remove_below(const field_sets *f, const val *v, const val *gone,
                         const typed_shape *s, int depth);

/* NULL: the element goes. */
static val *remove_one(const field_sets *f, const val *v, const val *gone, const typed_shape *s,
                       int depth) {
  if (field_node_is_member(gone)) return NULL;
  return gone ? remove_below(f, v, gone, s, depth + 1) : val_shared(v);
}

static val *remove_below(const field_sets *f, const val *v, const val *gone,
                         const typed_shape *s, int depth) {
  arena *a = f->arena;
  bool list = val_is_list(v) && (s->kind == SHAPE_SET || s->kind == SHAPE_KEYED);
  bool map = val_is_map(v) && s->kind != SHAPE_LEAF && s->kind != SHAPE_SET &&
             s->kind != SHAPE_KEYED;
  if (!val_is_list(v) && !val_is_map(v)) return val_shared(v);
  if ((!list && !map) || depth > TYPED_DEPTH_MAX) return val_null(a);
  val *out = list ? val_list(a) : val_map(a);
  typed_shape below = list ? shape_elem(s) : *s;
  for (uint32_t i = 0; list && i < v->count; i++) {
    slice element = SLICE_LIT("");
    if (item_element(a, s, v->u.items[i], true, &element)) element = SLICE_LIT("");
    val *kept = remove_one(f, v->u.items[i], val_get(gone, element), &below, depth);
    if (kept) val_append(a, out, kept);
  }
  VAL_EACH(e, map ? v : NULL) {
    if (!shape_member(s, e->key, &below)) below = (typed_shape){.kind = SHAPE_LEAF};
    const val *node = val_get(gone, field_element_name(a, e->key));
    val *kept = remove_one(f, e->value, node, &below, depth);
    if (kept) val_set(a, out, e->key, kept);
  }
  return out->count ? out : val_null(a);
}

val *typed_remove(const field_sets *f, const val *v, const val *gone, const type_info *t) {
  if (!gone) return val_shared(v);
  typed_shape s = shape_of(t, NULL);
  return remove_below(f, v, gone, &s, 0);
}
