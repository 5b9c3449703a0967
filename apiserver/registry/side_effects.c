/* Effects of writes on other things. The allocators of Services hang in here. */
#include "registry/side_effects.h"

#include "admission/webhook.h"
#include "crd/crd_serve.h"
#include "registry/generic.h"
#include "registry/object.h"
#include "registry/service_alloc.h"
#include "server.h"
#include "verb/flow_status.h"
#include "verb/registry.h"

static bool is_service(const request *rq) {
  return slice_is(rq->resource->resource, "services") && rq->resource->group.len == 0;
}

/* Kinds that are stored but change nothing yet: said to whoever creates one. */
static const struct {
  const char *group, *resource, *text;
} inert[] = {
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies",
     "apisim stores admission policies but does not evaluate them yet"},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings",
     "apisim stores admission policies but does not evaluate them yet"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies",
     "apisim stores admission policies but does not evaluate them yet"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicybindings",
     "apisim stores admission policies but does not evaluate them yet"},
    {"apiregistration.k8s.io", "apiservices",
     "apisim stores APIServices but does not proxy to other servers yet"},
};

static void warn_inert(request *rq, const val *obj) {
  if (slice_is(rq->resource->group, "admissionregistration.k8s.io")) webhooks_warn(rq, obj);
  for (size_t i = 0; i < sizeof inert / sizeof *inert; i++) {
    if (slice_is(rq->resource->group, inert[i].group) &&
        slice_is(rq->resource->resource, inert[i].resource)) {
      request_warn(rq, slice_cstr(inert[i].text));
    }
  }
}

static void follow(request *rq) {
  if (!rq->dry_run && slice_is(rq->resource->group, "flowcontrol.apiserver.k8s.io")) {
    flow_status_follow(rq->server);
  }
}

bool side_effects_begin_create(request *rq, val *obj) {
  return !is_service(rq) || service_alloc_create(rq, obj);
}

bool side_effects_begin_update(request *rq, val *obj, const val *old) {
  if (!is_service(rq) || rq->subresource) return true;
  return service_alloc_update(rq, obj, old);
}

bool side_effects_undo(request *rq, val *obj) {
  if (is_service(rq) && !rq->subresource) service_alloc_undo(rq, obj);
  return false;
}

/* Definitions take effect, but not all that they say does. */
static void warn_definition(request *rq, const val *obj) {
  const resource_info *r = rq->resource;
  bool definition = crd_is_definition(r);
  if (definition && !rq->subresource) crd_warn(rq, obj);
}

void side_effects_created(request *rq, val *obj) {
  warn_inert(rq, obj);
  warn_definition(rq, obj);
  follow(rq);
  if (!is_service(rq)) return;
  if (rq->dry_run) service_alloc_undo(rq, obj);
  else service_alloc_commit(rq, obj);
}

void side_effects_updated(request *rq, val *obj, const val *old) {
  (void)old;
  follow(rq);
  warn_definition(rq, obj);
  if (!is_service(rq) || rq->subresource) return;
  if (rq->dry_run) service_alloc_undo(rq, obj);
  else service_alloc_commit(rq, obj);
}

/* A Service takes the Endpoints of its name along, so that a next one does not begin with
 * them; whether there are any does not matter. */
static void delete_endpoints(request *rq, const val *service) {
  const resource_info *services = rq->resource;
  const subresource_info *sub = rq->subresource;
  status_error error = rq->error;
  delete_options none = {0};
  write_result result;
  rq->resource = schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("endpoints"));
  rq->subresource = NULL;
  generic_delete(rq, object_namespace(service), object_name(service), &none, &result);
  if (result.entry) request_keep(rq, result.entry);
  rq->resource = services;
  rq->subresource = sub;
  rq->error = error;
}

void side_effects_deleted(request *rq, const val *obj) {
  follow(rq);
  if (!is_service(rq)) return;
  if (!rq->dry_run) delete_endpoints(rq, obj);
  service_alloc_deleted(rq, obj);
}
