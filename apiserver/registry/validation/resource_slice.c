/* ResourceSlices: who publishes them, for which nodes, and their devices.
 * Source: pkg/apis/resource/validation/validation.go. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/pod_warnings.h"
#include "registry/validation/resource_checks.h"
#include "registry/validation/rows.h"

#include <stdio.h>

#define POOL_NAME_MAX 253
#define DEVICES_MAX 128
#define DEVICES_MAX_ADVANCED 64 /* with taints or counters */
#define COUNTER_SETS_MAX 8
#define CONSUMPTIONS_MAX 2
#define TAINTS_MAX 16
#define CONDITIONS_MAX 4

void pool_name_check(field_errors *e, const path *p, slice name) {
  slice part, rest = name;
  if (!required_str(e, p, name)) return;
  if (name.len > POOL_NAME_MAX) field_too_long(e, p, POOL_NAME_MAX);
  for (bool more = true; more;) {
    more = slice_cut(rest, '/', &part, &rest);
    text_check(e, p, TEXT_DNS1123_SUBDOMAIN, part);
  }
}

static void pool_check(field_errors *e, const path *p, const val *pool) {
  path at = path_child(p, "name"), count = path_child(p, "resourceSliceCount"),
       generation = path_child(p, "generation");
  int64_t slices = val_i64(val_getc(pool, "resourceSliceCount"));
  pool_name_check(e, &at, val_get_str(pool, "name"));
  if (slices <= 0) field_invalid_int(e, &count, slices, "must be greater than zero");
  if (val_i64(val_getc(pool, "generation")) < 0) {
    field_invalid_int(e, &generation, val_i64(val_getc(pool, "generation")),
                      "must be greater than or equal to zero");
  }
}

/* The ways to say for which nodes something is; their names as the errors list them. */
typedef struct placement {
  char names[128];
  int count;
} placement;

static void placed(placement *p, const char *name) {
  size_t have = strlen(p->names);
  snprintf(p->names + have, sizeof p->names - have, "%s`%s`", p->count++ ? ", " : "", name);
}

static void mark_check(field_errors *e, const path *p, const val *of, const char *key,
                       placement *found) {
  const val *v = val_getc(of, key);
  path at = path_child(p, key);
  if (!v) return;
  if (val_true(v)) placed(found, key);
  else field_invalid(e, &at, v, "must be either unset or set to true");
}

static void node_name_check(field_errors *e, const path *p, const val *of, const char *empty,
                            placement *found) {
  const val *v = val_getc(of, "nodeName");
  path at = path_child(p, "nodeName");
  if (!v) return;
  if (!val_str(v).len) {
    field_invalid_str(e, &at, val_str(v), "%s", empty);
    return;
  }
  placed(found, "nodeName");
  text_check(e, &at, TEXT_DNS1123_SUBDOMAIN, val_str(v));
}

static void selector_check(field_errors *e, const path *p, const val *of, placement *found) {
  const val *selector = val_getc(of, "nodeSelector");
  path at = path_child(p, "nodeSelector");
  if (!selector) return;
  placed(found, "nodeSelector");
  node_selector_validate(e, &at, selector);
}

static void spec_nodes_check(field_errors *e, const path *p, const val *spec) {
  static const char why[] = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, "
                            "`perDeviceNodeSelection` is required";
  placement found = {"", 0};
  path selector = path_child(p, "nodeSelector"), terms = path_child(&selector, "nodeSelectorTerms");
  node_name_check(e, p, spec, "must be either unset or set to a non-empty string", &found);
  selector_check(e, p, spec, &found);
  const val *list = val_path(spec, "nodeSelector.nodeSelectorTerms");
  if (val_getc(spec, "nodeSelector") && val_len(list) != 1)
    field_invalid(e, &terms, list, "must have exactly one node selector term");
  mark_check(e, p, spec, "allNodes", &found);
  mark_check(e, p, spec, "perDeviceNodeSelection", &found);
  slice shown = arena_printf(e->a, "{%s}", found.names);
  if (found.count == 0) field_required(e, p, "%s", why);
  if (found.count > 1)
    field_invalid_str(e, p, shown, "%s, but multiple fields are set", why);
}

