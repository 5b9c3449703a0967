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

/* ctx is not used. A put of an object's key that does not decode is refused: the API would have
 * nothing to show for it. */
extern const etcd_values stored_etcd_values;

#endif
