/* Comparing two typed trees field by field. Nodes are begun only when something goes into them and
 * parts that are the same tree on both sides are not looked into, so that a small change
 * to a large object costs little. */
#include "patch/typed_diff.h"

#include "patch/field_element.h"
#include "patch/patch_tree.h"

#include <stdlib.h>

enum { REMOVED, MODIFIED, ADDED, SIDES };

typedef struct walk {
  const field_sets *sets;
  arena *arena;
  bool literal; /* absent on the right is absent */
  bool stored;  /* typed_fields: of an object, not of a configuration */
  bool failed;
  int depth;
} walk;

typedef struct outcome { /* the node of one element in each of the three sets */
  val *node[SIDES];
} outcome;

static void outcome_push(walk *w, outcome *parent, slice element, const outcome *child) {
  for (int i = 0; i < SIDES; i++) {
    if (!child->node[i]) continue;
    if (!parent->node[i]) parent->node[i] = field_node_begin(w->sets, false);
    field_node_push(w->sets, parent->node[i], element, child->node[i]);
  }
}

static bool outcome_any(const outcome *o) {
  return o->node[REMOVED] || o->node[MODIFIED] || o->node[ADDED];
}

static void outcome_sort(walk *w, outcome *o) {
  for (int i = 0; i < SIDES; i++) {
    if (o->node[i]) field_node_sort(w->sets, o->node[i]);
  }
}

/* ---- one side only: everything in it, each a member ---- */

static val *whole_node(walk *w, const val *v, const typed_shape *s, bool typed);

static void whole_struct(walk *w, val *node, const val *v, const type_info *t, bool typed) {
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *field = t->fields + t->by_name[i];
    const val *child = val_get(v, field->name);
    if (!child && typed) child = field_zero(field);
    if (!child) continue;
    typed_shape below = shape_of(field->type, field);
    field_node_push(w->sets, node, field_element_name(w->arena, field->name),
                    whole_node(w, child, &below, typed));
  }
}

/* What is below a map's key. */
static typed_shape below_key(const typed_shape *s, slice key) {
  typed_shape below;
  return shape_member(s, key, &below) ? below : (typed_shape){.kind = SHAPE_LEAF};
}

static void whole_map(walk *w, val *node, const val *v, const typed_shape *s, bool typed) {
  VAL_EACH(e, v) {
    typed_shape below = below_key(s, e->key);
    field_node_push(w->sets, node, field_element_name(w->arena, e->key),
                    whole_node(w, e->value, &below, typed));
  }
  field_node_sort(w->sets, node);
}

/* A list's items with their elements, sorted by them. */
typedef struct keyed_item {
  slice element;
  const val *item;
  uint32_t at;
} keyed_item;

static int keyed_cmp(const void *x, const void *y, void *a) {
  const keyed_item *left = x, *right = y;
  int order = field_element_cmp(a, left->element, right->element);
  return order ? order : left->at < right->at ? -1 : left->at > right->at;
}

static keyed_item *items_keyed(walk *w, const val *list, const typed_shape *s, bool typed) {
  uint32_t count = val_len(list);
  keyed_item *items = ARENA_ARRAY(w->arena, keyed_item, count + 1);
  bool sorted = true;
  for (uint32_t i = 0; i < count; i++) {
    items[i] = (keyed_item){.item = list->u.items[i], .at = i};
    if (item_element(w->arena, s, items[i].item, typed, &items[i].element)) {
      w->failed = true;
      return NULL;
    }
    sorted = sorted && (i == 0 || keyed_cmp(items + i - 1, items + i, w->arena) <= 0);
  }
  if (!sorted) qsort_r(items, count, sizeof *items, keyed_cmp, w->arena);
  return items;
}

/* How many items from `at` on share one element. */
static uint32_t run_length(const keyed_item *items, uint32_t at, uint32_t count) {
  uint32_t n = at < count ? 1 : 0;
  while (at + n < count && slice_eq(items[at].element, items[at + n].element)) n++;
  return n;
}

static void whole_list(walk *w, val *node, const val *v, const typed_shape *s, bool typed) {
  keyed_item *items = items_keyed(w, v, s, typed);
  typed_shape below = shape_elem(s);
  uint32_t count = val_len(v);
  for (uint32_t i = 0, run; items && i < count; i += run) {
    run = run_length(items, i, count);
    const val *child = run > 1 ? w->sets->leaf : whole_node(w, items[i].item, &below, typed);
    field_node_push(w->sets, node, items[i].element, child);
  }
}