void device_taint_check(field_errors *e, const path *p, const val *t, const val *old) {
  path key = path_child(p, "key"), value = path_child(p, "value"), effect = path_child(p, "effect");
  slice v = val_get_str(t, "value"), f = val_get_str(t, "effect");
  text_check(e, &key, TEXT_LABEL_KEY, val_get_str(t, "key"));
  if (v.len) text_check(e, &value, TEXT_LABEL_VALUE, v);
  if (old && slice_eq(val_get_str(old, "effect"), f)) return;
  if (required_str(e, &effect, f)) {
    enum_check(e, &effect, f, (const char *const[]){"NoExecute", "NoSchedule", "None", NULL});
  }
}

static void taints_check(field_errors *e, const path *p, const val *list) {
  if (!list_fits(e, p, list, TAINTS_MAX)) return;
  EACH_ITEM(i, list) {
    path at = path_index(p, i);
    device_taint_check(e, &at, val_at(list, i), NULL);
  }
}

/* Sets of counters, of the slice or used by a device. */
static void counters_check(field_errors *e, const path *p, const val *list, const char *name_key,
                           uint32_t max) {
  if (!list_fits(e, p, list, max)) return;
  EACH_ITEM(i, list) {
    const val *set = val_at(list, i);
    path at = path_index(p, i), name = path_child(&at, name_key),
         counters = path_child(&at, "counters");
    slice n = val_get_str(set, name_key);
    if (required_str(e, &name, n)) text_check(e, &name, TEXT_DNS1123_LABEL, n);
    if (!val_len(val_getc(set, "counters"))) field_required(e, &counters, "%s", "");
  }
  named_once_check(e, p, list, name_key);
}

static void device_nodes_check(field_errors *e, const path *p, const val *device, bool by_device) {
  static const char why[] = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required "
                            "when `perDeviceNodeSelection` is set to true in the ResourceSlice "
                            "spec";
  placement found = {"", 0};
  if (!by_device) {
    if (val_getc(device, "nodeName") || val_getc(device, "nodeSelector") ||
        val_getc(device, "allNodes")) {
      field_invalid(e, p, NULL,
                    "`nodeName`, `nodeSelector` and `allNodes` can only be set if "
                    "`perDeviceNodeSelection` is set to true in the ResourceSlice spec");
    }
    return;
  }
  node_name_check(e, p, device, "must not be empty", &found);
  selector_check(e, p, device, &found);
  mark_check(e, p, device, "allNodes", &found);
  slice shown = arena_printf(e->a, "{%s}", found.names);
  if (found.count == 0) field_required(e, p, "%s", why);
  if (found.count > 1) field_invalid_str(e, p, shown, "%s", why);
}

static void label_names_check(field_errors *e, const path *p, const val *list) {
  if (!list_fits(e, p, list, CONDITIONS_MAX)) return;
  EACH_ITEM(i, list) {
    path at = path_index(p, i);
    text_check(e, &at, TEXT_LABEL_KEY, val_str(val_at(list, i)));
  }
}

static void binding_check(field_errors *e, const path *p, const val *device) {
  path at = path_child(p, "bindingConditions"), failures = path_child(p, "bindingFailureConditions");
  const val *good = val_getc(device, "bindingConditions"),
            *bad = val_getc(device, "bindingFailureConditions");
  label_names_check(e, &at, good);
  label_names_check(e, &failures, bad);
  named_once_check(e, &at, good, NULL);
  val *seen = val_map(e->a), *both = val_map(e->a);
  EACH_ITEM(i, good) seen_before(e->a, both, val_str(val_at(good, i)));
  EACH_ITEM(i, bad) {
    path here = path_index(&failures, i);
    slice c = val_str(val_at(bad, i));
    if (seen_before(e->a, seen, c)) field_duplicate(e, &here, val_string(e->a, c));
    if (val_get(both, c)) {
      field_invalid_str(e, &here, c,
                        "bindingFailureConditions must not overlap with bindingConditions");
    }
  }
  if (!val_len(good) && val_len(bad))
    field_invalid(e, &at, good, "bindingConditions are required to use bindingFailureConditions");
  if (!val_len(bad) && val_len(good)) {
    field_invalid(e, &failures, bad,
                  "bindingFailureConditions are required to use bindingConditions");
  }
}

