/* A Scale is a view: its replicas are the parent's, its other fields can't be written. */
#include "verb/scale.h"

#include "admission/admission.h"
#include "codec/codec.h"
#include "crd/crd.h"
#include "crd/crd_path.h"
#include "patch/managed_fields.h"
#include "registry/object.h"
#include "registry/selector.h"
#include "registry/stored.h"
#include "respond/respond.h"
#include "server.h"
#include "verb/patch_body.h"
#include "verb/read.h"
#include "verb/scale_fields.h"
#include "verb/verbs.h"
#include "verb/wait.h"
#include "verb/write.h"

static void copy_meta(arena *a, val *to, const val *parent) {
  static const char *const keys[] =
      {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) object_meta_take(a, to, parent, keys[i]);
}

/* The selector as text; a plain map of a ReplicationController is one of labels. */
static slice selector_text(arena *a, const val *of) {
  slice text = SLICE_LIT("");
  val *plain = val_map(a);
  bool full = val_getc(of, "matchLabels") || val_getc(of, "matchExpressions");
  if (of && !full) val_setc(a, plain, "matchLabels", val_copy(a, of));
  return label_selector_text(a, full ? of : plain, &text) ? text : SLICE_LIT("");
}

static const val *at_path(const val *obj, slice at) {
  slice last;
  val *parent = crd_path_parent(NULL, (val *)(uintptr_t)obj, at, &last);
  return parent ? val_get(parent, last) : NULL;
}

static void custom_scale(arena *a, val *scale, const val *parent, const crd_version *c) {
  val *spec = val_map(a), *status = val_map(a);
  int64_t wanted = val_i64(at_path(parent, c->spec_replicas));
  if (wanted) val_setc(a, spec, "replicas", val_int(a, wanted));
  val_setc(a, scale, "spec", spec);
  val_setc(a, status, "replicas", val_int(a, val_i64(at_path(parent, c->status_replicas))));
  if (c->label_selector.len) {
    val_set_text(a, status, "selector", val_str(at_path(parent, c->label_selector)));
  }
  val_setc(a, scale, "status", status);
}

/* c: of a custom resource, whose paths say what its replicas are; else NULL. */
static val *scale_of(arena *a, const val *parent, const crd_version *c) {
  val *scale = val_map(a), *spec = val_map(a), *status = val_map(a);
  val_setc(a, scale, "kind", val_cstr(a, "Scale"));
  val_setc(a, scale, "apiVersion", val_cstr(a, "autoscaling/v1"));
  copy_meta(a, scale, parent);
  if (c) {
    custom_scale(a, scale, parent, c);
    return scale;
  }
  int64_t wanted = val_i64(val_path(parent, "spec.replicas"));
  if (wanted) val_setc(a, spec, "replicas", val_int(a, wanted));
  val_setc(a, scale, "spec", spec);
  val_setc(a, status, "replicas", val_int(a, val_i64(val_path(parent, "status.replicas"))));
  slice text = selector_text(a, val_path(parent, "spec.selector"));
  val_set_text(a, status, "selector", text);
  val_setc(a, scale, "status", status);
  return scale;
}

/* What a body of this subresource is read as: no resource of its own. */
static resource_info scale_resource(void) {
  const type_info *t = schema_kind(SLICE_LIT("autoscaling"), SLICE_LIT("v1"), SLICE_LIT("Scale"))
                           ->type;
  return (resource_info){.group = SLICE_LIT("autoscaling"), .version = SLICE_LIT("v1"),
                         .kind = SLICE_LIT("Scale"), .namespaced = true, .type = t};
}

static void answer(request *rq, const output_form *form, const val *parent) {
  respond_scale(rq, 200, form, scale_of(rq->arena, parent, rq->resource->custom),
                scale_resource().type);
}

typedef struct scale_run {
  resource_info as;
  patch_body patch;
  val *body; /* of an update; NULL for a patch */
} scale_run;

