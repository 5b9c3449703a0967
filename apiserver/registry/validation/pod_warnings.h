/* pod_warnings: the warn hooks of pods and of the kinds that hold a template; strategy_rows.c names
 * them. */
#ifndef APISIM_REGISTRY_VALIDATION_POD_WARNINGS_H
#define APISIM_REGISTRY_VALIDATION_POD_WARNINGS_H

#include "registry/strategy_hooks.h"
#include "registry/validation/pod_checks.h"

/* "path: text" */
void pod_warn_at(request *rq, const path *p, const char *key, const char *text);
void pod_warn_fraction(request *rq, const path *p, const val *amounts, const char *name);
void pod_warn_node_term(request *rq, const path *p, const val *term);

#endif
