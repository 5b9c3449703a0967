/* pod_internal: objects as the real server's internal Go structs print them, and the difference
 * between two of them. Messages of refused updates carry both. */
#ifndef APISIM_REGISTRY_VALIDATION_POD_INTERNAL_H
#define APISIM_REGISTRY_VALIDATION_POD_INTERNAL_H

#include "base/arena.h"
#include "base/val.h"

typedef struct internal_row {
  const char *type, *fields;
} internal_row;

extern const internal_row internal_rows[]; /* sorted by type */
extern const size_t internal_row_count;

/* v, a tree of the API's type, as json.Marshal shows the internal one: every field, in order. */
val *internal_tree(arena *a, const char *type, const val *v);
/* The unified difference of the two, pretty-printed as JSON with one space; "" when equal.
 * Linear but for texts with many repeated lines; capped. */
slice internal_diff(arena *a, const char *type, const val *before, const val *after);
/* The same of two texts: pod_diff.c. */
slice text_diff(arena *a, slice before, slice after);

#endif
