/* object: reading and writing an object's metadata in its tree. Trees are canonical: an absent
 * string is "". Setters put an empty value as absence. */
#ifndef APISIM_REGISTRY_OBJECT_H
#define APISIM_REGISTRY_OBJECT_H

#include "base/val.h"

/* metadata; made when missing. */
val *object_meta(arena *a, val *obj);
slice object_name(const val *obj);
slice object_namespace(const val *obj);
slice object_uid(const val *obj);
slice object_version(const val *obj); /* resourceVersion as text */
int64_t object_generation(const val *obj);
bool object_deleting(const val *obj); /* has a deletionTimestamp */
const val *object_finalizers(const val *obj); /* list or NULL */
bool object_has_finalizer(const val *obj, slice name);

void object_set_str(arena *a, val *obj, const char *key, slice value);
void object_set_int(arena *a, val *obj, const char *key, int64_t value); /* kept even if 0 */
void object_set_generation(arena *a, val *obj, int64_t generation);
void object_del(val *obj, const char *key);
/* Takes key from `from`'s metadata: set where it has one, removed where not. */
void object_meta_take(arena *a, val *obj, const val *from, const char *key);
/* The same for a top-level field ("spec", "status"). */
void object_take(arena *a, val *obj, const val *from, const char *key);
/* Removes repeated owner references (same uid and all); their uids as "a, b", ptr NULL without. */
slice object_dedup_owners(arena *a, val *obj);
/* The first item of a list of conditions (or anything with types) with this type, or NULL. */
const val *condition_of(const val *conditions, slice type);
const val *condition_named(const val *conditions, const char *type);
/* That first one's status is "True". */
bool condition_true(const val *conditions, const char *type);
/* A copy that may be changed at the top level, metadata and their maps without touching the
 * source (deeper nodes are shared). */
val *object_fork(arena *a, const val *obj);

#endif
