/* crd_table: the cells that additionalPrinterColumns make of a custom resource.
 * Source: apiextensions-apiserver pkg/registry/customresource/tableconvertor. */
#ifndef APISIM_CRD_TABLE_H
#define APISIM_CRD_TABLE_H

#include "crd/crd.h"

/* A list, the name first. */
val *crd_cells(arena *a, const crd_version *v, const val *obj, int64_t now_s);

#endif
