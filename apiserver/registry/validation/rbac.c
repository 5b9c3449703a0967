/* Roles and bindings. Source: pkg/apis/rbac/validation/validation.go. */
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#define GROUP "rbac.authorization.k8s.io"

static void rule_check(field_errors *errs, const path *p, const val *rule, bool namespaced) {
  path verbs = path_child(p, "verbs"), urls = path_child(p, "nonResourceURLs"),
       groups = path_child(p, "apiGroups"), resources = path_child(p, "resources");
  const val *list = val_getc(rule, "nonResourceURLs");
  uint32_t group_count = val_len(val_getc(rule, "apiGroups")),
           resource_count = val_len(val_getc(rule, "resources"));
  if (val_len(val_getc(rule, "verbs")) == 0)
    field_required(errs, &verbs, "verbs must contain at least one value");
  if (val_len(list)) {
    if (namespaced)
      field_invalid(errs, &urls, list, "namespaced rules cannot apply to non-resource URLs");
    if (group_count + resource_count + val_len(val_getc(rule, "resourceNames"))) {
      field_invalid(errs, &urls, list,
                    "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (!group_count)
    field_required(errs, &groups, "resource rules must supply at least one api group");
  if (!resource_count)
    field_required(errs, &resources, "resource rules must supply at least one resource");
}

static void rules_check(const validate_args *v, bool namespaced) {
  path rules = path_root("rules");
  const val *list = val_getc(v->obj, "rules");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&rules, i);
    rule_check(v->errs, &p, val_at(list, i), namespaced);
  }
}

void validate_role(const validate_args *v) {
  meta_rules(v, TEXT_PATH_SEGMENT);
  rules_check(v, true);
  meta_change(v);
}

static void aggregation_check(const validate_args *v) {
  const val *rule = val_getc(v->obj, "aggregationRule"),
            *list = val_getc(rule, "clusterRoleSelectors");
  path root = path_root("aggregationRule"), selectors = path_child(&root, "clusterRoleSelectors");
  if (!rule) return;
  if (val_len(list) == 0) {
    field_required(v->errs, &selectors,
                   "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&selectors, i);
    uint32_t before = v->errs->count;
    label_selector_validate(v->errs, &p, val_at(list, i));
    if (v->errs->count > before) field_invalid(v->errs, &p, NULL, "invalid label selector.");
  }
}

void validate_cluster_role(const validate_args *v) {
  meta_rules(v, TEXT_PATH_SEGMENT);
  rules_check(v, false);
  aggregation_check(v);
  meta_change(v);
}

static void subject_check(field_errors *errs, const path *p, const val *subject, bool namespaced) {
  static const char *const kinds[] = {"ServiceAccount", "User", "Group", NULL};
  path name = path_child(p, "name"), group = path_child(p, "apiGroup"),
       kind = path_child(p, "kind"), namespace = path_child(p, "namespace");
  slice n = val_get_str(subject, "name"), g = val_get_str(subject, "apiGroup"),
        k = val_get_str(subject, "kind");
  required_str(errs, &name, n);
  if (!plain_enum_check(errs, &kind, k, kinds)) return;
  if (!slice_is(k, "ServiceAccount")) {
    plain_enum_check(errs, &group, g, (const char *const[]){GROUP, NULL});
    return;
  }
  if (n.len) text_check(errs, &name, TEXT_DNS1123_SUBDOMAIN, n);
  if (g.len) plain_enum_check(errs, &group, g, (const char *const[]){"", NULL});
  if (!namespaced) required_str(errs, &namespace, val_get_str(subject, "namespace"));
}

static void binding_check(const validate_args *v, bool namespaced) {
  static const char *const both[] = {"Role", "ClusterRole", NULL};
  field_errors *errs = v->errs;
  const val *ref = val_getc(v->obj, "roleRef"), *list = val_getc(v->obj, "subjects");
  path at = path_root("roleRef"), group = path_child(&at, "apiGroup"),
       kind = path_child(&at, "kind"), name = path_child(&at, "name"),
       subjects = path_root("subjects");
  meta_rules(v, TEXT_PATH_SEGMENT);
  plain_enum_check(errs, &group, val_get_str(ref, "apiGroup"), (const char *const[]){GROUP, NULL});
  plain_enum_check(errs, &kind, val_get_str(ref, "kind"), namespaced ? both : both + 1);
  slice n = val_get_str(ref, "name");
  if (required_str(errs, &name, n)) text_check(errs, &name, TEXT_PATH_SEGMENT, n);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&subjects, i);
    subject_check(errs, &p, val_at(list, i), namespaced);
  }
  meta_change(v);
  if (v->old && !val_same(ref, val_getc(v->old, "roleRef"))) {
    field_invalid_struct(errs, &at, ref, field_type(v, "roleRef"), "cannot change roleRef");
  }
}

void validate_role_binding(const validate_args *v) { binding_check(v, true); }
void validate_cluster_role_binding(const validate_args *v) { binding_check(v, false); }
