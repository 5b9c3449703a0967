/* Binding is an update of the pod: nodeName, the binding's annotations, the PodScheduled
 * condition. */
#include "verb/binding.h"

#include "admission/admission.h"
#include "codec/codec.h"
#include "registry/generic.h"
#include "registry/object.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/verbs.h"
#include "verb/write.h"

typedef struct binding_run {
  const val *binding;
} binding_run;

static val *refuse(request *rq, slice name, slice why) {
  status_conflict(&rq->error, rq->arena, SLICE_LIT(""), SLICE_LIT("pods/binding"), name, why);
  return NULL;
}

/* PodScheduled becomes true and loses what it said before; a nomination is over. */
static void set_scheduled(request *rq, val *pod) {
  arena *a = rq->arena;
  val *status = val_copy(a, val_getc(pod, "status"));
  if (!status) status = val_map(a);
  val_delc(status, "nominatedNodeName");
  val *list = val_ensure_list(a, status, "conditions"), *since = NULL;
  uint32_t at = val_len(list);
  for (uint32_t i = val_len(list); i-- > 0;) {
    if (slice_is(val_get_str(val_at(list, i), "type"), "PodScheduled")) at = i;
  }
  if (at < val_len(list)) {
    const val *old = val_at(list, at);
    if (slice_is(val_get_str(old, "status"), "True")) since = val_getc(old, "lastTransitionTime");
    val_remove(list, at);
  }
  val *c = val_map(a);
  val_setc(a, c, "type", val_cstr(a, "PodScheduled"));
  val_setc(a, c, "status", val_cstr(a, "True"));
  val_setc(a, c, "lastTransitionTime", since ? since : request_timestamp(rq));
  val_insert(a, list, at, c);
  val_setc(a, pod, "status", status);
}

static val *make(void *ctx, request *rq, const val *live) {
  const binding_run *b = ctx;
  arena *a = rq->arena;
  slice name = rq->info.name, node = val_str(val_path(b->binding, "target.name"));
  if (!live) {
    status_not_found(&rq->error, a, SLICE_LIT(""), SLICE_LIT("pods"), name);
    return NULL;
  }
  slice have = val_str(val_path(live, "spec.nodeName"));
  if (object_deleting(live)) {
    return refuse(rq, name,
                  arena_printf(a, "pod %.*s is being deleted, cannot be assigned to a host",
                               SLICE_ARG(name)));
  }
  if (have.len) {
    return refuse(rq, name, arena_printf(a, "pod %.*s is already assigned to node \"%.*s\"",
                                         SLICE_ARG(name), SLICE_ARG(have)));
  }
  if (val_len(val_path(live, "spec.schedulingGates"))) {
    return refuse(rq, name,
                  arena_printf(a, "pod %.*s has non-empty .spec.schedulingGates", SLICE_ARG(name)));
  }
  val *pod = object_fork(a, live), *spec = val_copy(a, val_getc(live, "spec"));
  val_setc(a, spec, "nodeName", val_string(a, node));
  val_setc(a, pod, "spec", spec);
  const val *notes = val_path(b->binding, "metadata.annotations");
  val *merged = val_copy(a, val_path(live, "metadata.annotations"));
  if (notes && !merged) merged = val_map(a);
  VAL_EACH(e, notes) val_set(a, merged, e->key, e->value);
  if (merged) val_setc(a, object_meta(a, pod), "annotations", merged);
  const val *labels = val_path(b->binding, "metadata.labels");
  merged = val_copy(a, val_path(live, "metadata.labels"));
  if (labels && !merged) merged = val_map(a);
  VAL_EACH(l, labels) val_set(a, merged, l->key, l->value);
  if (merged) val_setc(a, object_meta(a, pod), "labels", merged);
  set_scheduled(rq, pod);
  object_del(pod, "resourceVersion");
  return pod;
}

static void keep_all(request *rq, val *obj, const val *old) {
  (void)rq;
  (void)obj;
  (void)old; /* make changes just what a binding changes */
}

static bool valid(request *rq, const val *binding) {
  field_errors errs = {.a = rq->arena};
  path target = path_root("target"), kind = path_child(&target, "kind"),
      name = path_child(&target, "name");
  slice k = val_str(val_path(binding, "target.kind"));
  if (k.len && !slice_is(k, "Node")) {
    field_not_supported(&errs, &kind, val_string(rq->arena, k),
                        (const char *const[]){"Node", "<empty>", NULL});
  }
  if (val_str(val_path(binding, "target.name")).len == 0) field_required(&errs, &name, "%s", "");
  return field_errors_to_plain(&errs, &rq->error);
}

static bool bind(request *rq, output_form *form) {
  write_options wo;
  write_result result = {0};
  if (!negotiate_output(rq, false, form) || !options_read_write(rq, "CreateOptions", false, &wo)) {
    return false;
  }
  val *body = negotiate_decode(rq, SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("Binding"), NULL);
  if (!body || !write_check_namespace(rq, body)) return false;
  if (rq->subresource && !slice_eq(object_name(body), rq->info.name)) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "name in URL does not match name in Binding object");
  }
  if (!rq->subresource) rq->info.name = object_name(body);
  rq->resource = schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("pods"));
  rq->subresource = schema_subresource(rq->resource, SLICE_LIT("binding"));
  write_manage_body(rq, "", "v1", "Binding", body);
  if (!admission_create_at(rq, body) || !valid(rq, body)) return false;
  if (rq->info.name.len == 0) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "Name parameter required.");
  }
  binding_run run = {body};
  rq->no_webhooks = true; /* they were asked about the binding */
  update_source source = {.make = make, .ctx = &run, .uid = object_uid(body), .prepare = keep_all};
  if (!generic_update(rq, rq->info.namespace, rq->info.name, &source, &result)) return false;
  if (result.entry) request_keep(rq, result.entry);
  return true;
}

void binding_serve(request *rq) {
  output_form form;
  if (!bind(rq, &form)) respond_error(rq);
  else respond_success(rq, 201, &form);
}
