/* What no schema names goes. Sources: apiextensions-apiserver pkg/apiserver/schema/pruning,
 * pkg/apiserver/schema/defaulting/prunenulls.go. Recursion follows the object: as deep as a parser
 * lets one be (LIMIT_JSON_DEPTH) where nothing has a schema, so frames are small. */
#include "crd/structural_internal.h"

#include <stdlib.h>

void unknown_add(structural_unknown *u, slice text) {
  u->paths = arena_more(u->a, u->paths, u->count, &u->cap, sizeof *u->paths);
  u->paths[u->count++] = text;
}

void unknown_sort(structural_unknown *u, uint32_t from) {
  if (u && u->count - from > 1)
    qsort(u->paths + from, u->count - from, sizeof(slice), slice_order);
}

bool is_meta_field(slice name) {
  return slice_is(name, "metadata") || slice_is(name, "kind") || slice_is(name, "apiVersion");
}

typedef struct pruning {
  const structural *s;
  const path *at;
  structural_unknown *unknown;
  bool embedded; /* s is one, or the root */
} pruning;

static void prune(const structural *s, val *v, const path *at, bool root, structural_unknown *u);
static void prune_below_kept(const structural *s, val *v, const path *at, bool root,
                             structural_unknown *u);

static bool keep_entry(void *ctx, const val_entry *e) {
  const pruning *p = ctx;
  path at = path_child_slice(p->at, e->key);
  const structural *field = structural_property(p->s, e->key);
  if (p->embedded && is_meta_field(e->key)) return true;
  if (field || (p->s && p->s->has_additional)) {
    prune(field ? field : p->s->additional, e->value, &at, false, p->unknown);
    return true;
  }
  if (p->unknown && !(p->s && !p->at && is_meta_field(e->key)))
    unknown_add(p->unknown, path_text(p->unknown->a, &at));
  return false;
}

static void prune(const structural *s, val *v, const path *at, bool root, structural_unknown *u) {
  if (s && s->preserve_unknown) {
    prune_below_kept(s, v, at, root, u);
    return;
  }
  if (val_is_map(v)) {
    pruning p = {s, at, u, root || (s && s->embedded)};
    val_filter(v, keep_entry, &p);
  }
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
    path item = path_index(at, i);
    prune(s ? s->items : NULL, v->u.items[i], &item, false, u);
  }
}

/* Unknown fields stay here; what has a schema of its own is pruned by that. */
static void prune_below_kept(const structural *s, val *v, const path *at, bool root,
                             structural_unknown *u) {
  if (!s) return;
  VAL_EACH(e, v) {
    path p = path_child_slice(at, e->key);
    const structural *field = structural_property(s, e->key);
    if ((root || s->embedded) && is_meta_field(e->key)) continue;
    if (field || s->has_additional)
      prune(field ? field : s->additional, e->value, &p, false, u);
  }
  for (uint32_t i = 0; val_is_list(v) && i < v->count; i++) {
    path item = path_index(at, i);
    prune_below_kept(s->items, v->u.items[i], &item, false, u);
  }
}

void structural_prune(const structural *s, val *obj, bool root, structural_unknown *unknown) {
  uint32_t from = unknown ? unknown->count : 0;
  prune(s, obj, NULL, root, unknown);
  unknown_sort(unknown, from);
}

static bool keep_value(void *ctx, const val_entry *e) {
  const structural *s = structural_member(ctx, e->key);
  if (val_is_null(e->value) && s && !s->nullable && !s->default_value) return false;
  structural_drop_nulls(s, e->value);
  return true;
}

void structural_drop_nulls(const structural *s, val *obj) {
  if (!s) return; /* nothing below can be known */
  if (val_is_map(obj)) val_filter(obj, keep_value, (void *)(uintptr_t)s);
  for (uint32_t i = 0; val_is_list(obj) && i < obj->count; i++)
    structural_drop_nulls(s->items, obj->u.items[i]);
}
