/* defaults: walks a tree by its plan and fills in what is missing.
 *
 * Top-down, as the real server's generated functions do: a type's rows, its hook, then its
 * children, because a hook may make a child that has defaults of its own. Recursion is as
 * deep as the plans, which have no cycles with defaults on them. */
#include "codec/codec.h"
#include "version/defaults_plan.h"
#include "version/version.h"

#include <assert.h>

typedef void (*hook_fn)(arena *a, val *v);

static const hook_fn hooks[] = {
    NULL,
#define X(name, type) default_##name,
    DEFAULT_HOOKS(X)
#undef X
};

static val *literal_make(arena *a, const plan_row *row) {
  switch ((plan_literal)row->literal) {
  case LITERAL_STRING: return val_string(a, row->text);
  case LITERAL_INT: return val_int(a, row->number);
  case LITERAL_BOOL: return val_bool(a, row->number != 0);
  case LITERAL_MAP: return val_map(a);
  case LITERAL_LIST: break;
  }
  val *list = val_list(a);
  val_append(a, list, val_string(a, row->text));
  return list;
}

/* The map under `name`, made when it is missing; NULL when something else is there. */
static val *struct_at(arena *a, val *v, slice name) {
  val *inner = val_get(v, name);
  if (!inner || val_is_null(inner)) {
    inner = val_map(a);
    val_set(a, v, name, inner);
  }
  return val_is_map(inner) ? inner : NULL;
}

static void row_apply(arena *a, val *v, const plan_row *row) {
  if (row->prefix.len) {
    v = struct_at(a, v, row->prefix);
    if (!v) return;
  }
  const val *now = val_get(v, row->field);
  bool missing = row->pointer ? !now || val_is_null(now) : val_is_empty(now);
  if (missing) val_set(a, v, row->field, literal_make(a, row));
}

/* What is written finer than a milli is rounded up to the next one. */
static void quantities_round(arena *a, val *map) {
  VAL_EACH(e, map) {
    slice q = val_str(e->value), rounded, error;
    if (!quantity_is_below_milli(q)) continue;
    bool exponent = slice_find_char(q, 'e') >= 0 || slice_find_char(q, 'E') >= 0;
    slice milli = arena_printf(a, "%lld%s", (long long)quantity_milli(q), exponent ? "e-3" : "m");
    if (quantity_canonical(a, milli, &rounded, &error)) e->value = val_string(a, rounded);
  }
}

static void plan_apply(arena *a, val *v, const defaults_plan *plan);

static void child_apply(arena *a, val *v, const plan_child *child) {
  val *inner = child->create ? struct_at(a, v, child->name) : val_get(v, child->name);
  if (!inner) return;
  switch ((plan_shape)child->shape) {
  case SHAPE_STRUCT: plan_apply(a, inner, child->plan); break;
  case SHAPE_LIST:
    for (uint32_t i = 0, n = val_len(inner); i < n; i++) {
      plan_apply(a, val_at(inner, i), child->plan);
    }
    break;
  case SHAPE_MAP: {
    VAL_EACH(e, inner) plan_apply(a, e->value, child->plan);
    break;
  }
  case SHAPE_QUANTITIES: quantities_round(a, inner); break;
  }
}

static void plan_apply(arena *a, val *v, const defaults_plan *plan) {
  if (!val_is_map(v)) return;
  for (uint32_t i = 0; i < plan->row_count; i++) row_apply(a, v, &plan->rows[i]);
  if (plan->hook) hooks[plan->hook](a, v);
  for (uint32_t i = 0; i < plan->child_count; i++) child_apply(a, v, &plan->children[i]);
}

void version_default(arena *a, val *obj, const type_info *t) {
  if (t->untyped) return;
  assert(t->id < schema_type_count);
  const defaults_plan *plan = defaults_plans[t->id];
  if (plan) plan_apply(a, obj, plan);
}
