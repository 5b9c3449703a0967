/* PodSecurity: a namespace's labels say which standard its pods must meet, and which they are
 * warned about. Source: k8s.io/pod-security-admission/{api,admission}. */
#include "admission/plugin.h"
#include "admission/pod_security_checks.h"

#include "registry/field_error.h"
#include "registry/object.h"

#include <stdlib.h>

#define PREFIX "pod-security.kubernetes.io/"

typedef struct standard {
  security_level level;
  int minor;
} standard;

typedef struct policy {
  standard enforce, warn;
  field_errors errs;
} policy;

static const char *const level_names[] = {"privileged", "baseline", "restricted"};

static slice standard_text(arena *a, standard s) {
  if (s.minor == SECURITY_LATEST) return arena_printf(a, "%s:latest", level_names[s.level]);
  return arena_printf(a, "%s:v1.%d", level_names[s.level], s.minor);
}

static void label_invalid(policy *p, const char *label, slice value, const char *why) {
  path meta = path_root("metadata"), labels = path_child(&meta, "labels");
  path key = path_key(&labels, slice_cstr(label));
  field_invalid_str(&p->errs, &key, value, "%s", why);
}

/* True when the label is there and sound. A bad level counts as `failing`. */
static bool level_read(policy *p, const val *labels, const char *label, security_level *level,
                       security_level failing) {
  const val *given = val_getc(labels, label);
  if (!given) return false;
  for (int i = 0; i < 3; i++) {
    if (!slice_is(val_str(given), level_names[i])) continue;
    *level = (security_level)i;
    return true;
  }
  *level = failing;
  label_invalid(p, label, val_str(given), "must be one of privileged, baseline, restricted");
  return false;
}

static bool version_parse(slice text, int *minor) {
  long long n = 0;
  *minor = SECURITY_LATEST;
  if (slice_is(text, "latest")) return true;
  if (!slice_has_prefix(text, SLICE_LIT("v1.")) || text.len > 12) return false;
  slice digits = slice_from(text, 3);
  if (!digits.len || digits.ptr[0] < '0' || digits.ptr[0] > '9') return false;
  if (digits.len > 1 && digits.ptr[0] == '0') return false;
  if (!slice_to_i64(digits, &n) || n >= SECURITY_LATEST) return false;
  *minor = (int)n;
  return true;
}

static void version_read(policy *p, const val *labels, const char *label, int *minor) {
  const val *given = val_getc(labels, label);
  if (!given || version_parse(val_str(given), minor)) return;
  label_invalid(p, label, val_str(given), "must be \"latest\" or \"v1.x\"");
}

static policy policy_of(arena *a, const val *labels) {
  policy p = {.enforce = {LEVEL_PRIVILEGED, SECURITY_LATEST},
              .warn = {LEVEL_PRIVILEGED, SECURITY_LATEST}, .errs = {.a = a}};
  standard audit = p.warn;
  bool enforced = level_read(&p, labels, PREFIX "enforce", &p.enforce.level, LEVEL_RESTRICTED);
  version_read(&p, labels, PREFIX "enforce-version", &p.enforce.minor);
  level_read(&p, labels, PREFIX "audit", &audit.level, LEVEL_PRIVILEGED);
  version_read(&p, labels, PREFIX "audit-version", &audit.minor);
  level_read(&p, labels, PREFIX "warn", &p.warn.level, LEVEL_PRIVILEGED);
  version_read(&p, labels, PREFIX "warn-version", &p.warn.minor);
  if (enforced && !val_getc(labels, PREFIX "warn") && p.enforce.level > p.warn.level) {
    p.warn.level = p.enforce.level;
    if (!val_getc(labels, PREFIX "warn-version")) p.warn.minor = p.enforce.minor;
  }
  return p;
}

/* Whether to go on: without a policy on the namespace there is nothing to look at. */
static bool policy_find(const admission_args *args, policy *p) {
  const val *namespace = plugin_get_with(args, "", "v1", "namespaces", SLICE_NONE,
                                         args->namespace, SLICE_LIT(PREFIX));
  *p = policy_of(args->rq->arena, val_path(namespace, "metadata.labels"));
  return p->enforce.level != LEVEL_PRIVILEGED || p->warn.level != LEVEL_PRIVILEGED;
}

