/* Pods: create, update and ephemeralcontainers. Status and resize have files of their own. */
#include "registry/validation/pod.h"

#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"

#define MIRROR "kubernetes.io/config.mirror"
#define APPARMOR "container.apparmor.security.beta.kubernetes.io/"

static void image_check(field_errors *e, const path *spec, const char *key, const val *list) {
  path p = path_child(spec, key);
  EACH_ITEM(i, list) {
    path at = path_index(&p, i);
    slice image = val_get_str(val_at(list, i), "image");
    if (slice_trim(image).len != image.len)
      refuse_str(e, &at, "image", image, "must not have leading or trailing whitespace");
  }
}

static void token_volumes_check(field_errors *e, const path *spec_path, const val *spec) {
  const val *volumes = val_getc(spec, "volumes");
  path p = path_child(spec_path, "volumes");
  if (val_get_str(spec, "serviceAccountName").len) return;
  EACH_ITEM(i, volumes) {
    const val *sources = val_path(val_at(volumes, i), "projected.sources");
    path at = path_index(&p, i), projected = path_child(&at, "projected"),
         list = path_child(&projected, "sources");
    EACH_ITEM(k, sources) {
      path source = path_index(&list, k);
      if (!val_getc(val_at(sources, k), "serviceAccountToken")) continue;
      forbid(e, &source, "serviceAccountToken",
             "must not be specified when serviceAccountName is not set");
    }
  }
}

void pod_whole_validate(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec"), *meta = val_getc(v->obj, "metadata");
  path p = path_root("spec"), at_meta = path_root("metadata"),
       notes = path_child(&at_meta, "annotations");
  core_meta_validate(v->errs, v->obj, true, TEXT_DNS1123_SUBDOMAIN);
  pod_annotations_validate(v->errs, &notes, val_getc(meta, "annotations"), spec);
  pod_view w = {.errs = v->errs, .spec = spec, .meta = meta, .old_spec = val_getc(v->old, "spec")};
  pod_spec_validate(&w, &p);
  token_volumes_check(v->errs, &p, spec);
  image_check(v->errs, &p, "containers", val_getc(spec, "containers"));
  image_check(v->errs, &p, "initContainers", val_getc(spec, "initContainers"));
}

static void create_validate(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec");
  path p = path_root("spec");
  pod_whole_validate(v);
  if (val_len(val_getc(spec, "ephemeralContainers")))
    forbid(v->errs, &p, "ephemeralContainers", "cannot be set on create");
  if (val_get_str(spec, "nodeName").len && val_len(val_getc(spec, "schedulingGates"))) {
    forbid(v->errs, &p, "nodeName", "cannot be set until all schedulingGates have been cleared");
  }
  template_annotations_match(v->errs, &p, val_getc(v->obj, "metadata"), spec);
}

void pod_annotations_update(const validate_args *v) {
  const val *now = val_path(v->obj, "metadata.annotations"),
            *was = val_path(v->old, "metadata.annotations");
  path meta = path_root("metadata"), p = path_child(&meta, "annotations");
  VAL_EACH(note, was) {
    const val *kept = val_get(now, note->key);
    path at = path_key(&p, note->key);
    if (kept && val_equal(kept, note->value)) continue;
    if (slice_has_prefix(note->key, SLICE_LIT(APPARMOR)))
      forbid(v->errs, &at, NULL, "may not remove or update AppArmor annotations");
    if (slice_is(note->key, MIRROR))
      forbid(v->errs, &at, NULL, "may not remove or update mirror pod annotation");
  }
  VAL_EACH(note, now) {
    path at = path_key(&p, note->key);
    if (val_get(was, note->key)) continue;
    if (slice_has_prefix(note->key, SLICE_LIT(APPARMOR)))
      forbid(v->errs, &at, NULL, "may not add AppArmor annotations");
    if (slice_is(note->key, MIRROR))
      forbid(v->errs, &at, NULL, "may not add mirror pod annotation");
  }
  pod_annotations_validate(v->errs, &p, now, val_getc(v->obj, "spec"));
}

/* False when nothing more can be said. */
static bool containers_update(const validate_args *v, const char *key) {
  const val *now = val_path(v->obj, "spec"), *was = val_path(v->old, "spec");
  const val *list = val_getc(now, key);
  path spec = path_root("spec"), p = path_child(&spec, key);
  if (val_len(list) != val_len(val_getc(was, key))) {
    forbid(v->errs, &p, NULL, "pod updates may not add or remove containers");
    return false;
  }
  EACH_ITEM(i, list) {
    path at = path_index(&p, i);
    slice image = val_get_str(val_at(list, i), "image");
    need(v->errs, &at, val_at(list, i), "image", "");
    if (slice_trim(image).len != image.len)
      refuse_str(v->errs, &at, "image", image, "must not have leading or trailing whitespace");
  }
  return true;
}

