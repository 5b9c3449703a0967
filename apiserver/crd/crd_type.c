/* A schema as the typed merges read it: structs whose members are named, and perhaps others.
 * Nothing in these trees is implied: what is absent is absent, so every field is a pointer.
 * Source: kube-openapi pkg/schemaconv/openapi.go; apiextensions pkg/controller/openapi/builder. */
#include "crd/crd.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "crd/structural.h"

#include <stdlib.h>

#define OBJECT_META SLICE_LIT("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

static const type_info text_type = {.kind = TYPE_STRING}, bool_type = {.kind = TYPE_BOOL},
                       int_type = {.kind = TYPE_INT64}, float_type = {.kind = TYPE_FLOAT64},
                       scalar_type = {.kind = TYPE_INT_OR_STRING}, any_type = {.kind = TYPE_JSON};
static const field_info any_field = {.type = &any_type, .pointer = true, .omitempty = true};

typedef struct making {
  arena *a;
  bool preserve; /* here or above */
  int depth;
} making;

static const type_info *type_of(making *m, const structural *s);

static void field_set(making *m, field_info *f, slice name, const structural *s) {
  *f = (field_info){.name = name, .pointer = true, .omitempty = true, .type = type_of(m, s),
                    .map_atomic = slice_is(s->map_type, "atomic")};
  if (s->default_value) f->default_json = json_text(m->a, s->default_value, true);
  if (!slice_is(s->type, "array")) return;
  f->list_type = slice_is(s->list_type, "set")   ? LIST_SET
                 : slice_is(s->list_type, "map") ? LIST_MAP
                                                 : LIST_ATOMIC;
  f->list_keys = s->list_keys;
  f->list_key_count = (uint8_t)s->list_key_count;
}

static int by_name(const void *x, const void *y) {
  return slice_cmp(((const field_info *)x)->name, ((const field_info *)y)->name);
}

static void add_field(field_info *fields, uint16_t *n, const char *name, const type_info *t) {
  for (uint16_t i = 0; i < *n; i++) {
    if (slice_is(fields[i].name, name)) return;
  }
  fields[(*n)++] = (field_info){.name = slice_cstr(name), .type = t, .pointer = true,
                                .omitempty = true};
}

/* Everything has these three; what the schema says of them does not count. */
static void add_own(field_info *fields, uint16_t *n) {
  add_field(fields, n, "apiVersion", &text_type);
  add_field(fields, n, "kind", &text_type);
  add_field(fields, n, "metadata", schema_type(OBJECT_META));
}

static void add_rest(making *m, type_info *t, const structural *s) {
  if (s->additional) {
    field_info *f = ARENA_NEW(m->a, field_info);
    field_set(m, f, SLICE_LIT(""), s->additional);
    t->rest = f;
  } else if (s->has_additional) {
    t->rest = s->additional_allowed ? &any_field : NULL;
  } else if (m->preserve || s->field_count == 0) {
    t->rest = &any_field;
  }
}

static type_info *struct_of(making *m, const structural *s, bool own) {
  type_info *t = ARENA_NEW(m->a, type_info);
  field_info *fields = ARENA_ARRAY(m->a, field_info, s->field_count + 3u);
  uint16_t *order = ARENA_ARRAY(m->a, uint16_t, s->field_count + 3u), n = 0;
  bool above = m->preserve;
  if (own) add_own(fields, &n);
  m->preserve = above || s->preserve_unknown;
  for (uint32_t i = 0; i < s->field_count && n < UINT16_MAX; i++) {
    bool known = false;
    for (uint16_t k = 0; own && k < 3; k++) known |= slice_eq(fields[k].name, s->fields[i].name);
    if (!known) field_set(m, &fields[n++], s->fields[i].name, s->fields[i].schema);
  }
  qsort(fields, n, sizeof *fields, by_name);
  for (uint16_t i = 0; i < n; i++) order[i] = i;
  *t = (type_info){.kind = TYPE_STRUCT, .named = true, .fields = fields, .by_name = order,
                   .field_count = n};
  add_rest(m, t, s);
  m->preserve = above;
  return t;
}

static const type_info *list_of(making *m, const structural *s) {
  type_info *t = ARENA_NEW(m->a, type_info);
  *t = (type_info){.kind = TYPE_LIST, .elem = s->items ? type_of(m, s->items) : &any_type};
  return t;
}

static const type_info *type_of(making *m, const structural *s) {
  if (s->int_or_string) return &scalar_type;
  if (slice_is(s->type, "object")) return struct_of(m, s, s->embedded);
  if (slice_is(s->type, "array")) return list_of(m, s);
  if (slice_is(s->type, "string")) return &text_type;
  if (slice_is(s->type, "boolean")) return &bool_type;
  if (slice_is(s->type, "integer")) return &int_type;
  if (slice_is(s->type, "number")) return &float_type;
  return &any_type;
}

type_info *crd_type_create(arena *a, const structural *root) {
  static const structural none = {.type = {"object", 6}, .preserve_unknown = true};
  making m = {.a = a};
  type_info *t = struct_of(&m, root ? root : &none, true);
  t->untyped = true;
  return t;
}
