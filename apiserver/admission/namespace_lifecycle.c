/* NamespaceLifecycle: nothing is made in a namespace that is missing or going; three namespaces
 * stay. Source: apiserver pkg/admission/plugin/namespace/lifecycle. */
#include "admission/plugin.h"

#include "registry/object.h"
#include "registry/stored.h"
#include "request/info.h"
#include "server_stores.h"

static bool is_immortal(slice name) {
  return slice_is(name, "default") || slice_is(name, "kube-system") ||
         slice_is(name, "kube-public");
}

/* Decodes only what may be terminating: this runs on every write. */
static bool is_terminating(const admission_args *args, const resource_info *r, store_entry *e) {
  if (slice_find(blob_slice(e->value), SLICE_LIT("Terminating")) < 0) return false;
  const val *namespace = stored_decode(args->rq->arena, r, e);
  return slice_is(val_str(val_path(namespace, "status.phase")), "Terminating");
}

static bool terminating_error(const admission_args *args) {
  slice name = args->namespace;
  plugin_forbid(args,
                "unable to create new content in namespace %.*s because it is being terminated",
                SLICE_ARG(name));
  plugin_add_cause(args, "NamespaceTerminating",
                   arena_printf(args->rq->arena, "namespace %.*s is being terminated",
                                SLICE_ARG(name)),
                   "metadata.namespace");
  return false;
}

/* A name that a client could not even ask for. */
static bool unusable(request *rq, slice name, const char *why) {
  slice text =
      arena_printf(rq->arena, "invalid resource name \"%.*s\": [%s]", SLICE_ARG(name), why);
  return status_internal(&rq->error, rq->arena, text);
}

bool namespace_lifecycle_admit(const admission_args *args) {
  request *rq = args->rq;
  bool namespaces = slice_is(args->resource->resource, "namespaces") && !args->resource->group.len;
  if (args->op == ADMIT_DELETE) {
    if (!namespaces || !is_immortal(args->name)) return true;
    return plugin_forbid(args, "this namespace may not be deleted");
  }
  if (namespaces || !args->namespace.len) return true;
  if (slice_is(args->resource->resource, "localsubjectaccessreviews")) return true;
  const char *why;
  if (!name_is_path_segment(args->namespace, &why)) return unusable(rq, args->namespace, why);
  const resource_info *r = schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("namespaces"));
  store_entry *e = NULL;
  slice key = stored_key(rq->arena, r, SLICE_NONE, args->namespace);
  if (store_get(server_store(rq->server, r), key, 0, &e) != STORE_OK) {
    return status_not_found(&rq->error, rq->arena, SLICE_NONE, SLICE_LIT("namespaces"),
                            args->namespace);
  }
  bool going = args->op == ADMIT_CREATE && is_terminating(args, r, e);
  request_keep(rq, e);
  return !going || terminating_error(args);
}
