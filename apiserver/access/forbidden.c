/* The 403 that every denial ends in. Rule: apiserver pkg/endpoints/handlers/responsewriters. */
#include "access/config.h"
#include "access/text.h"
#include "base/limits.h"

access_attributes access_attributes_of(const request *rq) {
  const request_info *i = &rq->info;
  bool node = user_has_group(&rq->user, GROUP_NODES); /* only its authorizer looks at it */
  return (access_attributes){.field_selector = node ? http_query_get(rq->http, "fieldSelector")
                             : SLICE_NONE,
                             .user = rq->user, .verb = i->verb, .namespace = i->namespace,
                             .group = i->group, .version = i->version, .resource = i->resource,
                             .subresource = i->subresource, .name = i->name, .path = i->path,
                             .is_resource = i->is_resource};
}

static slice denial(arena *a, const access_attributes *q) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "User ");
  text_quote(&b, q->user.name);
  buf_lit(&b, " cannot ");
  buf_append(&b, q->verb);
  if (!q->is_resource) {
    buf_lit(&b, " path ");
    text_quote(&b, q->path);
    return text_take(a, &b);
  }
  slice resource = q->resource;
  if (q->subresource.len) {
    resource = arena_printf(a, "%.*s/%.*s", SLICE_ARG(resource), SLICE_ARG(q->subresource));
  }
  buf_lit(&b, " resource ");
  text_quote(&b, resource);
  buf_lit(&b, " in API group ");
  text_quote(&b, q->group);
  if (q->namespace.len) {
    buf_lit(&b, " in the namespace ");
    text_quote(&b, q->namespace);
  } else {
    buf_lit(&b, " at the cluster scope");
  }
  return text_take(a, &b);
}

bool access_forbidden(request *rq, const access_attributes *q, slice reason) {
  arena *a = rq->arena;
  slice why = text_sanitized(a, denial(a, q));
  if (reason.len) why = arena_printf(a, "%.*s: %.*s", SLICE_ARG(why), SLICE_ARG(reason));
  rq->refused = true;
  return status_forbidden(&rq->error, a, q->group, q->resource, q->name, why);
}
