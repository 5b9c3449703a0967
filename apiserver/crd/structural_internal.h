/* structural_internal: what the files of structural.h share. */
#ifndef APISIM_CRD_STRUCTURAL_INTERNAL_H
#define APISIM_CRD_STRUCTURAL_INTERNAL_H

#include "crd/structural.h"

void unknown_add(structural_unknown *u, slice text);
/* Those from `from` on; u may be NULL. */
void unknown_sort(structural_unknown *u, uint32_t from);
bool is_meta_field(slice name); /* apiVersion, kind, metadata */

/* Does the text have the format? Unknown formats have all: format_is_known says which it knows
 * (names without their dashes). Source: kube-openapi pkg/validation/strfmt. */
bool format_is_known(arena *a, slice format);
bool format_holds(arena *a, slice format, slice text);

/* Go's reflect.DeepEqual of two decoded JSON values. */
bool values_equal(const val *x, const val *y);
/* A number as Go's %v prints it. */
slice number_text(arena *a, double f);

#endif
