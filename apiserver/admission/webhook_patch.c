/* A webhook's JSON patch: over the object as the webhook saw it, then back to what is stored. */
#include "admission/webhook_internal.h"
#include "base/quote.h"
#include "codec/codec.h"
#include "crd/crd_object.h"
#include "patch/patch.h"
#include "server.h"
#include "version/version.h"

static bool internal(request *rq, slice text) {
  return status_internal(&rq->error, rq->arena, text);
}

/* The package of a group's types in the real server: "core", "apps", "networking". */
static slice group_package(slice group) {
  slice head, rest;
  if (!group.len) return SLICE_LIT("core");
  slice_cut(group, '.', &head, &rest);
  return slice_is(head, "rbac") || !head.len ? SLICE_LIT("rbac") : head;
}

/* A patch may not make another kind of it. */
static bool check_kind(request *rq, const webhook_match *m, const val *made) {
  slice version = val_get_str(made, "apiVersion"), kind = val_get_str(made, "kind"), group, v;
  schema_version_cut(version, &group, &v);
  if (slice_eq(group, m->group) && slice_eq(v, m->version) && slice_eq(kind, m->kind)) return true;
  if (!version.len && !kind.len) return true;
  if (!schema_kind(group, v, kind) || m->as->custom) {
    return internal(rq, arena_printf(rq->arena, "no kind \"%.*s\" is registered for version "
                                                "\"%.*s\" in scheme \"pkg/runtime/scheme.go:111\"",
                                     SLICE_ARG(kind), SLICE_ARG(version)));
  }
  slice package = group_package(m->group);
  return status_plain(&rq->error, rq->arena, "converting (%.*s.%.*s) to (%.*s.%.*s): unknown "
                                             "conversion", SLICE_ARG(v), SLICE_ARG(kind),
                      SLICE_ARG(package), SLICE_ARG(m->kind));
}

/* NULL with *error: what was patched is no object of the kind. */
static val *to_typed(arena *a, val *made, const webhook_match *m, slice *error) {
  const crd_version *c = m->type == m->as->type ? m->as->custom : NULL;
  if (!c) return codec_conform(a, made, m->type, NULL, error);
  return crd_coerce(a, c, made, NULL, error) ? made : NULL;
}

static val *to_stored(arena *a, val *obj, const webhook_match *m, const resource_info *asked) {
  if (m->as->custom && m->type == m->as->type) {
    crd_default(a, m->as->custom, obj);
    return m->as == asked ? obj : crd_convert(a, m->as->custom, asked->custom, obj);
  }
  version_default(a, obj, m->type);
  if (m->type != m->as->type || version_is_storage(m->as)) return obj;
  obj = version_to_storage(a, obj, m->as);
  bool again = m->as->storage->type != m->as->type && !slice_is(m->as->group, "resource.k8s.io");
  if (again) version_default(a, obj, m->as->storage->type);
  return obj;
}

bool webhook_apply_patch(const admission_args *args, webhook_call *c, bool *changed) {
  request *rq = args->rq;
  arena *a = rq->arena;
  slice error = SLICE_NONE;
  status_error err = {0};
  *changed = false;
  if (!args->obj) {
    slice name = go_quote(a, c->hook->name);
    return internal(rq, arena_printf(a, "admission webhook %.*s attempted to modify the object, "
                                        "which is not supported for this operation",
                                     SLICE_ARG(name)));
  }
  val *doc = json_parse_typed(a, webhook_object_json(args, &c->match, args->obj), NULL, &error);
  slice why = SLICE_NONE;
  patch_options lenient = {.ignore = true, .why = &why};
  val *made = doc ? json_patch_apply_as(a, doc, c->patch, &lenient, &err) : NULL;
  if (!made) return internal(rq, why.len ? why : err.message);
  if (!val_is_map(made)) {
    return internal(rq, SLICE_LIT("couldn't get version/kind; json parse error: json: cannot "
                                  "unmarshal a value that is no object"));
  }
  if (!check_kind(rq, &c->match, made)) return false;
  managed_fields_keep_reset(a, made);
  made = to_typed(a, made, &c->match, &error);
  if (!made) return internal(rq, error);
  made = to_stored(a, made, &c->match, args->resource);
  val *old = args->obj;
  val_delc(made, "kind");
  val_delc(made, "apiVersion");
  const val *kind = val_getc(old, "kind"), *version = val_getc(old, "apiVersion");
  if (version) val_setc(a, made, "apiVersion", val_shared(version));
  if (kind) val_setc(a, made, "kind", val_shared(kind));
  *changed = !val_equal(old, made);
  *old = *made;
  rq->patched = true;
  return true;
}
