/* The RBAC evaluator. Rules are read out of the stored objects once per change, so that a
 * question costs comparisons only. */
#include "access/rbac.h"

#include "access/config.h"
#include "access/text.h"
#include "base/heap.h"
#include "server.h"

#include <assert.h>
#include <stdlib.h>

#define GROUP_RBAC SLICE_LIT("rbac.authorization.k8s.io")
enum { NAMESPACES_KEPT = 1024 }; /* more: all are forgotten and read again as needed */

typedef struct rbac_role {
  slice name;
  rbac_rules rules;
} rbac_role;

/* The roles and bindings of one namespace, or ("") of the cluster. */
typedef struct rbac_scope {
  arena *arena; /* of everything below and the trees it borrows from */
  char *namespace; /* heap */
  size_t namespace_len;
  int64_t role_revision, binding_revision;
  rbac_role *roles; /* sorted by name: the store's key order */
  uint32_t role_count, role_cap;
  rbac_binding *bindings;
  uint32_t binding_count, binding_cap;
} rbac_scope;

struct rbac_cache {
  rbac_scope cluster;
  rbac_scope **namespaces; /* sorted by name */
  uint32_t count;
};

rbac_cache *rbac_create(void) {
  rbac_cache *c = heap_zalloc(sizeof *c);
  c->namespaces = heap_zalloc(sizeof(rbac_scope *) * NAMESPACES_KEPT);
  return c;
}

static void scope_dispose(rbac_scope *s) {
  arena_destroy(s->arena);
  heap_free(s->namespace);
  *s = (rbac_scope){0};
}

static void namespaces_forget(rbac_cache *c) {
  for (uint32_t i = 0; i < c->count; i++) {
    scope_dispose(c->namespaces[i]);
    heap_free(c->namespaces[i]);
  }
  c->count = 0;
}

void rbac_destroy(rbac_cache *c) {
  if (!c) return;
  namespaces_forget(c);
  scope_dispose(&c->cluster);
  heap_free(c->namespaces);
  heap_free(c);
}

void rbac_forget(rbac_cache *c) {
  namespaces_forget(c);
  scope_dispose(&c->cluster);
}

/* ---- reading objects ---- */

static rbac_strings strings_of(arena *a, const val *list) {
  uint32_t n = val_len(list);
  slice *items = ARENA_ARRAY(a, slice, n ? n : 1);
  for (uint32_t i = 0; i < n; i++) items[i] = val_str(val_at(list, i));
  return (rbac_strings){items, n};
}

rbac_rules rbac_rules_of(arena *a, const val *list) {
  uint32_t n = val_len(list);
  rbac_rule *rules = ARENA_ARRAY(a, rbac_rule, n ? n : 1);
  for (uint32_t i = 0; i < n; i++) {
    const val *r = val_at(list, i);
    rules[i] = (rbac_rule){.verbs = strings_of(a, val_getc(r, "verbs")),
                           .groups = strings_of(a, val_getc(r, "apiGroups")),
                           .resources = strings_of(a, val_getc(r, "resources")),
                           .names = strings_of(a, val_getc(r, "resourceNames")),
                           .urls = strings_of(a, val_getc(r, "nonResourceURLs"))};
  }
  return (rbac_rules){rules, n};
}

static bool role_read(void *ctx, val *obj) {
  rbac_scope *s = ctx;
  s->roles = arena_more(s->arena, s->roles, s->role_count, &s->role_cap, sizeof *s->roles);
  s->roles[s->role_count++] = (rbac_role){
      .name = val_str(val_path(obj, "metadata.name")),
      .rules = rbac_rules_of(s->arena, val_getc(obj, "rules")),
  };
  return true;
}

static bool binding_read(void *ctx, val *obj) {
  rbac_scope *s = ctx;
  s->bindings =
      arena_more(s->arena, s->bindings, s->binding_count, &s->binding_cap, sizeof *s->bindings);
  const val *list = val_getc(obj, "subjects");
  uint32_t n = val_len(list);
  rbac_subject *subjects = ARENA_ARRAY(s->arena, rbac_subject, n ? n : 1);
  for (uint32_t i = 0; i < n; i++) {
    const val *v = val_at(list, i);
    subjects[i] = (rbac_subject){val_get_str(v, "kind"), val_get_str(v, "name"),
                                 val_get_str(v, "namespace")};
  }
  s->bindings[s->binding_count++] = (rbac_binding){
      .name = val_str(val_path(obj, "metadata.name")),
      .namespace = val_str(val_path(obj, "metadata.namespace")),
      .role_kind = val_str(val_path(obj, "roleRef.kind")),
      .role_name = val_str(val_path(obj, "roleRef.name")),
      .subjects = subjects,
      .subject_count = n,
  };
  return true;
}

/* ---- the cache ---- */

static void scope_refresh(server *srv, rbac_scope *s, slice namespace, const char *roles,
                          const char *bindings) {
  const access_source *from = srv->access->source;
  const resource_info *role = schema_resource(GROUP_RBAC, SLICE_LIT("v1"), slice_cstr(roles));
  const resource_info *binding = schema_resource(GROUP_RBAC, SLICE_LIT("v1"), slice_cstr(bindings));
  assert(role && binding);
  int64_t role_revision = from->revision(srv, role);
  int64_t binding_revision = from->revision(srv, binding);
  if (s->arena && s->role_revision == role_revision && s->binding_revision == binding_revision) {
    return;
  }
  if (s->arena) arena_reset(s->arena);
  else s->arena = arena_create();
  s->roles = NULL;
  s->bindings = NULL;
  s->role_count = s->role_cap = s->binding_count = s->binding_cap = 0;
  from->each(srv, s->arena, role, namespace, role_read, s);
  from->each(srv, s->arena, binding, namespace, binding_read, s);
  s->role_revision = role_revision;
  s->binding_revision = binding_revision;
}