static val *whole_node(walk *w, const val *v, const typed_shape *s, bool typed) {
  bool parts = v->type == VAL_MAP || (v->type == VAL_LIST && v->count > 0);
  if (s->kind == SHAPE_LEAF || !parts || w->depth >= TYPED_DEPTH_MAX) return w->sets->leaf;
  val *node = field_node_begin(w->sets, true);
  w->depth++;
  if (s->kind == SHAPE_STRUCT && v->type == VAL_MAP) whole_struct(w, node, v, s->type, typed);
  else if (v->type == VAL_MAP) whole_map(w, node, v, s, typed);
  else if (s->kind == SHAPE_SET || s->kind == SHAPE_KEYED) whole_list(w, node, v, s, typed);
  w->depth--;
  return field_node_end(w->sets, node, true);
}

/* ---- equality ---- */

static bool structs_equal(const val *l, const val *r, const type_info *t,
                          bool literal);

static bool values_equal(const val *l, const val *r, const type_info *t,
                         bool literal) {
  if (l == r) return true;
  if (t && t->kind == TYPE_STRUCT && !t->named && val_is_map(l) && val_is_map(r)) {
    return structs_equal(l, r, t, literal);
  }
  if (l->type != r->type || (l->type != VAL_LIST && l->type != VAL_MAP)) return val_equal(l, r);
  if (l->count != r->count) return false;
  const type_info *elem = t && (t->kind == TYPE_LIST || t->kind == TYPE_MAP) ? t->elem : NULL;
  for (uint32_t i = 0; val_is_list(l) && i < l->count; i++) {
    if (!values_equal(l->u.items[i], r->u.items[i], elem, literal)) return false;
  }
  VAL_EACH(e, l) {
    const val *other = val_get(r, e->key);
    if (!other || !values_equal(e->value, other, elem, literal)) return false;
  }
  return true;
}

static bool structs_equal(const val *l, const val *r, const type_info *t,
                          bool literal) {
  VAL_EACH(e, r) { /* what the schema does not have is in neither */
    if (!type_field(t, e->key) && !val_get(l, e->key)) return false;
  }
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *field = t->fields + i;
    const val *left = val_get(l, field->name), *right = val_get(r, field->name);
    if (left == right && (left || !literal)) continue;
    if (!left) left = field_zero(field);
    if (!right && !literal) right = field_zero(field);
    if (!left && !right) continue;
    if (!left || !right || !values_equal(left, right, field->type, literal)) return false;
  }
  return true;
}

/* What is atomic may have structs inside, with zeros that only a typed side leaves out. */
static bool leaves_equal(const walk *w, const val *l, const val *r, const typed_shape *s) {
  return w->literal ? values_equal(l, r, s->type, true) : val_equal(l, r);
}

/* ---- both sides ---- */

static outcome compare_values(walk *w, const val *l, const val *r, const typed_shape *s);

/* Either may be NULL, not both. */
static outcome compare_either(walk *w, const val *l, const val *r, const typed_shape *s) {
  if (l && r) return compare_values(w, l, r, s);
  if (l) return (outcome){.node[REMOVED] = whole_node(w, l, s, true)};
  return (outcome){.node[ADDED] = whole_node(w, r, s, !w->literal)};
}

static void compare_structs(walk *w, outcome *out, const val *l, const val *r,
                            const type_info *t) {
  for (uint16_t i = 0; i < t->field_count; i++) {
    const field_info *field = t->fields + t->by_name[i];
    const val *left = val_get(l, field->name), *right = val_get(r, field->name);
    if (left == right) continue;
    if (!left) left = field_zero(field);
    if (!right && !w->literal) right = field_zero(field);
    if (!left && !right) continue;
    typed_shape below = shape_of(field->type, field);
    outcome child = compare_either(w, left, right, &below);
    if (outcome_any(&child)) {
      outcome_push(w, out, field_element_name(w->arena, field->name), &child);
    }
  }
}

static void compare_maps(walk *w, outcome *out, const val *l, const val *r,
                         const typed_shape *s) {
  VAL_EACH(e, l) {
    typed_shape below = below_key(s, e->key);
    outcome child = compare_either(w, e->value, val_get(r, e->key), &below);
    if (outcome_any(&child)) outcome_push(w, out, field_element_name(w->arena, e->key), &child);
  }
  VAL_EACH(e, r) {
    if (val_get(l, e->key)) continue;
    typed_shape below = below_key(s, e->key);
    outcome child = compare_either(w, NULL, e->value, &below);
    outcome_push(w, out, field_element_name(w->arena, e->key), &child);
  }
  outcome_sort(w, out);
}

