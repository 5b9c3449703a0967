/* RBAC writes: a role may grant, and a binding hand out, only what the writer holds, unless
 * the writer may "escalate" or "bind". Rule: kubernetes pkg/registry/rbac (the policybased
 * storages, escalation_check.go, helpers.go). */
#include "access/escalate.h"

#include "access/config.h"

static slice field(const val *obj, const char *dotted) { return val_str(val_path(obj, dotted)); }

static bool may(request *rq, const char *verb, slice resource, slice name, slice namespace) {
  slice ignored;
  access_attributes q = {.user = rq->user, .verb = slice_cstr(verb), .group = rq->info.group,
                         .version = SLICE_LIT("*"), .resource = resource, .name = name,
                         .namespace = namespace, .is_resource = true};
  return access_decide(rq->server, rq->arena, &q, &ignored) == ACCESS_ALLOW;
}

static bool refuse(request *rq, const val *obj, slice why) {
  return status_forbidden(&rq->error, rq->arena, rq->resource->group, rq->resource->resource,
                          field(obj, "metadata.name"), why);
}

/* Nothing but the owners, finalizers and managed fields differs: the garbage collector. */
static bool only_gc_fields(arena *a, const val *obj, const val *old) {
  static const char *const ignored[] = {"ownerReferences", "finalizers", "managedFields",
                                        "selfLink"};
  if (!old) return false;
  val *x = val_copy(a, obj), *y = val_copy(a, old);
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
    val_delc(val_getc(x, "metadata"), ignored[i]);
    val_delc(val_getc(y, "metadata"), ignored[i]);
  }
  return val_equal(x, y);
}

static bool has_aggregation(const val *role) {
  return val_len(val_path(role, "aggregationRule.clusterRoleSelectors")) > 0;
}

static bool role_check(request *rq, const val *obj, const val *old) {
  arena *a = rq->arena;
  slice why, namespace = rq->info.namespace;
  if (may(rq, "escalate", rq->resource->resource, rq->info.name, namespace)) return true;
  if (only_gc_fields(a, obj, old)) return true;
  rbac_rules rules = rbac_rules_of(a, val_getc(obj, "rules"));
  if (!escalate_covered(rq, namespace, &rules, &why)) return refuse(rq, obj, why);
  if (!has_aggregation(obj) && !has_aggregation(old)) return true;
  static const slice star = {"*", 1};
  const rbac_strings all = {&star, 1};
  const rbac_rule full[] = {{.verbs = all, .groups = all, .resources = all},
                            {.verbs = all, .urls = all}};
  rbac_rules everything = {full, 2};
  if (escalate_covered(rq, namespace, &everything, &why)) return true;
  return refuse(rq, obj,
                SLICE_LIT("must have cluster-admin privileges to use the aggregationRule"));
}

static bool binding_check(request *rq, const val *obj, const val *old) {
  arena *a = rq->arena;
  slice kind = field(obj, "roleRef.kind"), name = field(obj, "roleRef.name");
  slice namespace = rq->resource->namespaced ? rq->info.namespace : SLICE_NONE, why;
  bool cluster_role = slice_is(kind, "ClusterRole");
  if (only_gc_fields(a, obj, old)) return true;
  slice roles = cluster_role ? SLICE_LIT("clusterroles") : SLICE_LIT("roles");
  if ((cluster_role || slice_is(kind, "Role")) && may(rq, "bind", roles, name, namespace)) {
    return true;
  }
  rbac_rules rules;
  if (!rbac_role_rules(rq->server, a, kind, name, namespace, &rules, &why)) {
    if (!cluster_role && !slice_is(kind, "Role")) {
      return status_plain(&rq->error, a, "%.*s", SLICE_ARG(why));
    }
    return status_not_found(&rq->error, a, rq->resource->group,
                            rq->resource->resource, name);
  }
  if (escalate_covered(rq, namespace, &rules, &why)) return true;
  return refuse(rq, obj, why);
}

bool access_check_escalation(request *rq, const val *obj, const val *old) {
  if (!rq->resource || !slice_is(rq->resource->group, "rbac.authorization.k8s.io")) return true;
  if (user_has_group(&rq->user, GROUP_MASTERS)) return true;
  slice r = rq->resource->resource;
  if (slice_is(r, "roles") || slice_is(r, "clusterroles")) return role_check(rq, obj, old);
  if (slice_is(r, "rolebindings") || slice_is(r, "clusterrolebindings")) {
    return binding_check(rq, obj, old);
  }
  return true;
}
