/* pod_checks: what the validators of pods, workloads and volumes share: short ways to report, and
 * the parts of a pod that they pass around. Sources: pkg/apis/core/validation/validation.go. */
#ifndef APISIM_REGISTRY_VALIDATION_POD_CHECKS_H
#define APISIM_REGISTRY_VALIDATION_POD_CHECKS_H

#include "registry/validation/metadata.h"

#include "codec/codec.h"

/* One error each, at p.key (at p itself when key is NULL). */
void require(field_errors *e, const path *p, const char *key, const char *detail);
void forbid(field_errors *e, const path *p, const char *key, const char *detail);
void refuse(field_errors *e, const path *p, const char *key, const val *bad, const char *detail);
void refuse_str(field_errors *e, const path *p, const char *key, slice bad, const char *detail);
void refuse_int(field_errors *e, const path *p, const char *key, int64_t bad, const char *detail);
void unsupported(field_errors *e, const path *p, const char *key, slice bad,
                 const char *const *choices);
/* As the real server shows a Go struct of `type` ("PodResourceClaim"): pod_internal.h. */
void refuse_go(field_errors *e, const path *p, const char *key, const char *type, const val *bad,
               const char *detail);

void unsupported_go(field_errors *e, const path *p, const char *type, const val *bad,
                    const char *const *choices);

/* Required when the string, list or map under key is empty; says whether it was there. */
bool need(field_errors *e, const path *p, const val *obj, const char *key, const char *detail);
/* The text under key by rule (an absent one is ""). */
bool text_at(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule);
/* The same where it may be absent or empty. */
void text_if_set(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule);
/* Needed, then by rule. */
void text_needed(field_errors *e, const path *p, const val *obj, const char *key, text_rule rule);
/* Numbers: absent is 0 and passes. */
void nonnegative_at(field_errors *e, const path *p, const val *obj, const char *key);
void nonnegative_all(field_errors *e, const path *p, const val *obj, const char *const *keys);
void positive_check(field_errors *e, const path *p, int64_t n);
/* Not one of choices (sorted as they print); `required`: an empty one is Required. */
bool one_of(slice s, const char *const *choices);
void choice_at(field_errors *e, const path *p, const val *obj, const char *key,
               const char *const *choices, bool required);
/* ".." segments; relative paths; not starting with "..". */
void path_no_backsteps(field_errors *e, const path *p, slice text);
void path_local_descending(field_errors *e, const path *p, slice text);
void path_local_unreserved(field_errors *e, const path *p, slice text);
/* 0..0777 under key. */
void file_mode_at(field_errors *e, const path *p, const val *obj, const char *key);
/* An integer port or a port's name. */
void port_or_name(field_errors *e, const path *p, const val *port);
/* User and group ids under key. */
void id_at(field_errors *e, const path *p, const val *obj, const char *key);
/* An IP address as the API accepted it before it became strict. */
void legacy_ip_check(field_errors *e, const path *p, slice text);

/* ObjectMeta of core, apps and batch kinds: also their finalizers' own rule. */
/* The metadata of a claim's template: labels and annotations, nothing else. */
void template_meta_check(field_errors *e, const path *p, const val *meta);
/* A finalizer is a standard one, or qualified by a domain. */
void core_finalizers_check(field_errors *e, const path *meta, const val *obj);
void core_meta_validate(field_errors *e, const val *obj, bool namespaced, text_rule name);
void core_meta_update(field_errors *e, const val *obj, const val *old);
/* Create: validate. Update: update only (what most ValidateXUpdate begin with). */
void core_meta_check(const validate_args *v, text_rule name);
/* On an update both, for those that validate the whole object again. */
void core_meta_both(const validate_args *v, text_rule name);

typedef struct pod_view {
  field_errors *errs;
  const val *spec;     /* PodSpec */
  const val *meta;     /* of a pod; NULL for a template */
  const val *old_spec; /* on update, for what was tolerated before; else NULL */
  val *volumes;        /* those that were fine: name to volume */
  val *claims;         /* names of spec.resourceClaims, sorted */
  slice os;
  bool has_os, host_users, host_network;
  int64_t grace;
  bool has_grace;
} pod_view;

/* The pieces, in the files of their names. */
void volumes_validate(pod_view *w, const path *p);
void volume_source_check(field_errors *e, const path *p, const val *source, const char *key);
void pv_sources_validate(field_errors *e, const path *spec_path, const val *spec, slice name);
void containers_validate(pod_view *w, const path *spec_path);
void env_validate(pod_view *w, const path *p, const val *list);
void env_from_validate(pod_view *w, const path *p, const val *list);
void field_selector_check(field_errors *e, const path *p, const val *ref, bool volume);
void resource_selector_check(field_errors *e, const path *p, const val *ref, bool volume);
void container_mounts_validate(pod_view *w, const path *p, const val *container);
void container_probes_validate(pod_view *w, const path *p, const val *container);
void security_context_validate(pod_view *w, const path *p, const val *sc);
void pod_context_validate(pod_view *w, const path *spec_path, const path *p, const val *sc);
void pod_windows_validate(pod_view *w, const path *spec_path);
void pod_os_validate(pod_view *w, const path *spec_path);
void affinity_validate(field_errors *e, const path *p, const val *affinity);
void node_selector_validate(field_errors *e, const path *p, const val *selector);
void topology_spread_validate(field_errors *e, const path *p, const val *list);
/* old_list: what was tolerated before, else NULL. */
void tolerations_validate(field_errors *e, const path *p, const val *list, const val *old_list);
/* Does the gate allow it? */
bool allowed_by(const field_errors *e, feature f);
void taint_effect_check(field_errors *e, const path *p, slice effect, bool allow_empty);

void resource_requirements_validate(field_errors *e, const path *p, const val *resources,
                                    bool pod_level, const val *claims);
void pod_resources_validate(pod_view *w, const path *spec_path);
void container_resource_name_check(field_errors *e, const path *p, slice name);
void resource_name_check(field_errors *e, const path *p, slice name);
void quota_resource_name_check(field_errors *e, const path *p, slice name);
void resource_quantity_check(field_errors *e, const path *p, slice name, slice quantity);
void quantity_positive_check(field_errors *e, const path *p, slice quantity);
void basic_resource_check(field_errors *e, const path *p, slice quantity);
bool resource_is_extended(slice name);
bool resource_is_native(slice name);
bool resource_is_huge(slice name);
bool resource_is_standard_quota(slice name);
bool resource_overcommits(slice name);

void pod_spec_validate(pod_view *w, const path *p);
void pod_annotations_validate(field_errors *e, const path *p, const val *annotations,
                              const val *spec);
void template_validate(field_errors *e, const path *p, const val *template,
                       const val *old_template);
void template_annotations_match(field_errors *e, const path *spec_path, const val *meta,
                                const val *spec);
void claim_spec_validate(field_errors *e, const path *p, const val *spec, const val *old_spec);

/* Every container: init, regular, ephemeral. Stops when fn says false. */
typedef bool (*container_fn)(void *ctx, const path *p, const val *container);
void containers_visit(const val *spec, const path *spec_path, container_fn fn, void *ctx);

#define EACH_ITEM(i, list) for (uint32_t i = 0, i##_end = val_len(list); i < i##_end; i++)
void invalid_operator(field_errors *e, const path *p, slice op);
#define CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
