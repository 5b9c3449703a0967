/* Priority: the number behind a pod's priority class, and one default class at most.
 * Source: plugin/pkg/admission/priority. */
#include "admission/plugin.h"

#include "registry/object.h"

static bool lowest_default(void *ctx, val *class) {
  const val **best = ctx;
  if (!val_true(val_getc(class, "globalDefault"))) return true;
  if (!*best || val_i64(val_getc(*best, "value")) > val_i64(val_getc(class, "value"))) {
    *best = class;
  }
  return true;
}

static const val *default_class(const admission_args *args) {
  const val *best = NULL;
  plugin_each(args, "scheduling.k8s.io", "v1", "priorityclasses", SLICE_NONE,
              SLICE_LIT("\"globalDefault\":true"), lowest_default, &best);
  return best;
}

static bool pod_set(const admission_args *args, const val *class) {
  arena *a = args->rq->arena;
  val *spec = val_ensure_map(a, args->obj, "spec");
  int64_t priority = val_i64(val_getc(class, "value"));
  const val *given = val_getc(spec, "priority"), *policy = val_getc(spec, "preemptionPolicy");
  slice wanted = class ? val_get_str(class, "preemptionPolicy") : SLICE_LIT("PreemptLowerPriority");
  if (given && val_i64(given) != priority) {
    return plugin_forbid(args,
                         "the integer value of priority (%lld) must not be provided in pod spec; "
                         "priority admission controller computed %lld from the given "
                         "PriorityClass name",
                         (long long)val_i64(given), (long long)priority);
  }
  val_setc(a, spec, "priority", val_int(a, priority));
  if (class) val_setc(a, spec, "priorityClassName", val_string(a, object_name(class)));
  if (!wanted.len) return true;
  if (policy && !slice_eq(val_str(policy), wanted)) {
    slice have = val_str(policy);
    return plugin_forbid(args,
                         "the string value of PreemptionPolicy (%.*s) must not be provided in pod "
                         "spec; priority admission controller computed %.*s from the given "
                         "PriorityClass name",
                         SLICE_ARG(have), SLICE_ARG(wanted));
  }
  val_setc(a, spec, "preemptionPolicy", val_string(a, wanted));
  return true;
}

bool priority_mutate(const admission_args *args) {
  if (!plugin_is(args, "", "pods")) return true;
  arena *a = args->rq->arena;
  if (args->op == ADMIT_UPDATE) {
    static const char *const kept[] = {"priority", "preemptionPolicy"};
    val *spec = val_ensure_map(a, args->obj, "spec");
    for (int i = 0; i < 2; i++) {
      const val *old = val_getc(val_getc(args->old, "spec"), kept[i]);
      if (old && !val_getc(spec, kept[i])) val_setc(a, spec, kept[i], val_copy(a, old));
    }
    return true;
  }
  slice name = val_str(val_path(args->obj, "spec.priorityClassName"));
  if (!name.len) return pod_set(args, default_class(args));
  const val *class =
      plugin_get(args, "scheduling.k8s.io", "v1", "priorityclasses", SLICE_NONE, name);
  if (!class) {
    return plugin_forbid(args, "no PriorityClass with name %.*s was found", SLICE_ARG(name));
  }
  return pod_set(args, class);
}

bool priority_validate(const admission_args *args) {
  if (!plugin_is(args, "scheduling.k8s.io", "priorityclasses")) return true;
  if (!val_true(val_getc(args->obj, "globalDefault"))) return true;
  const val *other = default_class(args);
  if (!other) return true;
  slice name = object_name(other);
  if (args->op == ADMIT_UPDATE && slice_eq(name, object_name(args->obj))) return true;
  return plugin_forbid(args,
                       "PriorityClass %.*s is already marked as default. Only one default can "
                       "exist",
                       SLICE_ARG(name));
}
