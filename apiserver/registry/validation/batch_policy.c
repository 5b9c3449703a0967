/* Pod failure and success policies of Jobs. */
#include "registry/validation/batch.h"

#include "base/quote.h"

/* Invalid without a value. */
static void refuse_whole(field_errors *e, const path *p, const char *why) {
  field_error_add(e, FIELD_INVALID, path_text(e->a, p),
                  arena_printf(e->a, "Invalid value: %s", why));
}

static const char *const exit_operators[] = {"In", "NotIn", NULL};
static const char *const actions[] = {"Count", "FailIndex", "FailJob", "Ignore", NULL};
static const char *const statuses[] = {"False", "True", "Unknown", NULL};

static void exit_values_check(field_errors *e, const path *p, const val *values, bool in) {
  val *seen = val_map(e->a);
  bool ordered = true;
  if (!val_len(values))
    refuse(e, p, NULL, values, "at least one value is required");
  else if (val_len(values) > 255)
    field_too_many(e, p, val_len(values), 255);
  EACH_ITEM(i, values) {
    int64_t n = val_i64(val_at(values, i));
    path at = path_index(p, i);
    slice key = arena_printf(e->a, "%lld", (long long)n);
    if (in && n == 0) refuse_int(e, &at, NULL, n, "must not be 0 for the In operator");
    if (val_get(seen, key)) field_duplicate(e, &at, val_at(values, i));
    val_set(e->a, seen, key, val_null(e->a));
    if (i && val_i64(val_at(values, i - 1)) > n) ordered = false;
  }
  if (!ordered) refuse(e, p, NULL, values, "must be ordered");
}

static void exit_codes_check(field_errors *e, const path *p, const val *codes,
                             const val *containers) {
  slice op = val_get_str(codes, "operator"), name = val_get_str(codes, "containerName");
  path values = path_child(p, "values");
  if (!op.len)
    require(e, p, "operator", "valid values: [\"In\" \"NotIn\"]");
  else if (!one_of(op, exit_operators))
    unsupported(e, p, "operator", op, exit_operators);
  if (val_getc(codes, "containerName") && !val_get(containers, name)) {
    refuse_str(e, p, "containerName", name,
               "must be one of the container or initContainer names in the pod template");
  }
  exit_values_check(e, &values, val_getc(codes, "values"), slice_is(op, "In"));
}

static void patterns_check(field_errors *e, const path *p, const val *list) {
  if (val_len(list) > 20) field_too_many(e, p, val_len(list), 20);
  EACH_ITEM(i, list) {
    slice status = val_get_str(val_at(list, i), "status");
    path at = path_index(p, i);
    text_at(e, &at, val_at(list, i), "type", TEXT_LABEL_KEY);
    if (!status.len)
      require(e, &at, "status", "valid values: [\"False\" \"True\" \"Unknown\"]");
    else if (!one_of(status, statuses))
      unsupported(e, &at, "status", status, statuses);
  }
}

