/* registry: objects of any kind, read and written inside the server.
 *
 * What admission, authorization, allocators and bootstrap use to look at the store
 * without going through HTTP. Trees are fresh and live in the given arena. */
#ifndef APISIM_VERB_REGISTRY_H
#define APISIM_VERB_REGISTRY_H

#include "request/request.h"
#include "store/store.h"

/* The stored object as a typed tree in its storage version; NULL when it does not exist. */
val *registry_get(server *s, arena *a, const resource_info *r, slice namespace, slice name);
/* Visits the objects of a namespace ("" for all) in key order; the callback gives false to
 * stop. Trees live in `a`. */
typedef bool (*registry_visit)(void *ctx, val *obj);
void registry_each(server *s, arena *a, const resource_info *r, slice namespace,
                   registry_visit visit, void *ctx);
/* The revision of the newest write to any object of r: a cheap "has it changed?" for
 * caches built over stored objects (RBAC rules, quotas). */
int64_t registry_revision(server *s, const resource_info *r);
/* Begins and ends keeping those revisions; server.c's. */
void registry_open(server *s);
void registry_close(server *s);
/* Stores an object as bootstrap and controllers inside the server do: defaults, uid, timestamps and
 * managedFields (manager) added, admission and validation skipped. False when it exists. */
bool registry_create(server *s, arena *a, const resource_info *r, val *obj, slice manager);
/* The same; prepare adds what the strategy of the kind does, which is nobody's. */
bool registry_create_prepared(server *s, arena *a, const resource_info *r, val *obj,
                              slice manager, void (*prepare)(arena *a, val *obj));
/* Replaces the stored object (keeps uid and creationTimestamp). No manager: obj's managed fields
 * are as they shall be. */
bool registry_update(server *s, arena *a, const resource_info *r, val *obj, slice manager);
/* The same through the subresource: the status becomes the manager's. */
bool registry_update_status(server *s, arena *a, const resource_info *r, val *obj, slice manager);
/* Removes it at once, finalizers or not; false: it is not there, or has changed meanwhile. */
bool registry_remove(server *s, arena *a, const resource_info *r, slice namespace, slice name);

#endif
