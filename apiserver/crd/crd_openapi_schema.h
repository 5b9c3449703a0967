/* crd_openapi_schema: a definition's schema as OpenAPI documents show it.
 * Source: apiextensions-apiserver pkg/apiserver/schema/{kubeopenapi,unfold}.go. */
#ifndef APISIM_CRD_OPENAPI_SCHEMA_H
#define APISIM_CRD_OPENAPI_SCHEMA_H

#include "base/val.h"

struct structural;
/* root NULL: the version has none. */
val *crd_openapi_schema(arena *a, const struct structural *root);
/* As the second version can say it: without junctors, defaults, and what may be null or
 * anything. */
val *crd_openapi_schema_v2(arena *a, const struct structural *root, bool preserve);

#endif
