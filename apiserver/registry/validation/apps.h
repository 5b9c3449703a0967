/* apps: what the workloads share about selectors, percentages and counts. */
#ifndef APISIM_REGISTRY_VALIDATION_APPS_H
#define APISIM_REGISTRY_VALIDATION_APPS_H

#include "registry/validation/template.h"

typedef enum selector_answer { SELECTOR_NO, SELECTOR_YES, SELECTOR_BROKEN } selector_answer;

/* A LabelSelector asked about labels; BROKEN when it can't be one. */
selector_answer selector_asks(arena *a, const val *selector, const val *labels);
bool selector_asks_nothing(const val *selector); /* there, and without a requirement */
/* Required, valid, not empty; `kind` as the message names it. p is the spec. */
void selector_check(field_errors *e, const path *p, const val *selector, const char *kind);
void int_or_percent_check(field_errors *e, const path *p, const val *v);
int64_t int_or_percent_value(const val *v);
void percent_most_check(field_errors *e, const path *p, const val *v);
/* status.collisionCount never goes down. */
void collisions_check(const validate_args *v);

#endif
