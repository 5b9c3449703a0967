/* admission: what webhook configurations and admission policies have in common. */
#ifndef APISIM_REGISTRY_VALIDATION_ADMISSION_H
#define APISIM_REGISTRY_VALIDATION_ADMISSION_H

#include "registry/validation/checks.h"

/* Operations, groups, versions, resources and scope of a rule. */
void admission_rule_check(field_errors *errs, const path *p, const val *rule);
/* Names and presence of expressions; the expressions themselves are not compiled. */
void match_conditions_check(field_errors *errs, const path *p, const val *list);
bool failure_policy_check(field_errors *errs, const path *p, slice policy);
bool match_policy_check(field_errors *errs, const path *p, slice policy);
bool reinvocation_policy_check(field_errors *errs, const path *p, slice policy);
/* Where a hook or a conversion is: a URL, or a Service and a path of it. */
void webhook_url_check(field_errors *errs, const path *p, slice url);
void webhook_service_check(field_errors *errs, const path *p, const val *service,
                           bool namespace_first);

#endif