static void pod_warn(const admission_args *args, const policy *p, const val *meta,
                     const val *spec) {
  arena *a = args->rq->arena;
  slice what = pod_security_violations(a, p->warn.level, p->warn.minor, meta, spec, NULL);
  if (p->warn.level == LEVEL_PRIVILEGED || !what.len) return;
  slice name = standard_text(a, p->warn);
  request_warn(args->rq, arena_printf(a, "would violate PodSecurity \"%.*s\": %.*s",
                                      SLICE_ARG(name), SLICE_ARG(what)));
}

static bool image_same(const val *x, const val *y) {
  return slice_eq(val_get_str(x, "image"), val_get_str(y, "image"));
}

static bool images_same(const val *now, const val *old, const char *list) {
  const val *x = val_getc(now, list), *y = val_getc(old, list);
  if (val_len(x) != val_len(y)) return false;
  for (uint32_t i = 0; i < val_len(x); i++) {
    if (!image_same(val_at(x, i), val_at(y, i))) return false;
  }
  return true;
}

/* Of what may change on a pod, only images and new ephemeral containers matter. */
static bool pod_update_matters(const val *now, const val *old) {
  if (!images_same(now, old, "containers") || !images_same(now, old, "initContainers")) return true;
  const val *x = val_getc(now, "ephemeralContainers"), *y = val_getc(old, "ephemeralContainers");
  for (uint32_t i = 0; i < val_len(x); i++) {
    const val *twin = NULL;
    for (uint32_t j = 0; j < val_len(y) && !twin; j++) {
      bool same = slice_eq(val_get_str(val_at(y, j), "name"), val_get_str(val_at(x, i), "name"));
      if (same) twin = val_at(y, j);
    }
    if (!twin || !image_same(val_at(x, i), twin)) return true;
  }
  return false;
}

static bool pod_validate(const admission_args *args) {
  policy p;
  bool resize = slice_is(args->subresource, "resize");
  if (args->subresource.len && !resize && !slice_is(args->subresource, "ephemeralcontainers")) {
    return true;
  }
  if (!policy_find(args, &p)) return true;
  arena *a = args->rq->arena;
  const val *meta = val_getc(args->obj, "metadata"), *spec = val_getc(args->obj, "spec");
  if (args->op == ADMIT_UPDATE && !pod_update_matters(spec, val_getc(args->old, "spec"))) {
    return true;
  }
  slice what = SLICE_NONE;
  if (p.enforce.level != LEVEL_PRIVILEGED) {
    what = pod_security_violations(a, p.enforce.level, p.enforce.minor, meta, spec, NULL);
  }
  if (what.len) {
    slice name = standard_text(a, p.enforce);
    return plugin_forbid(args, "violates PodSecurity \"%.*s\": %.*s", SLICE_ARG(name),
                         SLICE_ARG(what));
  }
  pod_warn(args, &p, meta, spec);
  return true;
}

/* Kinds that make pods: where their template is. */
static const struct {
  const char *group, *resource, *template;
} controllers[] = {
    {"", "podtemplates", "template"},
    {"", "replicationcontrollers", "spec.template"},
    {"apps", "replicasets", "spec.template"},
    {"apps", "deployments", "spec.template"},
    {"apps", "statefulsets", "spec.template"},
    {"apps", "daemonsets", "spec.template"},
    {"batch", "jobs", "spec.template"},
    {"batch", "cronjobs", "spec.jobTemplate.spec.template"},
};

static void controller_validate(const admission_args *args) {
  policy p;
  for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
    if (!plugin_is(args, controllers[i].group, controllers[i].resource)) continue;
    const val *template = val_path(args->obj, controllers[i].template);
    if (template && policy_find(args, &p)) {
      pod_warn(args, &p, val_getc(template, "metadata"), val_getc(template, "spec"));
    }
    return;
  }
}

/* Pods that would not meet a new standard, by what is wrong with them. */
typedef struct pods_run {
  const admission_args *args;
  standard enforce;
  val *reasons, *names, *counts; /* in step */
} pods_run;

