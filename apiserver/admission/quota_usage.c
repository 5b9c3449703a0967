/* quota_usage: pods, claims and services count for more than their number; every other kind
 * counts once, as "count/<resource>[.<group>]" and, for some, under an older name. */
#include "admission/quota_usage.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/object.h"
#include "registry/pod_qos.h"
#include "version/pod_resources.h"

#include <stdlib.h>

static bool is_core(const resource_info *r, const char *resource) {
  return r->group.len == 0 && slice_is(r->resource, resource);
}

static bool one_of(slice text, const char *const *list) {
  for (; *list; list++) {
    if (slice_is(text, *list)) return true;
  }
  return false;
}

static bool pod_ends(const val *pod) {
  const val *deadline = val_path(pod, "spec.activeDeadlineSeconds");
  return deadline && val_i64(deadline) >= 0;
}

bool quota_handles(const admission_args *args) {
  const resource_info *r = args->resource;
  bool create = args->op == ADMIT_CREATE, plain = args->subresource.len == 0;
  static const char *const ignored[] = {"bindings",
                                        "componentstatuses",
                                        "events",
                                        "tokenreviews",
                                        "selfsubjectreviews",
                                        "subjectaccessreviews",
                                        "selfsubjectaccessreviews",
                                        "localsubjectaccessreviews",
                                        "selfsubjectrulesreviews",
                                        NULL};
  if (one_of(r->resource, ignored)) return false;
  if (is_core(r, "pods")) {
    if (slice_is(args->subresource, "resize")) return args->op == ADMIT_UPDATE;
    return plain && (create || pod_ends(args->obj) != pod_ends(args->old));
  }
  if (is_core(r, "persistentvolumeclaims") || is_core(r, "services")) return plain;
  return plain && create;
}

static void count(arena *a, val *usage, const char *name, int64_t n) {
  val_setc(a, usage, name, val_printf(a, "%lld", (long long)n));
}

/* "hugepages-2Mi" is counted under its own name, "example.com/gpu" only as a request. */
static bool is_extended(slice name) {
  return slice_find_char(name, '/') >= 0 && slice_find(name, SLICE_LIT("kubernetes.io/")) < 0 &&
         !slice_has_prefix(name, SLICE_LIT("requests."));
}

static void resources_count(arena *a, val *usage, const val *list, const char *prefix) {
  static const char *const plain[] = {"cpu", "memory", "ephemeral-storage", NULL};
  bool requests = prefix[0] == 'r';
  VAL_EACH(e, list) {
    bool known = one_of(e->key, plain);
    bool huge = slice_has_prefix(e->key, SLICE_LIT("hugepages-"));
    if (!known && !(requests && (huge || is_extended(e->key)))) continue;
    if (requests && (known || huge)) val_set(a, usage, e->key, e->value);
    val_set(a, usage, arena_concat(a, slice_cstr(prefix), e->key), e->value);
  }
}

/* A pod that has ended, or whose grace is over, holds nothing but its place in the store. */
static bool pod_counts(const val *pod, int64_t now_s) {
  slice phase = val_str(val_path(pod, "status.phase"));
  if (slice_is(phase, "Failed") || slice_is(phase, "Succeeded")) return false;
  const val *meta = val_getc(pod, "metadata");
  const val *grace = val_getc(meta, "deletionGracePeriodSeconds");
  int64_t at = 0;
  int32_t nanos = 0;
  if (!grace || !time_parse(val_get_str(meta, "deletionTimestamp"), &at, &nanos)) return true;
  return now_s <= at + val_i64(grace);
}

static void pod_usage(arena *a, val *usage, const val *pod, int64_t now_s) {
  const val *spec = val_getc(pod, "spec");
  if (!pod_counts(pod, now_s)) return;
  count(a, usage, "pods", 1);
  resources_count(a, usage, pod_resources_total(a, spec, "requests"), "requests.");
  resources_count(a, usage, pod_resources_total(a, spec, "limits"), "limits.");
}

