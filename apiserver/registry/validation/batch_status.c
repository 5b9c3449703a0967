/* The status of Jobs: what a controller may write, checked where it changed. */
#include "registry/validation/batch.h"

#include "registry/validation/pod_internal.h"

bool job_condition(const val *job, const char *type) {
  const val *list = val_path(job, "status.conditions");
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i);
    if (slice_is(val_get_str(c, "type"), type) && slice_is(val_get_str(c, "status"), "True"))
      return true;
  }
  return false;
}

typedef struct job_change {
  const validate_args *v;
  path status;
  const val *now, *was;                                             /* status */
  bool complete, failed, target, met, finished;                     /* of the new one */
  bool complete_new, failed_new, target_new, met_new, finished_new; /* they changed */
} job_change;

static bool changed(const job_change *c, const char *key) {
  const val *n = val_getc(c->now, key), *w = val_getc(c->was, key);
  return n != w && !(n && w && val_equal(n, w)) &&
         !(val_is_empty(n) && val_is_empty(w) && !val_is_int(n) && !val_is_int(w));
}

static void conditions_refuse(job_change *c, const char *why) {
  path at = path_child(&c->status, "conditions");
  field_errors *e = c->v->errs;
  field_error_add(e, FIELD_INVALID, path_text(e->a, &at),
                  arena_printf(e->a, "Invalid value: %s", why));
}

static void uncounted_check(job_change *c) {
  static const char *const lists[] = {"succeeded", "failed"};
  field_errors *e = c->v->errs;
  const val *pods = val_getc(c->now, "uncountedTerminatedPods");
  path at = path_child(&c->status, "uncountedTerminatedPods");
  val *seen = val_map(e->a);
  for (size_t k = 0; k < 2; k++) {
    const val *list = val_getc(pods, lists[k]);
    path p = path_child(&at, lists[k]);
    EACH_ITEM(i, list) {
      slice uid = val_str(val_at(list, i));
      path item = path_index(&p, i);
      if (!uid.len)
        refuse_str(e, &item, NULL, uid, "must not be empty");
      else if (val_get(seen, uid))
        field_duplicate(e, &item, val_string(e->a, uid));
      else
        val_set(e->a, seen, uid, val_null(e->a));
    }
  }
}

static void times_check(job_change *c) {
  field_errors *e = c->v->errs;
  const val *end = val_getc(c->now, "completionTime"), *start = val_getc(c->now, "startTime");
  bool end_new = c->complete_new || changed(c, "completionTime");
  int64_t s = 0, t = 0;
  int32_t ns;
  if (end_new && end && !c->complete)
    refuse(e, &c->status, "completionTime", end,
           "cannot set completionTime when there is no Complete=True condition");
  if (end_new && !end && c->complete)
    require(e, &c->status, "completionTime", "completionTime is required for Complete jobs");
  if (!(changed(c, "startTime") || changed(c, "completionTime")) || !start || !end) return;
  if (time_parse(val_str(start), &s, &ns) && time_parse(val_str(end), &t, &ns) && t < s) {
    refuse(e, &c->status, "completionTime", end, "must be equal to or after `startTime`");
  }
}

