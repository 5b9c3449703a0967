/* verbs: one function a verb; each reads as the list of its steps and answers the request.
 * Source: apiserver pkg/endpoints/handlers/{create,get,update,patch,delete,watch}.go. */
#ifndef APISIM_VERB_VERBS_H
#define APISIM_VERB_VERBS_H

#include "request/request.h"

void verb_get(request *rq);
void verb_list(request *rq);
void verb_watch(request *rq);
/* Of what can be listed and not watched: its options are read, and then it is refused. */
void verb_watch_refused(request *rq);
void verb_create(request *rq);
void verb_update(request *rq);
void verb_patch(request *rq);
void verb_delete(request *rq);
void verb_deletecollection(request *rq);

/* Subresources that are not the parent in another guise: scale, eviction, binding, token, and those
 * that need a node (log, exec, attach, portforward, proxy). True when it took the request. */
bool verb_subresource(request *rq);
/* Kinds that are questions: reviews. True when it took the request. */
bool verb_review(request *rq);

#endif
