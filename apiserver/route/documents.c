/* See documents.h. Which rules apply to a path (methods, Accept filter) follows from which of
 * the real server's handlers stands behind it: go-restful's for /api and for versions, the
 * aggregator's own for /apis and for groups. */
#include "route/documents.h"

#include "codec/codec.h"
#include "codec/media.h"
#include "crd/crd.h"
#include "route/accept.h"
#include "route/discovery.h"
#include "server.h"

#define AGGREGATED ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
#define DOCUMENT_MAX ((size_t)4 << 20)

static const char *const TYPES[] = {"application/json", "application/yaml",
                                    "application/vnd.kubernetes.protobuf", "application/cbor"};
#define TYPE_COUNT(cbor) ((cbor) ? 4u : 3u)
static const char *const AGGREGATED_TYPES[] = {"application/json" AGGREGATED,
                                               "application/yaml" AGGREGATED,
                                               "application/vnd.kubernetes.protobuf" AGGREGATED};

typedef enum document_kind {
  DOC_NONE,
  DOC_VERSIONS, /* /api */
  DOC_GROUPS, /* /apis */
  DOC_GROUP, /* /apis/<g> */
  DOC_RESOURCES, /* /api/v1, /apis/<g>/<v> */
  DOC_CUSTOM_GROUP, /* of custom resources: a handler of its own, without the router */
  DOC_CUSTOM_RESOURCES,
} document_kind;

typedef struct document_path {
  document_kind kind;
  slice group, version;
} document_path;

static document_path read_path(const served_set *served, arena *a, slice path) {
  document_path p = {DOC_NONE, SLICE_NONE, SLICE_NONE};
  slice rest;
  if (slice_is(path, "/api")) return (document_path){DOC_VERSIONS, SLICE_NONE, SLICE_NONE};
  if (slice_is(path, "/apis")) return (document_path){DOC_GROUPS, SLICE_NONE, SLICE_NONE};
  if (slice_has_prefix(path, SLICE_LIT("/api/"))) {
    p.version = slice_from(path, 5);
    p.kind = served_group_has_version(served, p.group, p.version) ? DOC_RESOURCES : DOC_NONE;
    return p;
  }
  if (!slice_has_prefix(path, SLICE_LIT("/apis/"))) return p;
  bool versioned = slice_cut(slice_from(path, 6), '/', &p.group, &rest);
  if (p.group.len == 0) return p;
  if (!served_group_has_version(served, p.group, rest) && versioned) {
    if (crd_group_has_version(served->customs, p.group, rest)) {
      return (document_path){DOC_CUSTOM_RESOURCES, p.group, rest};
    }
  }
  if (!served_group(served, p.group)) {
    slice *names;
    bool there = !versioned && crd_group_versions(served->customs, a, p.group, &names) > 0;
    return there ? (document_path){DOC_CUSTOM_GROUP, p.group, SLICE_NONE} : p;
  }
  p.version = versioned ? rest : SLICE_NONE;
  if (!versioned) p.kind = DOC_GROUP;
  if (versioned && served_group_has_version(served, p.group, p.version)) p.kind = DOC_RESOURCES;
  return p;
}

static discovery_doc build(request *rq, document_path p, bool aggregated) {
  const server_options *o = &rq->server->options;
  arena *a = rq->arena;
  if (aggregated) return discovery_aggregated(a, &o->served, p.kind == DOC_VERSIONS);
  switch (p.kind) {
    case DOC_VERSIONS:
      return discovery_versions(a, arena_printf(a, "%.*s:%d", SLICE_ARG(o->advertise_address),
                                                (int)o->secure_port));
    case DOC_GROUPS:
      return discovery_groups(a, &o->served);
    case DOC_GROUP:
      return discovery_group(a, &o->served, schema_group(p.group));
    case DOC_CUSTOM_GROUP: return discovery_custom_group(a, &o->served, p.group);
    default:
      return discovery_resources(a, &o->served, p.group, p.version);
  }
}

static void encode_protobuf(buf *out, const discovery_doc *doc) {
  proto_encode_object(out, doc->tree, doc->type, doc->api_version, doc->kind);
}

static void encode(buf *out, const discovery_doc *doc, body_format form, bool pretty) {
  if (form == FORMAT_CBOR) {
    cbor_document(out, doc->tree, doc->type);
    return;
  }
  if (form == FORMAT_YAML) {
    yaml_encode(out, doc->tree, doc->type);
    return;
  }
  if (form == FORMAT_PROTOBUF) {
    encode_protobuf(out, doc);
    return;
  }
  buf compact;
  buf_init(&compact, DOCUMENT_MAX);
  json_encode(&compact, doc->tree, doc->type);
  if (pretty) {
    json_indent(out, buf_slice(&compact));
  } else {
    buf_append(out, buf_slice(&compact));
    buf_char(out, '\n');
  }
  buf_dispose(&compact);
}

