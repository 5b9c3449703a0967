/* selector: label and field selectors, from query text to a match.
 * Sources: apimachinery pkg/labels/selector.go (grammar, texts), pkg/fields/selector.go. */
#ifndef APISIM_REGISTRY_SELECTOR_H
#define APISIM_REGISTRY_SELECTOR_H

#include "base/status_error.h"
#include "base/val.h"
#include "schema/schema.h"

typedef enum selector_op {
  SELECT_EQUALS, /* also In with several values */
  SELECT_NOT_EQUALS, /* also NotIn; a missing key matches */
  SELECT_EXISTS,
  SELECT_NOT_EXISTS,
  SELECT_GREATER,
  SELECT_LESS,
} selector_op;

typedef struct requirement {
  slice key;
  selector_op op;
  uint32_t value_count;
  slice *values; /* sorted */
} requirement;

typedef struct selector {
  uint32_t label_count, field_count;
  requirement *labels, *fields;
  slice name; /* metadata.name=x, or empty: the read is for one object at most */
  slice namespace; /* metadata.namespace=x: the read is of one namespace */
} selector;

/* Texts as they stand in the query; what is no selector is a 400. Arena memory. */
bool selector_parse(arena *a, slice labels, slice fields, selector *out, status_error *err);
/* For this resource: field labels that it does not know are a 400; name and namespace are set. The
 * real server looks at the other options between the two. */
bool selector_resolve(arena *a, const resource_info *r, selector *s, status_error *err);
/* Adds metadata.name=name; false with err where the selector asks for another name. */
bool selector_require_name(arena *a, selector *s, slice name, status_error *err);
static inline bool selector_is_empty(const selector *s) {
  return s->label_count == 0 && s->field_count == 0;
}
/* A copy in one block of the heap (*block, heap_free; NULL for an empty selector), for who outlives
 * the arena. */
void selector_copy(const selector *from, selector *to, void **block);
/* obj: a tree in the storage version. */
bool selector_match(arena *a, const selector *s, const resource_info *r, const val *obj);
/* A metav1.LabelSelector (matchLabels, matchExpressions) over labels; an empty one matches
 * everything, NULL nothing. */
bool label_selector_match(const val *label_selector, const val *labels);
/* It as text, "a=b,c in (d,e)": sorted by key, the labels before the expressions, and so are the
 * values; empty for NULL and for one that matches everything. False for what is no selector. */
bool label_selector_text(arena *a, const val *label_selector, slice *text);

#endif
