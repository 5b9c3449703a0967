/* extension_schema: the OpenAPI schema of a custom resource: its structure, not its defaults or
 * CEL. */
#ifndef APISIM_REGISTRY_VALIDATION_EXTENSION_SCHEMA_H
#define APISIM_REGISTRY_VALIDATION_EXTENSION_SCHEMA_H

#include "registry/field_error.h"

/* At p: "spec.validation.openAPIV3Schema". Deeper than 128 levels is not looked at. */
void crd_schema_check(field_errors *errs, const path *p, const val *schema);

#endif