static const route_entry *make(request *rq, document_path p, slice key, body_format form,
                               bool pretty, bool aggregated) {
  discovery_doc doc = build(rq, p, aggregated);
  buf bytes, json;
  buf_init(&bytes, DOCUMENT_MAX);
  buf_init(&json, DOCUMENT_MAX);
  encode(&bytes, &doc, form, pretty);
  if (aggregated) { /* in all forms the tag is of the JSON of the list before it got a kind */
    val_delc(doc.tree, "kind");
    val_delc(doc.tree, "apiVersion");
    json_encode(&json, doc.tree, doc.type);
  }
  const route_entry *e =
      route_cache_put(rq->server->routes, key, blob_copy(buf_slice(&bytes)), buf_slice(&json));
  buf_dispose(&json);
  buf_dispose(&bytes);
  return e;
}

static route_result not_acceptable(request *rq, bool restful, bool cbor) {
  const char *list = cbor ? "application/json, application/yaml, "
                            "application/vnd.kubernetes.protobuf, application/cbor"
                          : "application/json, application/yaml, "
                            "application/vnd.kubernetes.protobuf";
  if (restful) {
    status_set(&rq->error, rq->arena, STATUS_NOT_ACCEPTABLE,
               "406: Not Acceptable\n\nAvailable representations: %s", list);
    rq->error.has_details = true;
  } else {
    status_set(&rq->error, rq->arena, STATUS_NOT_ACCEPTABLE,
               "only the following media types are accepted: %s", list);
  }
  return ROUTE_ERROR;
}

static void answer(request *rq, const route_entry *e, body_format form, bool aggregated,
                   route_answer *out) {
  slice tag = slice_of(e->etag, ROUTE_ETAG_LEN);
  out->status = 200;
  route_header(out, "Cache-Control",
               aggregated ? SLICE_LIT("public") : SLICE_LIT("no-cache, private"));
  if (aggregated) {
    route_header(out, "Vary", SLICE_LIT("Accept"));
    route_header(out, "Etag", tag);
    if (slice_eq(http_header_get(rq->http, "If-None-Match"), tag)) {
      out->status = 304;
      return;
    }
  }
  route_header(out, "Content-Type", slice_cstr(aggregated ? AGGREGATED_TYPES[form] : TYPES[form]));
  out->body = blob_slice(e->bytes);
  out->owner = e->bytes;
}

bool documents_route(request *rq, slice path, route_answer *out, route_result *result) {
  document_path p = read_path(&rq->server->options.served, rq->arena, path);
  if (p.kind == DOC_NONE) return false;
  slice accept = http_header_get(rq->http, "Accept");
  bool restful = p.kind == DOC_VERSIONS || p.kind == DOC_RESOURCES;
  *result = ROUTE_ERROR;
  if (restful && !slice_is(rq->http->method, "GET")) {
    status_set(&rq->error, rq->arena, STATUS_METHOD_NOT_ALLOWED,
               "the server does not allow this method on the requested resource");
    rq->error.has_details = true;
    return true;
  }
  /* The real server panics when the core group's list is asked for in CBOR: not so here. */
  bool cbor = p.kind == DOC_RESOURCES && negotiate_has_cbor(rq);
  if (restful && !accept_routed(accept, TYPES, TYPE_COUNT(cbor), true)) {
    *result = not_acceptable(rq, true, cbor);
    return true;
  }
  body_format form = FORMAT_JSON;
  bool aggregated = false, pretty = media_pretty(http_query_get(rq->http, "pretty"),
                                                 http_header_get(rq->http, "User-Agent"));
  if (p.kind == DOC_VERSIONS || p.kind == DOC_GROUPS) {
    aggregated = accept_document(rq->arena, accept, true, false, &form, &pretty);
  }
  if (!aggregated && !accept_document(rq->arena, accept, false, cbor, &form, &pretty)) {
    *result = not_acceptable(rq, false, cbor);
    return true;
  }
  if (form != FORMAT_JSON) pretty = false;
  slice key = arena_printf(rq->arena, "%d%d%d%.*s", (int)form, pretty, aggregated, SLICE_ARG(path));
  const route_entry *e = route_cache_get(rq->server->routes, key);
  if (!e) e = make(rq, p, key, form, pretty, aggregated);
  if (!e) {
    status_plain(&rq->error, rq->arena, "too many documents");
    return true;
  }
  answer(rq, e, form, aggregated, out);
  *result = ROUTE_ANSWERED;
  return true;
}
