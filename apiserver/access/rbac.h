/* rbac: what the stored roles and bindings grant.
 *
 * A cache over the four kinds: cluster-wide ones as a whole, namespaced ones a namespace at
 * a time, each made anew when registry_revision says that something changed. Rule:
 * kubernetes pkg/registry/rbac/validation and plugin/pkg/auth/authorizer/rbac. */
#ifndef APISIM_ACCESS_RBAC_H
#define APISIM_ACCESS_RBAC_H

#include "access/access.h"

typedef struct rbac_strings {
  const slice *items;
  uint32_t count;
} rbac_strings;

typedef struct rbac_rule { /* a PolicyRule */
  rbac_strings verbs, groups, resources, names, urls;
} rbac_rule;

typedef struct rbac_rules {
  const rbac_rule *items;
  uint32_t count;
} rbac_rules;

typedef struct rbac_subject {
  slice kind, name, namespace;
} rbac_subject;

typedef struct rbac_binding {
  slice name, namespace; /* namespace empty: a ClusterRoleBinding */
  slice role_kind, role_name;
  const rbac_subject *subjects;
  uint32_t subject_count;
} rbac_binding;

typedef struct rbac_cache rbac_cache;
rbac_cache *rbac_create(void);
void rbac_destroy(rbac_cache *c);
/* Everything is read again when next asked for: revisions have been put back. */
void rbac_forget(rbac_cache *c);

/* Visits the rules that apply to a user: cluster-wide, then of the namespace (if any), in
 * key order. For a role that can't be found: rule NULL and an error. The callback returns
 * false to stop. Everything lives until the next call into this file (errors: in `a`). */
typedef bool (*rbac_visit)(void *ctx, const rbac_binding *b, const rbac_subject *who,
                           const rbac_rule *rule, slice error);
void rbac_visit_rules(server *s, arena *a, const user_info *u, slice namespace, rbac_visit visit,
                      void *ctx);
/* The rules of a role reference; false with *error when there is no such role. */
bool rbac_role_rules(server *s, arena *a, slice kind, slice name, slice namespace,
                     rbac_rules *out, slice *error);
/* The rules of a tree's "rules" list; slices borrow from the tree. */
rbac_rules rbac_rules_of(arena *a, const val *rules);

bool rbac_rule_allows(const rbac_rule *r, const access_attributes *q);
access_decision rbac_decide(server *s, arena *a, const access_attributes *q, slice *reason);

#endif
