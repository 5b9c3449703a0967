/* OwnerReferencesPermissionEnforcement, which is off unless asked for: who names an owner must be
 * able to delete the object, and, where the owner's deletion shall wait for it, to set the owner's
 * finalizers. Source: plugin/pkg/admission/gc. */
#include "admission/plugin.h"

#include "access/access.h"
#include "registry/object.h"

static const val *owners_of(const val *obj) { return val_path(obj, "metadata.ownerReferences"); }

static bool may(const admission_args *args, access_attributes q, slice *reason) {
  q.user = args->rq->user;
  q.is_resource = true;
  *reason = SLICE_NONE;
  return access_decide(args->rq->server, args->rq->arena, &q, reason) == ACCESS_ALLOW;
}

static bool may_delete(const admission_args *args) {
  slice why;
  access_attributes q = {.verb = SLICE_LIT("delete"), .namespace = args->namespace,
                         .group = args->resource->group, .version = args->resource->version,
                         .resource = args->resource->resource, .subresource = args->subresource,
                         .name = args->name};
  if (may(args, q, &why)) return true;
  return plugin_forbid(args, "cannot set an ownerRef on a resource you can't delete: %.*s, <nil>",
                       SLICE_ARG(why));
}

static bool blocks(const val *ref) { return val_true(val_getc(ref, "blockOwnerDeletion")); }

/* A reference that begins to block. */
static bool is_new(const val *ref, const val *before) {
  if (!blocks(ref)) return false;
  for (uint32_t i = val_len(before); i-- > 0;) {
    const val *old = val_at(before, i);
    if (slice_eq(val_get_str(old, "uid"), val_get_str(ref, "uid"))) return !blocks(old);
  }
  return true;
}

static bool may_block(const admission_args *args, const val *ref) {
  slice api = val_get_str(ref, "apiVersion"), kind = val_get_str(ref, "kind"), group, version, why;
  schema_version_cut(api, &group, &version);
  const resource_info *r = schema_resource_of_kind(group, version, kind);
  if (!r) {
    return plugin_forbid(args, "cannot set blockOwnerDeletion in this case because cannot find "
                               "RESTMapping for APIVersion %.*s Kind %.*s: no matches for kind "
                               "\"%.*s\" in version \"%.*s\"", SLICE_ARG(api), SLICE_ARG(kind),
                         SLICE_ARG(kind), SLICE_ARG(api));
  }
  access_attributes q = {.verb = SLICE_LIT("update"), .group = r->group, .version = r->version,
                         .namespace = r->namespaced ? args->namespace : SLICE_NONE,
                         .resource = r->resource, .subresource = SLICE_LIT("finalizers"),
                         .name = val_get_str(ref, "name")};
  if (may(args, q, &why)) return true;
  return plugin_forbid(args, "cannot set blockOwnerDeletion if an ownerReference refers to a "
                             "resource you can't set finalizers on: %.*s, <nil>", SLICE_ARG(why));
}

bool owner_references_validate(const admission_args *args) {
  if (plugin_is_sub(args, "", "pods", "status")) return true;
  const val *now = owners_of(args->obj), *before = owners_of(args->old);
  bool same = args->old ? (val_len(now) == 0 && val_len(before) == 0) || val_equal(now, before)
                        : val_len(now) == 0;
  if (same) return true;
  if (args->op != ADMIT_CREATE && !may_delete(args)) return false;
  slice all = SLICE_LIT("*"), why;
  access_attributes anything = {.verb = SLICE_LIT("update"), .group = all, .version = all,
                                .resource = all, .subresource = SLICE_LIT("finalizers"),
                                .name = all};
  bool asked = false, free_to = false;
  for (uint32_t i = 0; i < val_len(now); i++) {
    if (!is_new(val_at(now, i), before)) continue;
    if (!asked) free_to = may(args, anything, &why);
    asked = true;
    if (!free_to && !may_block(args, val_at(now, i))) return false;
  }
  return true;
}
