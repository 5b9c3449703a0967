/* What a device's capacity may be asked for: requestPolicy. Source:
 * pkg/apis/resource/validation/validation.go. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"

#include "codec/codec.h"

#define VALUES_MAX 10

typedef struct policy_check {
  field_errors *e;
  slice most; /* the capacity */
  slice usual; /* the default */
} policy_check;

/* Two are the same when their whole numbers are. */
static void whole_once_check(field_errors *e, const path *p, const val *values) {
  val *seen = val_map(e->a);
  for (uint32_t i = 0; i < val_len(values); i++) {
    int64_t n = quantity_value(val_str(val_at(values, i)));
    slice key = arena_printf(e->a, "%lld", (long long)n);
    path at = path_index(p, i);
    if (val_get(seen, key)) field_duplicate(e, &at, val_string(e->a, key));
    val_set(e->a, seen, key, val_null(e->a));
  }
}

static void values_check(const policy_check *c, const path *p, const val *values) {
  bool found = false, few = val_len(values) <= VALUES_MAX;
  for (uint32_t i = 0; i + 1 < val_len(values); i++) {
    slice next = val_str(val_at(values, i + 1));
    path at = path_index(p, i + 1);
    if (quantity_cmp(val_str(val_at(values, i)), next) > 0)
      field_invalid_str(c->e, &at, next, "values must be sorted in ascending order");
  }
  if (!few) field_too_many(c->e, p, val_len(values), VALUES_MAX);
  for (uint32_t i = 0; few && i < val_len(values); i++) {
    slice value = val_str(val_at(values, i));
    path at = path_index(p, i);
    if (quantity_cmp(value, c->most) > 0)
      field_invalid_str(c->e, &at, value, "option is larger than capacity value: %.*s",
                        SLICE_ARG(c->most));
    found = found || quantity_cmp(value, c->usual) == 0;
  }
  if (few) whole_once_check(c->e, p, values);
  if (!found)
    field_invalid_str(c->e, p, c->usual, "default value is not valid according to the requestPolicy");
}

/* A step of 0 ends the real server's handler; here nothing is said of it. */
static void multiple_check(const policy_check *c, const path *p, slice value, slice min,
                           slice step) {
  int64_t by = quantity_value(step);
  if (by == 0) return;
  int64_t away = (int64_t)((uint64_t)quantity_value(value) - (uint64_t)quantity_value(min));
  if (by == -1 || away % by == 0) return;
  field_invalid_str(c->e, p, value, "value is not a multiple of a given step (%.*s) from (%.*s)",
                    SLICE_ARG(step), SLICE_ARG(min));
}

static void step_check(const policy_check *c, const path *range, const val *v, slice min) {
  const val *step = val_getc(v, "step"), *max = val_getc(v, "max");
  path at = path_child(range, "step");
  if (!step) return;
  slice once = quantity_add(c->e->a, min, val_str(step));
  if (quantity_cmp(once, c->most) > 0)
    field_invalid_str(c->e, &at, val_str(step), "one step %.*s is larger than capacity value: %.*s",
                      SLICE_ARG(once), SLICE_ARG(c->most));
  multiple_check(c, &at, c->usual, min, val_str(step));
  if (max) multiple_check(c, &at, val_str(max), min, val_str(step));
}

static void range_limits_check(const policy_check *c, const path *p, const val *v) {
  path at_min = path_child(p, "min"), at_max = path_child(p, "max");
  const val *min_given = val_getc(v, "min"), *max_given = val_getc(v, "max");
  slice min = val_str(min_given), max = val_str(max_given), most = c->most;
  if (!min_given) {
    field_required(c->e, &at_min, "required when validRange is defined");
    return;
  }
  if (quantity_cmp(min, most) > 0)
    field_invalid_str(c->e, &at_min, min, "min is larger than capacity value: %.*s",
                      SLICE_ARG(most));
  if (quantity_cmp(c->usual, min) < 0)
    field_invalid_str(c->e, &at_min, c->usual, "default is less than min: %.*s", SLICE_ARG(min));
  if (max_given) {
    if (quantity_cmp(min, max) > 0)
      field_invalid_str(c->e, &at_max, min, "min is larger than max: %.*s", SLICE_ARG(max));
    if (quantity_cmp(max, most) > 0)
      field_invalid_str(c->e, &at_max, max, "max is larger than capacity value: %.*s",
                        SLICE_ARG(most));
    if (quantity_cmp(c->usual, max) > 0)
      field_invalid_str(c->e, &at_max, c->usual, "default is more than max: %.*s", SLICE_ARG(max));
  }
  step_check(c, p, v, min);
}

void request_policy_check(field_errors *e, const path *p, slice capacity, const val *policy) {
  const val *values = val_getc(policy, "validValues"), *range = val_getc(policy, "validRange"),
            *usual = val_getc(policy, "default");
  path at_default = path_child(p, "default"), at_values = path_child(p, "validValues"),
       at_range = path_child(p, "validRange");
  policy_check c = {.e = e, .most = capacity, .usual = val_str(usual)};
  bool listed = val_len(values) > 0, given = usual && !val_is_null(usual);
  if (listed && range) {
    field_forbidden(e, p, "exactly one policy can be specified, cannot specify \"validValues\" and "
                    "\"validRange\" at the same time");
  } else if (!listed && !range) {
    return;
  } else if (!given) {
    field_required(e, &at_default, "required when %s is defined",
                   listed ? "validValues" : "validRange");
  } else if (listed) {
    values_check(&c, &at_values, values);
  } else {
    range_limits_check(&c, &at_range, range);
  }
}
