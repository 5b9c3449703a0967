/* PodSpec as a whole: what is not in containers, volumes, security or affinity, and the order of it
 * all. */
#include "registry/validation/pod_checks.h"
#include "registry/validation/pod_internal.h"

static void resource_claims_check(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  const val *list = val_getc(w->spec, "resourceClaims");
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    const val *c = val_at(list, i), *claim = val_getc(c, "resourceClaimName"),
              *template = val_getc(c, "resourceClaimTemplateName");
    slice name = val_get_str(c, "name");
    path at = path_index(p, i), at_name = path_child(&at, "name");
    if (!name.len)
      require(e, &at, "name", "");
    else if (val_get(seen, name))
      field_duplicate(e, &at_name, val_string(e->a, name));
    else
      text_check(e, &at_name, TEXT_DNS1123_LABEL, name);
    val_set(e->a, seen, name, val_null(e->a));
    if (claim && template) {
      refuse_go(
          e, &at, NULL, "PodResourceClaim", c,
          "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
    }
    if (!claim && !template) {
      refuse_go(e, &at, NULL, "PodResourceClaim", c,
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    }
    if (claim) text_at(e, &at, c, "resourceClaimName", TEXT_DNS1123_SUBDOMAIN);
    if (template) text_at(e, &at, c, "resourceClaimTemplateName", TEXT_DNS1123_SUBDOMAIN);
  }
}

static void host_network_check(pod_view *w, const path *spec_path) {
  const val *list = val_getc(w->spec, "containers");
  path containers = path_child(spec_path, "containers");
  EACH_ITEM(i, list) {
    path c = path_index(&containers, i), ports = path_child(&c, "ports");
    const val *items = w->host_network ? val_getc(val_at(list, i), "ports") : NULL;
    EACH_ITEM(k, items) {
      path at = path_index(&ports, k);
      int64_t host = val_i64(val_getc(val_at(items, k), "hostPort"));
      if (host == val_i64(val_getc(val_at(items, k), "containerPort")) || (!w->meta && !host))
        continue;
      refuse_int(w->errs, &at, "hostPort", host,
                 "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

/* Underscores may begin or stand in a label here. */
static void search_domain_check(field_errors *e, const path *p, slice s) {
  if (slice_is(s, ".")) return;
  if (s.len && s.ptr[s.len - 1] == '.') s.len--;
  char *plain = arena_cstr(e->a, s);
  for (size_t i = 0; i < s.len; i++) {
    bool last = i + 1 == s.len || plain[i + 1] == '.';
    if (plain[i] == '_' && !last) plain[i] = 'a';
  }
  if (s.len > 253) refuse_str(e, p, NULL, s, "must be no more than 253 characters");
  slice texts[4];
  uint32_t n = text_problems(e->a, TEXT_DNS1123_SUBDOMAIN, slice_of(plain, s.len), false, texts);
  if (n == (s.len > 253)) return;
  refuse_str(e, p, NULL, s,
             "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
             "'_', '-' or '.', and "
             "must start and end with an alphanumeric character (e.g. 'example.com', regex used "
             "for validation is "
             "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')");
}

static void dns_lists_check(field_errors *e, const path *p, const val *config) {
  const val *servers = val_getc(config, "nameservers"), *searches = val_getc(config, "searches"),
            *options = val_getc(config, "options");
  path at_servers = path_child(p, "nameservers"), at_searches = path_child(p, "searches"),
       at_options = path_child(p, "options");
  size_t total = val_len(searches) ? val_len(searches) - 1 : 0;
  if (val_len(servers) > 3)
    refuse(e, p, "nameservers", servers, "must not have more than 3 nameservers");
  EACH_ITEM(i, servers) {
    path at = path_index(&at_servers, i);
    legacy_ip_check(e, &at, val_str(val_at(servers, i)));
  }
  if (val_len(searches) > 32)
    refuse(e, p, "searches", searches, "must not have more than 32 search paths");
  EACH_ITEM(i, searches) total += val_str(val_at(searches, i)).len;
  if (total > 2048)
    refuse(e, p, "searches", searches,
           "must not have more than 2048 characters (including spaces) in the search list");
  EACH_ITEM(i, searches) {
    path at = path_index(&at_searches, i);
    search_domain_check(e, &at, val_str(val_at(searches, i)));
  }
  EACH_ITEM(i, options) {
    path at = path_index(&at_options, i);
    if (!val_get_str(val_at(options, i), "name").len) require(e, &at, NULL, "must not be empty");
  }
}

static void dns_check(pod_view *w, const path *p) {
  const val *config = val_getc(w->spec, "dnsConfig");
  if (slice_is(val_get_str(w->spec, "dnsPolicy"), "None")) {
    if (!config) {
      require(w->errs, p, NULL, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (!need(w->errs, p, config, "nameservers",
              "must provide at least one DNS nameserver when `dnsPolicy` is None"))
      return;
  }
  if (config) dns_lists_check(w->errs, p, config);
}

static void gates_check(pod_view *w, const path *spec_path) {
  field_errors *e = w->errs;
  path ready = path_child(spec_path, "readinessGates"),
       scheduling = path_child(spec_path, "schedulingGates");
  const val *list = val_getc(w->spec, "readinessGates"),
            *gates = val_getc(w->spec, "schedulingGates");
  val *seen = val_map(e->a);
  EACH_ITEM(i, list) {
    path at = path_index(&ready, i);
    text_at(e, &at, val_at(list, i), "conditionType", TEXT_LABEL_KEY);
  }
  EACH_ITEM(i, gates) {
    slice name = val_get_str(val_at(gates, i), "name");
    path at = path_index(&scheduling, i);
    text_check(e, &at, TEXT_LABEL_KEY, name);
    if (val_get(seen, name)) field_duplicate(e, &at, val_string(e->a, name));
    val_set(e->a, seen, name, val_null(e->a));
  }
}

static bool devices_forbidden(void *ctx, const path *p, const val *c) {
  if (val_len(val_getc(c, "volumeDevices")))
    forbid(ctx, p, "volumeDevices", "when `hostUsers` is false");
  return true;
}

static void host_users_check(pod_view *w, const path *p) {
  if (w->host_users) return;
  const val *was = val_getc(w->old_spec, "hostUsers");
  bool networked = allowed_by(w->errs, FEATURE_USER_NAMESPACES_HOST_NETWORK_SUPPORT) ||
                   (was && !val_true(was) && val_true(val_getc(w->old_spec, "hostNetwork")));
  if (w->host_network && !networked) forbid(w->errs, p, "hostNetwork", "when `hostUsers` is false");
  if (val_true(val_getc(w->spec, "hostPID")))
    forbid(w->errs, p, "HostPID", "when `hostUsers` is false");
  if (val_true(val_getc(w->spec, "hostIPC")))
    forbid(w->errs, p, "HostIPC", "when `hostUsers` is false");
  containers_visit(w->spec, p, devices_forbidden, w->errs);
}

static void host_name_check(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  const val *name = val_getc(w->spec, "hostnameOverride");
  path at = path_child(p, "hostnameOverride");
  if (!name) return;
  if (val_true(val_getc(w->spec, "setHostnameAsFQDN"))) {
    forbid(e, p, "hostnameOverride", "may not be specified when setHostnameAsFQDN is true");
  }
  if (w->host_network)
    forbid(e, p, "hostnameOverride", "may not be specified when hostNetwork is true");
  if (val_str(name).len > 64) field_too_long(e, &at, 64);
  text_check(e, &at, TEXT_DNS1123_SUBDOMAIN, val_str(name));
}

/* With the gate of workloads only, else it was dropped. */
static void group_check(pod_view *w, const path *p) {
  const val *group = val_getc(w->spec, "schedulingGroup"), *name = val_getc(group, "podGroupName");
  path at = path_child(p, "schedulingGroup"), name_at = path_child(&at, "podGroupName");
  if (!group) return;
  if (name) text_check(w->errs, &name_at, TEXT_DNS1123_SUBDOMAIN, val_str(name));
  else field_invalid(w->errs, &name_at, NULL, "must specify one of: `podGroupName`");
}

static void host_aliases_check(pod_view *w, const path *p) {
  const val *list = val_getc(w->spec, "hostAliases");
  EACH_ITEM(i, list) {
    path at = path_index(p, i), ip = path_child(&at, "ip"), names = path_child(&at, "hostnames");
    const val *hosts = val_getc(val_at(list, i), "hostnames");
    legacy_ip_check(w->errs, &ip, val_get_str(val_at(list, i), "ip"));
    EACH_ITEM(k, hosts) {
      path host = path_index(&names, k);
      text_check(w->errs, &host, TEXT_DNS1123_SUBDOMAIN, val_str(val_at(hosts, k)));
    }
  }
}

static void names_check(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  const val *deadline = val_getc(w->spec, "activeDeadlineSeconds");
  path at = path_child(p, "activeDeadlineSeconds"), tolerations = path_child(p, "tolerations"),
       aliases = path_child(p, "hostAliases"), overhead = path_child(p, "overhead");
  text_if_set(e, p, w->spec, "serviceAccountName", TEXT_DNS1123_SUBDOMAIN);
  text_if_set(e, p, w->spec, "nodeName", TEXT_DNS1123_SUBDOMAIN);
  if (deadline) range_check(e, &at, val_i64(deadline), 1, 2147483647);
  text_if_set(e, p, w->spec, "hostname", TEXT_DNS1123_LABEL);
  text_if_set(e, p, w->spec, "subdomain", TEXT_DNS1123_LABEL);
  tolerations_validate(e, &tolerations, val_getc(w->spec, "tolerations"),
                       val_getc(w->old_spec, "tolerations"));
  host_aliases_check(w, &aliases);
  text_if_set(e, p, w->spec, "priorityClassName", TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(w->spec, "runtimeClassName"))
    text_at(e, p, w->spec, "runtimeClassName", TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(w->spec, "preemptionPolicy")) {
    choice_at(e, p, w->spec, "preemptionPolicy", CHOICES("PreemptLowerPriority", "Never"), true);
  }
  if (val_getc(w->spec, "overhead")) {
    val *limits = val_map(e->a);
    val_setc(e->a, limits, "limits", val_getc(w->spec, "overhead"));
    resource_requirements_validate(e, &overhead, limits, false, NULL);
  }
}

typedef struct file_keys {
  field_errors *errs;
  const val *volumes; /* the spec's list */
} file_keys;

static bool file_keys_check(void *ctx, const path *p, const val *c) {
  file_keys *f = ctx;
  const val *vars = val_getc(c, "env");
  path list = path_child(p, "env");
  EACH_ITEM(i, vars) {
    const val *ref = val_path(val_at(vars, i), "valueFrom.fileKeyRef"), *found = NULL;
    slice name = val_get_str(ref, "volumeName");
    path at = path_index(&list, i), from = path_child(&at, "valueFrom"),
         key = path_child(&from, "fileKeyRef"), volume = path_child(&key, "volumeName");
    if (!ref) continue;
    EACH_ITEM(k, f->volumes) {
      if (slice_eq(val_get_str(val_at(f->volumes, k), "name"), name)) found = val_at(f->volumes, k);
    }
    if (!found)
      field_not_found(f->errs, &volume, val_string(f->errs->a, name));
    else if (!val_getc(found, "emptyDir"))
      refuse_str(f->errs, &volume, NULL, name, "referenced volume must be of type emptyDir");
  }
  return true;
}

static void view_fill(pod_view *w) {
  const val *users = val_getc(w->spec, "hostUsers"), *os = val_getc(w->spec, "os");
  const val *grace = val_getc(w->spec, "terminationGracePeriodSeconds"),
            *claims = val_getc(w->spec, "resourceClaims");
  w->host_users = !users || val_true(users);
  w->host_network = val_true(val_getc(w->spec, "hostNetwork"));
  w->has_os = os != NULL;
  w->os = val_get_str(os, "name");
  w->has_grace = grace != NULL;
  w->grace = val_i64(grace);
  w->claims = val_map(w->errs->a);
  EACH_ITEM(i, claims) {
    slice name = val_get_str(val_at(claims, i), "name");
    if (name.len) val_set(w->errs->a, w->claims, name, val_null(w->errs->a));
  }
  val_sort(w->claims);
}

static void policies_check(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  path selector = path_child(p, "nodeSelector"), security = path_child(p, "securityContext");
  host_network_check(w, p);
  choice_at(e, p, w->spec, "restartPolicy", CHOICES("Always", "OnFailure", "Never"), true);
  choice_at(e, p, w->spec, "dnsPolicy",
            CHOICES("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"), true);
  labels_validate(e, &selector, val_getc(w->spec, "nodeSelector"));
  pod_context_validate(w, p, &security, val_getc(w->spec, "securityContext"));
}

void pod_spec_validate(pod_view *w, const path *p) {
  field_errors *e = w->errs;
  path volumes = path_child(p, "volumes"), claims = path_child(p, "resourceClaims"),
       affinity = path_child(p, "affinity"), dns = path_child(p, "dnsConfig"),
       spread = path_child(p, "topologySpreadConstraints");
  view_fill(w);
  if (!w->has_grace) require(e, p, "terminationGracePeriodSeconds", "");
  volumes_validate(w, &volumes);
  resource_claims_check(w, &claims);
  containers_validate(w, p);
  pod_resources_validate(w, p);
  policies_check(w, p);
  affinity_validate(e, &affinity, val_getc(w->spec, "affinity"));
  dns_check(w, &dns);
  gates_check(w, p);
  topology_spread_validate(e, &spread, val_getc(w->spec, "topologySpreadConstraints"));
  pod_windows_validate(w, p);
  host_users_check(w, p);
  host_name_check(w, p);
  names_check(w, p);
  pod_os_validate(w, p);
  group_check(w, p);
  file_keys f = {e, val_getc(w->spec, "volumes")};
  containers_visit(w->spec, p, file_keys_check, &f);
}
