/* patch_body: the body of a PATCH (JSON, merge, strategic, apply), made into the new object.
 * Source: the real server's endpoints/handlers/patch.go. */
#ifndef APISIM_VERB_PATCH_BODY_H
#define APISIM_VERB_PATCH_BODY_H

#include "codec/negotiate.h"
#include "request/options.h"

typedef struct patch_body {
  patch_kind kind;
  bool cbor; /* PATCH_APPLY */
  write_options options;
  const resource_info *as; /* whose type and version it speaks of: the resource's or a view's */
} patch_body;

/* What kind it is, the answer's form, and the options of the query. false with rq->error. */
bool patch_body_read(request *rq, patch_body *p, output_form *form);
/* The patched object, typed, not defaulted; of an apply with its managed fields. live is a tree in
 * the version of p->as (NULL: missing, of an apply only) and stays as it is. NULL with
 * rq->error. */
val *patch_body_apply(request *rq, const patch_body *p, const val *live);

#endif
