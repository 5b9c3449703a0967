/* Security contexts of pods and containers, and what the pod's operating system forbids. */
#include "registry/validation/pod_checks.h"

static void seccomp_check(field_errors *e, const path *p, const val *profile) {
  static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
  slice type = val_get_str(profile, "type");
  const val *local = val_getc(profile, "localhostProfile");
  path at = path_child(p, "localhostProfile");
  if (!profile) return;
  if (!type.len)
    require(e, p, "type", "type is required when seccompProfile is set");
  else if (!one_of(type, types))
    unsupported(e, p, "type", type, types);
  if (slice_is(type, "Localhost")) {
    if (!local)
      require(e, p, "localhostProfile", "must be set when seccomp type is Localhost");
    else
      path_local_descending(e, &at, val_str(local));
  } else if (local) {
    refuse_go(e, p, "localhostProfile", "SeccompProfile", profile,
              "can only be set when seccomp type is Localhost");
  }
}

static void apparmor_check(field_errors *e, const path *p, const val *profile) {
  static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
  slice type = val_get_str(profile, "type"), local = val_get_str(profile, "localhostProfile");
  path at = path_child(p, "localhostProfile");
  if (!profile) return;
  if (!type.len) {
    require(e, p, "type", "type is required when appArmorProfile is set");
  } else if (!one_of(type, types)) {
    unsupported(e, p, "type", type, types);
  } else if (!slice_is(type, "Localhost")) {
    if (val_getc(profile, "localhostProfile")) {
      refuse_str(e, p, "localhostProfile", local,
                 "can only be set when AppArmor type is Localhost");
    }
  } else {
    bool padded = slice_trim(local).len != local.len;
    if (padded)
      refuse_str(e, p, "localhostProfile", local, "must not be padded with whitespace");
    else if (!local.len)
      require(e, p, "localhostProfile", "must be set when AppArmor type is Localhost");
    if (local.len > 4095) field_too_long(e, &at, 4095);
  }
}

static bool domain_name_ok(slice s) {
  static const char bad[] = "\\/:*?\"<>|";
  bool netbios = s.len >= 1 && s.len <= 15 && s.ptr[0] != '.';
  for (size_t i = 0; i < s.len; i++) netbios = netbios && !strchr(bad, s.ptr[i]);
  if (netbios) return true;
  slice rest = s, label;
  for (bool more = true; more;) {
    more = slice_cut(rest, '.', &label, &rest);
    bool ok =
        label.len >= 1 && label.len <= 63 && label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
    for (size_t i = 0; i < label.len; i++) {
      char c = label.ptr[i];
      bool letter =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      ok = ok && letter;
    }
    if (!ok) return false;
  }
  return true;
}

