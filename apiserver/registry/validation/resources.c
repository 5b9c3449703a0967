/* Resource names, quantities, and the requests and limits of containers and pods. Go walks the maps
 * in random order; here it is the order of their keys. */
#include "registry/validation/pod_checks.h"

#include "base/buf.h"
#include "registry/validation/checks.h"

bool resource_is_native(slice name) {
  return slice_find_char(name, '/') < 0 || slice_find(name, SLICE_LIT("kubernetes.io/")) >= 0;
}

bool resource_is_huge(slice name) { return slice_has_prefix(name, SLICE_LIT("hugepages-")); }

bool resource_is_extended(slice name) {
  char text[512];
  if (resource_is_native(name) || slice_has_prefix(name, SLICE_LIT("requests."))) return false;
  if (name.len + 10 > sizeof text) return false;
  memcpy(text, "requests.", 9);
  memcpy(text + 9, name.ptr, name.len);
  slice whole = slice_of(text, name.len + 9), prefix, rest;
  if (!slice_cut(whole, '/', &prefix, &rest) || slice_find_char(rest, '/') >= 0) return false;
  return prefix.len <= 253 && rest.len && rest.len <= 63 &&
         text_is_valid(TEXT_DNS1123_SUBDOMAIN, prefix) && text_is_valid(TEXT_LABEL_VALUE, rest);
}

bool resource_overcommits(slice name) {
  return resource_is_native(name) && !resource_is_huge(name);
}

static const char *const counted[] = {"pods",
                                      "resourcequotas",
                                      "services",
                                      "replicationcontrollers",
                                      "secrets",
                                      "configmaps",
                                      "persistentvolumeclaims",
                                      "services.nodeports",
                                      "services.loadbalancers",
                                      NULL};
static const char *const measured[] = {"cpu",
                                       "memory",
                                       "ephemeral-storage",
                                       "requests.cpu",
                                       "requests.memory",
                                       "requests.storage",
                                       "requests.ephemeral-storage",
                                       "limits.cpu",
                                       "limits.memory",
                                       "limits.ephemeral-storage",
                                       NULL};

bool resource_is_standard_quota(slice name) {
  return one_of(name, counted) || one_of(name, measured) || resource_is_huge(name) ||
         slice_has_prefix(name, SLICE_LIT("requests.hugepages-"));
}

void resource_name_check(field_errors *e, const path *p, slice name) {
  if (!text_check_named(e, p, TEXT_LABEL_KEY, name)) return;
  if (slice_find_char(name, '/') < 0 && !resource_is_standard_quota(name) &&
      !slice_is(name, "storage")) {
    field_invalid_named(e, p, name, "must be a standard resource type or fully qualified");
  }
}

void container_resource_name_check(field_errors *e, const path *p, slice name) {
  resource_name_check(e, p, name);
  if (slice_find_char(name, '/') < 0) {
    if (!one_of(name, CHOICES("cpu", "memory", "ephemeral-storage")) && !resource_is_huge(name)) {
      field_invalid_named(e, p, name, "must be a standard resource for containers");
    }
  } else if (!resource_is_native(name) && !resource_is_extended(name)) {
    field_invalid_named(e, p, name, "doesn't follow extended resource name standard");
  }
}

void quota_resource_name_check(field_errors *e, const path *p, slice name) {
  resource_name_check(e, p, name);
  if (slice_find_char(name, '/') < 0 && !resource_is_standard_quota(name)) {
    field_invalid_named(e, p, name, "must be a standard resource for quota");
  }
}

static void pod_resource_name_check(field_errors *e, const path *p, slice name) {
  uint32_t before = e->count;
  resource_name_check(e, p, name);
  if (e->count != before || one_of(name, CHOICES("cpu", "memory")) || resource_is_huge(name))
    return;
  unsupported(e, p, NULL, name, CHOICES("cpu", "hugepages-", "memory"));
}

void resource_quantity_check(field_errors *e, const path *p, slice name, slice quantity) {
  if (quantity_cmp(quantity, SLICE_LIT("0")) < 0)
    refuse_str(e, p, NULL, quantity, "must be greater than or equal to 0");
  bool whole = one_of(name, counted) || resource_is_extended(name);
  if (whole && quantity_milli(quantity) % 1000 != 0)
    refuse_str(e, p, NULL, quantity, "must be an integer");
}

void quantity_positive_check(field_errors *e, const path *p, slice quantity) {
  if (quantity_cmp(quantity, SLICE_LIT("0")) <= 0)
    refuse_str(e, p, NULL, quantity, "must be greater than zero");
}

