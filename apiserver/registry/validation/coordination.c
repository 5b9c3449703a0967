/* Leases, their candidates, and RuntimeClasses. Source: pkg/apis/{coordination,node}/validation. */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/rows.h"

#include "base/ascii.h"

static const char *const lease_strategies[] = {"OldestEmulationVersion", NULL};
static const char *const operators[] = {"Equal", "Exists", NULL};
static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};

static void lease_strategy_check(field_errors *errs, const path *p, slice name) {
  path at = path_child(p, "strategy");
  if (slice_find_char(name, '/') < 0)
    enum_check(errs, &at, name, lease_strategies);
  else
    text_check(errs, &at, TEXT_LABEL_KEY, name);
}

void validate_lease(const validate_args *v) {
  path spec = path_root("spec"), seconds = path_child(&spec, "leaseDurationSeconds"),
       moves = path_child(&spec, "leaseTransitions"), how = path_child(&spec, "strategy"),
       holder = path_child(&spec, "preferredHolder");
  const val *s = val_getc(v->obj, "spec"), *n = val_getc(s, "leaseDurationSeconds"),
            *m = val_getc(s, "leaseTransitions");
  const val *kind = val_getc(s, "strategy");
  if (v->old)
    meta_change(v);
  else
    meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (n && val_i64(n) <= 0) field_invalid(v->errs, &seconds, n, "must be greater than 0");
  if (m && val_i64(m) < 0) field_invalid(v->errs, &moves, m, "must be greater than or equal to 0");
  if (kind) lease_strategy_check(v->errs, &how, val_str(kind));
  if (val_get_str(s, "preferredHolder").len && val_str(kind).len == 0) {
    field_forbidden(v->errs, &holder, "may only be specified if `strategy` is defined");
  }
}

/* ---- lease candidates ---- */

/* A number without a sign or leading zeros, taken off the text. */
static bool version_part(slice *rest, uint64_t *out) {
  size_t n = 0;
  while (n < rest->len && ascii_is_digit(rest->ptr[n])) n++;
  slice digits = slice_upto(*rest, n);
  *rest = slice_from(*rest, n);
  return n && (n == 1 || digits.ptr[0] != '0') && u64_parse(digits, out) == NULL;
}

/* Identifiers behind '-' or '+', dots between. */
static bool version_words(slice text, bool numbers_plain) {
  slice word;
  for (bool more = true; more;) {
    more = slice_cut(text, '.', &word, &text);
    bool digits = word.len > 0;
    for (size_t i = 0; i < word.len; i++) {
      char c = word.ptr[i];
      if (!ascii_is_alnum(c) && c != '-') return false;
      digits = digits && ascii_is_digit(c);
    }
    if (word.len == 0) return false;
    if (numbers_plain && digits && word.len > 1 && word.ptr[0] == '0') return false;
  }
  return true;
}

/* A semantic version. What stands behind '-' makes it older than the same without; two of those
 * are not told apart further. */
static bool version_parse(slice text, uint64_t out[4]) {
  slice rest = text, build, before;
  for (int i = 0; i < 3; i++) {
    if (i && (rest.len == 0 || rest.ptr[0] != '.')) return false;
    if (i) rest = slice_from(rest, 1);
    if (!version_part(&rest, &out[i])) return false;
  }
  out[3] = 1;
  if (slice_cut(rest, '+', &before, &build) && !version_words(build, false)) return false;
  if (before.len == 0) return true;
  out[3] = 0;
  return before.ptr[0] == '-' && version_words(slice_from(before, 1), true);
}

static bool version_below(const uint64_t a[4], const uint64_t b[4]) {
  for (int i = 0; i < 4; i++) if (a[i] != b[i]) return a[i] < b[i];
  return false;
}

/* Not empty; false and zeros where it is none. */
static bool version_check(field_errors *errs, const path *p, slice text, uint64_t out[4]) {
  if (version_parse(text, out)) return true;
  memset(out, 0, 4 * sizeof *out);
  field_invalid_str(errs, p, text, "must be a valid semantic version");
  return false;
}

static void candidate_versions_check(field_errors *errs, const path *spec, const val *s) {
  path emulation = path_child(spec, "emulationVersion"), binary = path_child(spec, "binaryVersion"),
       mode = path_child(spec, "strategy");
  slice e = val_get_str(s, "emulationVersion"), b = val_get_str(s, "binaryVersion"),
        how = val_get_str(s, "strategy");
  uint64_t ev[4] = {0}, bv[4] = {0};
  bool emulates = e.len && version_check(errs, &emulation, e, ev);
  if (required_str(errs, &binary, b)) version_check(errs, &binary, b, bv);
  if (e.len && b.len && version_below(bv, ev)) {
    field_invalid_str(errs, &binary, b, "must be greater than or equal to `emulationVersion`");
  }
  if (!required_str(errs, &mode, how)) return;
  bool zero = !emulates || (!ev[0] && !ev[1] && !ev[2]);
  if (slice_is(how, "OldestEmulationVersion") && zero) {
    field_required(errs, &emulation,
                   "must be specified when `strategy` is 'OldestEmulationVersion'");
  }
  lease_strategy_check(errs, &mode, how);
}

