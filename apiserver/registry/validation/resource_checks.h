/* resource_checks: what the validators of resource.k8s.io share. */
#ifndef APISIM_REGISTRY_VALIDATION_RESOURCE_CHECKS_H
#define APISIM_REGISTRY_VALIDATION_RESOURCE_CHECKS_H

#include "registry/validation/checks.h"

/* "Too many" where the list has more than max items: then nothing of it is looked at. */
bool list_fits(field_errors *e, const path *p, const val *list, uint32_t max);
/* A duplicate for each item whose key (NULL: the item itself) an earlier one has. */
void named_once_check(field_errors *e, const path *p, const val *list, const char *key);
/* Subdomains with '/' between; required. */
void pool_name_check(field_errors *e, const path *p, slice name);
/* old: what it was, or NULL: an effect that stays is not looked at. */
void device_taint_check(field_errors *e, const path *p, const val *taint, const val *old);

/* "domain/identifier" of C, the domain being optional. */
void qualified_name_check(field_errors *e, const path *p, slice name);
/* "request", or "request/subrequest", of a claim's requests. */
void request_reference_check(field_errors *e, const path *p, slice name, const val *requests);
/* An update of a ResourceClaim's status: resource_claim_status.c. */
void resource_claim_status_check(const validate_args *v);

/* What may be asked of a capacity: resource_policy.c. */
void request_policy_check(field_errors *e, const path *p, slice capacity, const val *policy);
/* A device's attributes and capacities. */
void device_values_check(field_errors *e, const path *p, const val *device);

#endif