static void claim_usage(arena *a, val *usage, const val *claim) {
  static const char suffix[] = ".storageclass.storage.k8s.io/";
  const val *annotations = val_path(claim, "metadata.annotations");
  const val *beta = val_getc(annotations, "volume.beta.kubernetes.io/storage-class");
  slice class = beta ? val_str(beta) : val_str(val_path(claim, "spec.storageClassName"));
  slice storage = val_str(val_path(claim, "spec.resources.requests.storage"));
  slice given = val_str(val_path(claim, "status.allocatedResources.storage"));
  if (given.len && storage.len && quantity_cmp(given, storage) > 0) storage = given;
  slice of_class = arena_concat(a, class, SLICE_LIT(suffix));
  count(a, usage, "persistentvolumeclaims", 1);
  if (class.len) {
    val_set(a, usage, arena_concat(a, of_class, SLICE_LIT("persistentvolumeclaims")),
            val_cstr(a, "1"));
  }
  if (!storage.len) return;
  val_setc(a, usage, "requests.storage", val_string(a, storage));
  if (class.len) {
    val_set(a, usage, arena_concat(a, of_class, SLICE_LIT("requests.storage")),
            val_string(a, storage));
  }
}

static void service_usage(arena *a, val *usage, const val *service) {
  const val *spec = val_getc(service, "spec"), *ports = val_getc(spec, "ports");
  slice type = val_get_str(spec, "type");
  bool balancer = slice_is(type, "LoadBalancer");
  const val *allocates = val_getc(spec, "allocateLoadBalancerNodePorts");
  int64_t node_ports = balancer || slice_is(type, "NodePort") ? val_len(ports) : 0;
  if (balancer && allocates && !val_true(allocates)) {
    node_ports = 0;
    for (uint32_t i = 0; i < val_len(ports); i++) {
      node_ports += val_i64(val_getc(val_at(ports, i), "nodePort")) != 0;
    }
  }
  count(a, usage, "services", 1);
  count(a, usage, "services.loadbalancers", balancer);
  count(a, usage, "services.nodeports", node_ports);
}

static slice count_name(arena *a, const resource_info *r) {
  if (!r->group.len) return arena_printf(a, "count/%.*s", SLICE_ARG(r->resource));
  return arena_printf(a, "count/%.*s.%.*s", SLICE_ARG(r->resource), SLICE_ARG(r->group));
}

static bool has_old_name(const resource_info *r) {
  static const char *const names[] = {"configmaps", "resourcequotas", "replicationcontrollers",
                                      "secrets", NULL};
  return r->group.len == 0 && one_of(r->resource, names);
}

val *quota_usage(arena *a, const resource_info *r, const val *obj, int64_t now_s) {
  val *usage = val_map(a);
  val_set(a, usage, count_name(a, r), val_cstr(a, "1"));
  if (is_core(r, "pods")) pod_usage(a, usage, obj, now_s);
  else if (is_core(r, "persistentvolumeclaims")) claim_usage(a, usage, obj);
  else if (is_core(r, "services")) service_usage(a, usage, obj);
  else if (has_old_name(r)) val_set(a, usage, r->resource, val_cstr(a, "1"));
  return usage;
}

static bool is_count_of(const resource_info *r, slice name) {
  if (!slice_has_prefix(name, SLICE_LIT("count/"))) return false;
  slice rest = slice_from(name, 6);
  if (!slice_has_prefix(rest, r->resource)) return false;
  rest = slice_from(rest, r->resource.len);
  if (!r->group.len) return rest.len == 0;
  return rest.len == r->group.len + 1 && rest.ptr[0] == '.' &&
         slice_eq(slice_from(rest, 1), r->group);
}

