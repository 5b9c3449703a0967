/* Events, strict for events.k8s.io and lenient for the core group. Source:
 * pkg/apis/core/validation/events.go. */
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#define TEXT_MAX 128
#define NOTE_MAX 1024

static void empty_invalid(field_errors *errs, const char *field, const char *detail) {
  path p = path_root(field);
  field_invalid_str(errs, &p, SLICE_LIT(""), "%s", detail);
}

static void length_check(field_errors *errs, const char *field, slice text, bool required,
                         size_t max) {
  path p = path_root(field);
  if (required) required_str(errs, &p, text);
  if (text.len > max)
    field_invalid_str(errs, &p, SLICE_LIT(""), "can have at most %zu characters", max);
}

static void namespace_check(const validate_args *v, bool timed) {
  path object = path_root("involvedObject"), at = path_child(&object, "namespace");
  slice own = val_str(val_path(v->obj, "metadata.namespace")),
        its = val_str(val_path(v->obj, "involvedObject.namespace"));
  bool fine = timed ? its.len > 0 || slice_is(own, "default") || slice_is(own, "kube-system")
              : its.len == 0 ? own.len == 0 || slice_is(own, "default")
                             : slice_eq(own, its);
  if (!fine)
    field_invalid_str(v->errs, &at, its.ptr ? its : SLICE_LIT(""),
                      "does not match event.namespace");
}

static void lenient_check(const validate_args *v, bool core) {
  const val *o = v->obj;
  bool timed = val_get_str(o, "eventTime").len > 0;
  path reporter = path_root(core ? "reportingComponent" : "reportingController"),
       namespace = path_root("namespace");
  namespace_check(v, timed);
  if (timed) {
    slice controller = val_get_str(o, "reportingComponent");
    required_str(v->errs, &reporter, controller);
    text_check(v->errs, &reporter, TEXT_LABEL_KEY, controller);
    length_check(v->errs, "reportingInstance", val_get_str(o, "reportingInstance"), true, TEXT_MAX);
    length_check(v->errs, "action", val_get_str(o, "action"), true, TEXT_MAX);
    length_check(v->errs, "reason", val_get_str(o, "reason"), true, TEXT_MAX);
    length_check(v->errs, "message", val_get_str(o, "message"), false, NOTE_MAX);
  }
  text_check(v->errs, &namespace, TEXT_DNS1123_SUBDOMAIN,
             val_str(val_path(o, "metadata.namespace")));
}

static void series_check(const validate_args *v) {
  const val *series = val_getc(v->obj, "series");
  path time = path_root("series.lastObservedTime");
  if (!series) return;
  if (val_i64(val_getc(series, "count")) < 2)
    empty_invalid(v->errs, "series.count", "should be at least 2");
  required_str(v->errs, &time, val_get_str(series, "lastObservedTime"));
}

static void strict_create_check(const validate_args *v) {
  const val *o = v->obj;
  path time = path_root("eventTime");
  slice type = val_get_str(o, "type");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  series_check(v);
  required_str(v->errs, &time, val_get_str(o, "eventTime"));
  if (!slice_is(type, "Normal") && !slice_is(type, "Warning")) {
    slice why = arena_printf(v->errs->a, "has invalid value: %.*s", SLICE_ARG(type));
    path p = path_root("type");
    field_invalid_str(v->errs, &p, SLICE_LIT(""), "%.*s", SLICE_ARG(why));
  }
  if (val_get_str(o, "firstTimestamp").len)
    empty_invalid(v->errs, "firstTimestamp", "needs to be unset");
  if (val_get_str(o, "lastTimestamp").len)
    empty_invalid(v->errs, "lastTimestamp", "needs to be unset");
  if (val_i64(val_getc(o, "count"))) empty_invalid(v->errs, "count", "needs to be unset");
  const val *source = val_getc(o, "source");
  if (val_get_str(source, "component").len + val_get_str(source, "host").len)
    empty_invalid(v->errs, "source", "needs to be unset");
}

/* What an update may not touch, in order; reason is asked twice. */
static const struct {
  const char *field, *shown;
  enum { FROZEN_STRING, FROZEN_STRUCT, FROZEN_POINTER, FROZEN_TIME, FROZEN_INT } kind;
} frozen[] = {
    {"involvedObject", NULL, FROZEN_STRUCT},
    {"reason", NULL, FROZEN_STRING},
    {"message", NULL, FROZEN_STRING},
    {"source", NULL, FROZEN_STRUCT},
    {"firstTimestamp", NULL, FROZEN_TIME},
    {"lastTimestamp", NULL, FROZEN_TIME},
    {"count", NULL, FROZEN_INT},
    {"reason", NULL, FROZEN_STRING},
    {"type", NULL, FROZEN_STRING},
    {"eventTime", NULL, FROZEN_TIME},
    {"action", NULL, FROZEN_STRING},
    {"related", NULL, FROZEN_POINTER},
    {"reportingComponent", "reportingController", FROZEN_STRING},
    {"reportingInstance", NULL, FROZEN_STRING},
};

static void strict_update_check(const validate_args *v) {
  meta_change(v);
  if (!val_same(val_getc(v->obj, "series"), val_getc(v->old, "series"))) series_check(v);
  for (size_t i = 0; i < sizeof frozen / sizeof *frozen; i++) {
    const char *f = frozen[i].field;
    const val *now = val_getc(v->obj, f), *was = val_getc(v->old, f);
    path p = path_root(frozen[i].shown ? frozen[i].shown : f);
    switch (frozen[i].kind) {
      case FROZEN_STRING: immutable_str_check(v->errs, &p, val_str(now), val_str(was)); break;
      case FROZEN_STRUCT:
        now = struct_shown(v->errs->a, v->obj, f);
        immutable_struct_check(v->errs, &p, now, was, field_type(v, f));
        break;
      case FROZEN_POINTER: immutable_struct_check(v->errs, &p, now, was, field_type(v, f)); break;
      case FROZEN_TIME: immutable_check(v->errs, &p, now, was); break;
      case FROZEN_INT:
        if (val_i64(now) != val_i64(was))
          field_invalid_int(v->errs, &p, val_i64(now), "field is immutable");
    }
  }
}

void validate_event(const validate_args *v) {
  bool core = v->resource->group.len == 0;
  lenient_check(v, core);
  if (core) return;
  if (v->old)
    strict_update_check(v);
  else
    strict_create_check(v);
}