void basic_resource_check(field_errors *e, const path *p, slice quantity) {
  int64_t n = quantity_value(quantity);
  if (n < 0) refuse_int(e, p, NULL, n, "must be a valid resource quantity");
}

static void huge_value_check(field_errors *e, const path *p, slice name, slice quantity) {
  slice size = slice_from(name, sizeof "hugepages-" - 1), canonical, error;
  if (!resource_is_huge(name)) return;
  bool ok = quantity_canonical(e->a, size, &canonical, &error) &&
            quantity_cmp(canonical, SLICE_LIT("0")) > 0 && quantity_milli(canonical) % 1000 == 0 &&
            quantity_value(quantity) % quantity_value(canonical) == 0;
  if (ok) return;
  field_invalid_str(e, p, quantity, "%.*s is not positive integer multiple of %.*s",
                    SLICE_ARG(quantity), SLICE_ARG(name));
}

typedef struct requirement {
  field_errors *e;
  const val *limits;
  const path *limits_path, *requests_path;
  bool pod_level, compute, huge;
} requirement;

static void amount_check(requirement *r, const path *p, slice name, slice quantity, bool asked) {
  field_errors *e = r->e;
  if (r->pod_level)
    pod_resource_name_check(e, p, name);
  else
    container_resource_name_check(e, p, name);
  resource_quantity_check(e, p, name, quantity);
  const val *limit = asked ? val_get(r->limits, name) : NULL;
  slice most = val_str(limit);
  if (limit && quantity_cmp(quantity, most) != 0 && !resource_overcommits(name)) {
    field_invalid_str(e, r->requests_path, quantity, "must be equal to %.*s limit of %.*s",
                      SLICE_ARG(name), SLICE_ARG(most));
  } else if (limit && quantity_cmp(quantity, most) > 0) {
    field_invalid_str(e, r->requests_path, quantity,
                      "must be less than or equal to %.*s limit of %.*s", SLICE_ARG(name),
                      SLICE_ARG(most));
  } else if (asked && !limit && !resource_overcommits(name)) {
    field_required(e, r->limits_path, "Limit must be set for non overcommitable resources");
  }
  huge_value_check(e, p, name, quantity);
  if (resource_is_huge(name)) r->huge = true;
  if (one_of(name, CHOICES("cpu", "memory"))) r->compute = true;
}

/* A claim listed by itself and again with one of its requests, or twice. */
static void claims_check(field_errors *e, const path *p, const val *list, const val *known) {
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    slice name = val_get_str(val_at(list, i), "name"),
          wanted = val_get_str(val_at(list, i), "request");
    path at = path_index(p, i);
    if (!name.len) {
      field_required(e, &at, "%s", "");
      continue;
    }
    if (val_get(seen, name)) {
      field_duplicate(e, &at, val_string(e->a, name));
    } else {
      slice key =
          wanted.len ? arena_printf(e->a, "%.*s/%.*s", SLICE_ARG(name), SLICE_ARG(wanted)) : name;
      slice lead = arena_printf(e->a, "%.*s/", SLICE_ARG(name));
      text_if_set(e, &at, val_at(list, i), "request", TEXT_DNS1123_LABEL);
      if (val_get(seen, key)) field_duplicate(e, &at, val_string(e->a, key));
      VAL_EACH(entry, wanted.len ? NULL : seen) {
        if (slice_has_prefix(entry->key, lead)) field_duplicate(e, &at, val_string(e->a, name));
      }
      val_set(e->a, seen, key, val_null(e->a));
    }
    if (val_get(known, name)) continue;
    buf b;
    buf_init(&b, 1 << 20);
    VAL_EACH(entry, known) buf_printf(&b, "%s%.*s", b.len ? ", " : ": ", SLICE_ARG(entry->key));
    slice names = b.len ? arena_copy(e->a, buf_slice(&b)) : SLICE_LIT(" which is empty");
    buf_dispose(&b);
    slice text = arena_printf(
        e->a, "Not found: \"%.*s\": must be one of the names in pod.spec.resourceClaims%.*s",
        SLICE_ARG(name), SLICE_ARG(names));
    field_error_add(e, FIELD_NOT_FOUND, path_text(e->a, &at), text);
  }
}

