/* crd_object: custom resources between bodies, trees and stored bytes.
 * Source: customresource_handler.go (unstructuredDefaulter, schemaCoercingDecoder,
 * schemaCoercingConverter), pkg/apiserver/conversion. */
#ifndef APISIM_CRD_OBJECT_H
#define APISIM_CRD_OBJECT_H

#include "codec/codec.h"
#include "base/blob.h"
#include "crd/crd.h"

/* Stored JSON as a tree of this version: pruned, defaulted by the version that it is stored in, and
 * then converted. NULL for damaged bytes. Strings borrow from bytes. */
val *crd_from_storage(arena *a, const crd_version *v, slice bytes);
/* The tree that is stored: in the storage version, its top and metadata forked. */
val *crd_to_storage(arena *a, const crd_version *v, val *obj);
/* The same object in another version (strategy None): what `to` does not have goes. */
val *crd_convert(arena *a, const crd_version *from, const crd_version *to, const val *obj);

/* What decoding does to a client's tree: metadata in its form, unknown fields away (each an item
 * of the report, which may be NULL), nulls away. False with *error. */
bool crd_coerce(arena *a, const crd_version *v, val *obj, strict_report *report, slice *error);
void crd_default(arena *a, const crd_version *v, val *obj);

/* Is it the key of a custom resource's object, by its form: /registry/GROUP/PLURAL/..., the group
 * with a dot? None of a compiled resource is, which is to be looked for first. */
bool crd_is_key(slice key);
/* Of such a key. */
slice crd_key_group(slice key);
slice crd_key_resource(slice key);
/* etcd's bytes, JSON and a newline, without the version; SLICE_NONE: damaged. */
slice crd_for_etcd(arena *a, slice stored);
/* The other way. NULL with *problem. */
blob *crd_from_etcd(arena *a, slice bytes, int64_t revision, slice *problem);

#endif
