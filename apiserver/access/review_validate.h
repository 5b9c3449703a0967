/* review_validate: what is wrong with an access review. */
#ifndef APISIM_ACCESS_REVIEW_VALIDATE_H
#define APISIM_ACCESS_REVIEW_VALIDATE_H

#include "registry/field_error.h"

typedef enum review_kind { REVIEW_SUBJECT, REVIEW_LOCAL, REVIEW_SELF } review_kind;

void review_validate(field_errors *errs, review_kind kind, const val *review);
/* The review's evaluationError for selectors that can't be understood, or SLICE_NONE. */
slice review_selector_error(arena *a, const val *resource_attributes);

#endif