void validate_lease_candidate(const validate_args *v) {
  path spec = path_root("spec"), lease = path_child(&spec, "leaseName");
  const val *s = val_getc(v->obj, "spec");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_CONFIG_MAP_KEY);
  required_str(v->errs, &lease, val_get_str(s, "leaseName"));
  candidate_versions_check(v->errs, &spec, s);
  if (!v->old) return;
  immutable_str_check(v->errs, &lease, val_get_str(s, "leaseName"),
                      val_str(val_path(v->old, "spec.leaseName")));
}

/* The gate of coordinated leader election is closed: its two fields go, unless they were there. */
void lease_prepare(request *rq, val *obj, const val *old) {
  static const char *const gated[] = {"strategy", "preferredHolder"};
  (void)rq;
  for (size_t i = 0; i < 2; i++) {
    if (!val_getc(val_getc(old, "spec"), gated[i])) val_delc(val_getc(obj, "spec"), gated[i]);
  }
}

static void toleration_value_check(field_errors *errs, const path *p, const val *t) {
  path op = path_child(p, "operator");
  slice o = val_get_str(t, "operator"), value = val_get_str(t, "value");
  if (slice_is(o, "Exists")) {
    if (value.len)
      field_invalid_str(errs, &op, value, "value must be empty when `operator` is 'Exists'");
  } else if (o.len == 0 || slice_is(o, "Equal")) {
    slice all = text_problems_joined(errs->a, TEXT_LABEL_VALUE, value, ";");
    if (all.len) field_invalid_str(errs, &op, value, "%.*s", SLICE_ARG(all));
  } else {
    static const char *const all[] = {"Equal", "Exists", "Lt", "Gt", NULL};
    bool compares = slice_is(o, "Lt") || slice_is(o, "Gt");
    field_not_supported(errs, &op, val_string(errs->a, o), compares ? all : operators);
  }
}

static void toleration_check(field_errors *errs, const path *p, const val *t) {
  path key = path_child(p, "key"), op = path_child(p, "operator"), effect = path_child(p, "effect");
  slice k = val_get_str(t, "key"), o = val_get_str(t, "operator"), e = val_get_str(t, "effect");
  if (k.len)
    text_check(errs, &key, TEXT_LABEL_KEY, k);
  else if (!slice_is(o, "Exists")) {
    field_invalid_str(errs, &op, o.ptr ? o : SLICE_LIT(""),
                      "operator must be Exists when `key` is empty, which means \"match all values "
                      "and all keys\"");
  }
  if (val_getc(t, "tolerationSeconds") && !slice_is(e, "NoExecute")) {
    field_invalid_str(errs, &effect, e.ptr ? e : SLICE_LIT(""),
                      "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  toleration_value_check(errs, p, t);
  if (e.len) enum_check(errs, &effect, e, effects);
}

static void tolerations_check(const validate_args *v, const path *p, const val *list) {
  static const char *const parts[] = {"key", "operator", "value", "effect"};
  val *seen = val_map(v->errs->a);
  const type_info *type = field_type(v, "scheduling.tolerations");
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    toleration_check(v->errs, &at, val_at(list, i));
  }
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(p, i);
    slice key = SLICE_LIT("");
    for (size_t k = 0; k < 4; k++) {
      slice part = val_get_str(val_at(list, i), parts[k]);
      key = arena_printf(v->errs->a, "%.*s|%.*s", SLICE_ARG(key), SLICE_ARG(part));
    }
    if (seen_before(v->errs->a, seen, key))
      field_duplicate_struct(v->errs, &at, val_at(list, i), type ? type->elem : NULL);
  }
}

/* What a pod costs beside its containers, checked as a container's limits. */
static void overhead_check(const validate_args *v) {
  path p = path_root("overhead");
  val *limits = val_path(v->obj, "overhead.podFixed"), *resources = val_map(v->errs->a);
  if (!limits) return;
  val_setc(v->errs->a, resources, "limits", limits);
  resource_requirements_validate(v->errs, &p, resources, false, NULL);
}

void validate_runtime_class(const validate_args *v) {
  path handler = path_root("handler"), root = path_root("scheduling"),
       selector = path_child(&root, "nodeSelector"), tolerations = path_child(&root, "tolerations");
  const val *scheduling = val_getc(v->obj, "scheduling");
  slice name = val_get_str(v->obj, "handler");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (required_str(v->errs, &handler, name))
    text_check(v->errs, &handler, TEXT_DNS1123_LABEL, name);
  overhead_check(v);
  labels_validate(v->errs, &selector, val_getc(scheduling, "nodeSelector"));
  tolerations_check(v, &tolerations, val_getc(scheduling, "tolerations"));
  if (!v->old) return;
  meta_change(v);
  immutable_str_check(v->errs, &handler, name, val_get_str(v->old, "handler"));
}

void runtime_class_warn(request *rq, val *obj, const val *old) {
  path root = path_root("scheduling"), selector = path_child(&root, "nodeSelector");
  (void)old;
  VAL_EACH(e, val_path(obj, "scheduling.nodeSelector")) {
    const char *why = node_label_deprecated(e->key);
    if (why) warn_at(rq, &selector, "%s", why);
  }
}
