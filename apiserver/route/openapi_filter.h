/* openapi_filter: an OpenAPI document of all resources, cut down to what is served.
 *
 * Works on the bytes: of a document's paths those of served resources stay, and of its schemas
 * those that the paths left refer to, directly or not. Order and everything else stay. The JSON is
 * our own generator's (compact, names in byte order), and so is the protobuf. */
#ifndef APISIM_ROUTE_OPENAPI_FILTER_H
#define APISIM_ROUTE_OPENAPI_FILTER_H

#include "base/buf.h"
#include "schema/served.h"

/* Appends the cut document to *json_out and *protobuf_out. v3: the third version. False when the
 * bytes are not such a document (only a damaged program gets here). */
bool openapi_filter(const served_set *s, slice json, slice protobuf, bool v3, buf *json_out,
                    buf *protobuf_out);
/* Whether a path of a document ("/apis/apps/v1/watch/deployments") is of something served. */
bool openapi_path_served(const served_set *s, slice path);

#endif
