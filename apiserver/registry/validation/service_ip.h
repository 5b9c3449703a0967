/* service_ip: the clusterIPs, ipFamilies and ipFamilyPolicy of Services. */
#ifndef APISIM_REGISTRY_VALIDATION_SERVICE_IP_H
#define APISIM_REGISTRY_VALIDATION_SERVICE_IP_H

#include "registry/strategy.h"

bool service_type_is(const val *spec, const char *type);
bool service_is_headless(const val *spec);
/* `old`: the addresses it had, which stay acceptable. Also asked before addresses are allocated. */
void service_ips_check(field_errors *errs, const val *spec, const val *old);
/* What an update may change. */
void service_ips_change_check(const validate_args *v, const val *now, const val *was);

#endif