void resource_requirements_validate(field_errors *e, const path *p, const val *resources,
                                    bool pod_level, const val *claims) {
  path limits = path_child(p, "limits"), requests = path_child(p, "requests"),
       at_claims = path_child(p, "claims");
  requirement r = {.e = e,
                   .limits = val_getc(resources, "limits"),
                   .limits_path = &limits,
                   .requests_path = &requests,
                   .pod_level = pod_level};
  VAL_EACH(entry, r.limits) {
    path at = path_key(&limits, entry->key);
    amount_check(&r, &at, entry->key, val_str(entry->value), false);
  }
  VAL_EACH(entry, val_getc(resources, "requests")) {
    path at = path_key(&requests, entry->key);
    amount_check(&r, &at, entry->key, val_str(entry->value), true);
  }
  if (r.huge && !r.compute) forbid(e, p, NULL, "HugePages require cpu or memory");
  claims_check(e, &at_claims, val_getc(resources, "claims"), claims);
}

/* What the containers ask for together: init containers one after the other beside the sidecars
 * started so far, then all regular ones beside all sidecars. */
static void amounts_add(arena *a, val *sum, const val *more) {
  VAL_EACH(entry, more) {
    const val *have = val_get(sum, entry->key);
    slice total =
        have ? quantity_add(a, val_str(have), val_str(entry->value)) : val_str(entry->value);
    val_set(a, sum, entry->key, val_string(a, total));
  }
}

static void amounts_max(arena *a, val *most, const val *other) {
  VAL_EACH(entry, other) {
    const val *have = val_get(most, entry->key);
    if (!have || quantity_cmp(val_str(entry->value), val_str(have)) > 0)
      val_set(a, most, entry->key, entry->value);
  }
}

static val *containers_total(arena *a, const val *spec, const char *kind) {
  const val *regular = val_getc(spec, "containers"), *init = val_getc(spec, "initContainers");
  val *total = val_map(a), *sidecars = val_map(a), *peak = val_map(a);
  EACH_ITEM(i, regular)
  amounts_add(a, total, val_getc(val_getc(val_at(regular, i), "resources"), kind));
  EACH_ITEM(i, init) {
    const val *c = val_at(init, i), *wants = val_getc(val_getc(c, "resources"), kind);
    val *now = val_map(a);
    amounts_add(a, now, sidecars);
    amounts_add(a, now, wants);
    if (slice_is(val_get_str(c, "restartPolicy"), "Always")) {
      amounts_add(a, total, wants);
      sidecars = now;
    }
    amounts_max(a, peak, now);
  }
  amounts_max(a, total, peak);
  val_sort(total);
  return total;
}

static void pod_totals_check(pod_view *w, const path *p, const val *pod, const char *kind) {
  bool limits = strcmp(kind, "limits") == 0;
  path list = path_child(p, kind);
  VAL_EACH(entry, containers_total(w->errs->a, w->spec, kind)) {
    const val *have = val_get(val_getc(pod, kind), entry->key);
    path at = path_key(&list, entry->key);
    slice sum = val_str(entry->value);
    if (!have || (limits && !resource_is_huge(entry->key)) || quantity_cmp(sum, val_str(have)) <= 0)
      continue;
    field_invalid_str(w->errs, &at, val_str(have),
                      "must be greater than or equal to aggregate container %s of %.*s", kind,
                      SLICE_ARG(sum));
  }
}

void pod_resources_validate(pod_view *w, const path *spec_path) {
  field_errors *e = w->errs;
  const val *pod = val_getc(w->spec, "resources"), *list = val_getc(w->spec, "containers");
  path p = path_child(spec_path, "resources"), containers = path_child(&p, "containers");
  if (!pod) return;
  if (slice_is(w->os, "windows")) {
    forbid(e, &p, NULL, "may not be set for a windows pod");
    return;
  }
  if (val_getc(pod, "claims") || val_had_empty(pod, "claims"))
    forbid(e, &p, "claims", "claims may not be set for Resources at pod-level");
  resource_requirements_validate(e, &p, pod, true, w->claims);
  pod_totals_check(w, &p, pod, "requests");
  pod_totals_check(w, &p, pod, "limits");
  EACH_ITEM(i, list) {
    path at = path_index(&containers, i);
    VAL_EACH(entry, val_path(val_at(list, i), "resources.limits")) {
      const val *most = val_get(val_getc(pod, "limits"), entry->key);
      path named = path_key(&at, entry->key), limits = path_child(&named, "limits");
      if (!most || quantity_cmp(val_str(entry->value), val_str(most)) <= 0) continue;
      slice text = val_str(most);
      field_invalid_str(e, &limits, val_str(entry->value),
                        "must be less than or equal to pod limits of %.*s", SLICE_ARG(text));
    }
  }
}
