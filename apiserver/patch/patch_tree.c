/* Copies of trees that share their leaves. */
#include "patch/patch_tree.h"

#include <assert.h>

val *tree_copy(arena *a, const val *v) {
  val *c = val_shared(v);
  if (val_is_list(v)) {
    c = val_list(a);
    for (uint32_t i = 0; i < v->count; i++) val_append(a, c, tree_copy(a, v->u.items[i]));
  } else if (val_is_map(v)) {
    c = val_map(a);
    VAL_EACH(e, v) val_set(a, c, e->key, tree_copy(a, e->value));
  }
  return c;
}

val *map_copy(arena *a, const val *map) {
  assert(val_is_map(map));
  val *c = val_map(a);
  VAL_EACH(e, map) val_set(a, c, e->key, e->value);
  return c;
}