static void indexes_check(job_change *c) {
  field_errors *e = c->v->errs;
  const val *spec = val_getc(c->v->obj, "spec"), *n = val_getc(spec, "completions"),
            *failed = val_getc(c->now, "failedIndexes");
  slice done = val_get_str(c->now, "completedIndexes"), why;
  bool done_new = changed(c, "completedIndexes"), failed_new = changed(c, "failedIndexes");
  bool indexed = slice_is(val_get_str(spec, "completionMode"), "Indexed"),
       limited = val_getc(spec, "backoffLimitPerIndex");
  path at = path_child(&c->status, "completedIndexes"),
       at_failed = path_child(&c->status, "failedIndexes");
  if (done_new && n && job_indexes(e->a, done, val_i64(n), &why) < 0) {
    field_invalid_str(e, &at, done, "error parsing completedIndexes: %.*s", SLICE_ARG(why));
  }
  if (failed_new && n && limited && failed &&
      job_indexes(e->a, val_str(failed), val_i64(n), &why) < 0) {
    field_invalid(e, &at_failed, failed, "error parsing failedIndexes: %.*s", SLICE_ARG(why));
  }
  if (done_new && done.len && !indexed)
    refuse_str(e, &at, NULL, done,
               "cannot set non-empty completedIndexes when non-indexed completion mode");
  if (failed_new && !limited && failed)
    refuse(e, &at_failed, NULL, failed,
           "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
}

static void finished_check(job_change *c) {
  field_errors *e = c->v->errs;
  const val *pods = val_getc(c->now, "uncountedTerminatedPods"),
            *spec = val_getc(c->v->obj, "spec");
  const val *completions = val_getc(spec, "completions");
  bool empty_suspended =
      val_true(val_getc(spec, "suspend")) && completions && val_i64(completions) == 0;
  int64_t active = val_i64(val_getc(c->now, "active"));
  if ((c->finished_new || changed(c, "active")) && active > 0 && c->finished) {
    refuse_int(e, &c->status, "active", active, "active>0 is invalid for finished job");
  }
  if ((c->finished_new || changed(c, "startTime")) && !empty_suspended && c->finished &&
      !val_getc(c->now, "startTime")) {
    require(e, &c->status, "startTime", "startTime is required for finished job");
  }
  if ((c->finished_new || changed(c, "uncountedTerminatedPods")) && c->finished &&
      val_len(val_getc(pods, "failed")) + val_len(val_getc(pods, "succeeded"))) {
    refuse_go(e, &c->status, "uncountedTerminatedPods", "UncountedTerminatedPods", pods,
              "must be empty for finished job");
  }
}

static void validate_now(job_change *c) {
  field_errors *e = c->v->errs;
  int64_t active = val_i64(val_getc(c->now, "active")), ready = val_i64(val_getc(c->now, "ready"));
  nonnegative_all(e, &c->status, c->now,
                  CHOICES("active", "succeeded", "failed", "ready", "terminating"));
  uncounted_check(c);
  if ((c->complete_new || c->failed_new) && c->complete && c->failed)
    conditions_refuse(c, "cannot set Complete=True and Failed=true conditions");
  if ((c->complete_new || c->target_new) && c->complete && c->target) {
    conditions_refuse(c, "cannot set Complete=True and FailureTarget=true conditions");
  }
  times_check(c);
  if ((c->failed_new || changed(c, "failedIndexes")) && c->failed && !c->target) {
    conditions_refuse(c,
                      "cannot set Failed=True condition without the FailureTarget=true condition");
  }
  if ((c->complete_new || c->met_new) && c->complete && !c->met) {
    conditions_refuse(
        c, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  finished_check(c);
  indexes_check(c);
  const val *ending = val_getc(c->now, "terminating");
  if ((c->finished_new || changed(c, "terminating")) && val_i64(ending) > 0 && c->finished) {
    refuse(e, &c->status, "terminating", ending, "terminating>0 is invalid for finished job");
  }
  if ((changed(c, "ready") || changed(c, "active")) && val_getc(c->now, "ready") &&
      ready > active) {
    refuse_int(e, &c->status, "ready", ready, "cannot set more ready pods than active");
  }
  if (c->met && c->failed)
    conditions_refuse(c, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
  if (c->met && c->target)
    conditions_refuse(c, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  if (val_path(c->v->obj, "spec.successPolicy") && !c->met && c->complete) {
    conditions_refuse(
        c, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
  }
}

static void validate_change(job_change *c) {
  static const char *const terminal[] = {"Failed", "Complete", "FailureTarget"};
  field_errors *e = c->v->errs;
  const val *obj = c->v->obj, *old = c->v->old, *spec = val_getc(obj, "spec");
  const val *n = val_getc(spec, "completions"), *k = val_getc(spec, "parallelism");
  int64_t failed = val_i64(val_getc(c->now, "failed")),
          done = val_i64(val_getc(c->now, "succeeded"));
  bool indexed = slice_is(val_get_str(spec, "completionMode"), "Indexed"),
       equal = n && k && val_i64(n) == val_i64(k);
  for (size_t i = 0; i < 3; i++) {
    if (!job_condition(old, terminal[i]) || job_condition(obj, terminal[i])) continue;
    conditions_refuse(
        c, arena_printf(e->a, "cannot disable the terminal %s=True condition", terminal[i]).ptr);
  }
  if (failed < val_i64(val_getc(c->was, "failed")))
    refuse_int(e, &c->status, "failed", failed, "cannot decrease the failed counter");
  if ((!indexed || !equal) && done < val_i64(val_getc(c->was, "succeeded"))) {
    refuse_int(e, &c->status, "succeeded", done, "cannot decrease the succeeded counter");
  }
  const val *end = val_getc(c->now, "completionTime"), *start = val_getc(c->now, "startTime");
  if (end && val_getc(c->was, "completionTime") && changed(c, "completionTime"))
    refuse(e, &c->status, "completionTime", end, "field is immutable");
  if (val_getc(c->was, "startTime") && changed(c, "startTime") &&
      !val_true(val_getc(spec, "suspend")) && !job_condition(old, "Suspended")) {
    refuse(e, &c->status, "startTime", start, "field is immutable for unsuspended job once set");
  }
  bool was_met = job_condition(old, "SuccessCriteriaMet");
  if (was_met && !c->met)
    conditions_refuse(c, "cannot disable the SuccessCriteriaMet=True condition");
  if (job_condition(old, "Complete") && !was_met && c->met) {
    conditions_refuse(
        c, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
  }
}

void job_status_validate(const validate_args *v) {
  job_change c = {.v = v,
                  .status = path_root("status"),
                  .now = val_getc(v->obj, "status"),
                  .was = val_getc(v->old, "status")};
  c.complete = job_condition(v->obj, "Complete");
  c.failed = job_condition(v->obj, "Failed");
  c.target = job_condition(v->obj, "FailureTarget");
  c.met = job_condition(v->obj, "SuccessCriteriaMet");
  c.finished = c.complete || c.failed;
  c.complete_new = c.complete != job_condition(v->old, "Complete");
  c.failed_new = c.failed != job_condition(v->old, "Failed");
  c.target_new = c.target != job_condition(v->old, "FailureTarget");
  c.met_new = c.met != job_condition(v->old, "SuccessCriteriaMet");
  c.finished_new =
      c.finished != (job_condition(v->old, "Complete") || job_condition(v->old, "Failed"));
  core_meta_update(v->errs, v->obj, v->old);
  validate_now(&c);
  validate_change(&c);
}
