/* CSIDrivers, CSINodes and CSIStorageCapacities. Source: pkg/apis/storage/validation/validation.go.
 */
#include "registry/strategy_hooks.h"
#include "registry/validation/checks.h"
#include "registry/validation/rows.h"

#include "codec/codec.h"

#define NODE_ID_MAX 256

static const char *const group_policies[] = {"File", "None", "ReadWriteOnceWithFSType", NULL};
static const char *const lifecycles[] = {"Persistent", "Ephemeral", NULL};

/* Its own words, with the misspelt path that they carry. */
static void needed_check(field_errors *errs, const path *spec, const val *s, const char *field,
                         const char *named) {
  path p = path_child(spec, named);
  if (!val_getc(s, field)) field_required(errs, &p, "%s", "");
}

static void tokens_check(field_errors *errs, const path *spec, const val *list) {
  path tokens = path_child(spec, "tokenRequests");
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&tokens, i), audience = path_child(&p, "audience"),
         seconds = path_child(&p, "expirationSeconds");
    slice name = val_get_str(val_at(list, i), "audience");
    if (seen_before(errs->a, seen, name.ptr ? name : SLICE_LIT(""))) {
      field_duplicate(errs, &audience, val_string(errs->a, name));
      continue;
    }
    const val *n = val_getc(val_at(list, i), "expirationSeconds");
    if (n && val_i64(n) < 600)
      field_invalid(errs, &seconds, n, "may not specify a duration less than 10 minutes");
    if (n && val_i64(n) > (int64_t)1 << 32)
      field_invalid(errs, &seconds, n, "may not specify a duration larger than 2^32 seconds");
  }
}

static void driver_spec_check(field_errors *errs, const path *spec, const val *s) {
  path policy = path_child(spec, "fsGroupPolicy"), modes = path_child(spec, "volumeLifecycleModes"),
       period = path_child(spec, "nodeAllocatableUpdatePeriodSeconds"),
       secrets = path_child(spec, "serviceAccountTokenInSecrets");
  const val *list = val_getc(s, "volumeLifecycleModes"),
            *n = val_getc(s, "nodeAllocatableUpdatePeriodSeconds");
  const val *in_secrets = val_getc(s, "serviceAccountTokenInSecrets"),
            *tokens = val_getc(s, "tokenRequests");
  needed_check(errs, spec, s, "attachRequired", "attachedRequired");
  needed_check(errs, spec, s, "podInfoOnMount", "podInfoOnMount");
  needed_check(errs, spec, s, "storageCapacity", "storageCapacity");
  if (val_getc(s, "fsGroupPolicy"))
    enum_check(errs, &policy, val_get_str(s, "fsGroupPolicy"), group_policies);
  tokens_check(errs, spec, tokens);
  for (uint32_t i = 0; i < val_len(list); i++)
    enum_check(errs, &modes, val_str(val_at(list, i)), lifecycles);
  needed_check(errs, spec, s, "seLinuxMount", "seLinuxMount");
  if (n && val_i64(n) < 10)
    field_invalid(errs, &period, n, "must be greater than or equal to 10 seconds");
  if (in_secrets && val_len(tokens) == 0) {
    field_invalid(errs, &secrets, in_secrets,
                  "serviceAccountTokenInSecrets is set but no tokenRequests are specified");
  }
}

void validate_csi_driver(const validate_args *v) {
  path spec = path_root("spec"), attach = path_child(&spec, "attachedRequired"),
       modes = path_child(&spec, "volumeLifecycleModes");
  const val *now = val_getc(v->obj, "spec"), *was = val_getc(v->old, "spec");
  if (v->old)
    meta_change(v);
  else
    meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  driver_spec_check(v->errs, &spec, now);
  if (!v->old) return;
  const val *a = val_getc(now, "attachRequired"), *b = val_getc(was, "attachRequired");
  if (!val_equal(a, b)) field_invalid(v->errs, &attach, a, "field is immutable");
  immutable_check(v->errs, &modes, val_getc(now, "volumeLifecycleModes"),
                  val_getc(was, "volumeLifecycleModes"));
}

void csi_driver_warn(request *rq, val *obj, const val *old) {
  const val *spec = val_getc(obj, "spec"), *tokens = val_getc(spec, "tokenRequests");
  if (val_len(tokens) == 0 || val_getc(spec, "serviceAccountTokenInSecrets")) return;
  if (old && val_same(tokens, val_path(old, "spec.tokenRequests"))) return;
  request_warn(rq, SLICE_LIT("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI "
                             "driver, set to true "
                             "to prevent possible logging of tokens in volume attributes"));
}