static void node_union_in(walk *w, val **node, val *more) {
  if (!more) return;
  if (!*node) {
    *node = more;
    return;
  }
  val *left = field_node_begin(w->sets, false), *right = field_node_begin(w->sets, false);
  field_node_push(w->sets, left, SLICE_LIT("f:"), *node); /* any element: unions work on sets */
  field_node_push(w->sets, right, SLICE_LIT("f:"), more);
  *node = field_set_union(w->sets, left, right)->u.entries[0].value;
}

/* Items of one element; lists that Update may bring can hold it more than once. */
static outcome compare_runs(walk *w, const keyed_item *l, uint32_t lefts, const keyed_item *r,
                            uint32_t rights, const typed_shape *below) {
  if (lefts <= 1 && rights <= 1) {
    return compare_either(w, lefts ? l->item : NULL, rights ? r->item : NULL, below);
  }
  outcome out = {0};
  if (lefts > 1 && rights > 1) {
    bool equal = lefts == rights;
    for (uint32_t i = 0; equal && i < lefts; i++) equal = val_equal(l[i].item, r[i].item);
    if (!equal) out.node[MODIFIED] = w->sets->leaf;
  } else if (lefts > 1) {
    if (rights) out = compare_either(w, NULL, r->item, below);
    node_union_in(w, &out.node[REMOVED], w->sets->leaf);
  } else {
    if (lefts) out = compare_either(w, l->item, NULL, below);
    node_union_in(w, &out.node[ADDED], w->sets->leaf);
  }
  return out;
}

static void compare_lists(walk *w, outcome *out, const val *l, const val *r,
                          const typed_shape *s) {
  if (val_equal(l, r)) return;
  keyed_item *left = items_keyed(w, l, s, true), *right = items_keyed(w, r, s, !w->literal);
  if (!left || !right) return;
  typed_shape below = shape_elem(s);
  uint32_t i = 0, j = 0, lefts = val_len(l), rights = val_len(r);
  while (i < lefts || j < rights) {
    int order = i >= lefts ? 1 : j >= rights ? -1
                                  : field_element_cmp(w->arena, left[i].element,
                                                      right[j].element);
    uint32_t from_left = order <= 0 ? run_length(left, i, lefts) : 0;
    uint32_t from_right = order >= 0 ? run_length(right, j, rights) : 0;
    outcome child = compare_runs(w, left + i, from_left, right + j, from_right, &below);
    outcome_push(w, out, order <= 0 ? left[i].element : right[j].element, &child);
    i += from_left;
    j += from_right;
  }
}

static bool has_parts(const val *v, const typed_shape *s) {
  if (s->kind == SHAPE_LEAF || val_len(v) == 0) return false;
  bool list = s->kind == SHAPE_SET || s->kind == SHAPE_KEYED;
  return v->type == (list ? VAL_LIST : VAL_MAP);
}

static outcome compare_values(walk *w, const val *l, const val *r, const typed_shape *s) {
  outcome out = {0};
  if (l == r) return out;
  bool is_struct = s->kind == SHAPE_STRUCT && l->type == VAL_MAP && r->type == VAL_MAP;
  bool left = has_parts(l, s), right = has_parts(r, s);
  if ((!left && !right && !is_struct) || w->depth >= TYPED_DEPTH_MAX) {
    if (!leaves_equal(w, l, r, s)) out.node[MODIFIED] = w->sets->leaf;
    return out;
  }
  w->depth++;
  const val *in_left = left || is_struct ? l : NULL, *in_right = right || is_struct ? r : NULL;
  if (s->kind == SHAPE_STRUCT) compare_structs(w, &out, in_left, in_right, s->type);
  else if (s->kind == SHAPE_MAP || s->kind == SHAPE_NAMED || s->kind == SHAPE_ANY)
    compare_maps(w, &out, in_left, in_right, s);
  else compare_lists(w, &out, in_left, in_right, s);
  w->depth--;
  bool other_kind = s->kind == SHAPE_ANY && l->type != r->type && l->type != VAL_NULL &&
                    r->type != VAL_NULL;
  if (other_kind) node_union_in(w, &out.node[MODIFIED], w->sets->leaf);
  return out;
}

bool typed_compare(const field_sets *f, const val *live, const val *next, const type_info *t,
                   bool literal, typed_diff *out) {
  walk w = {.sets = f, .arena = f->arena, .literal = literal};
  typed_shape s = shape_of(t, NULL);
  val *empty = live ? NULL : val_map(f->arena);
  outcome o = compare_values(&w, live ? live : empty, next, &s);
  *out = (typed_diff){o.node[REMOVED], o.node[MODIFIED], o.node[ADDED]};
  return !w.failed;
}

