/* plugin: what the plugins need of the rest of the server. */
#include "admission/plugin.h"

#include "access/access.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "server_stores.h"

bool plugin_is_sub(const admission_args *args, const char *group, const char *resource,
                   const char *subresource) {
  return slice_is(args->resource->resource, resource) && slice_is(args->resource->group, group) &&
         slice_is(args->subresource, subresource);
}

bool plugin_is(const admission_args *args, const char *group, const char *resource) {
  return plugin_is_sub(args, group, resource, "");
}

void plugin_add_finalizer(const admission_args *args, slice finalizer) {
  arena *a = args->rq->arena;
  if (object_has_finalizer(args->obj, finalizer)) return;
  val_append(a, val_ensure_list(a, val_ensure_map(a, args->obj, "metadata"), "finalizers"),
             val_string(a, finalizer));
}

static slice error_name(const admission_args *args) {
  if (args->name.len) return args->name;
  slice name = args->obj ? object_name(args->obj) : SLICE_NONE;
  if (!name.len) name = val_get_str(val_getc(args->obj, "metadata"), "generateName");
  return name.len ? name : SLICE_LIT("Unknown");
}

bool plugin_forbid(const admission_args *args, const char *format, ...) {
  va_list list;
  va_start(list, format);
  slice why = arena_vprintf(args->rq->arena, format, list);
  va_end(list);
  const resource_info *r = args->resource;
  return status_forbidden(&args->rq->error, args->rq->arena, r->group, r->resource,
                          error_name(args), why);
}

void plugin_add_cause(const admission_args *args, const char *reason, slice message,
                      const char *field) {
  status_error *e = &args->rq->error;
  status_cause *causes = ARENA_ARRAY(args->rq->arena, status_cause, e->cause_count + 1);
  if (e->cause_count) memcpy(causes, e->causes, e->cause_count * sizeof *causes);
  causes[e->cause_count++] = (status_cause){slice_cstr(reason), message, slice_cstr(field)};
  e->causes = causes;
}

static const resource_info *resource_named(const char *group, const char *version,
                                           const char *resource) {
  return schema_resource(slice_cstr(group), slice_cstr(version), slice_cstr(resource));
}

val *plugin_get(const admission_args *args, const char *group, const char *version,
                const char *resource, slice namespace, slice name) {
  return plugin_get_with(args, group, version, resource, namespace, name, SLICE_NONE);
}

bool plugin_annotation(const admission_args *args, const char *key, const val **out) {
  const val *namespace = plugin_get(args, "", "v1", "namespaces", SLICE_NONE, args->namespace);
  *out = val_getc(val_path(namespace, "metadata.annotations"), key);
  return namespace || status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE,
                                       SLICE_LIT("namespaces"), args->namespace);
}

val *plugin_get_with(const admission_args *args, const char *group, const char *version,
                     const char *resource, slice namespace, slice name, slice needle) {
  const resource_info *r = resource_named(group, version, resource);
  request *rq = args->rq;
  store_entry *e = NULL;
  if (!r || !name.len) return NULL;
  slice key = stored_key(rq->arena, r, namespace, name);
  if (store_get(server_store(rq->server, r), key, 0, &e) != STORE_OK) return NULL;
  request_keep(rq, e);
  if (needle.len && slice_find(blob_slice(e->value), needle) < 0) return NULL;
  return stored_decode(rq->arena, r, e);
}

typedef struct each_run {
  request *rq;
  const resource_info *r;
  slice needle;
  plugin_visit visit;
  void *ctx;
} each_run;

static bool each_entry(void *ctx, store_entry *e) {
  each_run *run = ctx;
  if (run->needle.len && slice_find(blob_slice(e->value), run->needle) < 0) return true;
  request_keep(run->rq, store_entry_ref(e));
  val *obj = stored_decode(run->rq->arena, run->r, e);
  return !obj || run->visit(run->ctx, obj);
}

void plugin_each(const admission_args *args, const char *group, const char *version,
                 const char *resource, slice namespace, slice needle, plugin_visit visit,
                 void *ctx) {
  each_run run = {.rq = args->rq, .r = resource_named(group, version, resource),
                  .needle = needle, .visit = visit, .ctx = ctx};
  store_view *view = NULL;
  if (!run.r) return;
  if (store_view_open(server_store(args->rq->server, run.r), 0, &view) != STORE_OK) return;
  slice start = stored_prefix(args->rq->arena, run.r, namespace);
  slice end = stored_prefix_end(args->rq->arena, start);
  store_view_walk(view, start, end, each_entry, &run);
  store_view_close(view);
}

static bool signer_asked(const admission_args *args, const char *verb, slice name) {
  access_attributes q = {.user = args->rq->user, .verb = slice_cstr(verb),
                         .group = SLICE_LIT("certificates.k8s.io"), .version = SLICE_LIT("*"),
                         .resource = SLICE_LIT("signers"), .name = name, .is_resource = true};
  slice reason;
  return access_decide(args->rq->server, args->rq->arena, &q, &reason) == ACCESS_ALLOW;
}

bool plugin_signer_allowed(const admission_args *args, const char *verb, slice signer) {
  slice domain, rest;
  slice_cut(signer, '/', &domain, &rest);
  return signer_asked(args, verb, signer) ||
         signer_asked(args, verb, arena_concat(args->rq->arena, domain, SLICE_LIT("/*")));
}
