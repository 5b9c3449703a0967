/* crd_serve: custom resources' place among a server's parts: the registry kept at what is stored,
 * requests routed to its rows, and the controllers that write the definitions' status.
 *
 * The real server's controllers (naming, establishing, finalizing, APIServices) act some time after
 * a write; here all that they write follows in the turn behind it, and before the next request is
 * looked at: whoever reads behind a write finds the kind served. The answer to the write itself has
 * no conditions yet, as the real one's. A deleted definition and its objects go some milliseconds
 * later.
 * Sources: apiextensions-apiserver pkg/controller/{status,establish,finalizer,nonstructuralschema,
 * apiapproval}; kube-aggregator pkg/controllers/autoregister; pkg/controlplane/controller/
 * crdregistration. */
#ifndef APISIM_CRD_SERVE_H
#define APISIM_CRD_SERVE_H

#include "crd/crd.h"
#include "server.h"

void crd_open(server *s);
void crd_close(server *s);
/* All definitions anew from the store: at the start, and where its content was replaced. */
void crd_load(server *s);
/* What the store tells; of any key. r: the compiled row that the key belongs to, or NULL. */
void crd_on_write(server *s, const resource_info *r, const store_event *ev);
/* Does now what the controllers have to do, where a request may not wait for it (flow_status.h). */
void crd_settle(server *s);

/* Whether the definition waits for the deletion of its objects: the answer to its DELETE. */
void crd_mark_deleted(arena *a, val *crd, int64_t now_s);

/* The row of a request for a custom resource, with rq->subresource; false: it is answered with an
 * error (rq->error), or, error not set, by whoever answers unknown paths. */
bool crd_route(request *rq);
/* Says what of a definition has no effect here. */
void crd_warn(request *rq, const val *crd);

#endif
