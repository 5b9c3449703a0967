/* Jobs and CronJobs. Source: pkg/apis/batch/validation. An updated Job is validated twice, as
 * there. */
#include "registry/validation/batch.h"

#include "registry/validation/pod_internal.h"
#include "registry/validation/rows.h"

static void managed_by_check(field_errors *e, const path *p, const val *v) {
  slice s = val_str(v), domain, rest, texts[4];
  path at = path_child(p, "managedBy");
  if (!v) return;
  if (!s.len) {
    require(e, p, "managedBy", "");
  } else if (!slice_cut(s, '/', &domain, &rest) || !domain.len || !rest.len) {
    refuse_str(e, p, "managedBy", s, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  } else {
    uint32_t n = text_problems(e->a, TEXT_DNS1123_SUBDOMAIN, domain, false, texts);
    for (uint32_t i = 0; i < n; i++) field_invalid_str(e, &at, domain, "%.*s", SLICE_ARG(texts[i]));
  }
  if (s.len > 63) field_too_long(e, &at, 63);
}

#define HIGH " when completions are above 100000 and used with backoff limit per index"

static void indexed_check(field_errors *e, const path *p, const val *spec) {
  const val *completions = val_getc(spec, "completions"),
            *parallelism = val_getc(spec, "parallelism"),
            *failed = val_getc(spec, "maxFailedIndexes");
  int64_t n = val_i64(completions), f = val_i64(failed), k = val_i64(parallelism);
  if (!completions) require(e, p, "completions", "when completion mode is Indexed");
  if (k > 100000)
    refuse_int(e, p, "parallelism", k,
               "must be less than or equal to 100000 when completion mode is Indexed");
  if (completions && failed && f > n)
    refuse_int(e, p, "maxFailedIndexes", f, "must be less than or equal to completions");
  if (f > 100000) refuse_int(e, p, "maxFailedIndexes", f, "must be less than or equal to 100000");
  if (n <= 100000 || !val_getc(spec, "backoffLimitPerIndex")) return;
  if (!failed)
    require(e, p, "maxFailedIndexes", "must be specified when completions is above 100000");
  if (k > 10000) refuse_int(e, p, "parallelism", k, "must be less than or equal to 10000" HIGH);
  if (f > 10000)
    refuse_int(e, p, "maxFailedIndexes", f, "must be less than or equal to 10000" HIGH);
}

static void completion_check(field_errors *e, const path *p, const val *spec) {
  static const char *const only_indexed[] = {"backoffLimitPerIndex", "maxFailedIndexes"};
  slice mode = val_get_str(spec, "completionMode");
  if (val_getc(spec, "completionMode"))
    choice_at(e, p, spec, "completionMode", CHOICES("NonIndexed", "Indexed"), false);
  if (slice_is(mode, "Indexed")) indexed_check(e, p, spec);
  if (val_getc(spec, "completionMode") && !slice_is(mode, "NonIndexed")) return;
  for (size_t i = 0; i < 2; i++) {
    const val *v = val_getc(spec, only_indexed[i]);
    if (v) refuse(e, p, only_indexed[i], v, "requires indexed completion mode");
  }
}

static void restart_check(field_errors *e, const path *p, const val *spec) {
  slice policy = val_get_str(val_path(spec, "template.spec"), "restartPolicy");
  path template = path_child(p, "template"), at = path_child(&template, "spec");
  if (!policy.len || slice_is(policy, "Always")) {
    require(e, &at, "restartPolicy", "valid values: \"OnFailure\", \"Never\"");
  } else if (!one_of(policy, CHOICES("OnFailure", "Never"))) {
    unsupported(e, &at, "restartPolicy", policy, CHOICES("OnFailure", "Never"));
  } else if (val_getc(spec, "podFailurePolicy") && !slice_is(policy, "Never")) {
    refuse_str(e, &at, "restartPolicy", policy,
               "only \"Never\" is supported when podFailurePolicy is specified");
  }
}

void job_spec_validate(field_errors *e, const path *p, const val *spec, const val *old) {
  path template = path_child(p, "template");
  nonnegative_all(e, p, spec,
                  CHOICES("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                          "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"));
  if (val_getc(spec, "maxFailedIndexes") && !val_getc(spec, "backoffLimitPerIndex")) {
    require(e, p, "backoffLimitPerIndex", "when maxFailedIndexes is specified");
  }
  managed_by_check(e, p, val_getc(spec, "managedBy"));
  completion_check(e, p, spec);
  job_policies_validate(e, p, spec);
  template_validate(e, &template, val_getc(spec, "template"), val_getc(old, "template"));
  restart_check(e, p, spec);
}

static void job_spec_selected(const validate_args *v, const path *p) {
  const val *spec = val_getc(v->obj, "spec"), *selector = val_getc(spec, "selector"),
            *labels = val_path(spec, "template.metadata.labels");
  path at = path_child(p, "selector"), template = path_child(p, "template");
  job_spec_validate(v->errs, p, spec, val_getc(v->old, "spec"));
  if (!selector)
    require(v->errs, p, "selector", "");
  else
    label_selector_validate(v->errs, &at, selector);
  if (selector_asks(v->errs->a, selector, labels) == SELECTOR_NO)
    labels_mismatch(v->errs, &template, val_getc(spec, "template"));
}

static void label_is(const validate_args *v, const path *meta, const char *key, slice want) {
  const val *labels = val_path(v->obj, "spec.template.metadata.labels"),
            *have = val_getc(labels, key);
  path list = path_child(meta, "labels"), at = path_key(&list, slice_cstr(key));
  if (!have)
    field_required(v->errs, &at, "must be '%.*s'", SLICE_ARG(want));
  else if (!slice_eq(val_str(have), want))
    field_invalid(v->errs, &at, labels, "must be '%.*s'", SLICE_ARG(want));
}

static void generated_check(const validate_args *v) {
  arena *a = v->errs->a;
  const val *spec = val_getc(v->obj, "spec"), *selector = val_getc(spec, "selector"),
            *meta = val_getc(v->obj, "metadata");
  slice uid = val_get_str(meta, "uid"), name = val_get_str(meta, "name");
  static const char *const keys[] = {"controller-uid", "job-name",
                                     "batch.kubernetes.io/controller-uid",
                                     "batch.kubernetes.io/job-name"};
  path p = path_root("spec"), template = path_child(&p, "template"),
       at = path_child(&template, "metadata");
  val *labels = val_map(a);
  if (val_true(val_getc(spec, "manualSelector")) || !selector) return;
  for (size_t i = 0; i < 4; i++) {
    label_is(v, &at, keys[i], i % 2 ? name : uid);
    val_setc(a, labels, keys[i], val_string(a, i % 2 ? name : uid));
  }
  if (selector_asks(a, selector, labels) == SELECTOR_NO)
    refuse(v->errs, &p, "selector", label_selector_whole(v->errs->a, selector),
           "`selector` not auto-generated");
}

/* A job without labels of its own has those that were made for its pods only when it is read back:
 * they are not checked as its own. */
static const val *without_made_labels(const validate_args *v) {
  static const char *const made[] = {"batch.kubernetes.io/controller-uid", "controller-uid",
                                     "batch.kubernetes.io/job-name", "job-name"};
  const val *labels = val_path(v->obj, "metadata.labels");
  bool all = val_len(labels) == 4;
  for (size_t i = 0; i < 4; i++) all = all && val_getc(labels, made[i]);
  if (v->old || !all) return v->obj;
  val *bare = val_map(v->errs->a), *meta = val_map(v->errs->a);
  VAL_EACH(e, val_getc(v->obj, "metadata")) {
    if (!slice_is(e->key, "labels")) val_set(v->errs->a, meta, e->key, e->value);
  }
  val_setc(v->errs->a, bare, "metadata", meta);
  return bare;
}

static void whole_check(const validate_args *v) {
  const val *spec = val_getc(v->obj, "spec"), *n = val_getc(spec, "completions");
  slice name = val_get_str(val_getc(v->obj, "metadata"), "name"), texts[4];
  path p = path_root("spec"), meta = path_root("metadata"), at = path_child(&meta, "name");
  core_meta_validate(v->errs, without_made_labels(v), true, TEXT_DNS1123_SUBDOMAIN);
  generated_check(v);
  job_spec_selected(v, &p);
  if (!slice_is(val_get_str(spec, "completionMode"), "Indexed") || val_i64(n) <= 0) return;
  slice host = arena_printf(v->errs->a, "%.*s-%lld", SLICE_ARG(name), (long long)val_i64(n) - 1);
  if (text_problems(v->errs->a, TEXT_DNS1123_LABEL, host, false, texts)) {
    field_invalid_str(v->errs, &at, name,
                      "will not able to create pod with invalid DNS label: %.*s", SLICE_ARG(host));
  }
}

static void completions_change(const validate_args *v, const path *p) {
  const val *now = val_path(v->obj, "spec.completions"),
            *was = val_path(v->old, "spec.completions");
  path at = path_child(p, "completions");
  if (!slice_is(val_get_str(val_getc(v->obj, "spec"), "completionMode"), "Indexed")) {
    if ((now != NULL) != (was != NULL))
      refuse(v->errs, &at, NULL, now, "field is immutable");
    else
      immutable_check(v->errs, &at, now, was);
    return;
  }
  if (!now || (was && val_equal(now, was)) ||
      val_i64(now) == val_i64(val_path(v->obj, "spec.parallelism")))
    return;
  refuse(v->errs, &at, NULL, now, "can only be modified in tandem with spec.parallelism");
}

/* What of the template may change while a suspended job has not begun. */
static val *with_directives(arena *a, const val *was, const val *now) {
  static const char *const in_spec[] = {"nodeSelector", "tolerations", "schedulingGates"};
  static const char *const in_meta[] = {"annotations", "labels"};
  val *out = val_copy(a, was), *spec = val_ensure_map(a, out, "spec"),
      *meta = val_ensure_map(a, out, "metadata");
  const val *new_spec = val_getc(now, "spec"), *new_meta = val_getc(now, "metadata"),
            *affinity = val_getc(new_spec, "affinity");
  for (size_t i = 0; i < 3; i++) {
    val_delc(spec, in_spec[i]);
    if (val_getc(new_spec, in_spec[i]))
      val_setc(a, spec, in_spec[i], val_getc(new_spec, in_spec[i]));
  }
  for (size_t i = 0; i < 2; i++) {
    val_delc(meta, in_meta[i]);
    if (val_getc(new_meta, in_meta[i]))
      val_setc(a, meta, in_meta[i], val_getc(new_meta, in_meta[i]));
  }
  if (!val_len(meta) && !new_meta) val_delc(out, "metadata");
  val *kept = val_getc(spec, "affinity");
  if (!affinity && !kept) return out;
  if (!kept) kept = val_map(a);
  val_delc(kept, "nodeAffinity");
  if (val_getc(affinity, "nodeAffinity"))
    val_setc(a, kept, "nodeAffinity", val_getc(affinity, "nodeAffinity"));
  if (!affinity && !val_len(kept))
    val_delc(spec, "affinity");
  else
    val_setc(a, spec, "affinity", kept);
  return out;
}

static void take_resources(arena *a, val *list, const val *now) {
  if (val_len(list) != val_len(now)) return;
  EACH_ITEM(i, list) {
    val *c = val_at(list, i), *n = val_at(now, i);
    if (!slice_eq(val_get_str(c, "name"), val_get_str(n, "name"))) continue;
    val_delc(c, "resources");
    if (val_getc(n, "resources")) val_setc(a, c, "resources", val_getc(n, "resources"));
  }
}

static void template_change(const validate_args *v, const path *p) {
  arena *a = v->errs->a;
  const val *now = val_path(v->obj, "spec.template"), *was = val_path(v->old, "spec.template");
  const val *status = val_getc(v->old, "status");
  bool suspended = val_true(val_path(v->old, "spec.suspend"));
  bool idle = suspended && (!val_getc(status, "startTime") || job_condition(v->old, "Suspended")) &&
              val_i64(val_getc(status, "active")) == 0;
  path template_spec = path_child(p, "template.spec");
  val *before = idle ? with_directives(a, was, now) : val_copy(a, was);
  if (!idle) {
    if (!val_equal(now, before))
      refuse_go(v->errs, p, "template", "PodTemplateSpec", now, "field is immutable");
    return;
  }
  val *spec = val_getc(before, "spec");
  take_resources(a, val_getc(spec, "containers"), val_path(now, "spec.containers"));
  take_resources(a, val_getc(spec, "initContainers"), val_path(now, "spec.initContainers"));
  if (!val_equal(val_getc(now, "spec"), spec))
    refuse_go(v->errs, &template_spec, NULL, "PodSpec", val_getc(now, "spec"),
              "field is immutable");
}

static void fixed(const validate_args *v, const path *p, const char *key, const char *type) {
  const val *now = val_getc(val_getc(v->obj, "spec"), key),
            *was = val_getc(val_getc(v->old, "spec"), key);
  if (now == was || (now && was && val_equal(now, was))) return;
  if (strcmp(key, "selector") == 0) now = label_selector_whole(v->errs->a, now);
  if (type)
    refuse_go(v->errs, p, key, type, now, "field is immutable");
  else
    refuse(v->errs, p, key, now, "field is immutable");
}

void validate_job(const validate_args *v) {
  path p = path_root("spec");
  if (slice_is(v->subresource, "status")) {
    job_status_validate(v);
    return;
  }
  whole_check(v);
  if (!v->old) return;
  core_meta_update(v->errs, v->obj, v->old);
  job_spec_selected(v, &p);
  completions_change(v, &p);
  fixed(v, &p, "selector", NULL);
  template_change(v, &p);
  fixed(v, &p, "completionMode", NULL);
  fixed(v, &p, "podFailurePolicy", "PodFailurePolicy");
  fixed(v, &p, "backoffLimitPerIndex", NULL);
  fixed(v, &p, "managedBy", NULL);
  fixed(v, &p, "successPolicy", "SuccessPolicy");
}

static bool zone_part_ok(slice s) {
  if (!s.len || s.len > 14 || s.ptr[0] == '-' || slice_is(s, ".") || slice_is(s, ".."))
    return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && !strchr(".-_+", c)) return false;
  }
  return true;
}

static void zone_check(field_errors *e, const path *p, const val *zone) {
  slice s = val_str(zone), rest = s, part;
  path at = path_child(p, "timeZone");
  if (!zone) return;
  if (!s.len) {
    refuse_str(e, &at, NULL, s, "timeZone must be nil or non-empty string");
    return;
  }
  bool ok = true;
  for (bool more = true; more;) {
    more = slice_cut(rest, '/', &part, &rest);
    ok = ok && zone_part_ok(part);
  }
  if (slice_eq_nocase(s, SLICE_LIT("Local")) && ok) {
    refuse_str(
        e, &at, NULL, s,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  }
  if (ok && slice_find(s, SLICE_LIT("..")) >= 0) {
    field_invalid_named(e, &at, s, "time: invalid location name");
  } else if (!ok || !time_zone_exists(s)) {
    field_invalid_named(e, &at, s, "unknown time zone %.*s", SLICE_ARG(s));
  }
}

static void schedule_check(field_errors *e, const path *p, const val *spec, const val *old) {
  slice s = val_get_str(spec, "schedule");
  bool zoned = slice_find(s, SLICE_LIT("TZ")) >= 0,
       was_zoned = slice_find(val_get_str(old, "schedule"), SLICE_LIT("TZ")) >= 0;
  path at = path_child(p, "schedule");
  if (!need(e, p, spec, "schedule", "")) return;
  slice why = cron_schedule_problem(e->a, s);
  if (why.len) field_invalid_str(e, &at, s, "%.*s", SLICE_ARG(why));
  if (was_zoned && zoned && val_getc(spec, "timeZone")) {
    refuse_str(e, &at, NULL, s, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
  } else if (!was_zoned && zoned) {
    refuse_str(e, &at, NULL, s, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  }
}

void validate_cronjob(const validate_args *v) {
  field_errors *e = v->errs;
  const val *spec = val_getc(v->obj, "spec"), *old = val_getc(v->old, "spec"),
            *job = val_path(spec, "jobTemplate.spec");
  slice name = val_get_str(val_getc(v->obj, "metadata"), "name");
  path p = path_root("spec"), template = path_child(&p, "jobTemplate"),
       at = path_child(&template, "spec"), meta = path_root("metadata");
  if (slice_is(v->subresource, "status")) return;
  core_meta_check(v, TEXT_DNS1123_SUBDOMAIN);
  schedule_check(e, &p, spec, old);
  nonnegative_at(e, &p, spec, "startingDeadlineSeconds");
  const val *zone = val_getc(spec, "timeZone"), *old_zone = val_getc(old, "timeZone");
  if (!old || (zone != NULL) != (old_zone != NULL) || !slice_eq(val_str(zone), val_str(old_zone)))
    zone_check(e, &p, zone);
  choice_at(e, &p, spec, "concurrencyPolicy", CHOICES("Allow", "Forbid", "Replace"), true);
  job_spec_validate(e, &at, job, val_path(old, "jobTemplate.spec"));
  if (val_getc(job, "selector"))
    refuse(e, &at, "selector", label_selector_whole(e->a, val_getc(job, "selector")),
           "`selector` will be auto-generated");
  if (val_true(val_getc(job, "manualSelector"))) {
    path manual = path_child(&at, "manualSelector");
    field_not_supported(e, &manual, val_getc(job, "manualSelector"), CHOICES("nil", "false"));
  }
  nonnegative_all(e, &p, spec, CHOICES("successfulJobsHistoryLimit", "failedJobsHistoryLimit"));
  if (!v->old && name.len > 52)
    refuse_str(e, &meta, "name", name, "must be no more than 52 characters");
}