static void device_check(field_errors *e, const path *p, const val *device, const val *spec) {
  path name = path_child(p, "name"), taints = path_child(p, "taints"),
       counters = path_child(p, "consumesCounters");
  text_check(e, &name, TEXT_DNS1123_LABEL, val_get_str(device, "name"));
  device_values_check(e, p, device);
  taints_check(e, &taints, val_getc(device, "taints"));
  counters_check(e, &counters, val_getc(device, "consumesCounters"), "counterSet",
                 CONSUMPTIONS_MAX);
  device_nodes_check(e, p, device, val_true(val_getc(spec, "perDeviceNodeSelection")));
  binding_check(e, p, device);
}

static void devices_check(field_errors *e, const path *p, const val *spec) {
  const val *list = val_getc(spec, "devices");
  bool advanced = false;
  EACH_ITEM(i, list) {
    advanced |= val_len(val_getc(val_at(list, i), "taints")) ||
                val_len(val_getc(val_at(list, i), "consumesCounters"));
  }
  if (!list_fits(e, p, list, advanced ? DEVICES_MAX_ADVANCED : DEVICES_MAX)) return;
  EACH_ITEM(i, list) {
    path at = path_index(p, i);
    device_check(e, &at, val_at(list, i), spec);
  }
  named_once_check(e, p, list, "name");
}

void validate_resource_slice(const validate_args *v) {
  field_errors *e = v->errs;
  path p = path_root("spec"), driver = path_child(&p, "driver"), pool = path_child(&p, "pool"),
       pool_name = path_child(&pool, "name"), node = path_child(&p, "nodeName"),
       devices = path_child(&p, "devices"), counters = path_child(&p, "sharedCounters");
  const val *spec = val_getc(v->obj, "spec"), *was = val_getc(v->old, "spec");
  if (v->old) meta_change(v);
  else meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  csi_driver_name_check(e, &driver, val_get_str(spec, "driver"));
  pool_check(e, &pool, val_getc(spec, "pool"));
  if (v->old) {
    immutable_str_check(e, &pool_name, val_str(val_path(spec, "pool.name")),
                        val_str(val_path(was, "pool.name")));
    immutable_str_check(e, &driver, val_get_str(spec, "driver"), val_get_str(was, "driver"));
    immutable_check(e, &node, val_getc(spec, "nodeName"), val_getc(was, "nodeName"));
  }
  spec_nodes_check(e, &p, spec);
  if (list_shown(e->a, spec, "sharedCounters") && list_shown(e->a, spec, "devices"))
    field_invalid_str(e, &p, SLICE_LIT(""), "only one of `sharedCounters` or `devices` is allowed");
  devices_check(e, &devices, spec);
  counters_check(e, &counters, val_getc(spec, "sharedCounters"), "name", COUNTER_SETS_MAX);
}

void resource_slice_warn(request *rq, val *obj, const val *old) {
  (void)old;
  slice driver = val_str(val_path(obj, "spec.driver"));
  path p = path_root("spec");
  bool upper = false;
  for (size_t i = 0; i < driver.len; i++) upper |= driver.ptr[i] >= 'A' && driver.ptr[i] <= 'Z';
  if (!upper) return;
  pod_warn_at(rq, &p, "driver",
              arena_printf(rq->arena,
                           "driver names should be lowercase; \"%.*s\" contains uppercase "
                           "characters", SLICE_ARG(driver)).ptr);
}
