/* Which webhooks are asked: rules, selectors, and equivalent resources. */
#include "admission/plugin.h"
#include "admission/webhook_internal.h"
#include "crd/crd.h"
#include "registry/object.h"
#include "registry/selector.h"
#include "server.h"

static const char *const operations[] = {[ADMIT_CREATE] = "CREATE", [ADMIT_UPDATE] = "UPDATE",
                                         [ADMIT_DELETE] = "DELETE", [ADMIT_CONNECT] = "CONNECT"};

static bool listed(const val *list, slice what) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice one = val_str(val_at(list, i));
    if (slice_is(one, "*") || slice_eq(one, what)) return true;
  }
  return false;
}

static bool resource_listed(const val *list, slice resource, slice subresource) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice res, sub;
    if (!slice_cut(val_str(val_at(list, i)), '/', &res, &sub)) sub = SLICE_NONE;
    bool fits = slice_is(res, "*") || slice_eq(res, resource);
    if (fits && (slice_is(sub, "*") || slice_eq(sub, subresource))) return true;
  }
  return false;
}

static bool is_namespaces(const resource_info *r) {
  return slice_is(r->resource, "namespaces") && r->group.len == 0;
}

/* A Namespace is in its own namespace, and cluster-scoped all the same. */
static bool scope_fits(const val *rule, const admission_args *args, const resource_info *as) {
  slice scope = val_get_str(rule, "scope");
  bool cluster = is_namespaces(as) || args->namespace.len == 0;
  if (slice_is(scope, "Namespaced")) return !cluster;
  return slice_is(scope, "Cluster") ? cluster : true;
}

static bool rule_matches(const val *rule, const admission_args *args, const resource_info *as) {
  return scope_fits(rule, args, as) &&
         listed(val_getc(rule, "operations"), slice_cstr(operations[args->op])) &&
         listed(val_getc(rule, "apiGroups"), as->group) &&
         listed(val_getc(rule, "apiVersions"), as->version) &&
         resource_listed(val_getc(rule, "resources"), as->resource, args->subresource);
}

static bool selects_all(const val *wanted) {
  return !val_len(val_getc(wanted, "matchLabels")) &&
         !val_len(val_getc(wanted, "matchExpressions"));
}

/* False: another namespace's. *error: there is no such namespace, and rq->error says so. */
static bool namespace_fits(const admission_args *args, const webhook *w, bool *error) {
  const val *wanted = val_getc(w->spec, "namespaceSelector");
  const resource_info *r = args->resource;
  *error = false;
  if (args->namespace.len == 0 && !slice_is(r->resource, "namespaces")) return true;
  if (selects_all(wanted)) return true;
  bool written = args->op == ADMIT_CREATE || args->op == ADMIT_UPDATE;
  if (slice_is(r->resource, "namespaces") && !args->subresource.len && written) {
    return label_selector_match(wanted, val_path(args->obj, "metadata.labels"));
  }
  const val *ns = plugin_get(args, "", "v1", "namespaces", SLICE_NONE, args->namespace);
  *error = !ns;
  return ns && label_selector_match(wanted, val_path(ns, "metadata.labels"));
}

static bool object_fits(const admission_args *args, const webhook *w) {
  const val *wanted = val_getc(w->spec, "objectSelector");
  if (selects_all(wanted)) return true;
  const val *both[] = {args->obj, args->old};
  for (size_t i = 0; i < 2; i++) {
    const val *meta = val_getc(both[i], "metadata");
    if (meta && label_selector_match(wanted, val_getc(meta, "labels"))) return true;
  }
  return false;
}

/* The kind at a subresource is the subresource's; elsewhere the resource's. */
static void name_kind(const admission_args *args, const resource_info *as, webhook_match *out) {
  const subresource_info *sub =
      args->subresource.len ? schema_subresource(as, args->subresource) : NULL;
  *out = (webhook_match){.as = as, .group = as->group, .version = as->version, .kind = as->kind,
                         .type = as->type};
  if (!sub || !sub->kind.len || slice_eq(sub->kind, as->kind)) return;
  out->group = sub->foreign ? sub->group : as->group;
  out->version = sub->foreign ? sub->version : as->version;
  out->kind = sub->kind;
  const kind_info *k = schema_kind(out->group, out->version, out->kind);
  out->type = k ? k->type : sub->type;
}

/* The first rule that names the resource as it was asked for; else, of a webhook that takes
 * equivalent ones, the first rule that names another served version of the same stored thing. */
static const resource_info *matched_custom(const admission_args *args, const val *rule) {
  const crd_kind *k = args->resource->custom->kind;
  for (uint32_t i = 0; i < k->version_count; i++) {
    const crd_version *v = k->versions + i;
    if (v->served && rule_matches(rule, args, &v->row)) return &v->row;
  }
  return NULL;
}

static const resource_info *matched(const admission_args *args, const webhook *w) {
  const val *rules = val_getc(w->spec, "rules");
  for (uint32_t i = 0; i < val_len(rules); i++) {
    if (rule_matches(val_at(rules, i), args, args->resource)) return args->resource;
  }
  for (uint32_t i = 0; w->equivalent && args->resource->custom && i < val_len(rules); i++) {
    const resource_info *other = matched_custom(args, val_at(rules, i));
    if (other) return other;
  }
  for (uint32_t i = 0; w->equivalent && !args->resource->custom && i < val_len(rules); i++) {
    for (uint16_t r = 0; r < schema_resource_count; r++) {
      const resource_info *other = schema_resources + r;
      if (other == args->resource || other->storage != args->resource->storage) continue;
      if (!served_resource(&args->rq->server->options.served, other->group, other->version,
                           other->resource)) continue;
      if (args->subresource.len && !schema_subresource(other, args->subresource)) continue;
      if (rule_matches(val_at(rules, i), args, other)) return other;
    }
  }
  return NULL;
}

bool webhook_matches(const admission_args *args, const webhook *w, webhook_match *out) {
  bool error = false;
  if (!namespace_fits(args, w, &error) && !error) return false;
  if (!object_fits(args, w)) return false;
  const resource_info *as = matched(args, w);
  if (!as) return false;
  if (error) {
    return status_not_found(&args->rq->error, args->rq->arena, SLICE_NONE, SLICE_LIT("namespaces"),
                            args->namespace);
  }
  name_kind(args, as, out);
  return true;
}