static bool deadline_update(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.activeDeadlineSeconds"),
            *was = val_path(v->old, "spec.activeDeadlineSeconds");
  path spec = path_root("spec"), p = path_child(&spec, "activeDeadlineSeconds");
  if (now && !range_check(v->errs, &p, val_i64(now), 0, 2147483647)) return false;
  if (now && was && val_i64(was) < val_i64(now)) {
    refuse(v->errs, &p, NULL, now, "must be less than or equal to previous value");
    return false;
  }
  if (!now && was)
    refuse(v->errs, &p, NULL, NULL, "must not update from a positive integer to nil value");
  return true;
}

static slice toleration_key(arena *a, const val *t) {
  slice k = val_get_str(t, "key"), o = val_get_str(t, "operator"), x = val_get_str(t, "value"),
        f = val_get_str(t, "effect");
  return arena_printf(a, "%.*s\n%.*s\n%.*s\n%.*s", SLICE_ARG(k), SLICE_ARG(o), SLICE_ARG(x),
                      SLICE_ARG(f));
}

static void tolerations_update(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.tolerations"),
            *was = val_path(v->old, "spec.tolerations");
  path spec = path_root("spec"), p = path_child(&spec, "tolerations");
  val *have = val_map(v->errs->a);
  EACH_ITEM(i, now)
  val_set(v->errs->a, have, toleration_key(v->errs->a, val_at(now, i)), val_null(v->errs->a));
  EACH_ITEM(i, was) {
    if (val_get(have, toleration_key(v->errs->a, val_at(was, i)))) continue;
    forbid(v->errs, &p, NULL,
           "existing toleration can not be modified except its tolerationSeconds");
    return;
  }
  tolerations_validate(v->errs, &p, now, was);
}

static void gates_update(const validate_args *v) {
  const val *now = val_path(v->obj, "spec.schedulingGates"),
            *was = val_path(v->old, "spec.schedulingGates");
  path spec = path_root("spec"), p = path_child(&spec, "schedulingGates");
  val *before = val_map(v->errs->a);
  EACH_ITEM(i, was)
  val_set(v->errs->a, before, val_get_str(val_at(was, i), "name"), val_null(v->errs->a));
  val *last = val_map(v->errs->a); /* of one name the last one is told */
  EACH_ITEM(i, now)
  val_set(v->errs->a, last, val_get_str(val_at(now, i), "name"), val_int(v->errs->a, i));
  EACH_ITEM(i, now) {
    slice name = val_get_str(val_at(now, i), "name");
    path at = path_index(&p, i), at_name = path_child(&at, "name");
    if (!val_get(before, name) && val_i64(val_get(last, name)) == i) {
      field_forbidden(v->errs, &at_name,
                      "only deletion is allowed, but found new scheduling gate '%.*s'",
                      SLICE_ARG(name));
    }
  }
}

static void take(arena *a, val *to, const val *from, const char *key) {
  val *old = val_getc(from, key);
  if (old)
    val_setc(a, to, key, old);
  else
    val_delc(to, key);
}

static void take_images(arena *a, val *list, const val *old) {
  EACH_ITEM(i, list) take(a, val_at(list, i), val_at(old, i), "image");
}

static bool only_additions(const val *now, const val *was) {
  static const char *const lists[] = {"matchExpressions", "matchFields"};
  bool was_empty =
      !val_len(val_getc(was, "matchExpressions")) && !val_len(val_getc(was, "matchFields"));
  for (size_t k = 0; k < 2; k++) {
    const val *n = val_getc(now, lists[k]), *o = val_getc(was, lists[k]);
    if (was_empty && val_len(n)) return false;
    EACH_ITEM(i, o) {
      if (!val_equal(val_at(n, i), val_at(o, i))) return false;
    }
  }
  return true;
}

