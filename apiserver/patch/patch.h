/* patch: the four ways to change an object by a difference.
 *
 * Sources: RFC 6902 as github.com/evanphx/json-patch does it, RFC 7386,
 * apimachinery pkg/util/strategicpatch, structured-merge-diff and
 * apimachinery pkg/util/managedfields. */
#ifndef APISIM_PATCH_PATCH_H
#define APISIM_PATCH_PATCH_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status_error.h"
#include "base/val.h"
#include "schema/schema.h"

/* Each returns the changed tree (untyped: the caller conforms it) or NULL and err. `doc` is
 * not modified (unchanged parts may be shared). The patch is the raw body. */
val *json_patch_apply(arena *a, const val *doc, slice patch, status_error *err);
val *merge_patch_apply(arena *a, const val *doc, slice patch, status_error *err);
val *strategic_patch_apply(arena *a, const val *doc, slice patch, const type_info *t,
                           status_error *err);

/* What managed fields need to know of a write. */
typedef struct manage_args {
  arena *arena;
  const resource_info *resource; /* the version asked for */
  slice subresource; /* "" or "status"... */
  slice manager;
  bool apply;
  bool force; /* of an apply */
  int64_t now_s; /* wall clock, seconds */
} manage_args;

/* Updates obj.metadata.managedFields for a create or update (not apply) of `obj` (typed,
 * canonical, before defaults of admission? no: after decode and defaulting, in the request's
 * version) over `live` (NULL on create). Rule: fieldmanager.UpdateNoErrors: never fails. */
void managed_fields_update(const manage_args *m, const val *live, val *obj);

/* Server-side apply: merges the applied configuration (typed, canonical tree of exactly what
 * the client sent, plus its parsed untyped form for the field set) into live (NULL when
 * missing: becomes the object). Returns the new object with managedFields updated, or NULL
 * and err (409 with causes on conflict; 500 reason "" on schema errors). A result equal to live except
 * for timestamps keeps the old managedFields, as the real one does. */
val *server_side_apply(const manage_args *m, const val *live, val *applied, status_error *err);

#endif