bool quota_name_matches(const resource_info *r, slice name) {
  static const char *const pod_names[] = {
      "pods",           "cpu",
      "memory",         "ephemeral-storage",
      "requests.cpu",   "requests.memory",
      "limits.cpu",     "limits.memory",
      "requests.ephemeral-storage", "limits.ephemeral-storage", NULL};
  static const char *const service_names[] = {"services", "services.nodeports",
                                              "services.loadbalancers", NULL};
  static const char *const claim_names[] = {"persistentvolumeclaims", "requests.storage", NULL};
  if (is_count_of(r, name)) return true;
  if (is_core(r, "services")) return one_of(name, service_names);
  if (is_core(r, "persistentvolumeclaims")) {
    return one_of(name, claim_names) ||
           slice_has_suffix(name, SLICE_LIT(".storageclass.storage.k8s.io/requests.storage")) ||
           slice_has_suffix(name,
                            SLICE_LIT(".storageclass.storage.k8s.io/persistentvolumeclaims"));
  }
  if (!is_core(r, "pods")) return has_old_name(r) && slice_eq(name, r->resource);
  bool asks = slice_has_prefix(name, SLICE_LIT("requests."));
  return one_of(name, pod_names) || slice_has_prefix(name, SLICE_LIT("hugepages-")) ||
         slice_has_prefix(name, SLICE_LIT("requests.hugepages-")) ||
         (asks && is_extended(slice_from(name, 9)));
}

/* A label selector's operators over one value that may be missing. */
static bool selector_matches(const val *selector, slice value) {
  slice operator = val_get_str(selector, "operator");
  const val *values = val_getc(selector, "values");
  bool in = false;
  for (uint32_t i = 0; i < val_len(values); i++) {
    in = in || slice_eq(val_str(val_at(values, i)), value);
  }
  if (slice_is(operator, "Exists")) return value.len > 0;
  if (slice_is(operator, "DoesNotExist")) return value.len == 0;
  if (slice_is(operator, "In")) return value.len > 0 && in;
  return value.len == 0 || !in;
}

static bool terms_cross(const val *terms, bool weighted) {
  for (uint32_t i = 0; i < val_len(terms); i++) {
    const val *term = val_at(terms, i);
    if (weighted) term = val_getc(term, "podAffinityTerm");
    if (val_len(val_getc(term, "namespaces")) || val_getc(term, "namespaceSelector")) return true;
  }
  return false;
}

static bool crosses_namespaces(const val *spec) {
  static const char *const kinds[] = {"podAffinity", "podAntiAffinity"};
  for (int i = 0; i < 2; i++) {
    const val *affinity = val_getc(val_getc(spec, "affinity"), kinds[i]);
    if (terms_cross(val_getc(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), false) ||
        terms_cross(val_getc(affinity, "preferredDuringSchedulingIgnoredDuringExecution"), true)) {
      return true;
    }
  }
  return false;
}

static bool pod_in_scope(const val *selector, const val *pod) {
  slice scope = val_get_str(selector, "scopeName");
  const val *spec = val_getc(pod, "spec");
  if (slice_is(scope, "Terminating")) return pod_ends(pod);
  if (slice_is(scope, "NotTerminating")) return !pod_ends(pod);
  if (slice_is(scope, "BestEffort")) return strcmp(pod_qos(pod), "BestEffort") == 0;
  if (slice_is(scope, "NotBestEffort")) return strcmp(pod_qos(pod), "BestEffort") != 0;
  if (slice_is(scope, "PriorityClass")) {
    return selector_matches(selector, val_get_str(spec, "priorityClassName"));
  }
  return slice_is(scope, "CrossNamespacePodAffinity") && crosses_namespaces(spec);
}

static bool claim_in_scope(const val *selector, const val *claim) {
  static const char *const places[] = {"spec.volumeAttributesClassName",
                                       "status.currentVolumeAttributesClassName",
                                       "status.modifyVolumeStatus.targetVolumeAttributesClassName"};
  bool any = false;
  if (!slice_is(val_get_str(selector, "scopeName"), "VolumeAttributesClass")) return false;
  for (int i = 0; i < 3; i++) {
    slice class = val_str(val_path(claim, places[i]));
    any = any || class.len;
    if (class.len && selector_matches(selector, class)) return true;
  }
  return !any && selector_matches(selector, SLICE_NONE);
}

