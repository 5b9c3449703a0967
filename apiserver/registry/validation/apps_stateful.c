/* StatefulSets. On updates what can't change any more is not checked again. */
#include "registry/validation/apps.h"

#include "registry/validation/rows.h"

static void retention_check(field_errors *e, const path *p, const val *policy) {
  const char *const *choices = CHOICES("Retain", "Delete");
  if (!policy) return;
  choice_at(e, p, policy, "whenDeleted", choices, false);
  choice_at(e, p, policy, "whenScaled", choices, false);
}

static void rules_check(field_errors *e, const path *p, const val *rules) {
  const val *rolling = val_getc(rules, "rollingUpdate"),
            *most = val_getc(rolling, "maxUnavailable");
  slice type = val_get_str(rules, "type");
  path at = path_child(p, "rollingUpdate"), at_most = path_child(&at, "maxUnavailable");
  if (!type.len) {
    require(e, p, NULL, "");
  } else if (slice_is(type, "OnDelete")) {
    if (rolling)
      refuse_go(e, p, "rollingUpdate", "RollingUpdateStatefulSetStrategy", rolling,
                "only allowed for updateStrategy 'RollingUpdate'");
  } else if (!slice_is(type, "RollingUpdate")) {
    refuse_go(e, p, NULL, "StatefulSetUpdateStrategy", rules,
              "must be 'RollingUpdate' or 'OnDelete'");
  } else if (rolling) {
    nonnegative_at(e, &at, rolling, "partition");
    if (!most) return;
    int_or_percent_check(e, &at_most, most);
    if (int_or_percent_value(most) == 0) refuse(e, &at_most, NULL, most, "cannot be 0");
    percent_most_check(e, &at_most, most);
  }
}

/* The template as its pods will have it: claims of the set are volumes, names are the set's. */
static val *effective_template(arena *a, const val *spec) {
  const val *claims = val_getc(spec, "volumeClaimTemplates");
  val *template = val_copy(a, val_getc(spec, "template")), *pod = val_getc(template, "spec"),
      *names = val_map(a);
  if (!pod) return template;
  val_delc(pod, "subdomain");
  val_delc(pod, "hostname");
  if (!val_len(claims)) return template;
  val *volumes = val_list(a), *old = val_getc(pod, "volumes");
  EACH_ITEM(i, claims) {
    slice name = val_get_str(val_getc(val_at(claims, i), "metadata"), "name");
    val *volume = val_map(a), *claim = val_map(a);
    if (val_get(names, name)) continue;
    val_set(a, names, name, val_null(a));
    val_setc(a, volume, "name", val_string(a, name));
    val_setc(a, claim, "claimName", val_string(a, name));
    val_setc(a, volume, "persistentVolumeClaim", claim);
    val_append(a, volumes, volume);
  }
  EACH_ITEM(i, old) {
    if (!val_get(names, val_get_str(val_at(old, i), "name")))
      val_append(a, volumes, val_at(old, i));
  }
  val_setc(a, pod, "volumes", volumes);
  return template;
}

static void template_check(field_errors *e, const path *p, const val *spec, bool skip_pod) {
  const val *selector = val_getc(spec, "selector"), *template = val_getc(spec, "template"),
            *meta = val_getc(template, "metadata");
  path at = path_child(p, "template"), labels = path_child(&at, "labels"),
       notes = path_child(&at, "annotations");
  selector_answer answer = selector_asks(e->a, selector, val_getc(meta, "labels"));
  if (answer == SELECTOR_BROKEN) {
    refuse(e, p, "selector", label_selector_whole(e->a, selector), "");
    return;
  }
  if (answer == SELECTOR_NO) labels_mismatch(e, &at, template);
  if (!skip_pod) template_validate(e, &at, effective_template(e->a, spec), NULL);
  labels_validate(e, &labels, val_getc(meta, "labels"));
  annotations_validate(e, &notes, val_getc(meta, "annotations"));
  pod_annotations_validate(e, &notes, val_getc(meta, "annotations"), val_getc(template, "spec"));
}

