/* certificates: what the validators of certificates.k8s.io share. */
#ifndef APISIM_REGISTRY_VALIDATION_CERTIFICATES_H
#define APISIM_REGISTRY_VALIDATION_CERTIFICATES_H

#include "registry/field_error.h"

/* "example.com/signer"; required. */
void signer_name_check(field_errors *errs, const path *p, slice name);

#endif
