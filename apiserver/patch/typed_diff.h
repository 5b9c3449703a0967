/* typed_diff: field sets of typed trees and of the difference between two.
 * Source: structured-merge-diff typed/{compare,tofieldset}.go. */
#ifndef APISIM_PATCH_TYPED_DIFF_H
#define APISIM_PATCH_TYPED_DIFF_H

#include "patch/field_set.h"
#include "patch/typed_shape.h"

typedef struct typed_diff {
  val *removed, *modified, *added; /* field sets */
} typed_diff;

/* What became of `live` (typed; NULL: an empty object) in `next`. literal: next is the outcome of
 * an apply, where a field that is absent is absent, and not zero. false: a list has items that
 * cannot be told apart (then managed fields are given up, as the real server does). */
bool typed_compare(const field_sets *f, const val *live, const val *next, const type_info *t,
                   bool literal, typed_diff *out);

/* Equality where a field that is not there equals one with the value that Go writes for it. */
bool typed_equal(const val *live, const val *next, const type_info *t);

/* The fields that an applied configuration sets (an untyped tree); stored: that an object has, in
 * whose items the keys count though a zero is not in the tree. false as above. */
bool typed_fields(const field_sets *f, const val *v, const type_info *t, bool stored, val **out);

/* `x` with every named field of a struct that has something below it made a member. */
val *field_set_with_parents(const field_sets *f, const val *x, const type_info *t);

#endif
