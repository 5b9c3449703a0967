/* negotiate: the request's headers, handed to the rules in media.c. */
#include "codec/negotiate.h"

#include "codec/media.h"
#include "server.h"

/* Custom resources have no Go type, so no protobuf and no strategic merge. */
static bool is_builtin(const request *rq) {
  return !rq->resource || (rq->resource->type && rq->resource->type->full_name.len > 0);
}

bool negotiate_has_cbor(const request *rq) {
  return rq->server && rq->server->options.cbor;
}

static unsigned formats_of(const request *rq) {
  unsigned set = is_builtin(rq) ? MEDIA_SET_BUILTIN : MEDIA_SET_CUSTOM;
  /* Errors from before a resource was found are written by a part that has no CBOR. */
  return rq->resource && negotiate_has_cbor(rq) ? set | MEDIA_SET_CBOR : set;
}

static bool has_tables(const request *rq) {
  if (!rq->resource || !rq->resource->list_type) return false;
  const subresource_info *sub = rq->subresource;
  if (sub && slice_is(rq->resource->resource, "resourceclaims")) return false;
  return !sub || slice_is(sub->name, "status") || slice_is(sub->name, "scale");
}

static media_request media_of(const request *rq) {
  return (media_request){
      .accept = http_header_get(rq->http, "Accept"),
      .user_agent = http_header_get(rq->http, "User-Agent"),
      .pretty = http_query_get(rq->http, "pretty"),
      .formats = formats_of(rq),
      .tables = has_tables(rq),
  };
}

static enum media_routed route_of(const request *rq) {
  if (!rq->resource) return MEDIA_ROUTE_OBJECT;
  if (rq->subresource && slice_is(rq->subresource->name, "log")) return MEDIA_ROUTE_LOG;
  bool list = slice_is(rq->info.verb, "list") || slice_is(rq->info.verb, "watch");
  return list ? MEDIA_ROUTE_LIST : MEDIA_ROUTE_OBJECT;
}

bool negotiate_route(request *rq) {
  if (!is_builtin(rq)) return true; /* served by a handler of its own, without the router */
  bool patch = slice_is(rq->http->method, "PATCH") && rq->resource;
  return media_route(rq->arena, http_header_get(rq->http, "Accept"),
                     http_header_get(rq->http, "Content-Type"), formats_of(rq), patch,
                     route_of(rq), &rq->error);
}

bool negotiate_output(request *rq, bool watch, output_form *out) {
  media_request in = media_of(rq);
  if (!negotiate_route(rq)) return false;
  if (watch) return media_watch(rq->arena, &in, out, &rq->error);
  return media_output(rq->arena, &in, out, &rq->error);
}

void negotiate_fallback(request *rq, output_form *out) {
  media_request in = media_of(rq);
  media_error(rq->arena, &in, out);
}

bool negotiate_input(request *rq, body_format *out) {
  return media_body(rq->arena, http_header_get(rq->http, "Content-Type"), formats_of(rq), out,
                    &rq->error);
}

bool negotiate_patch(request *rq, patch_kind *out, bool *cbor) {
  if (!negotiate_route(rq)) return false;
  return media_patch(rq->arena, http_header_get(rq->http, "Content-Type"), formats_of(rq),
                     out, cbor, &rq->error);
}

bool negotiate_partial(request *rq, const output_form *form, bool is_list, slice group,
                       slice kind) {
  bool wants_list = form->as == AS_PARTIAL_LIST;
  if ((form->as != AS_PARTIAL && !wants_list) || wants_list == is_list) return true;
  if (!is_builtin(rq) && wants_list) {
    return status_plain(&rq->error, rq->arena, "content is not a list");
  }
  slice package = is_builtin(rq) ? media_internal_package(group)
                                 : SLICE_LIT("unstructured");
  if (!is_builtin(rq)) kind = is_list ? SLICE_LIT("UnstructuredList") : SLICE_LIT("Unstructured");
  return status_set(&rq->error, rq->arena, STATUS_NOT_ACCEPTABLE,
                    "you requested PartialObjectMetadata%s, but the requested object is %s "
                    "list (*%.*s.%.*s)", wants_list ? "List" : "", is_list ? "a" : "not a",
                    SLICE_ARG(package), SLICE_ARG(kind));
}
