/* patch: the four ways to change an object by a difference.
 *
 * Sources: RFC 6902 as gopkg.in/evanphx/json-patch.v4 does it, RFC 7386,
 * apimachinery pkg/util/strategicpatch, structured-merge-diff and
 * apimachinery pkg/util/managedfields. */
#ifndef APISIM_PATCH_PATCH_H
#define APISIM_PATCH_PATCH_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status_error.h"
#include "base/val.h"
#include "codec/codec.h"
#include "schema/schema.h"

/* What fieldValidation makes of a patch body. `ignore` is fieldValidation=Ignore: the body is read
 * leniently and the errors have other words. Otherwise (Warn and Strict) `report`, when not NULL,
 * receives what strict decoding of the patch document would refuse (duplicate fields; for a JSON
 * patch also unknown ones, each with "json patch " in front); the caller warns or refuses. */
typedef struct patch_options {
  bool ignore;
  strict_report *report;
  slice *why; /* NULL, or gets the library's own words for an operation that does not apply */
} patch_options;

/* Each returns the changed tree (untyped: the caller conforms it) or NULL and err. `doc` is not
 * modified and shares no map or list with the result (strings and numbers it may). The patch is
 * the raw body; it must live as long as the arena. The result of a JSON or merge patch may be a
 * list (fieldValidation=Ignore, or a replaced root): the caller's decoding refuses it.
 *
 * * Errors: 400 for a body that is no patch, 413 for more than LIMIT_JSON_PATCH_OPS operations,
 * 422 for one that does not apply, 500 with the bare text for most strategic ones. */
val *json_patch_apply_as(arena *a, const val *doc, slice patch, const patch_options *o,
                         status_error *err);
val *merge_patch_apply_as(arena *a, const val *doc, slice patch, const patch_options *o,
                          status_error *err);
/* *parsed (if not NULL) gets the patch document as merging leaves it (nulls that were dropped are
 * gone): the caller's errors quote it with go_print(). */
val *strategic_patch_apply_as(arena *a, const val *doc, slice patch, const type_info *t,
                              const patch_options *o, val **parsed, status_error *err);

/* The same as fieldValidation=Warn does it, without a report. */
val *json_patch_apply(arena *a, const val *doc, slice patch, status_error *err);
val *merge_patch_apply(arena *a, const val *doc, slice patch, status_error *err);
val *strategic_patch_apply(arena *a, const val *doc, slice patch, const type_info *t,
                           status_error *err);

/* The real library reads only the maps on an operation's way, and writes those with sorted keys:
 * the same for a tree that json_patch_apply has made of `patch`, before it is shown as text. */
void json_patch_way_sort(arena *a, slice patch, val *patched);

/* Go's %v of an untyped tree: map[a:1 b:[x <nil>]], keys sorted. */
slice go_print(arena *a, const val *v);
/* The same as %#v: map[string]interface {}{"a":1}. */
slice go_print_syntax(arena *a, const val *v);

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

/* A body's metadata.managedFields: [] asks to forget all entries, as [{}] does, but a typed tree
 * does not tell an empty list from none. Call this between parsing (or patching) and conforming:
 * it turns the first into the second. */
void managed_fields_keep_reset(arena *a, val *parsed);

/* Updates obj.metadata.managedFields for a create or update (not apply) of `obj` (typed,
 * canonical, after decode and defaulting, in the request's version) over `live` (in the same
 * version; NULL on create). Rule: fieldmanager.UpdateNoErrors: never fails. */
void managed_fields_update(const manage_args *m, const val *live, val *obj);

/* The last thing before an object is stored over `live` (rule: the registry's
 * IgnoreManagedFieldsTimestampsTransformer): if nothing but the times of managed fields changed,
 * the old times come back, and the object equals live. */
void managed_fields_keep_times(arena *a, const val *live, val *obj);

/* Are the entries such that the real server reads them? Else *error in its words. Admission that
 * leaves others puts the old ones back. */
bool managed_fields_valid(arena *a, const val *list, slice *error);

/* Server-side apply: merges the applied configuration (the untyped tree of exactly what the client
 * sent) into live (typed; NULL when missing: becomes the object). Returns the new object, not yet
 * conformed and defaulted, with managedFields updated, or NULL and err (409 with causes on
 * conflict; 500 reason "" on schema errors). A result equal to live except for timestamps keeps
 * the old managedFields, as the real one does. */
val *server_side_apply(const manage_args *m, const val *live, val *applied, status_error *err);
/* What came of it is not of the kind's type: `why` in the words around it. Returns false. */
bool apply_unconvertible(const manage_args *m, const val *applied, slice why, status_error *err);

#endif
