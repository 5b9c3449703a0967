/* Between the body and the registry: decode, default, convert, own. */
#include "verb/write.h"

#include "admission/admission.h"
#include "admission/time_added.h"
#include "crd/crd_object.h"
#include "patch/managed_fields.h"
#include "patch/patch.h"
#include "registry/generic_internal.h"
#include "registry/object.h"
#include "respond/respond.h"
#include "server.h"
#include "version/version.h"

#include <assert.h>

/* What is filled in only where a gate is on: beside fields that are there by default. */
static const struct {
  feature gate;
  const char *group, *resource, *parent, *field;
  int64_t number; /* -1: false */
} gated_defaults[] = {
    {FEATURE_MAX_UNAVAILABLE_STATEFUL_SET, "apps", "statefulsets",
     "spec.updateStrategy.rollingUpdate", "maxUnavailable", 1},
    {FEATURE_VOLUME_LIMIT_SCALING, "storage.k8s.io", "csidrivers", "spec",
     "preventPodSchedulingIfMissing", -1},
};

static void default_gated(request *rq, val *obj) {
  arena *a = rq->arena;
  const resource_info *r = rq->resource;
  for (size_t i = 0; i < sizeof gated_defaults / sizeof *gated_defaults; i++) {
    bool mine = slice_is(r->group, gated_defaults[i].group) &&
                slice_is(r->resource, gated_defaults[i].resource);
    if (!mine || !feature_on(&rq->server->options.features, gated_defaults[i].gate)) continue;
    val *parent = val_path(obj, gated_defaults[i].parent);
    int64_t n = gated_defaults[i].number;
    if (!val_is_map(parent) || val_getc(parent, gated_defaults[i].field)) continue;
    val_setc(a, parent, gated_defaults[i].field, n < 0 ? val_bool(a, false) : val_int(a, n));
  }
}

static val *timed(request *rq, val *obj) {
  default_gated(rq, obj);
  time_added_default(rq, rq->resource, obj);
  return obj;
}

/* Without the gate a pod's own resources are not filled in. */
static const val *own_resources(request *rq, const val *obj) {
  bool pod = slice_is(rq->resource->resource, "pods") && rq->resource->group.len == 0;
  if (!pod || feature_on(&rq->server->options.features, FEATURE_POD_LEVEL_RESOURCES)) return NULL;
  const val *own = val_path(obj, "spec.resources");
  return own ? val_copy(rq->arena, own) : NULL;
}

val *write_to_storage(request *rq, val *obj) {
  if (rq->resource->custom) {
    crd_default(rq->arena, rq->resource->custom, obj);
    return obj;
  }
  const val *own = own_resources(rq, obj);
  version_default(rq->arena, obj, rq->resource->type);
  if (own) val_setc(rq->arena, val_getc(obj, "spec"), "resources", val_shared(own));
  if (version_is_storage(rq->resource)) return timed(rq, obj);
  obj = version_to_storage(rq->arena, obj, rq->resource);
  /* As reading it back would. Shapes that tell all that they fill in need no second time, which
   * would hide from validation what is missing. */
  bool again = rq->resource->storage->type != rq->resource->type &&
               !slice_is(rq->resource->group, "resource.k8s.io");
  if (again) version_default(rq->arena, obj, rq->resource->storage->type);
  return timed(rq, obj);
}

val *write_from_storage(request *rq, const val *obj) {
  char gv[GROUP_VERSION_ROOM];
  val *copy = val_copy(rq->arena, obj);
  if (!version_is_storage(rq->resource)) copy = version_from_storage(rq->arena, copy, rq->resource);
  val_setc(rq->arena, copy, "apiVersion",
           val_string_copy(rq->arena, schema_group_version(rq->resource, gv)));
  val_setc(rq->arena, copy, "kind", val_string(rq->arena, rq->resource->kind));
  return copy;
}

val *write_decode(request *rq) {
  const resource_info *r = rq->resource;
  val *obj = negotiate_decode(rq, r->group, r->version, r->kind, NULL);
  return obj ? write_to_storage(rq, obj) : NULL;
}

bool write_check_namespace(request *rq, val *obj) {
  slice have = object_namespace(obj), want = rq->info.namespace;
  if (slice_is(rq->resource->resource, "namespaces") && rq->resource->group.len == 0) {
    want = SLICE_LIT("");
  }
  if (slice_eq(have, want)) return true;
  if (have.len && want.len) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "the namespace of the provided object does not match the namespace sent on "
                      "the request");
  }
  object_set_str(rq->arena, obj, "namespace", want);
  return true;
}