static void node_affinity_update(field_errors *e, const path *spec_path, const val *now,
                                 const val *was) {
  static const char key[] = "requiredDuringSchedulingIgnoredDuringExecution";
  const val *terms = val_getc(val_getc(now, key), "nodeSelectorTerms"),
            *old = val_getc(val_getc(was, key), "nodeSelectorTerms");
  path affinity = path_child(spec_path, "affinity"), node = path_child(&affinity, "nodeAffinity"),
       must = path_child(&node, key), p = path_child(&must, "nodeSelectorTerms");
  if (!val_getc(was, key)) return;
  if (val_len(old) && val_len(old) != val_len(terms)) {
    val *list = val_len(terms) ? val_list(e->a) : NULL;
    EACH_ITEM(i, terms)
    val_append(e->a, list, internal_tree(e->a, "NodeSelectorTerm", val_at(terms, i)));
    refuse(e, &p, NULL, list,
           "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    return;
  }
  EACH_ITEM(i, old) {
    path at = path_index(&p, i);
    if (only_additions(val_at(terms, i), val_at(old, i))) continue;
    refuse_go(e, &at, NULL, "NodeSelectorTerm", val_at(terms, i),
              "only additions are allowed (no mutations or deletions)");
  }
}

/* A pod that waits at a gate may still narrow where it goes. `munged` gets the old values back. */
static void gated_update(const validate_args *v, val *munged, const val *was) {
  arena *a = v->errs->a;
  path spec = path_root("spec");
  const val *now_sel = val_getc(munged, "nodeSelector"), *old_sel = val_getc(was, "nodeSelector");
  val *affinity = val_getc(munged, "affinity"), *old_affinity = val_getc(was, "affinity");
  VAL_EACH(entry, old_sel) {
    const val *kept = val_get(now_sel, entry->key);
    if (kept && val_equal(kept, entry->value)) continue;
    refuse(v->errs, &spec, "nodeSelector", now_sel,
           "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    break;
  }
  take(a, munged, was, "nodeSelector");
  const val *now_node = val_getc(affinity, "nodeAffinity"),
            *old_node = val_getc(old_affinity, "nodeAffinity");
  if (now_node == old_node || (now_node && old_node && val_equal(now_node, old_node))) return;
  node_affinity_update(v->errs, &spec, now_node, old_node);
  if (!affinity) affinity = val_map(a);
  take(a, affinity, old_affinity, "nodeAffinity");
  if (!old_affinity && !val_len(affinity))
    val_delc(munged, "affinity");
  else
    val_setc(a, munged, "affinity", affinity);
}

#define UPDATABLE                                                                           \
  "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," \
  "`spec.tolerations` (only additions to existing tolerations),"                            \
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

static void rest_update(const validate_args *v) {
  arena *a = v->errs->a;
  const val *was = val_getc(v->old, "spec"),
            *old_grace = val_getc(was, "terminationGracePeriodSeconds");
  path spec = path_root("spec");
  if (val_equal(val_getc(v->obj, "spec"), was)) return;
  val *munged = val_copy(a, val_getc(v->obj, "spec"));
  take_images(a, val_getc(munged, "containers"), val_getc(was, "containers"));
  take_images(a, val_getc(munged, "initContainers"), val_getc(was, "initContainers"));
  take(a, munged, was, "activeDeadlineSeconds");
  take(a, munged, was, "schedulingGates");
  take(a, munged, was, "tolerations");
  if (old_grace && val_i64(old_grace) < 0 &&
      val_i64(val_getc(munged, "terminationGracePeriodSeconds")) == 1) {
    take(a, munged, was, "terminationGracePeriodSeconds");
  }
  if (val_len(val_getc(was, "schedulingGates"))) gated_update(v, munged, was);
  if (val_equal(munged, was)) return;
  slice diff = internal_diff(a, "PodSpec", was, munged);
  field_forbidden(v->errs, &spec,
                  "pod updates may not change fields other than " UPDATABLE "\n%.*s",
                  SLICE_ARG(diff));
}

static void update_validate(const validate_args *v) {
  core_meta_update(v->errs, v->obj, v->old);
  pod_whole_validate(v);
  pod_annotations_update(v);
  if (!containers_update(v, "containers") || !containers_update(v, "initContainers")) return;
  if (!deadline_update(v)) return;
  tolerations_update(v);
  gates_update(v);
  rest_update(v);
}

static void ephemeral_update(const validate_args *v) {
  field_errors *e = v->errs;
  const val *now = val_path(v->obj, "spec.ephemeralContainers"),
            *was = val_path(v->old, "spec.ephemeralContainers");
  path none = path_root(""), spec = path_root("spec"), p = path_child(&spec, "ephemeralContainers");
  uint32_t before = e->count;
  core_meta_update(e, v->obj, v->old);
  pod_whole_validate(v);
  pod_annotations_update(v);
  if (val_getc(val_path(v->old, "metadata.annotations"), MIRROR)) {
    e->count = before;
    forbid(e, &none, NULL, "static pods do not support ephemeral containers");
    return;
  }
  val *names = val_map(e->a);
  EACH_ITEM(i, now) val_set(e->a, names, val_get_str(val_at(now, i), "name"), val_at(now, i));
  EACH_ITEM(i, was) {
    const val *old = val_at(was, i);
    slice name = val_get_str(old, "name");
    const val *kept = val_get(names, name);
    if (!kept) {
      field_forbidden(e, &p, "existing ephemeral containers \"%.*s\" may not be removed\n",
                      SLICE_ARG(name));
    } else if (!val_equal(kept, old)) {
      slice diff = internal_diff(e->a, "EphemeralContainer", old, kept);
      field_forbidden(e, &p, "existing ephemeral containers \"%.*s\" may not be changed\n%.*s",
                      SLICE_ARG(name), SLICE_ARG(diff));
    }
  }
}

void validate_pod(const validate_args *v) {
  if (!v->old)
    create_validate(v);
  else if (slice_is(v->subresource, "status"))
    pod_status_validate(v);
  else if (slice_is(v->subresource, "ephemeralcontainers"))
    ephemeral_update(v);
  else if (slice_is(v->subresource, "resize"))
    pod_resize_check_all(v);
  else if (!v->subresource.len)
    update_validate(v); /* a binding writes what only it may */
}
