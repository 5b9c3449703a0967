/* JSON merge patch (RFC 7386) as the real server's library does it: nulls delete members of
 * objects at every depth, and stay where they are inside lists. */
#include "patch/patch.h"
#include "patch/patch_text.h"
#include "patch/patch_tree.h"

/* `v` without null members, in place; nulls that are items of a list stay. What the real library
 * looks through for nulls it writes with sorted keys. */
static void nulls_prune(arena *a, val *v) {
  if (val_is_list(v)) {
    for (uint32_t i = 0; i < v->count; i++) nulls_prune(a, v->u.items[i]);
    return;
  }
  if (!val_is_map(v)) return;
  bool any = false;
  VAL_EACH(e, v) {
    if (val_is_null(e->value)) any = true;
    else nulls_prune(a, e->value);
  }
  if (!any) {
    val_sort(v);
    return;
  }
  val *kept = val_map(a); /* rebuilding is cheaper than deleting one by one */
  VAL_EACH(e, v) {
    if (!val_is_null(e->value)) val_set(a, kept, e->key, e->value);
  }
  val_sort(kept);
  *v = *kept;
}

/* Both are maps. */
static val *maps_merge(arena *a, const val *doc, val *patch) {
  val *out = val_map(a);
  VAL_EACH(e, doc) {
    val *change = val_get(patch, e->key);
    if (val_is_null(change)) continue;
    val *value = change;
    if (!change) {
      value = tree_copy(a, e->value);
    } else if (val_is_map(e->value) && val_is_map(change)) {
      value = maps_merge(a, e->value, change);
    } else if (!val_is_map(e->value)) { /* nulls stay in a list that replaces an object */
      nulls_prune(a, change);
    }
    val_set(a, out, e->key, value);
  }
  VAL_EACH(e, patch) {
    if (val_is_null(e->value) || val_get(doc, e->key)) continue;
    nulls_prune(a, e->value);
    val_set(a, out, e->key, e->value);
  }
  val_sort(out); /* as the real library writes what it has opened; errors quote it */
  return out;
}

val *merge_patch_apply_as(arena *a, const val *doc, slice patch, const patch_options *o,
                          status_error *err) {
  slice error = SLICE_NONE;
  val *change = patch_parse(a, patch, o, SLICE_LIT(""), &error);
  if (!change && !o->ignore) {
    status_set(err, a, STATUS_BAD_REQUEST, "error decoding patch: %.*s", SLICE_ARG(error));
    return NULL;
  }
  bool shaped = val_is_map(change) || val_is_null(change) || (o->ignore && val_is_list(change));
  if (!shaped && !o->ignore) {
    status_set(err, a, STATUS_BAD_REQUEST,
               "error decoding patch: json: cannot unmarshal %s into Go value of type "
               "map[string]interface {}",
               json_kind(change));
    return NULL;
  }
  if (!shaped || val_is_null(change)) {
    status_set(err, a, STATUS_BAD_REQUEST, "Invalid JSON Patch");
    return NULL;
  }
  if (val_is_list(change)) {
    nulls_prune(a, change);
    return change;
  }
  return maps_merge(a, doc, change);
}

val *merge_patch_apply(arena *a, const val *doc, slice patch, status_error *err) {
  return merge_patch_apply_as(a, doc, patch, &(patch_options){0}, err);
}