static void windows_user_check(field_errors *e, const path *p, slice name) {
  static const char key[] = "runAsUserName", bad[] = "\"/\\:;|=,+*?<>@[]";
  slice domain = SLICE_NONE, user = name, rest;
  bool control = false, dots = true, special = false;
  for (size_t i = 0; i < name.len; i++)
    control = control || (unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f;
  if (!name.len) {
    refuse_str(e, p, key, name, "runAsUserName cannot be an empty string");
    return;
  }
  if (control) {
    refuse_str(e, p, key, name, "runAsUserName cannot contain control characters");
    return;
  }
  bool has_domain = slice_find_char(name, '\\') >= 0;
  if (has_domain && slice_cut(name, '\\', &domain, &rest)) user = rest;
  if (slice_find_char(user, '\\') >= 0) {
    refuse_str(e, p, key, name, "runAsUserName cannot contain more than one backslash");
    return;
  }
  for (size_t i = 0; i < user.len; i++) {
    dots = dots && (user.ptr[i] == '.' || user.ptr[i] == ' ');
    special = special || strchr(bad, user.ptr[i]);
  }
  if (domain.len >= 256)
    refuse_str(e, p, key, name, "runAsUserName's Domain length must be under 256 characters");
  if (has_domain && !domain_name_ok(domain)) {
    refuse_str(e, p, key, name,
               "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (!user.len)
    refuse_str(e, p, key, name, "runAsUserName's User cannot be empty");
  else if (user.len > 104)
    refuse_str(e, p, key, name,
               "runAsUserName's User length must not be longer than 104 characters");
  if (user.len && dots)
    refuse_str(e, p, key, name, "runAsUserName's User cannot contain only periods or spaces");
  if (special) {
    refuse_str(e, p, key, name,
               "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

static void windows_options_check(field_errors *e, const path *p, const val *options) {
  slice spec = val_get_str(options, "gmsaCredentialSpec");
  if (val_getc(options, "gmsaCredentialSpecName"))
    text_at(e, p, options, "gmsaCredentialSpecName", TEXT_DNS1123_SUBDOMAIN);
  if (val_getc(options, "gmsaCredentialSpec")) {
    if (!spec.len)
      refuse_str(e, p, "gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string");
    else if (spec.len > 65536)
      refuse_str(e, p, "gmsaCredentialSpec", spec, "gmsaCredentialSpec size must be under 64 KiB");
  }
  if (val_getc(options, "runAsUserName"))
    windows_user_check(e, p, val_get_str(options, "runAsUserName"));
}

static void escalation_check(field_errors *e, const path *p, const val *sc) {
  const val *may = val_getc(sc, "allowPrivilegeEscalation"),
            *caps = val_path(sc, "capabilities.add");
  if (!may || val_true(may)) return;
  if (val_true(val_getc(sc, "privileged"))) {
    refuse_go(e, p, NULL, "SecurityContext", sc,
              "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  EACH_ITEM(i, caps) {
    if (!slice_is(val_str(val_at(caps, i)), "CAP_SYS_ADMIN")) continue;
    refuse_go(
        e, p, NULL, "SecurityContext", sc,
        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

void security_context_validate(pod_view *w, const path *p, const val *sc) {
  field_errors *e = w->errs;
  path seccomp = path_child(p, "seccompProfile"), windows = path_child(p, "windowsOptions"),
       armor = path_child(p, "appArmorProfile");
  if (!sc) return;
  id_at(e, p, sc, "runAsUser");
  id_at(e, p, sc, "runAsGroup");
  if (val_getc(sc, "procMount")) {
    choice_at(e, p, sc, "procMount", CHOICES("Default", "Unmasked"), false);
    slice mount = val_get_str(sc, "procMount");
    if (w->host_users && slice_is(mount, "Unmasked")) {
      refuse_str(e, p, "procMount", mount, "`hostUsers` must be false to use `Unmasked`");
    }
  }
  seccomp_check(e, &seccomp, val_getc(sc, "seccompProfile"));
  escalation_check(e, p, sc);
  windows_options_check(e, &windows, val_getc(sc, "windowsOptions"));
  apparmor_check(e, &armor, val_getc(sc, "appArmorProfile"));
}

/* Segments of letters, digits, '-' and '_' between '.' or '/'. */
static bool sysctl_name_ok(slice s) {
  if (s.len > 253) return false;
  bool inside = false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    bool last = i + 1 == s.len || s.ptr[i + 1] == '.' || s.ptr[i + 1] == '/';
    if (c == '.' || c == '/') {
      if (!inside) return false;
      inside = false;
    } else {
      if (!word && (!(c == '-' || c == '_') || !inside || last)) return false;
      inside = true;
    }
  }
  return inside;
}

/* Which namespace of the kernel a setting belongs to: "net", "ipc" or none. */
static char sysctl_namespace(arena *a, slice name) {
  char *s = arena_cstr(a, name);
  size_t cut = strcspn(s, "./");
  if (s[cut] == '/') {
    for (size_t i = 0; i < name.len; i++) s[i] = s[i] == '/' ? '.' : s[i] == '.' ? '/' : s[i];
  }
  slice n = slice_of(s, name.len);
  if (slice_has_prefix(n, SLICE_LIT("net."))) return 'n';
  bool ipc = one_of(n, CHOICES("kernel.sem")) || slice_has_prefix(n, SLICE_LIT("kernel.shm")) ||
             slice_has_prefix(n, SLICE_LIT("kernel.msg")) ||
             slice_has_prefix(n, SLICE_LIT("fs.mqueue."));
  return ipc ? 'i' : 0;
}

static void sysctls_check(pod_view *w, const path *p, const val *list) {
  field_errors *e = w->errs;
  val *seen = val_map(e->a);
  bool ipc = val_true(val_getc(w->spec, "hostIPC"));
  EACH_ITEM(i, list) {
    slice name = val_get_str(val_at(list, i), "name");
    path at = path_index(p, i), at_name = path_child(&at, "name");
    if (!name.len) {
      require(e, &at, "name", "");
    } else if (!sysctl_name_ok(name)) {
      refuse_str(e, &at, "name", name,
                 "must have at most 253 characters and match regex "
                 "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (val_get(seen, name)) {
      field_duplicate(e, &at_name, val_string(e->a, name));
    }
    char ns = sysctl_namespace(e->a, name);
    if (w->host_network && ns == 'n')
      refuse_str(e, &at, "name", name, "may not be specified when 'hostNetwork' is true");
    else if (ipc && ns == 'i')
      refuse_str(e, &at, "name", name, "may not be specified when 'hostIPC' is true");
    val_set(e->a, seen, name, val_null(e->a));
  }
}

void pod_context_validate(pod_view *w, const path *spec_path, const path *p, const val *sc) {
  field_errors *e = w->errs;
  const val *groups = val_getc(sc, "supplementalGroups"),
            *share = val_getc(w->spec, "shareProcessNamespace");
  path at_groups = path_child(p, "supplementalGroups"), sysctls = path_child(p, "sysctls"),
       seccomp = path_child(p, "seccompProfile"), windows = path_child(p, "windowsOptions"),
       armor = path_child(p, "appArmorProfile");
  (void)spec_path;
  id_at(e, p, sc, "fsGroup");
  id_at(e, p, sc, "runAsUser");
  id_at(e, p, sc, "runAsGroup");
  EACH_ITEM(i, groups) {
    path at = path_index(&at_groups, i);
    range_check(e, &at, val_i64(val_at(groups, i)), 0, 2147483647);
  }
  if (val_true(share) && val_true(val_getc(w->spec, "hostPID"))) {
    refuse(e, p, "shareProcessNamespace", share,
           "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  sysctls_check(w, &sysctls, val_getc(sc, "sysctls"));
  if (val_getc(sc, "fsGroupChangePolicy"))
    choice_at(e, p, sc, "fsGroupChangePolicy", CHOICES("Always", "OnRootMismatch"), false);
  seccomp_check(e, &seccomp, val_getc(sc, "seccompProfile"));
  windows_options_check(e, &windows, val_getc(sc, "windowsOptions"));
  apparmor_check(e, &armor, val_getc(sc, "appArmorProfile"));
  if (val_getc(sc, "supplementalGroupsPolicy"))
    choice_at(e, p, sc, "supplementalGroupsPolicy", CHOICES("Merge", "Strict"), false);
  if (val_getc(sc, "seLinuxChangePolicy"))
    choice_at(e, p, sc, "seLinuxChangePolicy", CHOICES("Recursive"), false);
}

typedef struct host_process {
  pod_view *w;
  const val *pod;
  int containers, processes;
} host_process;

static bool host_process_visit(void *ctx, const path *p, const val *c) {
  host_process *h = ctx;
  const val *mine = val_path(c, "securityContext.windowsOptions.hostProcess");
  path sc = path_child(p, "securityContext"), options = path_child(&sc, "windowsOptions"),
       at = path_child(&options, "hostProcess");
  h->containers++;
  if (h->pod && mine && val_true(h->pod) != val_true(mine)) {
    field_invalid(h->w->errs, &at, mine,
                  "pod hostProcess value must be identical if both are specified, was %s",
                  val_true(h->pod) ? "true" : "false");
  }
  if (mine ? val_true(mine) : val_true(h->pod)) h->processes++;
  return true;
}

void pod_windows_validate(pod_view *w, const path *p) {
  host_process h = {w, val_path(w->spec, "securityContext.windowsOptions.hostProcess"), 0, 0};
  containers_visit(w->spec, p, host_process_visit, &h);
  if (!h.processes) return;
  if (h.processes != h.containers) {
    refuse_str(w->errs, p, NULL, SLICE_LIT(""),
               "If pod contains any hostProcess containers then all containers must be HostProcess "
               "containers");
  }
  if (!w->host_network) {
    refuse(w->errs, p, "hostNetwork", val_bool(w->errs->a, false),
           "hostNetwork must be true if pod contains any hostProcess containers");
  }
}

static bool linux_visit(void *ctx, const path *p, const val *c) {
  path sc = path_child(p, "securityContext");
  if (val_path(c, "securityContext.windowsOptions"))
    forbid(ctx, &sc, "windowsOptions", "windows options cannot be set for a linux pod");
  return true;
}

static bool windows_visit(void *ctx, const path *p, const val *c) {
  static const char *const banned[] = {"appArmorProfile",
                                       "seLinuxOptions",
                                       "seccompProfile",
                                       "capabilities",
                                       "readOnlyRootFilesystem",
                                       "privileged",
                                       "allowPrivilegeEscalation",
                                       "procMount",
                                       "runAsUser",
                                       "runAsGroup"};
  const val *sc = val_getc(c, "securityContext");
  path at = path_child(p, "securityContext");
  for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
    if (val_getc(sc, banned[i])) forbid(ctx, &at, banned[i], "cannot be set for a windows pod");
  }
  return true;
}

static void windows_pod_check(pod_view *w, const path *p) {
  static const struct {
    const char *key;
    bool spec; /* in the spec, not in its security context */
  } banned[] = {{"appArmorProfile", 0},
                {"seLinuxOptions", 0},
                {"hostUsers", 1},
                {"hostPID", 1},
                {"hostIPC", 1},
                {"seccompProfile", 0},
                {"fsGroup", 0},
                {"fsGroupChangePolicy", 0},
                {"sysctls", 0},
                {"shareProcessNamespace", 1},
                {"runAsUser", 0},
                {"runAsGroup", 0},
                {"supplementalGroups", 0},
                {"supplementalGroupsPolicy", 0},
                {"seLinuxChangePolicy", 0}};
  const val *sc = val_getc(w->spec, "securityContext");
  path at = path_child(p, "securityContext");
  for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
    const val *v = val_getc(banned[i].spec ? w->spec : sc, banned[i].key);
    if (v)
      forbid(w->errs, banned[i].spec ? p : &at, banned[i].key, "cannot be set for a windows pod");
  }
  containers_visit(w->spec, p, windows_visit, w->errs);
}

void pod_os_validate(pod_view *w, const path *p) {
  path os = path_child(p, "os"), sc = path_child(p, "securityContext");
  if (!w->has_os) return;
  if (!w->os.len) {
    require(w->errs, &os, "name", "");
  } else if (slice_is(w->os, "linux")) {
    if (val_path(w->spec, "securityContext.windowsOptions")) {
      forbid(w->errs, &sc, "windowsOptions", "windows options cannot be set for a linux pod");
    }
    containers_visit(w->spec, p, linux_visit, w->errs);
  } else if (slice_is(w->os, "windows")) {
    windows_pod_check(w, p);
  } else {
    unsupported(w->errs, &os, NULL, w->os, CHOICES("linux", "windows"));
  }
}
