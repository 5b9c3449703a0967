/* Defaults. Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/algorithm.go. A default
 * is put in for what is absent and for a null that is not nullable, and is itself filled in. */
#include "crd/structural_internal.h"

static bool null_refused(const val *v, const structural *s) {
  return val_is_null(v) && s && !s->nullable;
}

static val *default_copy(arena *a, const structural *s) {
  return s->default_value ? val_copy(a, s->default_value) : val_null(a);
}

void structural_default(arena *a, const structural *s, val *obj) {
  if (!s) return;
  if (val_is_map(obj)) {
    for (uint32_t i = 0; i < s->field_count; i++) {
      const structural_field *f = s->fields + i;
      const val *v = f->schema->default_value ? val_get(obj, f->name) : NULL;
      if (f->schema->default_value && (!v || null_refused(v, f->schema)))
        val_set(a, obj, f->name, default_copy(a, f->schema));
    }
    VAL_EACH(e, obj) {
      const structural *field = structural_property(s, e->key);
      if (!field && null_refused(e->value, s->additional))
        e->value = default_copy(a, s->additional);
      structural_default(a, field ? field : s->additional, e->value);
    }
  }
  for (uint32_t i = 0; val_is_list(obj) && i < obj->count; i++) {
    if (null_refused(obj->u.items[i], s->items)) obj->u.items[i] = default_copy(a, s->items);
    structural_default(a, s->items, obj->u.items[i]);
  }
}
