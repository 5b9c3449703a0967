/* What a ResourceClaim's status may become: its allocation once, and then who uses it and how its
 * devices are. Source: pkg/apis/resource/validation/validation.go. */
#include "registry/validation/metadata.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"

#include "registry/object.h"

enum { USERS_MAX = 256, RESULTS_MAX = 32, CONDITIONS_MAX = 8 };

static void user_check(field_errors *e, const path *p, const val *user) {
  static const char *const needed[] = {"resource", "name", "uid"};
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    path at = path_child(p, needed[i]);
    if (val_get_str(user, needed[i]).len == 0) field_required(e, &at, "%s", "");
  }
}

/* Driver, pool and device. */
static void names_check(field_errors *e, const path *p, const val *v) {
  path driver = path_child(p, "driver"), pool = path_child(p, "pool"),
       device = path_child(p, "device");
  csi_driver_name_check(e, &driver, val_get_str(v, "driver"));
  pool_name_check(e, &pool, val_get_str(v, "pool"));
  text_check(e, &device, TEXT_DNS1123_LABEL, val_get_str(v, "device"));
}

static bool same_device(const val *a, const val *b) {
  static const char *const parts[] = {"driver", "pool", "device", "shareID"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (!slice_eq(val_get_str(a, parts[i]), val_get_str(b, parts[i]))) return false;
  }
  return true;
}

static bool is_among(const val *device, const val *list, uint32_t upto) {
  for (uint32_t i = 0; i < upto; i++) {
    if (same_device(device, val_at(list, i))) return true;
  }
  return false;
}

/* As Go prints the id that the real server compares by. */
static val *device_shown(arena *a, const val *device) {
  static const char *const shown[][2] = {
      {"Driver", "driver"}, {"Pool", "pool"}, {"Device", "device"}, {"ShareID", "shareID"}};
  val *id = val_map(a);
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
    val_setc(a, id, shown[i][0], val_string(a, val_get_str(device, shown[i][1])));
  }
  return id;
}

static void device_check(field_errors *e, const path *p, const val *device, const val *results) {
  path conditions = path_child(p, "conditions");
  const val *list = val_getc(device, "conditions");
  names_check(e, p, device);
  if (!is_among(device, results, val_len(results))) {
    field_invalid(e, p, device_shown(e->a, device), "must be an allocated device in the claim");
  }
  if (val_len(list) > CONDITIONS_MAX) {
    field_too_many(e, &conditions, val_len(list), CONDITIONS_MAX);
  }
  conditions_validate(e, &conditions, list);
}

static void devices_check(field_errors *e, const path *p, const val *list, const val *results) {
  EACH_ITEM(i, list) {
    path at = path_index(p, i);
    device_check(e, &at, val_at(list, i), results);
    if (is_among(val_at(list, i), list, i)) {
      field_duplicate(e, &at, device_shown(e->a, val_at(list, i)));
    }
  }
}

static void allocation_check(field_errors *e, const path *p, const val *allocation,
                             const val *requests) {
  path devices = path_child(p, "devices"), results = path_child(&devices, "results"),
       nodes = path_child(p, "nodeSelector");
  const val *list = val_path(allocation, "devices.results");
  if (list_fits(e, &results, list, RESULTS_MAX)) {
    EACH_ITEM(i, list) {
      path at = path_index(&results, i), ref = path_child(&at, "request");
      request_reference_check(e, &ref, val_get_str(val_at(list, i), "request"), requests);
      names_check(e, &at, val_at(list, i));
    }
  }
  const val *selector = val_getc(allocation, "nodeSelector");
  if (selector) node_selector_validate(e, &nodes, selector);
}

/* Somebody who was not there before. */
static bool has_new_user(const val *now, const val *before) {
  EACH_ITEM(i, now) {
    uint32_t b = 0;
    while (b < val_len(before) && !val_equal(val_at(now, i), val_at(before, b))) b++;
    if (b == val_len(before)) return true;
  }
  return false;
}

void resource_claim_status_check(const validate_args *v) {
  field_errors *e = v->errs;
  path status = path_root("status"), users = path_child(&status, "reservedFor"),
       devices = path_child(&status, "devices"), allocation = path_child(&status, "allocation");
  const val *now = val_getc(v->obj, "status"), *was = val_getc(v->old, "status");
  const val *allocated = val_getc(now, "allocation"), *before = val_getc(was, "allocation");
  const val *list = val_getc(now, "reservedFor");
  if (list_fits(e, &users, list, USERS_MAX)) {
    EACH_ITEM(i, list) {
      path at = path_index(&users, i);
      user_check(e, &at, val_at(list, i));
    }
    named_once_check(e, &users, list, "uid");
  }
  devices_check(e, &devices, val_getc(now, "devices"), val_path(allocated, "devices.results"));
  if (val_len(list) && !allocated) {
    field_forbidden(e, &users, "may not be specified when `allocated` is not set");
  } else if (object_deleting(v->obj) && has_new_user(list, val_getc(was, "reservedFor"))) {
    field_forbidden(e, &users, "new entries may not be added while `deallocationRequested` or "
                               "`deletionTimestamp` are set");
  }
  if (before && allocated) {
    immutable_struct_check(e, &allocation, allocated, before, field_type(v, "status.allocation"));
  } else if (allocated) {
    allocation_check(e, &allocation, allocated, val_path(v->obj, "spec.devices.requests"));
  }
}