bool typed_equal(const val *live, const val *next, const type_info *t) {
  return values_equal(live, next, t, false);
}

/* ---- the fields that a configuration sets ---- */

static val *set_node(walk *w, const val *v, const typed_shape *s, bool member);

static void set_members(walk *w, val *node, const val *v, const typed_shape *s) {
  VAL_EACH(e, v) {
    typed_shape below;
    if (!shape_member(s, e->key, &below)) continue;
    bool empty = val_is_null(e->value) || (val_is_map(e->value) && e->value->count == 0);
    field_node_push(w->sets, node, field_element_name(w->arena, e->key),
                    set_node(w, e->value, &below, empty || !shape_names(s, e->key)));
  }
  field_node_sort(w->sets, node);
}

/* An item of an object has all its keys, though a tree leaves zeros out. */
static const val *item_with_keys(walk *w, const val *item, const typed_shape *s) {
  static const val zero = {.type = VAL_BOOL};
  val *whole = NULL;
  for (uint8_t i = 0; val_is_map(item) && i < s->key_count; i++) {
    if (val_get(item, s->keys[i])) continue;
    if (!whole) whole = map_copy(w->arena, item);
    val_set(w->arena, whole, s->keys[i], val_shared(&zero));
  }
  return whole ? whole : item;
}

static void set_items(walk *w, val *node, const val *v, const typed_shape *s) {
  keyed_item *items = items_keyed(w, v, s, false);
  typed_shape below = shape_elem(s);
  uint32_t count = val_len(v);
  for (uint32_t i = 0, run; items && i < count; i += run) {
    run = run_length(items, i, count);
    const val *item = w->stored ? item_with_keys(w, items[i].item, s) : items[i].item;
    val *child = run > 1 ? w->sets->leaf : set_node(w, item, &below, true);
    field_node_push(w->sets, node, items[i].element, child);
  }
}

static val *set_node(walk *w, const val *v, const typed_shape *s, bool member) {
  bool scalar = v->type != VAL_MAP && v->type != VAL_LIST && v->type != VAL_NULL;
  bool loose_list = s->kind == SHAPE_ANY && v->type == VAL_LIST;
  if (s->kind == SHAPE_LEAF || scalar || loose_list || w->depth >= TYPED_DEPTH_MAX) {
    return w->sets->leaf;
  }
  val *node = field_node_begin(w->sets, member);
  w->depth++;
  if (v->type == VAL_MAP) set_members(w, node, v, s);
  else if (v->type == VAL_LIST) set_items(w, node, v, s);
  w->depth--;
  return field_node_end(w->sets, node, member);
}

bool typed_fields(const field_sets *f, const val *v, const type_info *t, bool stored, val **out) {
  walk w = {.sets = f, .arena = f->arena, .stored = stored};
  typed_shape s = shape_of(t, NULL);
  *out = set_node(&w, v, &s, false);
  return !w.failed;
}

/* ---- named fields as members ---- */

static val *parents_node(walk *w, const val *x, const typed_shape *s, bool member) {
  val *node = field_node_begin(w->sets, member);
  for (uint32_t i = field_node_first(x); i < field_node_count(x); i++) {
    const val_entry *e = x->u.entries + i;
    typed_shape below = {.kind = SHAPE_LEAF};
    bool field = slice_has_prefix(e->key, SLICE_LIT("f:")), named = false;
    if (field && s->kind == SHAPE_STRUCT) named = shape_member(s, slice_from(e->key, 2), &below);
    else if (field && s->kind == SHAPE_NAMED) {
      named = shape_names(s, slice_from(e->key, 2));
      below = below_key(s, slice_from(e->key, 2));
    }
    else if (field && (s->kind == SHAPE_MAP || s->kind == SHAPE_ANY)) below = shape_elem(s);
    bool item = !field && s->kind == SHAPE_KEYED && slice_has_prefix(e->key, SLICE_LIT("k:"));
    if (item) below = shape_elem(s);
    bool inside = named || field_node_is_member(e->value);
    field_node_push(w->sets, node, e->key, parents_node(w, e->value, &below, inside));
  }
  return field_node_end(w->sets, node, member);
}

val *field_set_with_parents(const field_sets *f, const val *x, const type_info *t) {
  walk w = {.sets = f, .arena = f->arena};
  typed_shape s = shape_of(t, NULL);
  return x ? parents_node(&w, x, &s, false) : NULL;
}
