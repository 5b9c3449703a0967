/* pod_create: parts of what happens to a pod when it is created, before validation. */
#ifndef APISIM_REGISTRY_POD_CREATE_H
#define APISIM_REGISTRY_POD_CREATE_H

#include "request/request.h"

#define APPARMOR_ANNOTATION "container.apparmor.security.beta.kubernetes.io/"
#define APPARMOR_WORDS "deprecated since v1.30; use the \"appArmorProfile\" field instead"

/* matchLabelKeys and mismatchLabelKeys of affinity terms and spread constraints: the pod's own
 * values of these labels become expressions of the selector beside them. Changes pod. */
void pod_label_keys_merge(arena *a, val *pod);
/* A container without an AppArmor profile gets the one of its annotation, with a warning. */
void pod_apparmor_sync(request *rq, val *pod);
/* The field that an annotation's value stands for, NULL for one that means nothing. */
val *apparmor_from_annotation(arena *a, slice text);

#endif
