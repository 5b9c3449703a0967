/* The status subresource of pods: what a kubelet or scheduler may write. */
#include "registry/validation/pod.h"

#include "registry/validation/pod_internal.h"

static void observed_check(field_errors *e, const path *p, const val *v) {
  int64_t n = val_i64(val_getc(v, "observedGeneration"));
  if (n < 0) refuse_int(e, p, "observedGeneration", n, "must be a non-negative integer");
}

static void conditions_check(field_errors *e, const path *p, const val *list) {
  EACH_ITEM(i, list) {
    path at = path_index(p, i), type = path_child(&at, "Type");
    slice name = val_get_str(val_at(list, i), "type");
    observed_check(e, &at, val_at(list, i));
    if (!one_of(name, CHOICES("PodScheduled", "Ready", "Initialized")))
      text_check(e, &type, TEXT_LABEL_KEY, name);
  }
}

static const val *named(const val *list, slice name) {
  EACH_ITEM(i, list) {
    if (slice_eq(val_get_str(val_at(list, i), "name"), name)) return val_at(list, i);
  }
  return NULL;
}

/* A restart rule or policy that lets a container of this exit code run again. */
static bool may_restart(const val *c, const val *spec, int64_t code) {
  const val *rules = val_getc(c, "restartPolicyRules");
  EACH_ITEM(i, rules) {
    const val *codes = val_getc(val_at(rules, i), "exitCodes"), *values = val_getc(codes, "values");
    bool in = false;
    EACH_ITEM(k, values) in = in || val_i64(val_at(values, k)) == code;
    bool matches = slice_is(val_get_str(codes, "operator"), "In") ? in : !in;
    if (matches && slice_is(val_get_str(val_at(rules, i), "action"), "Restart")) return true;
  }
  slice own = val_get_str(c, "restartPolicy"),
        policy = own.len ? own : val_get_str(spec, "restartPolicy");
  if (slice_is(policy, "Always")) return true;
  return slice_is(policy, "OnFailure") && code != 0;
}

static void transitions_check(const validate_args *v, const char *key, const char *containers) {
  const val *now = val_getc(val_getc(v->obj, "status"), key),
            *was = val_getc(val_getc(v->old, "status"), key);
  const val *spec = val_getc(v->old, "spec"),
            *list = containers ? val_getc(spec, containers) : NULL;
  path status = path_root("status"), p = path_child(&status, key);
  EACH_ITEM(i, was) {
    const val *ended = val_path(val_at(was, i), "state.terminated");
    slice name = val_get_str(val_at(was, i), "name");
    const val *next = ended ? named(now, name) : NULL, *c = named(list, name);
    path at = path_index(&p, i);
    if (!next || val_path(next, "state.terminated")) continue;
    if (c && may_restart(c, spec, val_i64(val_getc(ended, "exitCode")))) continue;
    forbid(v->errs, &at, "state", "may not be transitioned to non-terminated state");
  }
}

static void claim_statuses_check(const validate_args *v) {
  const val *list = val_path(v->obj, "status.resourceClaimStatuses"),
            *claims = val_path(v->obj, "spec.resourceClaims");
  path status = path_root("status"), p = path_child(&status, "resourceClaimStatuses");
  val *seen = val_map(v->errs->a);
  EACH_ITEM(i, list) {
    slice name = val_get_str(val_at(list, i), "name");
    path at = path_index(&p, i), at_name = path_child(&at, "name");
    if (!named(claims, name))
      refuse_str(v->errs, &at, "name", name,
                 "must match the name of an entry in `spec.resourceClaims`");
    if (val_get(seen, name)) field_duplicate(v->errs, &at_name, val_string(v->errs->a, name));
    val_set(v->errs->a, seen, name, val_null(v->errs->a));
    if (val_getc(val_at(list, i), "resourceClaimName")) {
      text_at(v->errs, &at, val_at(list, i), "resourceClaimName", TEXT_DNS1123_SUBDOMAIN);
    }
  }
}

