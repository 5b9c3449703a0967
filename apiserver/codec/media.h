/* media: the rules behind negotiate.h, over plain strings.
 *
 * Three places of the real server look at these headers, in this order, each with its own
 * words: the router (media_route: 406 and 415 with "details": {}), then the verb, then,
 * for an error, media_error, which cannot fail.
 *
 * Sources: apiserver pkg/endpoints/handlers/negotiation, handlers/rest.go,
 * munnerz/goautoneg, emicklei/go-restful detectRoute, Go's mime.ParseMediaType. */
#ifndef APISIM_CODEC_MEDIA_H
#define APISIM_CODEC_MEDIA_H

#include "codec/negotiate.h"

/* Bits by body_format, which is in the server's order of preference. MEDIA_SET_CBOR comes to either
 * where the feature gate is on. */
enum media_set {
  MEDIA_SET_BUILTIN = 1 << FORMAT_JSON | 1 << FORMAT_YAML | 1 << FORMAT_PROTOBUF,
  MEDIA_SET_CUSTOM = 1 << FORMAT_JSON | 1 << FORMAT_YAML, /* custom resources */
  MEDIA_SET_CBOR = 1 << FORMAT_CBOR,
};

/* What the request says. Absent headers are empty. */
typedef struct media_request {
  slice accept, user_agent;
  slice pretty; /* value of ?pretty, empty when absent */
  unsigned formats; /* an media_set: what the resource can be written as */
  bool tables; /* there is a table form */
} media_request;

/* A list's route names the stream types as well, a log's text. */
enum media_routed { MEDIA_ROUTE_OBJECT, MEDIA_ROUTE_LIST, MEDIA_ROUTE_LOG };
/* The router's own checks. formats: what it serves. consumes_patch: the method is PATCH, of a
 * built-in resource. */
bool media_route(arena *a, slice accept, slice content_type, unsigned formats, bool consumes_patch,
                 enum media_routed route, status_error *err);
/* The form of an object or a list. */
bool media_output(arena *a, const media_request *rq, output_form *out, status_error *err);
/* The form of a watch; YAML has none. */
bool media_watch(arena *a, const media_request *rq, output_form *out, status_error *err);
/* The form of a Status: a request for a transformation does not count here. */
void media_error(arena *a, const media_request *rq, output_form *out);
/* Of a create, update or delete body; an empty header is JSON. */
bool media_body(arena *a, slice content_type, unsigned formats, body_format *out,
                status_error *err);
/* formats: the resource's. Custom ones take no strategic merge patches. */
bool media_patch(arena *a, slice content_type, unsigned formats, patch_kind *out, bool *cbor,
                 status_error *err);
/* ?pretty where given, else whether a person seems to be looking. */
bool media_pretty(slice asked, slice user_agent);
/* "core" for the core group: the Go package of a group's internal types, which texts name. */
slice media_internal_package(slice group);

#endif
