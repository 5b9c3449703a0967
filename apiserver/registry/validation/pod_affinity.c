/* Where a pod may go: affinity, node selectors, tolerations and topology spread. */
#include "base/quote.h"
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"

static void node_requirement_check(field_errors *e, const path *p, const val *r,
                                   bool check_values) {
  slice op = val_get_str(r, "operator");
  const val *values = val_getc(r, "values");
  path list = path_child(p, "values");
  if (one_of(op, CHOICES("In", "NotIn"))) {
    if (!val_len(values))
      require(e, p, "values", "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (one_of(op, CHOICES("Exists", "DoesNotExist"))) {
    if (val_len(values))
      forbid(e, p, "values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (one_of(op, CHOICES("Gt", "Lt"))) {
    if (val_len(values) != 1)
      require(e, p, "values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    invalid_operator(e, p, op);
  }
  text_at(e, p, r, "key", TEXT_LABEL_KEY);
  for (uint32_t i = 0; check_values && i < val_len(values); i++) {
    path at = path_index(&list, i);
    text_check(e, &at, TEXT_LABEL_VALUE, val_str(val_at(values, i)));
  }
}

static void node_field_check(field_errors *e, const path *p, const val *r) {
  slice op = val_get_str(r, "operator"), key = val_get_str(r, "key");
  const val *values = val_getc(r, "values");
  path list = path_child(p, "values");
  if (!one_of(op, CHOICES("In", "NotIn"))) {
    invalid_operator(e, p, op);
  } else if (val_len(values) != 1) {
    require(e, p, "values",
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (!slice_is(key, "metadata.name")) {
    refuse_str(e, p, "key", key, "not a valid field selector key");
    return;
  }
  EACH_ITEM(i, values) {
    path at = path_index(&list, i);
    text_check(e, &at, TEXT_DNS1123_SUBDOMAIN, val_str(val_at(values, i)));
  }
}

static void node_term_check(field_errors *e, const path *p, const val *term, bool check_values) {
  const val *exprs = val_getc(term, "matchExpressions"), *fields = val_getc(term, "matchFields");
  path at_exprs = path_child(p, "matchExpressions"), at_fields = path_child(p, "matchFields");
  EACH_ITEM(i, exprs) {
    path at = path_index(&at_exprs, i);
    node_requirement_check(e, &at, val_at(exprs, i), check_values);
  }
  EACH_ITEM(i, fields) {
    path at = path_index(&at_fields, i);
    node_field_check(e, &at, val_at(fields, i));
  }
}

void node_selector_validate(field_errors *e, const path *p, const val *selector) {
  const val *terms = val_getc(selector, "nodeSelectorTerms");
  path list = path_child(p, "nodeSelectorTerms");
  if (!val_len(terms)) require(e, &list, NULL, "must have at least one node selector term");
  EACH_ITEM(i, terms) {
    path at = path_index(&list, i);
    node_term_check(e, &at, val_at(terms, i), true);
  }
}

static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";

static void weight_check(field_errors *e, const path *p, const val *term) {
  int64_t n = val_i64(val_getc(term, "weight"));
  if (n <= 0 || n > 100) refuse_int(e, p, "weight", n, "must be in the range 1-100");
}

static void node_affinity_check(field_errors *e, const path *p, const val *affinity) {
  const val *must = val_getc(affinity, required), *may = val_getc(affinity, preferred);
  path at_must = path_child(p, required), at_may = path_child(p, preferred);
  if (must) node_selector_validate(e, &at_must, must);
  EACH_ITEM(i, may) {
    path at = path_index(&at_may, i), preference = path_child(&at, "preference");
    weight_check(e, &at, val_at(may, i));
    node_term_check(e, &preference, val_getc(val_at(may, i), "preference"), false);
  }
}

static void label_keys_check(field_errors *e, const path *p, const val *keys, const val *selector) {
  if (val_len(keys) && !selector) {
    forbid(e, p, NULL, "must not be specified when labelSelector is not set");
    return;
  }
  EACH_ITEM(i, keys) {
    path at = path_index(p, i);
    text_check(e, &at, TEXT_LABEL_KEY, val_str(val_at(keys, i)));
  }
}

static int index_in(const val *keys, slice key) {
  int found = -1; /* the last one, as a map would have it */
  EACH_ITEM(i, keys) {
    if (slice_eq(val_str(val_at(keys, i)), key)) found = (int)i;
  }
  return found;
}

/* matchLabelKeys are merged into the selector on create; what stands there twice was there before.
 */
static void merged_keys_check(field_errors *e, const path *p, const val *match, const val *mismatch,
                              const val *selector) {
  path at_match = path_child(p, "matchLabelKeys"), at_mismatch = path_child(p, "mismatchLabelKeys");
  const val *exprs = val_getc(selector, "matchExpressions");
  val *seen = val_map(e->a);
  label_keys_check(e, &at_match, match, selector);
  label_keys_check(e, &at_mismatch, mismatch, selector);
  VAL_EACH(entry, val_getc(selector, "matchLabels"))
  val_set(e->a, seen, entry->key, val_null(e->a));
  EACH_ITEM(i, exprs) {
    slice key = val_get_str(val_at(exprs, i), "key");
    int k = index_in(match, key);
    path at = path_index(p, (uint32_t)(k < 0 ? 0 : k));
    if (k >= 0 && val_get(seen, key))
      refuse_str(e, &at, NULL, key, "exists in both matchLabelKeys and labelSelector");
    val_set(e->a, seen, key, val_null(e->a));
  }
  EACH_ITEM(i, match) {
    slice key = val_str(val_at(match, i));
    path at = path_index(&at_match, i);
    if (index_in(mismatch, key) >= 0)
      refuse_str(e, &at, NULL, key, "exists in both matchLabelKeys and mismatchLabelKeys");
  }
}

static void pod_term_check(field_errors *e, const path *p, const val *term) {
  const val *namespaces = val_getc(term, "namespaces");
  path selector = path_child(p, "labelSelector"), spaces = path_child(p, "namespaceSelector"),
       ns = path_child(p, "namespace");
  label_selector_validate(e, &selector, val_getc(term, "labelSelector"));
  label_selector_validate(e, &spaces, val_getc(term, "namespaceSelector"));
  EACH_ITEM(i, namespaces) text_check(e, &ns, TEXT_DNS1123_LABEL, val_str(val_at(namespaces, i)));
  merged_keys_check(e, p, val_getc(term, "matchLabelKeys"), val_getc(term, "mismatchLabelKeys"),
                    val_getc(term, "labelSelector"));
  need(e, p, term, "topologyKey", "can not be empty");
  text_at(e, p, term, "topologyKey", TEXT_LABEL_KEY);
}

static void pod_affinity_check(field_errors *e, const path *p, const val *affinity) {
  const val *must = val_getc(affinity, required), *may = val_getc(affinity, preferred);
  path at_must = path_child(p, required), at_may = path_child(p, preferred);
  EACH_ITEM(i, must) {
    path at = path_index(&at_must, i);
    pod_term_check(e, &at, val_at(must, i));
  }
  EACH_ITEM(i, may) {
    path at = path_index(&at_may, i), term = path_child(&at, "podAffinityTerm");
    weight_check(e, &at, val_at(may, i));
    pod_term_check(e, &term, val_getc(val_at(may, i), "podAffinityTerm"));
  }
}

void affinity_validate(field_errors *e, const path *p, const val *affinity) {
  path node = path_child(p, "nodeAffinity"), pod = path_child(p, "podAffinity"),
       anti = path_child(p, "podAntiAffinity");
  node_affinity_check(e, &node, val_getc(affinity, "nodeAffinity"));
  pod_affinity_check(e, &pod, val_getc(affinity, "podAffinity"));
  pod_affinity_check(e, &anti, val_getc(affinity, "podAntiAffinity"));
}

void taint_effect_check(field_errors *e, const path *p, slice effect, bool allow_empty) {
  static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
  if (!allow_empty && !effect.len)
    require(e, p, NULL, "");
  else if (!one_of(effect, effects))
    unsupported(e, p, NULL, effect, effects);
}

static bool compares(slice op) { return slice_is(op, "Lt") || slice_is(op, "Gt"); }

static bool is_decimal(slice s) {
  bool negative = s.len > 1 && s.ptr[0] == '-';
  return is_plain_number(slice_from(s, negative)) && !(negative && s.ptr[1] == '0');
}

/* What "Lt" and "Gt" compare with. */
static void whole_number_check(field_errors *e, const path *p, slice value) {
  static const char canonical[] = "must be a valid decimal integer in canonical form";
  long long n;
  if (value.len == 0) refuse_str(e, p, "value", value, "must be non-empty");
  else if (!is_decimal(value)) refuse_str(e, p, "value", value, canonical);
  if (slice_to_i64_go(value, &n)) return;
  const char *why = is_decimal(value) ? "value out of range" : "invalid syntax";
  slice quoted = go_quote(e->a, value);
  path at = path_child(p, "value");
  field_invalid_str(e, &at, value, "strconv.ParseInt: parsing %.*s: %s", SLICE_ARG(quoted), why);
}

static void toleration_operator_check(field_errors *e, const path *p, slice op, slice value,
                                      bool comparing) {
  slice texts[4];
  if (!op.len || slice_is(op, "Equal")) {
    uint32_t n = text_problems(e->a, TEXT_LABEL_VALUE, value, false, texts);
    slice why = n ? texts[0] : SLICE_NONE;
    for (uint32_t i = 1; i < n; i++)
      why = arena_printf(e->a, "%.*s;%.*s", SLICE_ARG(why), SLICE_ARG(texts[i]));
    path at = path_child(p, "operator");
    if (n) field_invalid_str(e, &at, value, "%.*s", SLICE_ARG(why));
  } else if (slice_is(op, "Exists")) {
    if (value.len)
      refuse_str(e, p, "operator", value, "value must be empty when `operator` is 'Exists'");
  } else if (compares(op) && comparing) {
    whole_number_check(e, p, value);
  } else if (compares(op)) {
    unsupported(e, p, "operator", op, CHOICES("Equal", "Exists", "Lt", "Gt"));
  } else {
    unsupported(e, p, "operator", op, CHOICES("Equal", "Exists"));
  }
}

bool allowed_by(const field_errors *e, feature f) {
  static const feature_set standard = {0};
  return feature_on(e->features ? e->features : &standard, f);
}

void tolerations_validate(field_errors *e, const path *p, const val *list, const val *old_list) {
  bool comparing = allowed_by(e, FEATURE_TAINT_TOLERATION_COMPARISON_OPERATORS);
  EACH_ITEM(k, old_list) {
    comparing = comparing || compares(val_get_str(val_at(old_list, k), "operator"));
  }
  EACH_ITEM(i, list) {
    const val *t = val_at(list, i);
    slice key = val_get_str(t, "key"), op = val_get_str(t, "operator"),
          effect = val_get_str(t, "effect");
    path at = path_index(p, i), at_effect = path_child(&at, "effect");
    text_if_set(e, &at, t, "key", TEXT_LABEL_KEY);
    if (!key.len && !slice_is(op, "Exists")) {
      refuse_str(e, &at, "operator", op,
                 "operator must be Exists when `key` is empty, which means \"match all values and "
                 "all keys\"");
    }
    if (val_getc(t, "tolerationSeconds") && !slice_is(effect, "NoExecute")) {
      refuse_str(e, &at, "effect", effect,
                 "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    toleration_operator_check(e, &at, op, val_get_str(t, "value"), comparing);
    if (effect.len) taint_effect_check(e, &at_effect, effect, true);
  }
}

static void min_domains_check(field_errors *e, const path *p, const val *c) {
  const val *n = val_getc(c, "minDomains");
  slice action = val_get_str(c, "whenUnsatisfiable");
  path at = path_child(p, "minDomains");
  if (!n) return;
  positive_check(e, &at, val_i64(n));
  if (!slice_is(action, "DoNotSchedule")) {
    field_invalid_int(e, &at, val_i64(n),
                      "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %.*s",
                      SLICE_ARG(action));
  }
}

static slice spread_key(arena *a, const val *c) {
  slice key = val_get_str(c, "topologyKey"), action = val_get_str(c, "whenUnsatisfiable");
  return arena_printf(a, "{%.*s, %.*s}", SLICE_ARG(key), SLICE_ARG(action));
}

void topology_spread_validate(field_errors *e, const path *p, const val *list) {
  static const char *const policies[] = {"Honor", "Ignore", NULL};
  val *last = val_map(e->a); /* where each pair stands last */
  EACH_ITEM(i, list) val_set(e->a, last, spread_key(e->a, val_at(list, i)), val_int(e->a, i));
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i);
    path at = path_index(p, i), skew = path_child(&at, "maxSkew"),
         selector = path_child(&at, "labelSelector"),
         pair = path_child(&at, "{topologyKey, whenUnsatisfiable}");
    slice key = spread_key(e->a, c);
    positive_check(e, &skew, val_i64(val_getc(c, "maxSkew")));
    need(e, &at, c, "topologyKey", "can not be empty");
    choice_at(e, &at, c, "whenUnsatisfiable", CHOICES("DoNotSchedule", "ScheduleAnyway"), false);
    if (val_i64(val_get(last, key)) > (int64_t)i) field_duplicate(e, &pair, val_string(e->a, key));
    min_domains_check(e, &at, c);
    if (val_getc(c, "nodeAffinityPolicy"))
      choice_at(e, &at, c, "nodeAffinityPolicy", policies, false);
    if (val_getc(c, "nodeTaintsPolicy")) choice_at(e, &at, c, "nodeTaintsPolicy", policies, false);
    merged_keys_check(e, &at, val_getc(c, "matchLabelKeys"), NULL, val_getc(c, "labelSelector"));
    label_selector_validate(e, &selector, val_getc(c, "labelSelector"));
  }
}
