/* pod_warnings: the warn hooks of pods and of the kinds that hold a template; strategy_rows.c names
 * them. */
#ifndef APISIM_REGISTRY_VALIDATION_POD_WARNINGS_H
#define APISIM_REGISTRY_VALIDATION_POD_WARNINGS_H

#include "registry/strategy_hooks.h"
#include "registry/validation/pod_checks.h"

/* "path: text" */
void pod_warn_at(request *rq, const path *p, const char *key, const char *text);
void pod_warn_fraction(request *rq, const path *p, const val *amounts, const char *name);
void pod_warn_node_term(request *rq, const path *p, const val *term, bool with_values);
/* A claim's amounts of storage; p: its spec. */
void pod_warn_claim(request *rq, const path *p, const val *spec);

/* pod_port_warnings.c */
void pod_warn_ports(request *rq, const path *spec_path, const val *spec);
void pod_warn_addresses(request *rq, const path *spec_path, const val *spec);
/* Annotations that fields have replaced, of the pod and of one container. */
void pod_warn_pod_profile(request *rq, const path *notes_path, const val *notes, const val *spec);
void pod_warn_profiles(request *rq, const path *notes_path, const val *notes, const val *spec,
                       const val *container, bool template);
/* pod_path_warnings.c */
void pod_warn_paths(request *rq, const val *spec);

#endif