/* One address a family at most. */
static void addresses_check(const validate_args *v, const char *key, const char *type) {
  field_errors *e = v->errs;
  const val *list = val_getc(val_getc(v->obj, "status"), key),
            *was = val_getc(val_getc(v->old, "status"), key);
  path status = path_root("status"), p = path_child(&status, key);
  uint32_t four = 0, six = 0;
  EACH_ITEM(i, list) {
    slice ip = val_get_str(val_at(list, i), "ip");
    path at = path_index(&p, i);
    bool kept = false;
    EACH_ITEM(k, was) kept = kept || slice_eq(val_get_str(val_at(was, k), "ip"), ip);
    if (!kept) legacy_ip_check(e, &at, ip);
    if (slice_find_char(ip, ':') >= 0)
      six++;
    else
      four++;
  }
  if (val_len(list) < 2 || (val_len(list) == 2 && four == 1 && six == 1)) return;
  val *shown = val_list(e->a);
  EACH_ITEM(i, list) val_append(e->a, shown, internal_tree(e->a, type, val_at(list, i)));
  refuse(e, &p, NULL, shown, "may specify no more than one IP for each IP family");
}

static void host_ips_check(const validate_args *v) {
  const val *status = val_getc(v->obj, "status"), *first = val_at(val_getc(status, "hostIPs"), 0);
  path root = path_root("status"), p = path_child(&root, "hostIPs"), at = path_index(&p, 0);
  slice ip = val_get_str(first, "ip");
  if (!first) return;
  if (!slice_eq(val_get_str(status, "hostIP"), ip))
    refuse_str(v->errs, &at, "ip", ip, "must be equal to `hostIP`");
  addresses_check(v, "hostIPs", "HostIP");
}

static void users_check(const validate_args *v, const char *key) {
  const val *list = val_getc(val_getc(v->obj, "status"), key);
  bool windows = slice_is(val_get_str(val_path(v->obj, "spec.os"), "name"), "windows");
  path status = path_root("status"), p = path_child(&status, key);
  EACH_ITEM(i, list) {
    const val *user = val_path(val_at(list, i), "user.linux"),
              *groups = val_getc(user, "supplementalGroups");
    path at = path_index(&p, i), at_user = path_child(&at, "user"),
         at_linux = path_child(&at_user, "linux"),
         at_groups = path_child(&at_linux, "supplementalGroups");
    if (!user) continue;
    if (windows) {
      forbid(v->errs, &at_linux, NULL, "cannot be set for a windows pod");
      continue;
    }
    id_at(v->errs, &at_linux, user, "uid");
    id_at(v->errs, &at_linux, user, "gid");
    EACH_ITEM(k, groups) {
      path group = path_index(&at_groups, k);
      range_check(v->errs, &group, val_i64(val_at(groups, k)), 0, 2147483647);
    }
  }
}

void pod_status_validate(const validate_args *v) {
  field_errors *e = v->errs;
  const val *status = val_getc(v->obj, "status"), *was = val_getc(v->old, "status");
  slice nominated = val_get_str(status, "nominatedNodeName"),
        before = val_get_str(was, "nominatedNodeName");
  path p = path_root("status"), conditions = path_child(&p, "conditions"),
       qos = path_child(&p, "qosClass");
  core_meta_update(e, v->obj, v->old);
  pod_annotations_update(v);
  conditions_check(e, &conditions, val_getc(status, "conditions"));
  if (!slice_eq(nominated, before) && nominated.len) {
    text_at(e, &p, status, "nominatedNodeName", TEXT_DNS1123_SUBDOMAIN);
    if (val_get_str(val_getc(v->old, "spec"), "nodeName").len) {
      forbid(e, &p, "nominatedNodeName", "may not be set on pods that are already bound to a node");
    }
  }
  observed_check(e, &p, status);
  immutable_check(e, &qos, val_getc(status, "qosClass"), val_getc(was, "qosClass"));
  transitions_check(v, "containerStatuses", "containers");
  transitions_check(v, "initContainerStatuses", "initContainers");
  transitions_check(v, "ephemeralContainerStatuses", NULL);
  claim_statuses_check(v);
  addresses_check(v, "podIPs", "PodIP");
  host_ips_check(v);
  users_check(v, "containerStatuses");
  users_check(v, "initContainerStatuses");
  users_check(v, "ephemeralContainerStatuses");
}
