/* Pod templates, and the two core kinds around them: PodTemplate and ReplicationController. Also
 * what annotations of pods and templates may say, and how they must match the fields that replaced
 * them. */
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/rows.h"
#include "registry/validation/template.h"

#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_CONTAINER "container.seccomp.security.alpha.kubernetes.io/"
#define APPARMOR "container.apparmor.security.beta.kubernetes.io/"

static void seccomp_value_check(field_errors *e, const path *p, slice value) {
  if (one_of(value, CHOICES("runtime/default", "docker/default", "unconfined"))) return;
  if (slice_has_prefix(value, SLICE_LIT("localhost/")))
    path_local_descending(e, p, slice_from(value, 10));
  else
    refuse_str(e, p, NULL, value, "must be a valid seccomp profile");
}

typedef struct name_search {
  slice name;
  bool found;
} name_search;

static bool name_visit(void *ctx, const path *p, const val *c) {
  name_search *s = ctx;
  (void)p;
  s->found = s->found || slice_eq(val_get_str(c, "name"), s->name);
  return !s->found;
}

static void apparmor_value_check(field_errors *e, const path *notes, const val_entry *note,
                                 const val *spec) {
  slice value = val_str(note->value);
  name_search s = {slice_from(note->key, sizeof APPARMOR - 1), false};
  path at = path_key(notes, note->key);
  containers_visit(spec, notes, name_visit, &s);
  if (!s.found) refuse_str(e, &at, NULL, s.name, "container not found");
  if (!value.len || one_of(value, CHOICES("runtime/default", "unconfined"))) return;
  if (slice_has_prefix(value, SLICE_LIT("localhost/"))) return;
  field_invalid_str(e, &at, value, "invalid AppArmor profile name: \"%.*s\"", SLICE_ARG(value));
}

static void deletion_cost_check(field_errors *e, const path *notes, const val *annotations) {
  static const char key[] = "controller.kubernetes.io/pod-deletion-cost";
  const val *cost = val_getc(annotations, key);
  slice s = val_str(cost);
  path at = path_key(notes, slice_cstr(key));
  long long n = 0;
  if (!cost) return;
  bool first_ok = s.len && s.ptr[0] != '+' && !(s.len > 1 && s.ptr[0] == '0');
  if (first_ok && slice_to_i64(s, &n) && n >= INT32_MIN && n <= INT32_MAX) return;
  refuse_str(e, &at, NULL, s, "must be a 32bit integer");
}

void pod_annotations_validate(field_errors *e, const path *p, const val *annotations,
                              const val *spec) {
  const val *mirror = val_getc(annotations, "kubernetes.io/config.mirror"),
            *pod = val_getc(annotations, SECCOMP_POD);
  path at_mirror = path_key(p, SLICE_LIT("kubernetes.io/config.mirror")),
       at_pod = path_child(p, SECCOMP_POD);
  if (mirror && !val_get_str(spec, "nodeName").len) {
    refuse_str(e, &at_mirror, NULL, val_str(mirror),
               "must set spec.nodeName if mirror pod annotation is set");
  }
  deletion_cost_check(e, p, annotations);
  if (pod) seccomp_value_check(e, &at_pod, val_str(pod));
  VAL_EACH(note, annotations) {
    path at = path_child_slice(p, note->key);
    if (slice_has_prefix(note->key, SLICE_LIT(SECCOMP_CONTAINER)))
      seccomp_value_check(e, &at, val_str(note->value));
  }
  VAL_EACH(note, annotations) {
    if (slice_has_prefix(note->key, SLICE_LIT(APPARMOR))) apparmor_value_check(e, p, note, spec);
  }
}

typedef struct note_match {
  field_errors *e;
  const val *notes, *pod_armor;
} note_match;

/* A profile's field and its older annotation must tell the same. */
static void profile_match(field_errors *e, const path *p, const val *profile, const val *note,
                          const char *what) {
  slice type = val_get_str(profile, "type"), text = val_str(note),
        local = val_get_str(profile, "localhostProfile");
  bool docker = what[0] == 's' && slice_is(text, "docker/default"), wrong = false;
  slice word = arena_printf(e->a, "%s type in annotation and field must match", what);
  slice other = arena_printf(e->a, "%s profile in annotation and field must match", what);
  if (!profile || !note) return;
  if (slice_is(type, "Unconfined"))
    wrong = !slice_is(text, "unconfined");
  else if (slice_is(type, "RuntimeDefault"))
    wrong = !slice_is(text, "runtime/default") && !docker;
  else if (slice_is(type, "Localhost"))
    wrong = !slice_has_prefix(text, SLICE_LIT("localhost/"));
  else
    return;
  if (wrong) {
    forbid(e, p, "type", word.ptr);
  } else if (slice_is(type, "Localhost")) {
    const val *have = val_getc(profile, "localhostProfile");
    if (!have || !slice_eq(slice_from(text, 10), local))
      forbid(e, p, "localhostProfile", other.ptr);
  }
}

static const val *container_note(const note_match *m, const char *prefix, const val *c) {
  return val_get(m->notes, arena_concat(m->e->a, slice_cstr(prefix), val_get_str(c, "name")));
}

static bool seccomp_visit(void *ctx, const path *p, const val *c) {
  note_match *m = ctx;
  path sc = path_child(p, "securityContext"), at = path_child(&sc, "seccompProfile");
  profile_match(m->e, &at, val_path(c, "securityContext.seccompProfile"),
                container_note(m, SECCOMP_CONTAINER, c), "seccomp");
  return true;
}