static rbac_scope *scope_cluster(server *srv) {
  rbac_scope *s = &srv->access->rbac->cluster;
  scope_refresh(srv, s, SLICE_NONE, "clusterroles", "clusterrolebindings");
  return s;
}

static rbac_scope *scope_namespace(server *srv, slice namespace) {
  rbac_cache *c = srv->access->rbac;
  uint32_t low = 0, high = c->count;
  while (low < high) {
    uint32_t mid = (low + high) / 2;
    slice name = {c->namespaces[mid]->namespace, c->namespaces[mid]->namespace_len};
    if (slice_cmp(name, namespace) < 0) low = mid + 1;
    else high = mid;
  }
  rbac_scope *s = low < c->count ? c->namespaces[low] : NULL;
  if (!s || !slice_eq((slice){s->namespace, s->namespace_len}, namespace)) {
    if (c->count == NAMESPACES_KEPT) {
      namespaces_forget(c);
      low = 0;
    }
    s = heap_zalloc(sizeof *s);
    s->namespace = heap_alloc(namespace.len);
    s->namespace_len = namespace.len;
    memcpy(s->namespace, namespace.ptr, namespace.len);
    memmove(c->namespaces + low + 1, c->namespaces + low, (c->count - low) * sizeof(rbac_scope *));
    c->namespaces[low] = s;
    c->count++;
  }
  scope_refresh(srv, s, namespace, "roles", "rolebindings");
  return s;
}

static int role_order(const void *key, const void *row) {
  return slice_cmp(*(const slice *)key, ((const rbac_role *)row)->name);
}

bool rbac_role_rules(server *s, arena *a, slice kind, slice name, slice namespace,
                     rbac_rules *out, slice *error) {
  bool cluster = slice_is(kind, "ClusterRole");
  if (!cluster && !slice_is(kind, "Role")) {
    slice quoted = text_quoted(a, kind);
    *error = arena_printf(a, "unsupported role reference kind: %.*s", SLICE_ARG(quoted));
    return false;
  }
  const rbac_scope *scope = cluster ? scope_cluster(s) : scope_namespace(s, namespace);
  const rbac_role *role = !scope->role_count ? NULL
                          : bsearch(&name, scope->roles, scope->role_count, sizeof *scope->roles,
                                    role_order);
  if (role) {
    *out = role->rules;
    return true;
  }
  *error = arena_printf(a, "%s.rbac.authorization.k8s.io \"%.*s\" not found",
                        cluster ? "clusterrole" : "role", SLICE_ARG(name));
  return false;
}

/* ---- who is meant ---- */

static bool subject_is_service_account(const rbac_subject *s, slice user, slice namespace) {
  slice prefix = SLICE_LIT("system:serviceaccount:");
  if (s->namespace.len) namespace = s->namespace;
  if (namespace.len == 0 || user.len != prefix.len + namespace.len + 1 + s->name.len) return false;
  slice rest = slice_from(user, prefix.len);
  return slice_has_prefix(user, prefix) && slice_has_prefix(rest, namespace) &&
         rest.ptr[namespace.len] == ':' && slice_has_suffix(rest, s->name);
}

static const rbac_subject *subject_of(const rbac_binding *b, const user_info *u) {
  for (uint32_t i = 0; i < b->subject_count; i++) {
    const rbac_subject *s = &b->subjects[i];
    bool is = slice_is(s->kind, "User")    ? slice_eq(s->name, u->name)
              : slice_is(s->kind, "Group") ? user_has_group(u, s->name)
              : slice_is(s->kind, "ServiceAccount")
                  ? subject_is_service_account(s, u->name, b->namespace)
                  : false;
    if (is) return s;
  }
  return NULL;
}

static bool visit_scope(server *s, arena *a, const rbac_scope *scope, const user_info *u,
                        rbac_visit visit, void *ctx) {
  for (uint32_t i = 0; i < scope->binding_count; i++) {
    const rbac_binding *b = &scope->bindings[i];
    const rbac_subject *who = subject_of(b, u);
    if (!who) continue;
    rbac_rules rules;
    slice error;
    if (!rbac_role_rules(s, a, b->role_kind, b->role_name, b->namespace, &rules, &error)) {
      if (!visit(ctx, b, who, NULL, error)) return false;
      continue;
    }
    for (uint32_t r = 0; r < rules.count; r++) {
      if (!visit(ctx, b, who, &rules.items[r], SLICE_NONE)) return false;
    }
  }
  return true;
}

void rbac_visit_rules(server *s, arena *a, const user_info *u, slice namespace, rbac_visit visit,
                      void *ctx) {
  if (!visit_scope(s, a, scope_cluster(s), u, visit, ctx) || namespace.len == 0) return;
  visit_scope(s, a, scope_namespace(s, namespace), u, visit, ctx);
}
