/* binding: pods/binding and the old bindings resource: puts a pod onto a node.
 * Source: pkg/registry/core/pod/storage/storage.go (BindingREST). */
#ifndef APISIM_VERB_BINDING_H
#define APISIM_VERB_BINDING_H

#include "request/request.h"

void binding_serve(request *rq);

#endif
