/* Defaults must be what the schema lets be. Source: apiextensions-apiserver
 * pkg/apiserver/schema/defaulting/{validation,prune}.go. */
#include "registry/validation/extension_internal.h"

/* How a value is reached from the resource that it is in: a field, or (name empty) an item. */
typedef struct step {
  const struct step *parent;
  slice name;
  bool item;
} step;

typedef struct walk {
  field_errors *errs;
  const structural *resource; /* the one that metadata belongs to */
  bool pruned;
} walk;

/* A resource with x where the steps lead. */
static val *surround(arena *a, const step *at, val *x) {
  for (; at; at = at->parent) {
    val *outer = at->item ? val_list(a) : val_map(a);
    if (at->item) val_append(a, outer, x);
    else val_set(a, outer, at->name, x);
    x = outer;
  }
  if (!val_getc(x, "kind")) val_setc(a, x, "kind", val_cstr(a, "Validation"));
  if (!val_getc(x, "apiVersion")) val_setc(a, x, "apiVersion", val_cstr(a, "validation/v1"));
  return x;
}

/* The errors in one text, as Go's aggregate has them. */
static slice aggregate(arena *a, const field_errors *errs) {
  status_error one = {0};
  if (errs->count == 0) return SLICE_NONE;
  field_errors copy = *errs;
  copy.a = a;
  field_errors_to_plain(&copy, &one);
  return one.message;
}

/* A default of kind, apiVersion or within metadata: what the resource makes of it counts. */
static bool meta_default_check(const walk *w, const path *p, const structural *s,
                               const step *at) {
  arena *a = w->errs->a;
  field_errors found = {.a = a};
  val *obj = surround(a, at, val_copy(a, s->default_value));
  if (structural_coerce_embedded(a, w->resource, obj, NULL, true, false, NULL, &found))
    structural_validate_embedded(&found, NULL, w->resource, obj, true);
  slice why = aggregate(a, &found);
  if (why.len)
    field_invalid(w->errs, p, s->default_value, "must result in valid metadata: %.*s",
                  SLICE_ARG(why));
  return !why.len;
}

static bool plain_default_check(const walk *w, const path *p, const structural *s,
                                bool embedded) {
  field_errors *errs = w->errs;
  val *copy = val_copy(errs->a, s->default_value);
  if (w->pruned) {
    structural_prune(s, copy, embedded, NULL);
    if (!val_equal(copy, s->default_value))
      field_invalid(errs, p, s->default_value, "must not have unknown fields");
  }
  copy = val_copy(errs->a, s->default_value);
  if (!structural_coerce_embedded(errs->a, s, copy, p, embedded, false, NULL, errs)) return false;
  uint32_t before = errs->count;
  structural_validate_embedded(errs, p, s, copy, embedded);
  return errs->count == before;
}

static void check(const walk *w, const path *p, const structural *s, const step *at,
                  bool in_meta, bool embedded) {
  walk own = *w;
  path deflt = path_child(p, "default"), items = path_child(p, "items"),
       props = path_child(p, "properties");
  if (embedded) {
    own.resource = s;
    in_meta = false;
    at = NULL;
  }
  if (s->default_value) {
    bool good = in_meta ? meta_default_check(&own, &deflt, s, at)
                        : plain_default_check(&own, &deflt, s, embedded);
    if (good) structural_validate_default(w->errs, &deflt, s, s->default_value);
  }
  if (s->items) {
    step below = {.parent = at, .item = true};
    check(&own, &items, s->items, &below, in_meta, s->items->embedded);
  }
  for (uint32_t i = 0; i < s->field_count; i++) {
    slice name = s->fields[i].name;
    bool meta = slice_is(name, "metadata") || slice_is(name, "kind") || slice_is(name, "apiVersion");
    step below = {.parent = at, .name = name};
    path field = path_key(&props, name);
    const structural *schema = s->fields[i].schema;
    check(&own, &field, schema, &below, in_meta || (embedded && meta), schema->embedded);
  }
}

void crd_defaults_check(field_errors *errs, const path *p, const structural *root, bool pruned) {
  walk w = {errs, root, pruned};
  check(&w, p, root, NULL, false, true);
}

bool crd_defaults_are_pruned(arena *a, const structural *s) {
  if (s->default_value) {
    val *copy = val_copy(a, s->default_value);
    structural_prune(s, copy, s->embedded, NULL);
    if (!val_equal(copy, s->default_value)) return false;
  }
  if (s->additional && !crd_defaults_are_pruned(a, s->additional)) return false;
  if (s->items && !crd_defaults_are_pruned(a, s->items)) return false;
  for (uint32_t i = 0; i < s->field_count; i++)
    if (!crd_defaults_are_pruned(a, s->fields[i].schema)) return false;
  return true;
}