static bool apparmor_visit(void *ctx, const path *p, const val *c) {
  note_match *m = ctx;
  const val *profile = val_path(c, "securityContext.appArmorProfile");
  path sc = path_child(p, "securityContext"), at = path_child(&sc, "appArmorProfile");
  profile_match(m->e, &at, profile ? profile : m->pod_armor, container_note(m, APPARMOR, c),
                "apparmor");
  return true;
}

void template_annotations_match(field_errors *e, const path *p, const val *meta, const val *spec) {
  note_match m = {e, val_getc(meta, "annotations"),
                  val_path(spec, "securityContext.appArmorProfile")};
  path sc = path_child(p, "securityContext"), at = path_child(&sc, "seccompProfile");
  profile_match(e, &at, val_path(spec, "securityContext.seccompProfile"),
                val_getc(m.notes, SECCOMP_POD), "seccomp");
  containers_visit(spec, p, seccomp_visit, &m);
  if (!slice_is(val_get_str(val_getc(spec, "os"), "name"), "windows"))
    containers_visit(spec, p, apparmor_visit, &m);
}

void template_validate(field_errors *e, const path *p, const val *template,
                       const val *old_template) {
  const val *meta = val_getc(template, "metadata"), *spec = val_getc(template, "spec");
  path labels = path_child(p, "labels"), notes = path_child(p, "annotations"),
       at = path_child(p, "spec");
  labels_validate(e, &labels, val_getc(meta, "labels"));
  annotations_validate(e, &notes, val_getc(meta, "annotations"));
  pod_annotations_validate(e, &notes, val_getc(meta, "annotations"), spec);
  pod_view w = {.errs = e, .spec = spec, .old_spec = val_getc(old_template, "spec")};
  pod_spec_validate(&w, &at);
  template_annotations_match(e, &at, meta, spec);
  if (val_len(val_getc(spec, "ephemeralContainers"))) {
    forbid(e, &at, "ephemeralContainers", "ephemeral containers not allowed in pod template");
  }
}

void template_restart_check(field_errors *e, const path *template, const val *spec,
                            const char *kind) {
  path at = path_child(template, "spec");
  slice policy = val_get_str(spec, "restartPolicy");
  if (!slice_is(policy, "Always")) unsupported(e, &at, "restartPolicy", policy, CHOICES("Always"));
  if (val_getc(spec, "activeDeadlineSeconds")) {
    slice why = arena_printf(e->a, "activeDeadlineSeconds in %s is not Supported", kind);
    forbid(e, &at, "activeDeadlineSeconds", why.ptr);
  }
}

void labels_mismatch(field_errors *e, const path *at, const val *template) {
  path meta = path_child(at, "metadata");
  const val *labels = map_shown(e->a, val_getc(template, "metadata"), "labels");
  refuse(e, &meta, "labels", labels, "`selector` does not match template `labels`");
}

void validate_podtemplate(const validate_args *v) {
  path p = path_root("template");
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  template_validate(v->errs, &p, val_getc(v->obj, "template"), val_getc(v->old, "template"));
}

void counts_at_most(field_errors *e, const path *p, const val *status, const char *const *keys,
                    const char *limit, const char *why) {
  int64_t most = val_i64(val_getc(status, limit));
  for (size_t i = 0; keys[i]; i++) {
    int64_t n = val_i64(val_getc(status, keys[i]));
    if (n > most) refuse_int(e, p, keys[i], n, why);
  }
}

static void controller_status(const validate_args *v) {
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status");
  core_meta_update(v->errs, v->obj, v->old);
  nonnegative_all(v->errs, &p, status,
                  CHOICES("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
                          "observedGeneration"));
  counts_at_most(v->errs, &p, status,
                 CHOICES("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "replicas",
                 "cannot be greater than status.replicas");
  counts_at_most(v->errs, &p, status, CHOICES("availableReplicas"), "readyReplicas",
                 "cannot be greater than readyReplicas");
}

static bool selector_matches(const val *selector, const val *labels) {
  VAL_EACH(entry, selector) {
    const val *have = val_get(labels, entry->key);
    if (!have || !slice_eq(val_str(have), val_str(entry->value))) return false;
  }
  return true;
}

void validate_replicationcontroller(const validate_args *v) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *selector = val_getc(spec, "selector");
  const val *template = val_getc(spec, "template"), *labels = val_path(template, "metadata.labels");
  path p = path_root("spec"), at = path_child(&p, "template");
  if (slice_is(v->subresource, "status")) {
    controller_status(v);
    return;
  }
  core_meta_check(v, TEXT_LONG_NAME);
  nonnegative_at(e, &p, spec, "minReadySeconds");
  need(e, &p, spec, "selector", "");
  if (!val_getc(spec, "replicas"))
    require(e, &p, "replicas", "");
  else
    nonnegative_at(e, &p, spec, "replicas");
  if (!template) {
    require(e, &at, NULL, "");
    return;
  }
  if (val_len(selector) && !selector_matches(selector, labels)) labels_mismatch(e, &at, template);
  template_validate(e, &at, template, val_path(v->old, "spec.template"));
  template_restart_check(e, &at, val_getc(template, "spec"), "ReplicationController");
}