/* The real server's converter of custom resources knows no Scale. */
static void refuse_apply(request *rq) {
  slice error = SLICE_NONE;
  const val *config = yaml_parse(rq->arena, rq->http->body, NULL, &error);
  const val *meta = val_getc(config, "metadata");
  slice ns = val_get_str(meta, "namespace"), name = val_get_str(meta, "name");
  status_plain(&rq->error, rq->arena,
               "failed to convert new object (%.*s/%.*s; autoscaling/v1, Kind=Scale) to proper "
               "version: request to convert CR to an invalid group/version: autoscaling/v1",
               SLICE_ARG(ns), SLICE_ARG(name));
}

/* The new Scale over the parent's, with its managed fields. */
static val *scale_made(scale_run *s, request *rq, const val *live) {
  arena *a = rq->arena;
  const crd_version *c = rq->resource->custom;
  val *before = scale_of(a, live, c), *after = s->body;
  managed_fields_put(a, before, scale_fields_of(a, live, c ? c->spec_replicas : SLICE_NONE));
  if (!after && c && s->patch.kind == PATCH_APPLY) {
    refuse_apply(rq);
    return NULL;
  }
  if (!after) after = patch_body_apply(rq, &s->patch, before);
  if (!after || !write_check_namespace(rq, after) || !write_check_name(rq, after)) return NULL;
  bool applied = !s->body && s->patch.kind == PATCH_APPLY;
  manage_args m = {.arena = a, .resource = &s->as, .manager = rq->field_manager,
                   .subresource = SLICE_LIT("scale"), .now_s = request_now_s(rq)};
  if (!applied) managed_fields_update(&m, before, after);
  return after;
}

static bool valid(request *rq, const val *scale) {
  field_errors errs = {.a = rq->arena};
  path spec = path_root("spec"), replicas = path_child(&spec, "replicas");
  int64_t n = val_i64(val_path(scale, "spec.replicas"));
  if (n < 0) field_invalid_int(&errs, &replicas, n, "must be greater than or equal to 0");
  return field_errors_to_status(&errs, SLICE_LIT("autoscaling"), SLICE_LIT("Scale"),
                                object_name(scale), &rq->error);
}

static bool same_uid(request *rq, const val *scale, const val *live) {
  slice want = object_uid(scale), have = object_uid(live);
  if (want.len == 0 || slice_eq(want, have)) return true;
  slice why = arena_printf(rq->arena,
                           "Precondition failed: UID in precondition: %.*s, UID in object meta: "
                           "%.*s", SLICE_ARG(want), SLICE_ARG(have));
  slice kind = arena_concat(rq->arena, rq->resource->resource, SLICE_LIT("/scale"));
  return status_conflict(&rq->error, rq->arena, rq->resource->group, kind, rq->info.name, why);
}

static bool put_replicas(request *rq, val *obj, int64_t n) {
  const crd_version *c = rq->resource->custom;
  slice last, at = c ? c->spec_replicas : SLICE_LIT(".spec.replicas");
  val *parent = crd_path_parent(rq->arena, obj, at, &last);
  if (!parent) {
    return status_plain(&rq->error, rq->arena, "value cannot be set because %.*s is not a "
                        "map[string]interface{}", SLICE_ARG(at));
  }
  val_set(rq->arena, parent, last, val_int(rq->arena, n));
  return true;
}

/* Webhooks see Scales, in the real server's order but for validation, which is in between there. */
static bool webhooks_allow(request *rq, val *scale, const val *live) {
  val *before = scale_of(rq->arena, live, rq->resource->custom);
  admission_args args = {.rq = rq, .op = ADMIT_UPDATE, .resource = rq->resource,
                         .subresource = rq->subresource->name, .namespace = rq->info.namespace,
                         .name = rq->info.name, .obj = scale, .old = before,
                         .dry_run = rq->dry_run};
  rq->no_webhooks = false;
  return admission_webhooks(&args);
}

