/* certificates: what the validators of certificates.k8s.io share. */
#ifndef APISIM_REGISTRY_VALIDATION_CERTIFICATES_H
#define APISIM_REGISTRY_VALIDATION_CERTIFICATES_H

#include "registry/field_error.h"

/* "example.com/signer"; required. */
void signer_name_check(field_errors *errs, const path *p, slice name);
/* How long a signer's certificates may last at most: Kubernetes' own ones a day. */
int signer_seconds_max(slice signer);
/* Annotations for a signer; at "userAnnotations" below p. */
void user_annotations_check(field_errors *errs, const path *p, const val *annotations);

#endif
