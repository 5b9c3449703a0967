/* rows: the table of validators. Adding a kind is one line here and its function in a file of its own.
 * The list must stay sorted by group, then resource (bytes). */
#ifndef APISIM_REGISTRY_VALIDATION_ROWS_H
#define APISIM_REGISTRY_VALIDATION_ROWS_H

#include "registry/strategy.h"

#define VALIDATION_ROWS(ROW)                           \
  ROW("", "configmaps", validate_configmap)            \
  ROW("", "namespaces", validate_namespace)            \
  ROW("", "secrets", validate_secret)

#define DECLARE(group, resource, fn) void fn(const validate_args *v);
VALIDATION_ROWS(DECLARE)
#undef DECLARE

#endif
