/* node_proxy: requests that a kubelet or a pod would have to answer: log, exec, attach,
 * portforward, proxy. There are no kubelets behind this server, so these end where the real one
 * would open its connection; every check before that is made. Source:
 * pkg/registry/core/pod/{rest,strategy.go}. */
#ifndef APISIM_VERB_NODE_PROXY_H
#define APISIM_VERB_NODE_PROXY_H

#include "request/request.h"

void node_proxy_serve(request *rq);

#endif
