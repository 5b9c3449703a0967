/* NamespaceAutoProvision and NamespaceExists, which are off unless asked for: a namespace that is
 * missing is made, or refused. Source: plugin/pkg/admission/namespace. */
#include "admission/plugin.h"

#include "registry/validation/metadata.h"
#include "verb/registry.h"

static const resource_info *namespaces(void) {
  return schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("namespaces"));
}

static bool is_missing(const admission_args *args) {
  bool is_one = slice_is(args->resource->resource, "namespaces") && !args->resource->group.len;
  if (is_one || args->namespace.len == 0) return false;
  return !plugin_get(args, "", "v1", "namespaces", SLICE_NONE, args->namespace);
}

/* What the strategy of namespaces adds. */
static void prepare(arena *a, val *obj) {
  val *spec = val_ensure_map(a, obj, "spec"), *status = val_ensure_map(a, obj, "status");
  val_append(a, val_ensure_list(a, spec, "finalizers"), val_cstr(a, "kubernetes"));
  val_setc(a, status, "phase", val_cstr(a, "Active"));
}

/* As the real server's own client makes it. */
static val *namespace_of(arena *a, slice name) {
  val *obj = val_map(a), *meta = val_map(a), *labels = val_map(a);
  val_setc(a, labels, "kubernetes.io/metadata.name", val_string(a, name));
  val_setc(a, meta, "name", val_string(a, name));
  val_setc(a, meta, "labels", labels);
  val_setc(a, obj, "kind", val_cstr(a, "Namespace"));
  val_setc(a, obj, "apiVersion", val_cstr(a, "v1"));
  val_setc(a, obj, "metadata", meta);
  return obj;
}

bool namespace_provision_admit(const admission_args *args) {
  request *rq = args->rq;
  if (args->dry_run || !is_missing(args)) return true;
  val *obj = namespace_of(rq->arena, args->namespace);
  field_errors errs = {.a = rq->arena};
  status_error why = {0};
  path meta = path_root("metadata");
  metadata_validate(&errs, &meta, obj, false, TEXT_DNS1123_LABEL);
  if (!field_errors_to_status(&errs, SLICE_NONE, SLICE_LIT("Namespace"), args->namespace, &why)) {
    return plugin_forbid(args, "%.*s", SLICE_ARG(why.message));
  }
  registry_create_prepared(rq->server, rq->arena, namespaces(), obj, SLICE_LIT("kube-apiserver"),
                           prepare);
  return true;
}

bool namespace_exists_validate(const admission_args *args) {
  if (!is_missing(args)) return true;
  return status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE, SLICE_LIT("namespaces"),
                          args->namespace);
}
