/* crd_strategy: the registry's row (registry/strategy.h) of a custom resource. */
#ifndef APISIM_CRD_STRATEGY_H
#define APISIM_CRD_STRATEGY_H

#include "registry/strategy.h"

/* Never NULL; constant. */
const strategy *crd_strategy_of(const struct crd_version *v);

#endif
