/* accept: which form of a document a request wants.
 *
 * Two rules, because the real server has two places that look at Accept behind the router
 * (codec/accept.h, accept_routed):
 *  - negotiated handlers look at parameters as well (apiserver
 *    pkg/endpoints/handlers/negotiation);
 *  - OpenAPI's pick the best of a list of types (kube-openapi pkg/handler). */
#ifndef APISIM_ROUTE_ACCEPT_H
#define APISIM_ROUTE_ACCEPT_H

#include "codec/accept.h"
#include "codec/negotiate.h"

/* The form of a document that can't be transformed, or (discovery) of the aggregated list
 * only. False: nothing acceptable. An empty header accepts JSON. *pretty is set by the
 * clause's pretty=1 and left alone otherwise. cbor: it has that form as well. `a` is scratch
 * memory. */
bool accept_document(arena *a, slice header, bool discovery, bool cbor, body_format *form,
                     bool *pretty);

/* Index of the first clause's match among `types`, or -1; ACCEPT_NO_CLAUSE when nothing in the
 * header is one. An empty header takes 0. */
#define ACCEPT_NO_CLAUSE (-2)
int accept_choose(arena *a, slice header, const char *const *types, uint32_t count);

#endif
