/* Warnings of CustomResourceDefinitions: formats that nobody knows, which an update may keep.
 * Source: apiextensions-apiserver pkg/registry/customresourcedefinition/strategy.go. */
#include "base/quote.h"
#include "registry/validation/extension_internal.h"
#include "registry/strategy_hooks.h"

static bool knows_format(const val *s) {
  slice type = val_get_str(s, "type"), format = val_get_str(s, "format");
  if (!type.len || slice_is(type, "string")) return structural_knows_format(format);
  if (slice_is(type, "integer")) return slice_is(format, "int32") || slice_is(format, "int64");
  return slice_is(type, "number") && (slice_is(format, "float") || slice_is(format, "double"));
}

typedef struct formats {
  arena *a;
  val *names; /* a map, in the order in which they were found */
} formats;

static bool format_note(const val *s, void *ctx) {
  formats *f = ctx;
  slice format = val_get_str(s, "format");
  if (format.len && !knows_format(s)) val_set(f->a, f->names, format, val_null(f->a));
  return false;
}

static val *odd_formats(arena *a, const val *crd) {
  const val *versions = val_path(crd, "spec.versions");
  formats f = {a, val_map(a)};
  for (uint32_t i = 0; i < val_len(versions); i++)
    crd_schemas_any(val_path(val_at(versions, i), "schema.openAPIV3Schema"), format_note, &f);
  return f.names;
}

void crd_formats_warn(request *rq, val *obj, const val *old) {
  val *before = odd_formats(rq->arena, old), *now = odd_formats(rq->arena, obj);
  VAL_EACH(e, now) {
    if (val_get(before, e->key)) continue;
    slice quoted = go_quote(rq->arena, e->key);
    request_warn(rq, arena_printf(rq->arena, "unrecognized format %.*s", SLICE_ARG(quoted)));
  }
}
