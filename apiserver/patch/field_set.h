/* field_set: which fields of an object somebody owns.
 *
 * * A set is a FieldsV1 tree as it stands in metadata.managedFields, in canonical form: a node is
 * a map from path element ("f:spec", "k:{\"name\":\"web\"}", "v:\"x\"", "i:0") to node; a node
 * that is a member of the set itself and has others below it starts with "."; one with nothing
 * below is the empty map. Elements are sorted as structured-merge-diff sorts them: fields, keys,
 * values, indices. NULL is the empty set. Sets are never changed once made, so they share nodes.
 *
 * * Keeping the wire form means that a set is neither parsed nor printed, and that an entry that
 * does not change costs nothing. */
#ifndef APISIM_PATCH_FIELD_SET_H
#define APISIM_PATCH_FIELD_SET_H

#include "base/arena.h"
#include "base/val.h"

typedef struct field_sets { /* where sets are made */
  arena *arena;
  val *leaf; /* the one node without anything below */
} field_sets;

field_sets field_sets_make(arena *a);

/* Order of two path elements: negative, 0 or positive. */
int field_element_cmp(arena *a, slice x, slice y);

/* Making a node: begin, push in order, end. end gives NULL for a node that is no member and has
 * nothing below. Pushing a NULL child does nothing. */
/* How many entries a node has; none where somebody stored what is no node. */
static inline uint32_t field_node_count(const val *node) {
  return val_is_map(node) ? node->count : 0;
}
val *field_node_begin(const field_sets *f, bool member);
void field_node_push(const field_sets *f, val *node, slice element, const val *child);
val *field_node_end(const field_sets *f, val *node, bool member);
/* Sorts what was pushed out of order. */
void field_node_sort(const field_sets *f, val *node);
bool field_node_is_member(const val *node);
/* Number of entries to skip to come to the node's elements: 1 if it starts with ".". */
uint32_t field_node_first(const val *node);

/* As in structured-merge-diff: difference removes members only; without() a path and all below. */
val *field_set_union(const field_sets *f, const val *x, const val *y);
val *field_set_difference(const field_sets *f, const val *x, const val *y);
val *field_set_intersection(const field_sets *f, const val *x, const val *y);
val *field_set_without(const field_sets *f, const val *x, slice dotted);
bool field_set_equal(const val *x, const val *y);

/* Brings a tree that a client sent into canonical form; false when it is no set. *out is NULL
 * for the empty set. */
bool field_set_read(const field_sets *f, const val *raw, val **out);
/* The tree for the wire: {} for the empty set. */
val *field_set_write(const field_sets *f, const val *x);

/* Every path, as conflicts list them: a node's members first, then what lies below. Texts as
 * '.spec.containers[name="web"].image'. Returns how many. */
typedef void (*field_path_fn)(void *ctx, slice path);
void field_set_each(const field_sets *f, const val *x, field_path_fn each, void *ctx);
/* The element as a path prints it. */
slice field_element_text(arena *a, slice element);

#endif
