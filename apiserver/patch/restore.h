/* restore: what the real server says when the result of a strategic patch or of an apply does not
 * fit the type. That path goes from maps to structs without JSON, and has words of its own.
 * Source: apimachinery pkg/runtime/converter.go (fromUnstructured). */
#ifndef APISIM_PATCH_RESTORE_H
#define APISIM_PATCH_RESTORE_H

#include "base/arena.h"
#include "base/val.h"
#include "schema/schema.h"

/* True when the tree fits t; else false and *error, of the first misfit in the type's field order.
 * A float that is whole becomes an integer where one is wanted, and an integer that is too large
 * one of its lower bits, in place. */
bool restore_check(arena *a, val *tree, const type_info *t, slice *error);

#endif