static void spec_check(field_errors *e, const path *p, const val *spec, bool update,
                       bool skip_pod) {
  const val *claims = val_getc(spec, "volumeClaimTemplates");
  path rules = path_child(p, "updateStrategy"),
       retention = path_child(p, "persistentVolumeClaimRetentionPolicy"),
       list = path_child(p, "volumeClaimTemplates"), start = path_child(p, "ordinals.start"),
       at = path_child(p, "template");
  slice management = val_get_str(spec, "podManagementPolicy");
  if (!management.len)
    require(e, p, "podManagementPolicy", "");
  else if (!one_of(management, CHOICES("OrderedReady", "Parallel"))) {
    refuse_str(e, p, "podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'");
  }
  rules_check(e, &rules, val_getc(spec, "updateStrategy"));
  retention_check(e, &retention, val_getc(spec, "persistentVolumeClaimRetentionPolicy"));
  for (uint32_t i = 0; !update && i < val_len(claims); i++) {
    path item = path_index(&list, i), claim = path_child(&item, "spec");
    claim_spec_validate(e, &claim, val_getc(val_at(claims, i), "spec"), NULL);
  }
  nonnegative_all(e, p, spec, CHOICES("replicas", "minReadySeconds"));
  nonnegative_check(e, &start, val_i64(val_path(spec, "ordinals.start")));
  if (!update) text_if_set(e, p, spec, "serviceName", TEXT_DNS1123_LABEL);
  selector_check(e, p, val_getc(spec, "selector"), "statefulset");
  template_check(e, p, spec, skip_pod);
  template_restart_check(e, &at, val_path(spec, "template.spec"), "StatefulSet");
}

static void change_check(const validate_args *v) {
  static const char *const free_fields[] = {"replicas",
                                            "template",
                                            "updateStrategy",
                                            "minReadySeconds",
                                            "ordinals",
                                            "revisionHistoryLimit",
                                            "persistentVolumeClaimRetentionPolicy"};
  val *now = val_copy(v->errs->a, val_getc(v->obj, "spec")),
      *was = val_copy(v->errs->a, val_getc(v->old, "spec"));
  path p = path_root("spec");
  for (size_t i = 0; i < sizeof free_fields / sizeof *free_fields; i++) {
    val_delc(now, free_fields[i]);
    val_delc(was, free_fields[i]);
  }
  if (val_equal(now, was)) return;
  forbid(v->errs, &p, NULL,
         "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
         "'updateStrategy', "
         "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
         "forbidden");
}

static void status_check(const validate_args *v) {
  const val *status = val_getc(v->obj, "status");
  path p = path_root("status");
  nonnegative_all(v->errs, &p, status,
                  CHOICES("replicas", "readyReplicas", "currentReplicas", "updatedReplicas",
                          "availableReplicas", "observedGeneration", "collisionCount"));
  counts_at_most(
      v->errs, &p, status,
      CHOICES("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
      "replicas", "cannot be greater than status.replicas");
  counts_at_most(v->errs, &p, status, CHOICES("availableReplicas"), "readyReplicas",
                 "cannot be greater than status.readyReplicas");
  core_meta_update(v->errs, v->obj, v->old);
  collisions_check(v);
}

void validate_statefulset(const validate_args *v) {
  path p = path_root("spec");
  if (slice_is(v->subresource, "status")) {
    status_check(v);
    return;
  }
  core_meta_check(v, TEXT_DNS1123_LABEL);
  bool broken = false;
  if (v->old) {
    field_errors scratch = {.a = v->errs->a};
    spec_check(&scratch, &p, val_getc(v->old, "spec"), true, false);
    broken = scratch.count > 0;
  }
  spec_check(v->errs, &p, val_getc(v->obj, "spec"), v->old != NULL, broken);
  if (v->old) change_check(v);
}
