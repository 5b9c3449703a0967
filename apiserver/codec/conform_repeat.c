/* Fields that came more than once: Go decodes each value into what the earlier one left, so that
 * structs and maps gain members, lists are overlaid item by item, and the rest is replaced. */
#include "codec/conform.h"

#define DEPTH_MAX 200u /* deeper, the later value stands alone */

typedef struct resolving {
  arena *a;
  const val *nil;
} resolving;

static void resolve(const resolving *r, val *v, const type_info *t, unsigned depth);

static val *joined(const resolving *r, const val *x, const val *y) {
  val *both = val_map(r->a);
  both->count = both->cap = x->count + y->count;
  both->u.entries = arena_alloc(r->a, both->count * sizeof(val_entry));
  if (x->count) memcpy(both->u.entries, x->u.entries, x->count * sizeof(val_entry));
  if (y->count) memcpy(both->u.entries + x->count, y->u.entries, y->count * sizeof(val_entry));
  return both;
}

/* y was read into what x had given. */
static val *combine(const resolving *r, val *x, val *y, const type_info *t) {
  if (!x || x == r->nil || y == r->nil || x->type != y->type) return y;
  if (t->kind == TYPE_STRUCT && val_is_map(y)) return joined(r, x, y); /* merged further below */
  if (t->kind == TYPE_MAP && val_is_map(y)) {
    VAL_EACH(e, y) val_set(r->a, x, e->key, e->value);
    return x;
  }
  for (uint32_t i = 0; t->kind == TYPE_LIST && i < val_len(x) && i < val_len(y); i++) {
    bool keeps = y->u.items[i] == r->nil && !t->elem_pointer && !conform_is_nullable(t->elem);
    y->u.items[i] = keeps ? x->u.items[i]
                          : combine(r, x->u.items[i], y->u.items[i], t->elem);
  }
  return y;
}

static void resolve_struct(const resolving *r, val *v, const type_info *t, unsigned depth) {
  val *out = val_map(r->a);
  for (uint16_t i = 0; i < t->field_count && v->count; i++) {
    const field_info *f = &t->fields[i];
    val *value = NULL;
    VAL_EACH(e, v) {
      if (e->key.ptr == f->name.ptr) value = combine(r, value, e->value, f->type);
    }
    if (!value || value == r->nil) continue;
    resolve(r, value, f->type, depth + 1);
    if (!conform_is_dropped(f, value)) val_set(r->a, out, f->name, value);
  }
  *v = *out;
}

static void resolve(const resolving *r, val *v, const type_info *t, unsigned depth) {
  bool many = t->kind == TYPE_LIST || t->kind == TYPE_MAP;
  if (depth > DEPTH_MAX) return;
  if (t->kind == TYPE_STRUCT && val_is_map(v)) resolve_struct(r, v, t, depth);
  if (t->kind >= TYPE_SCHEMA_OR_ARRAY) { /* the member that it is */
    for (uint16_t i = 0; i < t->field_count; i++) {
      const type_info *member = t->fields[i].type;
      bool fits = val_is_map(v) ? member->kind == TYPE_STRUCT
                                : val_is_list(v) && member->kind == TYPE_LIST;
      if (fits) resolve(r, v, member, depth + 1);
    }
  }
  for (uint32_t i = 0; many && i < val_len(v); i++) {
    val **slot = val_is_list(v) ? &v->u.items[i] : &v->u.entries[i].value;
    if (*slot == r->nil) *slot = t->elem_pointer ? val_null(r->a) : conform_zero(r->a, t->elem);
    else resolve(r, *slot, t->elem, depth + 1);
  }
  if (t->kind == TYPE_MAP) val_sort(v);
}

void conform_resolve(arena *a, val *v, const type_info *t, const val *nil) {
  const resolving r = {a, nil};
  resolve(&r, v, t, 0);
}
