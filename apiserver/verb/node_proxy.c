/* Up to the connection, as the real server; then one clear error that says why there is none. */
#include "verb/node_proxy.h"

#include "codec/codec.h"
#include "codec/negotiate.h"
#include "registry/field_error.h"
#include "registry/generic.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "respond/head.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/registry.h"

static bool bad(request *rq, slice text) {
  return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "%.*s", SLICE_ARG(text));
}

static const char *const visit_order[] = {"spec.initContainers", "spec.containers",
                                          "spec.ephemeralContainers"};

static bool has_container(const val *pod, slice name) {
  for (size_t i = 0; i < 3; i++) {
    const val *list = val_path(pod, visit_order[i]);
    for (uint32_t j = 0; j < val_len(list); j++) {
      if (slice_eq(val_get_str(val_at(list, j), "name"), name)) return true;
    }
  }
  return false;
}

static slice container_names(arena *a, const val *pod) {
  slice all = SLICE_LIT("");
  for (size_t l = 0; l < 3; l++) {
    const val *list = val_path(pod, visit_order[l]);
    for (uint32_t i = 0; i < val_len(list); i++) {
      slice one = val_get_str(val_at(list, i), "name");
      all = all.len ? arena_printf(a, "%.*s %.*s", SLICE_ARG(all), SLICE_ARG(one)) : one;
    }
  }
  return all;
}

/* Which container is meant; with several one must be named. */
static bool check_container(request *rq, const val *pod) {
  slice asked = http_query_get(rq->http, "container"), name = object_name(pod);
  if (asked.len) {
    if (has_container(pod, asked)) return true;
    return bad(rq, arena_printf(rq->arena, "container %.*s is not valid for pod %.*s",
                                SLICE_ARG(asked), SLICE_ARG(name)));
  }
  if (val_len(val_path(pod, "spec.containers")) <= 1) return true;
  slice all = container_names(rq->arena, pod);
  return bad(rq,
             arena_printf(rq->arena,
                          "a container name must be specified for pod %.*s, choose one of: [%.*s]",
                          SLICE_ARG(name), SLICE_ARG(all)));
}

/* The numbers among PodLogOptions: name, least value. */
static const struct {
  const char *name;
  int64_t least;
} log_numbers[] = {{"tailLines", 0}, {"limitBytes", 1}, {"sinceSeconds", 1}};

