/* Impersonation: the constrained modes in turn, then the old one; the first that allows it
 * decides what the user becomes, the first denial is what the client hears. Rule: apiserver
 * pkg/endpoints/filters/impersonation (modes and their checks; its caches are left out). */
#include "access/impersonate.h"

#include "access/text.h"
#include "base/limits.h"

#define GROUP_AUTHN SLICE_LIT("authentication.k8s.io")
#define MANY_CHECKS 4 /* from here on a constrained mode first tries a wildcard */

typedef enum mode_id { ASSOCIATED_NODE, ARBITRARY_NODE, SERVICE_ACCOUNT, USER_INFO,
                      LEGACY } mode_id;

static const char *const mode_names[] = {"associated-node", "arbitrary-node", "serviceaccount",
                                         "user-info", ""};

typedef struct attempt {
  request *rq;
  mode_id mode;
  const user_info *wanted;
  slice verb; /* "impersonate" or "impersonate:MODE" */
  bool denied; /* an earlier mode's denial is kept */
  access_attributes denial;
  slice reason;
} attempt;

static bool deny(attempt *t, const access_attributes *q, slice reason) {
  if (t->denied) return false;
  t->denied = true;
  t->denial = *q;
  t->reason = reason;
  return false;
}

static bool allowed(const attempt *t, const access_attributes *q, slice *reason) {
  access_attributes asked = *q;
  bool any_node = t->mode == ASSOCIATED_NODE && slice_eq(q->verb, t->verb);
  if (any_node) asked.name = SLICE_LIT("*");
  return access_decide(t->rq->server, t->rq->arena, &asked, reason) == ACCESS_ALLOW;
}

static bool check(attempt *t, const access_attributes *q) {
  slice reason;
  if (allowed(t, q, &reason)) return true;
  access_attributes told = *q;
  if (t->mode == ASSOCIATED_NODE && slice_eq(q->verb, t->verb)) told.name = SLICE_LIT("*");
  return deny(t, &told, reason);
}

static access_attributes question(const attempt *t, slice group, const char *resource, slice name) {
  return (access_attributes){.user = t->rq->user, .verb = t->verb, .group = group,
                             .version = SLICE_LIT("v1"), .resource = slice_cstr(resource),
                             .name = name, .is_resource = true};
}

/* User names and groups: in the core group for the old mode. */
static slice names_group(const attempt *t) { return t->mode == LEGACY ? SLICE_NONE : GROUP_AUTHN; }

static bool node_of(slice user, slice *node) {
  slice prefix = SLICE_LIT("system:node:");
  *node = slice_from(user, prefix.len);
  return slice_has_prefix(user, prefix) && name_is_subdomain(*node);
}

static slice extra_single(const user_info *u, const char *key) {
  for (uint32_t i = 0; i < u->extra_count; i++) {
    if (slice_is(u->extra[i].key, key) && u->extra[i].count == 1) return u->extra[i].values[0];
  }
  return SLICE_NONE;
}

/* Whether a mode is for such a user at all. */
static bool mode_applies(const attempt *t) {
  const user_info *w = t->wanted;
  slice node, ns, name;
  bool is_node = node_of(w->name, &node);
  bool is_account = service_account_split(w->name, &ns, &name);
  bool only_name = !w->uid.len && !w->group_count && !w->extra_count;
  switch (t->mode) {
    case ASSOCIATED_NODE:
      return only_name && is_node && service_account_split(t->rq->user.name, &ns, &name) &&
             slice_eq(extra_single(&t->rq->user, "authentication.kubernetes.io/node-name"), node);
    case ARBITRARY_NODE: return only_name && is_node;
    case SERVICE_ACCOUNT: return only_name && is_account;
    case USER_INFO: return !is_node && !is_account;
    case LEGACY: break;
  }
  return true;
}

/* A node's and a service account's groups are fixed: nobody may choose others for them. */
static bool check_name(attempt *t, user_info *actual) {
  arena *a = t->rq->arena;
  access_attributes q = question(t, names_group(t), "users", t->wanted->name);
  slice node, namespace, name;
  if (t->mode != LEGACY && node_of(t->wanted->name, &node)) {
    slice *groups = ARENA_NEW(a, slice);
    *groups = GROUP_NODES;
    actual->groups = groups;
    actual->group_count = 1;
    q.resource = SLICE_LIT("nodes");
    q.name = node;
  }
  if (service_account_split(t->wanted->name, &namespace, &name)) {
    q.resource = SLICE_LIT("serviceaccounts");
    q.namespace = namespace;
    q.name = name;
    if (t->wanted->group_count == 0) {
      actual->groups = service_account_groups(a, namespace);
      actual->group_count = 2;
    }
  }
  return check(t, &q);
}

