/* convert_resource: resource.k8s.io/v1beta1, whose requests and devices have a shape of their own.
 *
 * v1 put what asks for a device under `exactly` and what was under a device's `basic` into the
 * device; a slice's nodeName and allNodes became pointers. v1beta2 has v1's shape.
 * Source: pkg/apis/resource/v1beta1/conversion.go. Objects are changed in place. */
#ifndef APISIM_VERSION_CONVERT_RESOURCE_H
#define APISIM_VERSION_CONVERT_RESOURCE_H

#include "base/arena.h"
#include "base/val.h"

val *claim_v1_from_beta(arena *a, val *obj);
val *claim_beta_from_v1(arena *a, val *obj);
val *claim_template_v1_from_beta(arena *a, val *obj);
val *claim_template_beta_from_v1(arena *a, val *obj);
val *resource_slice_v1_from_beta(arena *a, val *obj);
val *resource_slice_beta_from_v1(arena *a, val *obj);

#endif