/* What may not stand together, or at all. */
static void check_log_choices(request *rq, field_errors *errs, bool since) {
  path whole = path_root("[]"), stream = path_root("stream");
  if (since) {
    field_forbidden(errs, &whole,
                    "at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
  if (http_query_get(rq->http, "stream").ptr) {
    field_forbidden(errs, &stream, "may not be specified");
  }
}

static bool check_log_options(request *rq, slice name) {
  field_errors errs = {.a = rq->arena};
  slice since_time = http_query_get(rq->http, "sinceTime"), time, error;
  bool none = since_time.len == 0 || slice_is(since_time, "null");
  if (!none && !time_canonical(rq->arena, since_time, false, &time, &error)) {
    return bad(rq, error);
  }
  bool since = http_query_get(rq->http, "sinceSeconds").len && since_time.len;
  for (size_t i = 0; i < sizeof log_numbers / sizeof *log_numbers; i++) {
    long long n = 0;
    slice v = http_query_get(rq->http, log_numbers[i].name);
    if (v.len == 0) continue;
    if (!slice_to_i64(v, &n)) {
      return bad(rq, arena_printf(rq->arena, "strconv.ParseInt: parsing \"%.*s\": invalid syntax",
                                  SLICE_ARG(v)));
    }
    path p = path_root(log_numbers[i].name);
    bool both = since && slice_is(slice_cstr(log_numbers[i].name), "sinceSeconds");
    if (n < log_numbers[i].least && !both) {
      field_invalid_int(&errs, &p, n, log_numbers[i].least ? "must be greater than 0"
                        : "must be greater than or equal to 0");
    }
  }
  check_log_choices(rq, &errs, since);
  return field_errors_to_status(&errs, SLICE_LIT(""), SLICE_LIT("PodLogOptions"), name, &rq->error);
}

static val *node_find(request *rq, slice node) {
  const resource_info *nodes = schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("nodes"));
  return registry_get(rq->server, rq->arena, nodes, SLICE_NONE, node);
}

/* The real server looks for an address first. */
static bool no_kubelet(request *rq, slice node) {
  const val *found = node_find(rq, node);
  if (!val_len(val_path(found, "status.addresses"))) {
    return status_plain(&rq->error, rq->arena,
                        "no preferred addresses found; known addresses: []");
  }
  return status_plain(&rq->error, rq->arena,
                      "apisim has no kubelet to ask: node \"%.*s\" exists as an object only",
                      SLICE_ARG(node));
}

/* No log yet is an empty answer, which has no other form either. */
static bool no_log_yet(request *rq, const output_form *form) {
  if (form->as == AS_PARTIAL) {
    return status_plain(&rq->error, rq->arena, "object does not implement the Object interfaces");
  }
  if (form->as != AS_PARTIAL_LIST) return true;
  return status_set(&rq->error, rq->arena, STATUS_NOT_ACCEPTABLE,
                    "you requested PartialObjectMetadataList, but the requested object is not a "
                    "list (*rest.LocationStreamer)");
}

/* False with rq->error; true when the answer is 204, no log yet. */
static bool serve_log(request *rq, const val *pod, const output_form *form) {
  slice node = val_str(val_path(pod, "spec.nodeName"));
  if (!check_log_options(rq, object_name(pod)) || !check_container(rq, pod)) return false;
  if (node.len == 0) return no_log_yet(rq, form);
  if (!node_find(rq, node)) {
    return status_not_found(&rq->error, rq->arena, SLICE_LIT(""), SLICE_LIT("pods"), node);
  }
  return no_kubelet(rq, node);
}

static bool serve_stream(request *rq, const val *pod) {
  slice node = val_str(val_path(pod, "spec.nodeName")), name = object_name(pod);
  bool forward = slice_is(rq->subresource->name, "portforward");
  if (!forward && !check_container(rq, pod)) return false;
  if (node.len == 0) {
    return bad(rq,
               arena_printf(rq->arena, "pod %.*s does not have a host assigned", SLICE_ARG(name)));
  }
  if (!node_find(rq, node)) {
    return status_not_found(&rq->error, rq->arena, SLICE_LIT(""), SLICE_LIT("pods"), node);
  }
  return no_kubelet(rq, node);
}

static bool unavailable(request *rq, slice text) {
  return status_set(&rq->error, rq->arena, STATUS_UNAVAILABLE, "%.*s", SLICE_ARG(text));
}

/* "name", "name:port" or "scheme:name:port". */
static bool split_target(slice id, slice *name, slice *port) {
  slice part[4] = {SLICE_NONE}, rest = id;
  uint32_t n = 0;
  bool more = true;
  while (more && n < 4) more = slice_cut(rest, ':', &part[n++], &rest);
  bool scheme = n == 3;
  if (n > 3 ||
      (scheme && part[0].len && !slice_is(part[0], "http") && !slice_is(part[0], "https"))) {
    return false;
  }
  *name = part[scheme ? 1 : 0];
  *port = n > 1 ? part[n - 1] : SLICE_NONE;
  return name->len > 0;
}

static bool has_port(const val *service, long long number) {
  const val *ports = val_path(service, "spec.ports");
  for (uint32_t i = 0; i < val_len(ports); i++) {
    if (val_i64(val_getc(val_at(ports, i), "port")) == number) return true;
  }
  return false;
}

/* The real server looks at the Endpoints; a number must be a port of the Service first. */
static bool serve_service(request *rq) {
  arena *a = rq->arena;
  long long number = 0;
  slice name, port;
  if (!split_target(rq->info.name, &name, &port)) {
    return bad(rq, arena_printf(a, "invalid service request \"%.*s\"", SLICE_ARG(rq->info.name)));
  }
  if (slice_to_i64(port, &number)) {
    const val *service = registry_get(rq->server, a, rq->resource, rq->info.namespace, name);
    if (!service) return status_not_found(&rq->error, a, SLICE_NONE, SLICE_LIT("services"), name);
    if (!has_port(service, number)) {
      return unavailable(rq, arena_printf(a, "no service port %lld found for service \"%.*s\"",
                                          number, SLICE_ARG(name)));
    }
  }
  const resource_info *endpoints =
      schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("endpoints"));
  const val *found = registry_get(rq->server, a, endpoints, rq->info.namespace, name);
  if (!found) return status_not_found(&rq->error, a, SLICE_NONE, SLICE_LIT("services"), name);
  slice id = val_len(val_getc(found, "subsets")) ? rq->info.name : name;
  return unavailable(rq,
                     arena_printf(a, "no endpoints available for service \"%.*s\"", SLICE_ARG(id)));
}

static bool serve(request *rq) {
  store_entry *e = NULL;
  slice name = rq->info.name, port;
  output_form form = {0};
  bool log = slice_is(rq->subresource->name, "log");
  if (slice_is(rq->resource->resource, "services")) return serve_service(rq);
  if (log && !negotiate_output(rq, false, &form)) return false;
  if (slice_is(rq->subresource->name, "proxy") && !split_target(rq->info.name, &name, &port)) {
    return bad(rq, arena_printf(rq->arena, "invalid %.*s request \"%.*s\"",
                                SLICE_ARG(rq->resource->singular), SLICE_ARG(rq->info.name)));
  }
  if (!generic_get(rq, rq->info.namespace, name, true, &e)) return false;
  request_keep(rq, e);
  const val *obj = stored_decode(rq->arena, rq->resource, e);
  if (log) return serve_log(rq, obj, &form);
  if (!slice_is(rq->subresource->name, "proxy")) return serve_stream(rq, obj);
  if (slice_is(rq->resource->resource, "pods")) return bad(rq, SLICE_LIT("address not allowed"));
  return no_kubelet(rq, object_name(obj));
}

void node_proxy_serve(request *rq) {
  if (!serve(rq)) {
    respond_error(rq);
    return;
  }
  head h;
  head_begin(&h, rq, SLICE_NONE);
  head_add(&h, SLICE_LIT("Cache-Control"), SLICE_LIT("no-cache, private"));
  respond_empty(rq, 204, h.items, h.count);
}
