/* template: what the kinds that hold a pod template share. */
#ifndef APISIM_REGISTRY_VALIDATION_TEMPLATE_H
#define APISIM_REGISTRY_VALIDATION_TEMPLATE_H

#include "registry/validation/pod_checks.h"

/* Workloads that run for ever: restartPolicy Always, no deadline. `kind` as the message names it.
 */
void template_restart_check(field_errors *e, const path *template, const val *spec,
                            const char *kind);
void labels_mismatch(field_errors *e, const path *at, const val *template);
/* Those of keys that are above status.<limit>. */
void counts_at_most(field_errors *e, const path *p, const val *status, const char *const *keys,
                    const char *limit, const char *why);

#endif
