/* crd_openapi_schema: a definition's schema as OpenAPI documents show it.
 * Source: apiextensions-apiserver pkg/apiserver/schema/{kubeopenapi,unfold}.go. */
#ifndef APISIM_CRD_OPENAPI_SCHEMA_H
#define APISIM_CRD_OPENAPI_SCHEMA_H

#include "base/val.h"

struct structural;
/* root NULL: the version has none. */
val *crd_openapi_schema(arena *a, const struct structural *root);

#endif
