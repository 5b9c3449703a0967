/* patch_tree: copies that share less than val_copy copies. */
#ifndef APISIM_PATCH_PATCH_TREE_H
#define APISIM_PATCH_PATCH_TREE_H

#include "base/val.h"

/* Maps and lists anew at every depth, scalars and strings shared: for a result that its owner may
 * change in place without changing what it was made from. */
val *tree_copy(arena *a, const val *v);
/* The map alone anew. */
val *map_copy(arena *a, const val *map);

#endif
