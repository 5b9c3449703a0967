/* stored: between trees and what the store keeps: keys, encodings, revisions.
 * Source of the keys: apiserver pkg/registry/generic/registry/store.go and each storage's
 * prefix. */
#ifndef APISIM_REGISTRY_STORED_H
#define APISIM_REGISTRY_STORED_H

#include "base/arena.h"
#include "base/val.h"
#include "schema/schema.h"
#include "store/store.h"

/* "/registry/pods/default/web"; prefix: all objects of the resource (in a namespace unless
 * empty), ending with '/'. */
slice stored_key(arena *a, const resource_info *r, slice namespace, slice name);
/* A key without the prefix that all of them share: "/pods/default/a". */
slice stored_key_inner(slice key);
slice stored_prefix(arena *a, const resource_info *r, slice namespace);
/* The key behind all keys that begin with `prefix`: where a walk over them ends. */
slice stored_prefix_end(arena *a, slice prefix);

/* A fresh canonical tree of the entry's object in its storage version. The strings borrow from the
 * entry's bytes: hold a reference to it while the tree is used. NULL only for damaged bytes. */
val *stored_decode(arena *a, const resource_info *r, const store_entry *e);
/* The object's bytes with this resourceVersion inside (0: none). One reference, the caller's. */
blob *stored_encode(arena *a, const resource_info *r, val *obj, int64_t revision);
/* What encoding and decoding in the real store make of the object: protobuf knows no empty list. */
void stored_settle(const resource_info *r, val *obj);
/* The same bytes with another revision, without encoding again. */
blob *stored_with_revision(slice bytes, int64_t revision);
/* The part of stored bytes behind kind and apiVersion: what stands in a list's item after '{'.
 * *hint (0 at first) is where it began in the last object: of one kind, mostly there again. */
slice stored_item_rest(slice bytes, size_t *hint);

#endif
