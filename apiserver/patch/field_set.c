/* The algebra of field sets: merges of sorted trees, sharing whatever stays as it was. */
#include "patch/field_set.h"

#include "codec/codec.h"

#include <assert.h>
#include <stdlib.h>

#define INDEXED_FROM 24u /* val.c indexes larger maps; then the entry goes in through val_set */

field_sets field_sets_make(arena *a) {
  return (field_sets){.arena = a, .leaf = val_map(a)};
}

/* ---- elements ---- */

static int kind_rank(slice element) {
  switch (element.len ? element.ptr[0] : '\0') {
    case 'f': return 0;
    case 'k': return 1;
    case 'v': return 2;
    case 'i': return 3;
    default: return 4;
  }
}

static double number_of(const val *v) {
  return v->type == VAL_INT ? (double)v->u.i : v->u.f;
}

/* Numbers, then strings, then booleans, then the rest, which no element holds. */
static int scalar_rank(const val *v) {
  switch ((val_type)v->type) {
    case VAL_INT:
    case VAL_FLOAT: return 0;
    case VAL_STRING: return 1;
    case VAL_BOOL: return 2;
    default: return 3;
  }
}

static int scalar_cmp(const val *x, const val *y) {
  int rank = scalar_rank(x) - scalar_rank(y);
  if (rank) return rank;
  if (x->type == VAL_STRING) return slice_cmp(val_str(x), val_str(y));
  if (x->type == VAL_BOOL) return (int)x->u.b - (int)y->u.b;
  if (scalar_rank(x) > 0) return 0;
  if (x->type == VAL_INT && y->type == VAL_INT) return x->u.i < y->u.i ? -1 : x->u.i > y->u.i;
  double a = number_of(x), b = number_of(y);
  return a < b ? -1 : a > b;
}

static int keys_cmp(const val *x, const val *y) {
  for (uint32_t i = 0; i < val_len(x) && i < val_len(y); i++) {
    int order = slice_cmp(x->u.entries[i].key, y->u.entries[i].key);
    if (!order) order = scalar_cmp(x->u.entries[i].value, y->u.entries[i].value);
    if (order) return order;
  }
  return (int)val_len(x) - (int)val_len(y);
}

static int parsed_cmp(arena *a, slice x, slice y) {
  slice error;
  val *left = json_parse(a, slice_from(x, 2), NULL, &error);
  val *right = json_parse(a, slice_from(y, 2), NULL, &error);
  if (!left || !right) return slice_cmp(x, y);
  if (val_is_map(left) && val_is_map(right)) return keys_cmp(left, right);
  return scalar_cmp(left, right);
}

/* Keys and values differ inside a string mostly; then the texts need no parsing. */
static int text_cmp(arena *a, slice x, slice y) {
  size_t at = 0, quotes = 0, shared = x.len < y.len ? x.len : y.len;
  while (at < shared && x.ptr[at] == y.ptr[at] && x.ptr[at] != '\\') {
    quotes += x.ptr[at++] == '"';
  }
  if (at == x.len && at == y.len) return 0;
  bool plain = at < shared && quotes % 2 == 1 && x.ptr[at] != '\\' && y.ptr[at] != '\\';
  if (!plain) return slice_eq(x, y) ? 0 : parsed_cmp(a, x, y);
  if (x.ptr[at] == '"') return -1;
  if (y.ptr[at] == '"') return 1;
  return (unsigned char)x.ptr[at] < (unsigned char)y.ptr[at] ? -1 : 1;
}

int field_element_cmp(arena *a, slice x, slice y) {
  int rank = kind_rank(x), other = kind_rank(y);
  if (rank != other) return rank - other;
  if (rank == 0 || rank == 4) return slice_cmp(x, y);
  return text_cmp(a, x, y);
}

/* ---- nodes ---- */

bool field_node_is_member(const val *node) {
  return node && (field_node_count(node) == 0 || slice_is(node->u.entries[0].key, "."));
}

uint32_t field_node_first(const val *node) {
  return field_node_count(node) && slice_is(node->u.entries[0].key, ".") ? 1 : 0;
}

val *field_node_begin(const field_sets *f, bool member) {
  val *node = val_map(f->arena);
  if (member) field_node_push(f, node, SLICE_LIT("."), f->leaf);
  return node;
}

void field_node_push(const field_sets *f, val *node, slice element, const val *child) {
  if (!child) return;
  val *value = val_shared(child);
  if (node->count >= INDEXED_FROM || node->index) {
    val_set(f->arena, node, element, value);
    return;
  }
  node->u.entries =
      arena_more(f->arena, node->u.entries, node->count, &node->cap, sizeof *node->u.entries);
  node->u.entries[node->count++] = (val_entry){element, value};
}

val *field_node_end(const field_sets *f, val *node, bool member) {
  if (node->count > (member ? 1u : 0u)) return node;
  return member ? f->leaf : NULL;
}