bool write_check_name(request *rq, val *obj) {
  slice have = object_name(obj), want = rq->info.name;
  if (have.len == 0) {
    return status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST,
                      "the name of the object (%.*s based on URL) was undeterminable: name must be "
                      "provided",
                      SLICE_ARG(want));
  }
  if (!slice_eq(have, want)) {
    slice text = arena_concat(rq->arena, want, SLICE_LIT(")")); /* may hold NUL: no printf */
    text = arena_concat(rq->arena, SLICE_LIT(") does not match the name on the URL ("), text);
    text = arena_concat(rq->arena, have, text);
    status_set(&rq->error, rq->arena, STATUS_BAD_REQUEST, "%s", "");
    rq->error.message = arena_concat(rq->arena, SLICE_LIT("the name of the object ("), text);
    return false;
  }
  return true;
}

void write_manage(request *rq, const val *live, val *obj) {
  manage_args m = {.arena = rq->arena, .resource = rq->resource, .manager = rq->field_manager,
                   .subresource = rq->subresource ? rq->subresource->name : SLICE_LIT(""),
                   .now_s = request_now_s(rq)};
  if (version_is_storage(rq->resource)) {
    managed_fields_update(&m, live, obj);
    return;
  }
  val *versioned = write_from_storage(rq, obj);
  managed_fields_update(&m, live ? write_from_storage(rq, live) : NULL, versioned);
  object_meta_take(rq->arena, obj, versioned, "managedFields");
}

void write_manage_body(request *rq, const char *group, const char *version, const char *kind,
                       val *body) {
  const kind_info *k = schema_kind(slice_cstr(group), slice_cstr(version), slice_cstr(kind));
  resource_info as = {.group = k->group, .version = k->version, .kind = k->kind, .type = k->type};
  as.storage = &as;
  manage_args m = {.arena = rq->arena, .resource = &as, .manager = rq->field_manager,
                   .subresource = rq->subresource->name, .now_s = request_now_s(rq)};
  managed_fields_update(&m, NULL, body);
}

void write_dedup_owners(request *rq, val *obj, bool after_admission) {
  slice uids = object_dedup_owners(rq->arena, obj);
  if (!uids.ptr) return;
  request_warn(rq, arena_printf(rq->arena,
                                ".metadata.ownerReferences contains duplicate entries%s; API "
                                "server dedups owner references in 1.20+, and may reject such "
                                "requests as early as 1.24; please fix your requests; duplicate "
                                "UID(s) observed: %.*s",
                                after_admission ? " after mutating admission happens" : "",
                                SLICE_ARG(uids)));
}

bool write_admit(request *rq, val *obj, const val *live, slice name) {
  const resource_info *r = rq->resource;
  if (!live && r->custom && r->custom->kind->terminating) {
    return status_forbidden(&rq->error, rq->arena, r->group, r->resource, name,
                            SLICE_LIT("create not allowed while custom resource definition is "
                                      "terminating"));
  }
  val *before = val_getc(object_meta(rq->arena, obj), "managedFields");
  slice why;
  rq->patched = false;
  if (!generic_admit(rq, live ? ADMIT_UPDATE : ADMIT_CREATE, obj, live, rq->info.namespace, name,
                     false)) {
    return false;
  }
  const val *fields = val_getc(object_meta(rq->arena, obj), "managedFields");
  if (rq->patched && !managed_fields_valid(rq->arena, fields, &why)) {
    managed_fields_put(rq->arena, obj, before);
    request_warn(rq, arena_printf(rq->arena,
                                  ".metadata.managedFields was in an invalid state after "
                                  "admission; this could be caused by an outdated mutating "
                                  "admission controller; please fix your requests: %.*s",
                                  SLICE_ARG(why)));
  }
  if (rq->patched && !write_check_namespace(rq, obj)) return false;
  write_dedup_owners(rq, obj, true);
  return true;
}

void write_answer(request *rq, const output_form *form, const write_result *result, bool ok) {
  if (!ok) {
    respond_error(rq);
    return;
  }
  int code = result->created ? 201 : 200;
  if (result->entry) {
    request_keep(rq, result->entry);
    respond_entry(rq, code, form, result->entry);
  } else {
    respond_object(rq, code, form, result->obj);
  }
}
