/* stored_etcd: stored objects as kube-apiserver keeps them in etcd: protobuf in the k8s envelope
 * (JSON for the kinds without protobuf storage), without resourceVersion. What etcd/face.h calls
 * values. Bytes under keys that are no object's are kept as they are.
 * Source: apiserver pkg/storage/etcd3/store.go, each group's storage codec. */
#ifndef APISIM_REGISTRY_STORED_ETCD_H
#define APISIM_REGISTRY_STORED_ETCD_H

#include "etcd/face.h"
#include "schema/schema.h"

/* The resource whose objects have keys of this form, or NULL. */
const resource_info *stored_resource_of(slice key);

/* etcd's bytes of an object whose stored JSON is `value`, in the arena; SLICE_NONE: that is
 * damaged. json: as JSON whatever the kind (--storage-media-type). */
slice stored_for_etcd(arena *a, const resource_info *r, slice value, bool json);
/* The other way: stored JSON with this resourceVersion inside, a reference of the caller's; bytes
 * under keys that are no object's as they are. NULL with *problem (in the arena, or static). */
blob *stored_from_etcd(arena *a, slice key, slice bytes, int64_t revision, slice *problem);

/* ctx is not used. A put of an object's key that does not decode is refused: the API would have
 * nothing to show for it. */
extern const etcd_values stored_etcd_values;

#endif