static bool check_groups(attempt *t) {
  const user_info *w = t->wanted;
  access_attributes q = question(t, names_group(t), "groups", SLICE_NONE);
  slice ignored;
  for (uint32_t i = 0; i < w->group_count && t->mode != LEGACY; i++) {
    if (w->groups[i].len == 0) {
      return deny(t, &q, SLICE_LIT("impersonating the empty string group is not allowed"));
    }
  }
  if (t->mode != LEGACY && user_has_group(w, GROUP_MASTERS)) {
    q.name = GROUP_MASTERS;
    return deny(t, &q, SLICE_LIT("impersonating the system:masters group is not allowed"));
  }
  if (t->mode != LEGACY && w->group_count >= MANY_CHECKS) {
    q.name = SLICE_LIT("*");
    if (allowed(t, &q, &ignored)) return true;
  }
  for (uint32_t i = 0; i < w->group_count; i++) {
    q.name = w->groups[i];
    if (!check(t, &q)) return false;
  }
  return true;
}

/* What a constrained mode says against an extra; SLICE_NONE for nothing. */
static slice extra_problem(arena *a, const user_extra *e) {
  slice host, tail;
  if (e->key.len == 0) {
    return SLICE_LIT("impersonating the empty string key in extra is not allowed");
  }
  if (!slice_cut(e->key, '/', &host, &tail) || !host.len || !tail.len) {
    slice quoted = text_quoted(a, e->key);
    return arena_printf(a, "impersonating an invalid key in extra is not allowed: extra.key: "
                        "Invalid value: %.*s: must be a domain-prefixed path (such as "
                        "\"acme.io/foo\")", SLICE_ARG(quoted));
  }
  for (uint32_t i = 0; i < e->count; i++) {
    if (e->values[i].len == 0) {
      return SLICE_LIT("impersonating the empty string value in extra is not allowed");
    }
  }
  return SLICE_NONE;
}

static bool check_extra(attempt *t) {
  const user_info *w = t->wanted;
  access_attributes q = question(t, GROUP_AUTHN, "userextras", SLICE_NONE);
  slice ignored;
  uint32_t values = 0;
  for (uint32_t i = 0; i < w->extra_count; i++) {
    slice problem = t->mode == LEGACY ? SLICE_NONE : extra_problem(t->rq->arena, &w->extra[i]);
    if (problem.len) return deny(t, &q, problem);
    values += w->extra[i].count;
  }
  if (t->mode != LEGACY && values >= MANY_CHECKS) {
    q.subresource = q.name = SLICE_LIT("*");
    if (allowed(t, &q, &ignored)) return true;
  }
  for (uint32_t i = 0; i < w->extra_count; i++) {
    q.subresource = w->extra[i].key;
    for (uint32_t v = 0; v < w->extra[i].count; v++) {
      q.name = w->extra[i].values[v];
      if (!check(t, &q)) return false;
    }
  }
  return true;
}

static void ensure_group(arena *a, user_info *u, slice group) {
  if (!user_has_group(u, group)) *u = user_with_group(a, u, group);
}

static bool mode_check(attempt *t, user_info *actual) {
  arena *a = t->rq->arena;
  const char *name = mode_names[t->mode];
  *actual = *t->wanted;
  t->verb = SLICE_LIT("impersonate");
  if (t->mode != LEGACY) {
    access_attributes on = access_attributes_of(t->rq);
    on.verb = arena_printf(a, "impersonate-on:%s:%.*s", name, SLICE_ARG(on.verb));
    if (!check(t, &on)) return false;
    t->verb = arena_printf(a, "impersonate:%s", name);
  }
  access_attributes uid = question(t, GROUP_AUTHN, "uids", t->wanted->uid);
  if (!check_name(t, actual) || (uid.name.len && !check(t, &uid))) return false;
  if (!check_groups(t) || !check_extra(t)) return false;
  if (slice_eq(actual->name, USER_ANONYMOUS)) ensure_group(a, actual, GROUP_UNAUTHENTICATED);
  else if (!user_has_group(actual, GROUP_UNAUTHENTICATED)) {
    ensure_group(a, actual, GROUP_AUTHENTICATED);
  }
  return true;
}

bool access_impersonate(request *rq) {
  user_info wanted, actual;
  bool asked;
  if (!impersonation_read(rq, &wanted, &asked)) return false;
  rq->original_user = rq->user;
  if (!asked) return true;
  attempt t = {.rq = rq, .wanted = &wanted};
  for (mode_id m = ASSOCIATED_NODE; m <= LEGACY; m++) {
    t.mode = m;
    if (!mode_applies(&t) || !mode_check(&t, &actual)) continue;
    rq->user = actual;
    return true;
  }
  return access_forbidden(rq, &t.denial, t.reason);
}
