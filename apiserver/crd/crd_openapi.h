/* crd_openapi: the OpenAPI document (v3) of a group's version of custom resources, and what of
 * them is in the document of all (v2). Its paths and
 * the machinery's schemas come from facts (crd/facts/openapi.json, without prose); the kinds'
 * schemas are the definitions' own, with what they say.
 * Source: apiextensions-apiserver pkg/controller/openapi/builder; kube-openapi
 * pkg/validation/spec. */
#ifndef APISIM_CRD_OPENAPI_H
#define APISIM_CRD_OPENAPI_H

#include "crd/crd.h"

extern const char crd_openapi_text[];
extern const size_t crd_openapi_len;

/* Compact JSON; SLICE_NONE where nothing of the version is served. */
slice crd_openapi_v3(arena *a, const crd_registry *g, slice group, slice version);

/* The members of the second version's "definitions", without the braces; empty: none. */
slice crd_openapi_v2_definitions(arena *a, const crd_registry *g);

#endif