static void failure_rule_check(field_errors *e, const path *p, const val *spec, const val *rule,
                               const val *containers) {
  slice action = val_get_str(rule, "action");
  const val *codes = val_getc(rule, "onExitCodes"), *patterns = val_getc(rule, "onPodConditions");
  path at_codes = path_child(p, "onExitCodes"), at_patterns = path_child(p, "onPodConditions");
  if (!action.len)
    require(e, p, "action", "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
  else if (!one_of(action, actions))
    unsupported(e, p, "action", action, actions);
  else if (slice_is(action, "FailIndex") && !val_getc(spec, "backoffLimitPerIndex")) {
    refuse_str(e, p, "action", action, "requires the backoffLimitPerIndex to be set");
  }
  if (codes) exit_codes_check(e, &at_codes, codes, containers);
  if (val_len(patterns)) patterns_check(e, &at_patterns, patterns);
  if (codes && val_len(patterns))
    refuse_whole(e, p, "specifying both OnExitCodes and OnPodConditions is not supported");
  if (!codes && !val_len(patterns))
    refuse_whole(e, p, "specifying one of OnExitCodes and OnPodConditions is required");
}

static void failure_check(field_errors *e, const path *p, const val *spec) {
  const val *rules = val_path(spec, "podFailurePolicy.rules");
  path list = path_child(p, "rules");
  val *names = val_map(e->a);
  for (int k = 0; k < 2; k++) {
    const val *containers =
        val_path(spec, k ? "template.spec.initContainers" : "template.spec.containers");
    EACH_ITEM(i, containers)
    val_set(e->a, names, val_get_str(val_at(containers, i), "name"), val_null(e->a));
  }
  if (val_len(rules) > 20) field_too_many(e, &list, val_len(rules), 20);
  EACH_ITEM(i, rules) {
    path at = path_index(&list, i);
    failure_rule_check(e, &at, spec, val_at(rules, i), names);
  }
}

/* Go's Atoi; the words name the text. */
static bool index_number(arena *a, slice s, int64_t completions, long long *out, slice *why) {
  if (!slice_to_i64_go(s, out)) {
    slice shown = go_quote(a, s);
    *why = arena_printf(a, "cannot convert string to integer for index: %.*s", SLICE_ARG(shown));
    return false;
  }
  if (*out < completions) return true;
  *why = arena_printf(a, "too large index: \"%.*s\"", SLICE_ARG(s));
  return false;
}

int64_t job_indexes(arena *a, slice text, int64_t completions, slice *why) {
  int64_t total = 0;
  long long last = -1, x, y;
  slice item, low, high;
  for (bool more = text.len > 0; more;) {
    more = slice_cut(text, ',', &item, &text);
    bool interval = slice_cut(item, '-', &low, &high);
    if (interval && slice_find_char(high, '-') >= 0) {
      *why = arena_printf(a,
                          "the fragment \"%.*s\" violates the requirement that an index interval "
                          "can have at most two parts separated by '-'",
                          SLICE_ARG(item));
      return -1;
    }
    if (!index_number(a, low, completions, &x, why)) return -1;
    y = x;
    if (interval && !index_number(a, high, completions, &y, why)) return -1;
    if (interval && x >= y) {
      *why = arena_printf(a, "non-increasing order, previous: %lld, current: %lld", x, y);
      return -1;
    }
    if (total && last >= x) {
      *why = arena_printf(a, "non-increasing order, previous: %lld, current: %lld", last, x);
      return -1;
    }
    total += y - x + 1;
    last = y;
  }
  return total;
}

static void success_rule_check(field_errors *e, const path *p, const val *spec, const val *rule) {
  const val *count = val_getc(rule, "succeededCount"),
            *indexes = val_getc(rule, "succeededIndexes");
  long long completions = val_i64(val_getc(spec, "completions")), n = val_i64(count), total = 0;
  path at = path_child(p, "succeededIndexes"), at_count = path_child(p, "succeededCount");
  if (!count && !indexes)
    require(e, p, NULL, "at least one of succeededCount or succeededIndexes must be specified");
  if (indexes) {
    slice why;
    total = job_indexes(e->a, val_str(indexes), completions, &why);
    if (val_str(indexes).len > 65536) field_too_long(e, &at, 65536);
    if (total < 0)
      field_invalid(e, &at, indexes, "error parsing succeededIndexes: %.*s", SLICE_ARG(why));
    if (total < 0) total = 0;
  }
  if (!count) return;
  nonnegative_check(e, &at_count, n);
  if (n > completions)
    field_invalid_int(e, &at_count, n,
                      "must be less than or equal to %lld (the number of specified completions)",
                      completions);
  if (indexes && n > total) {
    field_invalid_int(e, &at_count, n,
                      "must be less than or equal to %lld (the number of indexes in the specified "
                      "succeededIndexes field)",
                      total);
  }
}

static void success_check(field_errors *e, const path *p, const val *spec) {
  const val *policy = val_getc(spec, "successPolicy"), *rules = val_getc(policy, "rules");
  path list = path_child(p, "rules");
  if (!slice_is(val_get_str(spec, "completionMode"), "Indexed")) {
    refuse_go(e, p, NULL, "SuccessPolicy", policy, "requires indexed completion mode");
    return;
  }
  if (!val_len(rules))
    require(e, &list, NULL,
            "at least one rules must be specified when the successPolicy is specified");
  if (val_len(rules) > 20) field_too_many(e, &list, val_len(rules), 20);
  /* The real server stops working on a success policy without completions. */
  for (uint32_t i = 0; val_getc(spec, "completions") && i < val_len(rules); i++) {
    path at = path_index(&list, i);
    success_rule_check(e, &at, spec, val_at(rules, i));
  }
}

void job_policies_validate(field_errors *e, const path *p, const val *spec) {
  const val *failure = val_getc(spec, "podFailurePolicy"),
            *replacement = val_getc(spec, "podReplacementPolicy");
  path at_failure = path_child(p, "podFailurePolicy"), at_success = path_child(p, "successPolicy");
  if (failure) failure_check(e, &at_failure, spec);
  if (val_getc(spec, "successPolicy")) success_check(e, &at_success, spec);
  if (!replacement) return;
  const char *const *choices =
      failure ? CHOICES("Failed") : CHOICES("Failed", "TerminatingOrFailed");
  if (!one_of(val_str(replacement), choices))
    unsupported(e, p, "podReplacementPolicy", val_str(replacement), choices);
}