static int entry_cmp(const void *x, const void *y, void *a) {
  slice left = ((const val_entry *)x)->key, right = ((const val_entry *)y)->key;
  bool dot = slice_is(left, ".");
  if (dot || slice_is(right, ".")) return dot ? -1 : 1;
  return field_element_cmp(a, left, right);
}

void field_node_sort(const field_sets *f, val *node) {
  uint32_t first = field_node_first(node);
  bool sorted = true;
  for (uint32_t i = first + 1; i < node->count && sorted; i++) {
    sorted = field_element_cmp(f->arena, node->u.entries[i - 1].key, node->u.entries[i].key) <= 0;
  }
  if (sorted) return;
  qsort_r(node->u.entries, node->count, sizeof(val_entry), entry_cmp, f->arena);
  if (!node->index) return;
  val *again = val_map(f->arena); /* the index counts entries by place */
  VAL_EACH(e, node) val_set(f->arena, again, e->key, e->value);
  *node = *again;
}

/* ---- algebra: one walk over two sorted nodes ---- */

typedef enum set_op { SET_UNION, SET_DIFFERENCE, SET_INTERSECTION } set_op;

static val *nodes_combine(const field_sets *f, const val *x, const val *y, bool root, set_op op);

/* The node at one element, either side possibly NULL. */
static const val *element_combine(const field_sets *f, const val *x, const val *y, set_op op) {
  if (x && y) return nodes_combine(f, x, y, false, op);
  if (op == SET_UNION) return x ? x : y;
  return op == SET_DIFFERENCE ? x : NULL;
}

static bool member_combine(bool x, bool y, set_op op) {
  if (op == SET_UNION) return x || y;
  return op == SET_DIFFERENCE ? x && !y : x && y;
}

/* A root is never a member. */
static val *nodes_combine(const field_sets *f, const val *x, const val *y, bool root, set_op op) {
  if (x == y && op != SET_DIFFERENCE) return val_shared(x);
  bool member = !root && member_combine(field_node_is_member(x), field_node_is_member(y), op);
  val *out = field_node_begin(f, member);
  uint32_t i = field_node_first(x), j = field_node_first(y);
  uint32_t lefts = field_node_count(x), rights = field_node_count(y);
  while (i < lefts || j < rights) {
    const val_entry *left = i < lefts ? x->u.entries + i : NULL;
    const val_entry *right = j < rights ? y->u.entries + j : NULL;
    if (!left && op != SET_UNION) break;
    int order = !left ? 1 : !right ? -1 : field_element_cmp(f->arena, left->key, right->key);
    const val *child = element_combine(f, order <= 0 ? left->value : NULL,
                                       order >= 0 ? right->value : NULL, op);
    field_node_push(f, out, order <= 0 ? left->key : right->key, child);
    i += order <= 0;
    j += order >= 0;
  }
  return field_node_end(f, out, member);
}

val *field_set_union(const field_sets *f, const val *x, const val *y) {
  if (!x || !y) return val_shared(x ? x : y);
  return nodes_combine(f, x, y, true, SET_UNION);
}

val *field_set_difference(const field_sets *f, const val *x, const val *y) {
  if (!x || !y) return val_shared(x);
  return nodes_combine(f, x, y, true, SET_DIFFERENCE);
}

val *field_set_intersection(const field_sets *f, const val *x, const val *y) {
  if (!x || !y) return NULL;
  return nodes_combine(f, x, y, true, SET_INTERSECTION);
}

static val *node_without(const field_sets *f, const val *x, slice path, bool root) {
  slice name, rest;
  bool deeper = slice_cut(path, '.', &name, &rest);
  bool member = !root && field_node_is_member(x);
  val *out = field_node_begin(f, member);
  for (uint32_t i = field_node_first(x); i < field_node_count(x); i++) {
    const val_entry *e = x->u.entries + i;
    bool here = slice_has_prefix(e->key, SLICE_LIT("f:")) && slice_eq(slice_from(e->key, 2), name);
    if (!here) field_node_push(f, out, e->key, e->value);
    else if (deeper) field_node_push(f, out, e->key, node_without(f, e->value, rest, false));
  }
  return field_node_end(f, out, member);
}

val *field_set_without(const field_sets *f, const val *x, slice dotted) {
  return x ? node_without(f, x, dotted, true) : NULL;
}

bool field_set_equal(const val *x, const val *y) {
  if (x == y) return true;
  if (field_node_count(x) != field_node_count(y)) return false;
  for (uint32_t i = 0; i < field_node_count(x); i++) {
    const val_entry *left = x->u.entries + i, *right = y->u.entries + i;
    if (!slice_eq(left->key, right->key)) return false;
    if (!field_set_equal(left->value, right->value)) return false;
  }
  return true;
}

val *field_set_write(const field_sets *f, const val *x) {
  return x ? val_shared(x) : f->leaf;
}