static bool in_scope(const resource_info *r, const val *selector, const val *obj) {
  if (is_core(r, "pods")) return pod_in_scope(selector, obj);
  return is_core(r, "persistentvolumeclaims") && claim_in_scope(selector, obj);
}

bool quota_scopes_match(const resource_info *r, const val *quota, const val *obj) {
  const val *spec = val_getc(quota, "spec"), *scopes = val_getc(spec, "scopes");
  for (uint32_t i = 0; i < val_len(scopes); i++) {
    val_entry pair[2] = {{SLICE_LIT("scopeName"), val_at(scopes, i)},
                         {SLICE_LIT("operator"), NULL}};
    val exists = {.type = VAL_STRING, .count = 6, .u.s = "Exists"};
    val selector = {.type = VAL_MAP, .count = 2, .u.entries = pair};
    pair[1].value = &exists;
    if (!in_scope(r, &selector, obj)) return false;
  }
  const val *more = val_path(spec, "scopeSelector.matchExpressions");
  for (uint32_t i = 0; i < val_len(more); i++) {
    if (!in_scope(r, val_at(more, i), obj)) return false;
  }
  return true;
}

static int by_text(const void *x, const void *y) {
  return slice_cmp(val_str(*(val *const *)x), val_str(*(val *const *)y));
}

/* Containers without `name` ("limits.cpu"), sorted, each once. */
static slice containers_without(arena *a, const val *spec, slice name) {
  bool limits = slice_has_prefix(name, SLICE_LIT("limits."));
  slice resource = slice_find_char(name, '.') >= 0
                       ? slice_from(name, (size_t)slice_find_char(name, '.') + 1)
                       : name;
  val *names = val_list(a);
  for (int l = 0; l < 2; l++) {
    const val *list = val_getc(spec, l ? "initContainers" : "containers");
    for (uint32_t i = 0; i < val_len(list); i++) {
      const val *own = val_getc(val_at(list, i), "resources");
      if (val_get(val_getc(own, limits ? "limits" : "requests"), resource)) continue;
      val_append(a, names, val_string(a, val_get_str(val_at(list, i), "name")));
    }
  }
  if (!val_len(names)) return SLICE_NONE;
  qsort(names->u.items, val_len(names), sizeof *names->u.items, by_text);
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  for (uint32_t i = 0; i < val_len(names); i++) {
    slice item = val_str(val_at(names, i));
    if (i && slice_eq(item, val_str(val_at(names, i - 1)))) continue;
    if (i) buf_char(&out, ',');
    buf_append(&out, item);
  }
  slice text = arena_printf(a, "%.*s for: %.*s", SLICE_ARG(name), SLICE_ARG(buf_slice(&out)));
  buf_dispose(&out);
  return text;
}

slice quota_constraints(arena *a, const resource_info *r, const val *hard, const val *obj) {
  static const char *const must[] = {"cpu",          "limits.cpu",      "limits.memory",
                                     "memory",       "requests.cpu",    "requests.memory"};
  const val *spec = val_getc(obj, "spec"), *whole = val_getc(spec, "resources");
  slice text = SLICE_NONE;
  if (!is_core(r, "pods")) return text;
  if (val_len(val_getc(whole, "requests")) || val_len(val_getc(whole, "limits"))) return text;
  for (size_t i = 0; i < sizeof must / sizeof *must; i++) {
    if (!val_getc(hard, must[i])) continue;
    slice missing = containers_without(a, spec, slice_cstr(must[i]));
    if (!missing.len) continue;
    text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), text.len ? "; " : "must specify ",
                        SLICE_ARG(missing));
  }
  return text;
}
