/* typed_shape: how structured merge sees a value: as one leaf, or as something with parts that may
 * have owners of their own. Source: kube-openapi's schemaconv over the served OpenAPI. */
#ifndef APISIM_PATCH_TYPED_SHAPE_H
#define APISIM_PATCH_TYPED_SHAPE_H

#include "base/val.h"
#include "schema/schema.h"

/* Deeper values are leaves to us; the real server has no such bound, and no object comes near
 * it. */
#define TYPED_DEPTH_MAX 400

typedef enum shape_kind {
  SHAPE_LEAF, /* a scalar, or atomic */
  SHAPE_STRUCT, /* named fields of the type */
  SHAPE_MAP, /* any keys, values of type->elem */
  SHAPE_SET, /* a list of distinct scalars */
  SHAPE_KEYED, /* a list of structs with key fields */
  SHAPE_NAMED, /* of a custom resource: named fields, and others where type->rest is one */
  SHAPE_ANY, /* without a schema: maps have parts, all else is a leaf */
} shape_kind;

typedef struct typed_shape {
  shape_kind kind;
  const type_info *type;
  const slice *keys; /* of SHAPE_KEYED */
  uint8_t key_count;
} typed_shape;

/* The shape of a type where it stands: in a field (whose markers count) or alone (f NULL). */
typed_shape shape_of(const type_info *t, const field_info *f);
/* Of a list's item or a map's value. */
typed_shape shape_elem(const typed_shape *s);
/* Of a map's or struct's member; false: the struct has no such field. */
bool shape_member(const typed_shape *s, slice name, typed_shape *out);
/* Is there a field of that name? */
bool shape_names(const typed_shape *s, slice name);

/* What Go writes for a field that is not in a typed tree, because it is zero there:
 * NULL (nothing), null, {}, "" ... Never to be stored or changed. */
const val *field_zero(const field_info *f);

/* The path element of a list item. typed: missing keys are zero where Go would write
 * them. NULL, or what is wrong with the item, in the real server's words. */
const char *item_element(arena *a, const typed_shape *s, const val *item, bool typed, slice *out);

#endif
