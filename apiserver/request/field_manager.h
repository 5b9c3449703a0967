/* field_manager: the name of who writes, in options and in managed fields. Its code stands with the
 * options'. Source: apimachinery pkg/apis/meta/v1/validation. */
#ifndef APISIM_REQUEST_FIELD_MANAGER_H
#define APISIM_REQUEST_FIELD_MANAGER_H

#include "registry/field_error.h"

/* At most 128 bytes, printable; a cause for each thing that is wrong. */
void field_manager_validate(field_errors *errs, const path *p, slice manager);

#endif
