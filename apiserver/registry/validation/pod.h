/* pod: the parts of a pod's validation that its subresources share. */
#ifndef APISIM_REGISTRY_VALIDATION_POD_H
#define APISIM_REGISTRY_VALIDATION_POD_H

#include "registry/validation/pod_checks.h"

void pod_whole_validate(const validate_args *v); /* metadata and spec, as on create */
void pod_annotations_update(const validate_args *v);
void pod_status_validate(const validate_args *v); /* pod_status.c */
void pod_resize_check_all(const validate_args *v); /* pod_resize.c */

#endif
