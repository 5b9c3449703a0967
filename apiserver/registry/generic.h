/* generic: the write path that all kinds share: create, guaranteed update, delete.
 * Source: apiserver pkg/registry/generic/registry/store.go, pkg/registry/rest/. */
#ifndef APISIM_REGISTRY_GENERIC_H
#define APISIM_REGISTRY_GENERIC_H

#include "registry/strategy.h"
#include "request/options.h"
#include "request/request.h"
#include "store/store.h"

/* What a write gave. obj is in the storage version with its resourceVersion; entry is the
 * stored entry (a reference of the caller's), NULL on a dry run. */
typedef struct write_result {
  val *obj;
  store_entry *entry;
  bool created;
  bool deleted; /* gone from the store (a delete, or an update that emptied the finalizers) */
  bool answer_status; /* a delete of a kind that answers with a Status */
} write_result;

/* Makes the object to be written from the existing one (storage version; NULL when there is
 * none), or NULL with rq->error. May be called again after a conflict; must not change
 * `existing`. */
typedef struct update_source {
  val *(*make)(void *ctx, request *rq, const val *existing);
  void *ctx;
  slice uid; /* precondition: the uid that the client's object carries, or empty */
  bool allow_create; /* whatever the strategy says (apply) */
  prepare_fn prepare; /* of a subresource, instead of the strategy's; NULL for the main resource */
} update_source;

/* Jobs keep their pods unless told otherwise: said to whoever deletes one. */
void generic_warn_orphans(request *rq, const delete_options *o);

/* obj: storage version, system fields not yet filled in. False with rq->error. */
bool generic_create(request *rq, val *obj, write_result *out);
bool generic_update(request *rq, slice namespace, slice name, const update_source *source,
                    write_result *out);
bool generic_delete(request *rq, slice namespace, slice name, const delete_options *o,
                    write_result *out);
/* The uid and the version that a deletion asks for: those of obj, or false with a 409. */
bool generic_check_preconditions(request *rq, const delete_options *o, const val *obj);
/* The current entry (a new reference) or false with a 404. fresh: as it is everywhere now, else as
 * it is known here (store/store.h). */
bool generic_get(request *rq, slice namespace, slice name, bool fresh, store_entry **out);

/* A failed store call as the client sees it. */
bool generic_store_error(request *rq, store_result result, slice name);

#define GENERIC_DAMAGED_MAX 100u /* the real server's limit of errors told */
/* An object that is stored, and can't be read (store_entry_damage): false with rq->error, as a read
 * or a deletion of one object says it, an update, and a list that it is in (several with the gate
 * AllowUnsafeMalformedObjectDeletion; keys[i]: of the i-th). */
bool generic_damaged(request *rq, slice key, slice why);
bool generic_damaged_update(request *rq, slice why);
bool generic_damaged_list(request *rq, const slice *keys, const slice *whys, uint32_t count);
/* Deletes it unread (options' ignore_read_error). */
bool generic_delete_damaged(request *rq, slice namespace, slice name);

#endif