static bool pod_count(void *ctx, val *pod) {
  pods_run *run = ctx;
  arena *a = run->args->rq->arena;
  slice reasons;
  slice what = pod_security_violations(a, run->enforce.level, run->enforce.minor,
                                       val_getc(pod, "metadata"), val_getc(pod, "spec"), &reasons);
  if (!what.len) return true;
  for (uint32_t i = 0; i < val_len(run->reasons); i++) {
    if (!slice_eq(val_str(val_at(run->reasons, i)), reasons)) continue;
    run->counts->u.items[i] = val_int(a, val_i64(val_at(run->counts, i)) + 1);
    return true;
  }
  val_append(a, run->reasons, val_string(a, reasons));
  val_append(a, run->names, val_string(a, object_name(pod)));
  val_append(a, run->counts, val_int(a, 1));
  return true;
}

static int by_text(const void *x, const void *y) {
  return slice_cmp(val_str(*(val *const *)x), val_str(*(val *const *)y));
}

static void existing_pods_warn(const admission_args *args, standard enforce) {
  arena *a = args->rq->arena;
  slice ns = object_name(args->obj), text = standard_text(a, enforce);
  pods_run run = {.args = args, .enforce = enforce, .reasons = val_list(a), .names = val_list(a),
                  .counts = val_list(a)};
  plugin_each(args, "", "v1", "pods", ns, SLICE_NONE, pod_count, &run);
  uint32_t n = val_len(run.reasons);
  if (!n) return;
  request_warn(args->rq, arena_printf(a,
                                      "existing pods in namespace \"%.*s\" violate the new "
                                      "PodSecurity enforce level \"%.*s\"",
                                      SLICE_ARG(ns), SLICE_ARG(text)));
  val *lines = val_list(a);
  for (uint32_t i = 0; i < n; i++) {
    slice name = val_str(val_at(run.names, i)), why = val_str(val_at(run.reasons, i));
    long long others = (long long)val_i64(val_at(run.counts, i)) - 1;
    slice more = others ? arena_printf(a, " (and %lld other pod%s)", others, others > 1 ? "s" : "")
                        : SLICE_NONE;
    val_append(a, lines, val_printf(a, "%.*s%.*s: %.*s", SLICE_ARG(name), SLICE_ARG(more),
                                    SLICE_ARG(why)));
  }
  qsort(lines->u.items, n, sizeof *lines->u.items, by_text);
  for (uint32_t i = 0; i < n; i++) request_warn(args->rq, val_str(val_at(lines, i)));
}

static bool errors_same(const policy *x, const policy *y) {
  if (x->errs.count != y->errs.count) return false;
  for (uint32_t i = 0; i < x->errs.count; i++) {
    if (!slice_eq(x->errs.items[i].message, y->errs.items[i].message)) return false;
  }
  return true;
}

static bool namespace_validate(const admission_args *args) {
  arena *a = args->rq->arena;
  policy now = policy_of(a, val_path(args->obj, "metadata.labels"));
  policy old = policy_of(a, val_path(args->old, "metadata.labels"));
  bool update = args->op == ADMIT_UPDATE;
  if (now.errs.count && !(update && errors_same(&now, &old))) {
    return field_errors_to_status(&now.errs, SLICE_NONE, SLICE_LIT("Namespace"),
                                  object_name(args->obj), &args->rq->error);
  }
  bool same = now.enforce.level == old.enforce.level && now.enforce.minor == old.enforce.minor;
  if (!update || same || now.enforce.level == LEVEL_PRIVILEGED) return true;
  bool stricter = now.enforce.minor != old.enforce.minor || now.enforce.level > old.enforce.level;
  if (stricter) existing_pods_warn(args, now.enforce);
  return true;
}

bool pod_security_validate(const admission_args *args) {
  const resource_info *r = args->resource;
  if (plugin_is(args, "", "namespaces")) return namespace_validate(args);
  if (!r->group.len && slice_is(r->resource, "pods")) return pod_validate(args);
  controller_validate(args);
  return true;
}