static val *make(void *ctx, request *rq, const val *live) {
  scale_run *s = ctx;
  arena *a = rq->arena;
  const crd_version *c = rq->resource->custom;
  if (!live) {
    status_not_found(&rq->error, a, rq->resource->group, rq->resource->resource, rq->info.name);
    return NULL;
  }
  val *scale = scale_made(s, rq, live);
  if (!scale || !webhooks_allow(rq, scale, live) || !valid(rq, scale) ||
      !same_uid(rq, scale, live)) return NULL;
  val *obj = object_fork(a, live);
  if (!put_replicas(rq, obj, val_i64(val_path(scale, "spec.replicas")))) return NULL;
  if (!c || object_version(scale).len) {
    object_set_str(a, obj, "resourceVersion", object_version(scale));
  }
  scale_fields_return(rq, obj, scale, c ? c->spec_replicas : SLICE_NONE);
  rq->no_webhooks = true;
  return write_admit(rq, obj, live, rq->info.name) ? obj : NULL;
}

static void keep_rest(request *rq, val *obj, const val *old) {
  if (rq->resource->custom) {
    const strategy *s = strategy_of(rq->resource);
    if (s->has_status) object_take(rq->arena, obj, old, "status");
    s->prepare_update(rq, obj, old);
    return;
  }
  object_take(rq->arena, obj, old, "status");
  if (!val_equal(val_getc(obj, "spec"), val_getc(old, "spec"))) {
    object_set_generation(rq->arena, obj, object_generation(old) + 1);
  }
}

static bool read_body(request *rq, scale_run *s, output_form *form) {
  if (slice_is(rq->info.verb, "patch")) return patch_body_read(rq, &s->patch, form);
  if (!negotiate_output(rq, false, form) ||
      !options_read_write(rq, "UpdateOptions", false, &s->patch.options)) return false;
  s->body = negotiate_decode(rq, s->as.group, s->as.version, s->as.kind, NULL);
  return s->body != NULL;
}

/* As a GET of the object itself. False: the answer comes later, or rq->error is set. */
static bool get(request *rq, output_form *form, const val **parent) {
  if (!negotiate_output(rq, false, form)) return false;
  slice asked = http_query_get(rq->http, "resourceVersion");
  uint64_t version = 0;
  store_entry *e = NULL;
  bool ok = read_version(rq, asked, false, &version);
  if (ok && wait_for_version(rq, version, scale_serve)) return false;
  if (!ok || !read_reached(rq, version) ||
      !generic_get(rq, rq->info.namespace, rq->info.name, !asked.len, &e)) {
    return false;
  }
  request_keep(rq, e);
  *parent = stored_decode(rq->arena, rq->resource, e);
  const crd_version *c = rq->resource->custom;
  if (!c || at_path(*parent, c->spec_replicas)) return true;
  status_set(&rq->error, rq->arena, STATUS_INTERNAL, "Internal error occurred: the spec replicas "
             "field \"%.*s\" does not exist", SLICE_ARG(c->spec_replicas));
  rq->error.has_details = true;
  return false;
}

static bool update(request *rq, output_form *form, const val **parent) {
  scale_run s = {.as = scale_resource()};
  s.patch.as = &s.as;
  write_result result = {0};
  update_source source = {.make = make, .ctx = &s, .prepare = keep_rest};
  if (!read_body(rq, &s, form)) return false;
  source.uid = object_uid(s.body);
  if (!generic_update(rq, rq->info.namespace, rq->info.name, &source, &result)) return false;
  if (result.entry) request_keep(rq, result.entry);
  *parent = result.obj;
  return true;
}

void scale_serve(request *rq) {
  output_form form;
  const val *parent = NULL;
  bool reads = slice_is(rq->info.verb, "get");
  if (reads ? get(rq, &form, &parent) : update(rq, &form, &parent)) answer(rq, &form, parent);
  else if (rq->error.set) respond_error(rq);
}