static void node_driver_check(field_errors *errs, const path *p, const val *d, val *names) {
  path name = path_child(p, "name"), id = path_child(p, "nodeID"),
       allocatable = path_child(p, "allocatable"), count = path_child(&allocatable, "count");
  slice n = val_get_str(d, "name"), node = val_get_str(d, "nodeID");
  const val *limit = val_path(d, "allocatable.count"), *keys = val_getc(d, "topologyKeys");
  csi_driver_name_check(errs, &name, n);
  required_str(errs, &id, node);
  if (node.len > NODE_ID_MAX)
    field_invalid_str(errs, &id, node, "must be %d characters or less", NODE_ID_MAX);
  if (limit) nonnegative_check(errs, &count, val_i64(limit));
  if (seen_before(errs->a, names, n.ptr ? n : SLICE_LIT("")))
    field_duplicate(errs, &name, val_string(errs->a, n));
  val *seen = val_map(errs->a);
  for (uint32_t i = 0; i < val_len(keys); i++) {
    slice key = val_str(val_at(keys, i));
    required_str(errs, p, key);
    if (seen_before(errs->a, seen, key)) field_duplicate(errs, p, val_at(keys, i));
    text_check(errs, p, TEXT_LABEL_KEY, key);
  }
}

static const val *without_allocatable(arena *a, const val *driver) {
  val *copy = val_copy(a, driver);
  val_delc(copy, "allocatable");
  return copy;
}

void validate_csi_node(const validate_args *v) {
  arena *a = v->errs->a;
  path spec = path_root("spec"), drivers = path_child(&spec, "drivers");
  const val *list = val_path(v->obj, "spec.drivers"), *was = val_path(v->old, "spec.drivers");
  val *names = val_map(a), *now = val_map(a);
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&drivers, i);
    node_driver_check(v->errs, &p, val_at(list, i), names);
    val_set(a, now, val_get_str(val_at(list, i), "name"), val_at(list, i));
  }
  const type_info *type = field_type(v, "spec.drivers");
  for (uint32_t i = 0; i < val_len(was); i++) {
    const val *same = val_get(now, val_get_str(val_at(was, i), "name"));
    if (!same) continue;
    immutable_struct_check(v->errs, &drivers, without_allocatable(a, same),
                           without_allocatable(a, val_at(was, i)), type ? type->elem : NULL);
  }
}

void validate_csi_storage_capacity(const validate_args *v) {
  path topology = path_root("nodeTopology"), class = path_root("storageClassName"),
       capacity = path_root("capacity");
  const val *now = val_getc(v->obj, "nodeTopology");
  slice name = val_get_str(v->obj, "storageClassName"), size = val_get_str(v->obj, "capacity");
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  label_selector_validate(v->errs, &topology, now);
  text_check(v->errs, &class, TEXT_DNS1123_SUBDOMAIN, name);
  if (size.len) quantity_nonnegative_check(v->errs, &capacity, size);
  if (!v->old) return;
  meta_change(v);
  if (!val_equal(now, val_getc(v->old, "nodeTopology")))
    field_invalid(v->errs, &topology, now, "field is immutable");
  if (!slice_eq(name, val_get_str(v->old, "storageClassName")))
    field_invalid_str(v->errs, &class, name, "field is immutable");
}

void csi_storage_capacity_warn(request *rq, val *obj, const val *old) {
  const val *topology = val_getc(obj, "nodeTopology"),
            *list = val_getc(topology, "matchExpressions");
  path root = path_root("nodeTopology"), exprs = path_child(&root, "matchExpressions"),
       labels = path_child(&root, "matchLabels");
  (void)old;
  for (uint32_t i = 0; i < val_len(list); i++) {
    path p = path_index(&exprs, i), at = path_child(&p, "key");
    slice key = val_get_str(val_at(list, i), "key");
    const char *why = node_label_deprecated(key);
    if (why) warn_at(rq, &at, "%.*s is %s", SLICE_ARG(key), why);
  }
  VAL_EACH(e, val_getc(topology, "matchLabels")) {
    path at = path_child_slice(&labels, e->key);
    const char *why = node_label_deprecated(e->key);
    if (why) warn_at(rq, &at, "%s", why);
  }
}
