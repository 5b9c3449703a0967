/* pod_security_checks: each check is a row with the versions it holds for; baseline ones first,
 * each level by name, which is the order in which violations are told.
 *
 * Checks see containers in the order init, main, ephemeral. */
#include "admission/pod_security_checks.h"

#include "base/buf.h"
#include "base/limits.h"

#include <stdlib.h>

typedef struct pod_view {
  arena *a;
  const val *meta, *spec, *context; /* context: the pod's securityContext */
  int minor;
} pod_view;

/* What a check found. */
typedef struct finding {
  slice reason, detail;
} finding;

typedef bool (*check_fn)(const pod_view *p, finding *f); /* true: nothing wrong */

static const val *container_next(const val *spec, uint32_t *cursor) {
  static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
  uint32_t n = (*cursor)++;
  for (int l = 0; l < 3; l++) {
    const val *list = val_getc(spec, lists[l]);
    if (n < val_len(list)) return val_at(list, n);
    n -= val_len(list);
  }
  return NULL;
}

#define EACH_CONTAINER(c, p)                                                                 \
  const val *c = NULL;                                                                       \
  for (uint32_t c##_n = 0; (c = container_next((p)->spec, &c##_n)) != NULL;)

static void name_add(const pod_view *p, val *list, const val *item) {
  val_append(p->a, list, val_string(p->a, val_get_str(item, "name")));
}

static int by_text(const void *x, const void *y) {
  return slice_cmp(val_str(*(val *const *)x), val_str(*(val *const *)y));
}

/* A list as a set: sorted, each once. */
static val *set_of(val *list) {
  if (list->count < 2) return list;
  qsort(list->u.items, list->count, sizeof *list->u.items, by_text);
  uint32_t kept = 1;
  for (uint32_t i = 1; i < list->count; i++) {
    if (slice_eq(val_str(list->u.items[i]), val_str(list->u.items[kept - 1]))) continue;
    list->u.items[kept++] = list->u.items[i];
  }
  list->count = kept;
  return list;
}

static slice joined(arena *a, const val *list, const char *quote, const char *between) {
  buf out;
  buf_init(&out, LIMIT_BUFFER);
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (i) buf_cstr(&out, between);
    buf_cstr(&out, quote);
    buf_append(&out, val_str(val_at(list, i)));
    buf_cstr(&out, quote);
  }
  slice text = arena_copy(a, buf_slice(&out));
  buf_dispose(&out);
  return text;
}

static slice quoted(const pod_view *p, const val *list) { return joined(p->a, list, "\"", ", "); }

static const char *plural(const val *list, const char *one, const char *many) {
  return val_len(list) == 1 ? one : many;
}

/* 'container "a"', 'containers "a", "b"'. */
static slice containers_text(const pod_view *p, const val *names) {
  slice list = quoted(p, names);
  return arena_printf(p->a, "%s %.*s", plural(names, "container", "containers"), SLICE_ARG(list));
}

/* 'pod and container "a"': who has set something. */
static slice setters_text(const pod_view *p, bool pod, const val *names) {
  if (!val_len(names)) return SLICE_LIT("pod");
  slice containers = containers_text(p, names);
  return arena_printf(p->a, "%s%.*s", pod ? "pod and " : "", SLICE_ARG(containers));
}

static bool found(finding *f, const char *reason, slice detail) {
  *f = (finding){slice_cstr(reason), detail};
  return false;
}

static const val *context_of(const val *container) {
  return val_getc(container, "securityContext");
}

static bool is_windows(const pod_view *p) {
  return slice_is(val_str(val_path(p->spec, "os.name")), "windows");
}

/* Pods with a user namespace of their own get more freedom from 1.35 on. */
static bool is_relaxed(const pod_view *p) {
  const val *users = val_getc(p->spec, "hostUsers");
  return p->minor >= 35 && users && !val_true(users);
}

static bool check_app_armor(const pod_view *p, finding *f) {
  static const char prefix[] = "container.apparmor.security.beta.kubernetes.io/";
  val *names = val_list(p->a), *values = val_list(p->a), *notes = val_list(p->a);
  const val *own = val_getc(p->context, "appArmorProfile");
  slice type = val_get_str(own, "type");
  bool pod = own && !slice_is(type, "RuntimeDefault") && !slice_is(type, "Localhost");
  if (pod) val_append(p->a, values, val_string(p->a, type));
  EACH_CONTAINER(c, p) {
    own = val_getc(context_of(c), "appArmorProfile");
    type = val_get_str(own, "type");
    if (!own || slice_is(type, "RuntimeDefault") || slice_is(type, "Localhost")) continue;
    name_add(p, names, c);
    val_append(p->a, values, val_string(p->a, type));
  }
  VAL_EACH(e, val_getc(p->meta, "annotations")) {
    slice v = val_str(e->value);
    if (!slice_has_prefix(e->key, SLICE_LIT(prefix)) || !v.len) continue;
    if (slice_is(v, "runtime/default") || slice_has_prefix(v, SLICE_LIT("localhost/"))) continue;
    val_append(p->a, notes, val_printf(p->a, "%.*s=\"%.*s\"", SLICE_ARG(e->key), SLICE_ARG(v)));
  }
  if (!pod && !val_len(names) && !val_len(notes)) return true;
  bool others = pod || val_len(names);
  slice who = others ? setters_text(p, pod, names) : SLICE_NONE;
  if (val_len(notes)) {
    who = arena_printf(p->a, "%.*s%s%s", SLICE_ARG(who), others ? " and " : "",
                       plural(notes, "annotation", "annotations"));
  }
  set_of(values);
  set_of(notes);
  for (uint32_t i = 0; i < val_len(notes); i++) val_append(p->a, values, val_at(notes, i));
  slice list = quoted(p, values);
  return found(f, plural(values, "forbidden AppArmor profile", "forbidden AppArmor profiles"),
               arena_printf(p->a, "%.*s must not set AppArmor profile type to %.*s",
                            SLICE_ARG(who), SLICE_ARG(list)));
}

static bool capability_is_default(slice name) {
  static const char *const allowed[] = {
      "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"};
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
    if (slice_is(name, allowed[i])) return true;
  }
  return false;
}

/* Collects added capabilities that are not allowed; restricted allows just one. */
static void capabilities_added(const pod_view *p, bool restricted, val *names, val *bad) {
  EACH_CONTAINER(c, p) {
    const val *add = val_path(context_of(c), "capabilities.add");
    uint32_t before = val_len(bad);
    for (uint32_t i = 0; i < val_len(add); i++) {
      slice name = val_str(val_at(add, i));
      bool fine = restricted ? slice_is(name, "NET_BIND_SERVICE") : capability_is_default(name);
      if (!fine) val_append(p->a, bad, val_string(p->a, name));
    }
    if (val_len(bad) > before) name_add(p, names, c);
  }
}

static slice capabilities_text(const pod_view *p, const val *names, val *bad) {
  slice who = containers_text(p, names), list = quoted(p, set_of(bad));
  return arena_printf(p->a, "%.*s must not include %.*s in securityContext.capabilities.add",
                      SLICE_ARG(who), SLICE_ARG(list));
}

static bool check_capabilities(const pod_view *p, finding *f) {
  val *names = val_list(p->a), *bad = val_list(p->a);
  capabilities_added(p, false, names, bad);
  return !val_len(names) || found(f, "non-default capabilities", capabilities_text(p, names, bad));
}

static bool drops_all(const val *container) {
  const val *drop = val_path(context_of(container), "capabilities.drop");
  for (uint32_t i = 0; i < val_len(drop); i++) {
    if (slice_is(val_str(val_at(drop, i)), "ALL")) return true;
  }
  return false;
}

static bool check_capabilities_restricted(const pod_view *p, finding *f) {
  if (p->minor >= 25 && is_windows(p)) return true;
  val *keeping = val_list(p->a), *names = val_list(p->a), *bad = val_list(p->a);
  EACH_CONTAINER(c, p) if (!drops_all(c)) name_add(p, keeping, c);
  capabilities_added(p, true, names, bad);
  slice detail = SLICE_NONE;
  if (val_len(keeping)) {
    slice who = containers_text(p, keeping);
    detail = arena_printf(p->a, "%.*s must set securityContext.capabilities.drop=[\"ALL\"]",
                          SLICE_ARG(who));
  }
  if (val_len(names)) {
    slice more = capabilities_text(p, names, bad);
    detail = arena_printf(p->a, "%.*s%s%.*s", SLICE_ARG(detail), detail.len ? "; " : "",
                          SLICE_ARG(more));
  }
  return !detail.len || found(f, "unrestricted capabilities", detail);
}

static bool check_host_namespaces(const pod_view *p, finding *f) {
  static const char *const fields[] = {"hostNetwork", "hostPID", "hostIPC"};
  val *set = val_list(p->a);
  for (int i = 0; i < 3; i++) {
    if (val_true(val_getc(p->spec, fields[i]))) {
      val_append(p->a, set, val_printf(p->a, "%s=true", fields[i]));
    }
  }
  return !val_len(set) || found(f, "host namespaces", joined(p->a, set, "", ", "));
}

static bool check_host_path(const pod_view *p, finding *f) {
  const val *volumes = val_getc(p->spec, "volumes");
  val *names = val_list(p->a);
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    if (val_getc(val_at(volumes, i), "hostPath")) name_add(p, names, val_at(volumes, i));
  }
  if (!val_len(names)) return true;
  slice list = quoted(p, names);
  return found(f, "hostPath volumes",
               arena_printf(p->a, "%s %.*s", plural(names, "volume", "volumes"), SLICE_ARG(list)));
}

static bool check_host_ports(const pod_view *p, finding *f) {
  val *names = val_list(p->a), *bad = val_list(p->a);
  EACH_CONTAINER(c, p) {
    const val *ports = val_getc(c, "ports");
    uint32_t before = val_len(bad);
    for (uint32_t i = 0; i < val_len(ports); i++) {
      int64_t port = val_i64(val_getc(val_at(ports, i), "hostPort"));
      if (port) val_append(p->a, bad, val_printf(p->a, "%lld", (long long)port));
    }
    if (val_len(bad) > before) name_add(p, names, c);
  }
  if (!val_len(names)) return true;
  slice who = containers_text(p, names), list = joined(p->a, set_of(bad), "", ", ");
  return found(f, "hostPort",
               arena_printf(p->a, "%.*s %s %s %.*s", SLICE_ARG(who), plural(names, "uses", "use"),
                            plural(bad, "hostPort", "hostPorts"), SLICE_ARG(list)));
}

static bool check_probe_hosts(const pod_view *p, finding *f) {
  static const char *const handlers[] = {"livenessProbe", "readinessProbe", "startupProbe",
                                         "lifecycle.postStart", "lifecycle.preStop"};
  static const char *const actions[] = {"httpGet", "tcpSocket"};
  val *names = val_list(p->a), *bad = val_list(p->a);
  EACH_CONTAINER(c, p) {
    uint32_t before = val_len(bad);
    for (int h = 0; h < 5; h++) {
      for (int i = 0; i < 2; i++) {
        slice host = val_get_str(val_getc(val_path(c, handlers[h]), actions[i]), "host");
        if (host.len) val_append(p->a, bad, val_string(p->a, host));
      }
    }
    if (val_len(bad) > before) name_add(p, names, c);
  }
  if (!val_len(names)) return true;
  set_of(names);
  set_of(bad);
  slice who = containers_text(p, names), list = quoted(p, bad);
  return found(f, "probe or lifecycle host",
               arena_printf(p->a, "%.*s %s %s %.*s", SLICE_ARG(who), plural(names, "uses", "use"),
                            plural(bad, "probe or lifecycle host", "probe or lifecycle hosts"),
                            SLICE_ARG(list)));
}

static bool check_privileged(const pod_view *p, finding *f) {
  val *names = val_list(p->a);
  EACH_CONTAINER(c, p) if (val_true(val_getc(context_of(c), "privileged"))) name_add(p, names, c);
  if (!val_len(names)) return true;
  slice who = containers_text(p, names);
  return found(f, "privileged",
               arena_printf(p->a, "%.*s must not set securityContext.privileged=true",
                            SLICE_ARG(who)));
}

static bool check_proc_mount_restricted(const pod_view *p, finding *f) {
  val *names = val_list(p->a), *bad = val_list(p->a);
  EACH_CONTAINER(c, p) {
    const val *type = val_getc(context_of(c), "procMount");
    if (!type || slice_is(val_str(type), "Default")) continue;
    name_add(p, names, c);
    val_append(p->a, bad, val_string(p->a, val_str(type)));
  }
  if (!val_len(names)) return true;
  slice who = containers_text(p, names), list = quoted(p, set_of(bad));
  return found(f, "procMount",
               arena_printf(p->a, "%.*s must not set securityContext.procMount to %.*s",
                            SLICE_ARG(who), SLICE_ARG(list)));
}

static bool check_proc_mount(const pod_view *p, finding *f) {
  return is_relaxed(p) || check_proc_mount_restricted(p, f);
}

typedef struct selinux_run {
  const pod_view *p;
  val *types;
  bool user, role;
} selinux_run;

static bool selinux_bad(selinux_run *run, const val *options) {
  slice type = val_get_str(options, "type");
  bool known = !type.len || slice_is(type, "container_t") || slice_is(type, "container_init_t") ||
               slice_is(type, "container_kvm_t") ||
               (run->p->minor >= 31 && slice_is(type, "container_engine_t"));
  bool user = val_get_str(options, "user").len > 0, role = val_get_str(options, "role").len > 0;
  if (!known) val_append(run->p->a, run->types, val_string(run->p->a, type));
  run->user = run->user || user;
  run->role = run->role || role;
  return !known || user || role;
}

static bool check_selinux(const pod_view *p, finding *f) {
  selinux_run run = {.p = p, .types = val_list(p->a)};
  val *names = val_list(p->a), *data = val_list(p->a);
  bool pod = selinux_bad(&run, val_getc(p->context, "seLinuxOptions"));
  EACH_CONTAINER(c, p) {
    if (selinux_bad(&run, val_getc(context_of(c), "seLinuxOptions"))) name_add(p, names, c);
  }
  if (!pod && !val_len(names)) return true;
  if (val_len(run.types)) {
    slice list = quoted(p, set_of(run.types));
    val_append(p->a, data, val_printf(p->a, "%s %.*s", plural(run.types, "type", "types"),
                                      SLICE_ARG(list)));
  }
  if (run.user) val_append(p->a, data, val_cstr(p->a, "user may not be set"));
  if (run.role) val_append(p->a, data, val_cstr(p->a, "role may not be set"));
  slice who = setters_text(p, pod, names), what = joined(p->a, data, "", "; ");
  return found(f, "seLinuxOptions",
               arena_printf(p->a, "%.*s set forbidden securityContext.seLinuxOptions: %.*s",
                            SLICE_ARG(who), SLICE_ARG(what)));
}

static bool seccomp_fine(slice type) {
  return slice_is(type, "Localhost") || slice_is(type, "RuntimeDefault");
}

/* Before 1.19 the profiles were annotations. */
static void seccomp_note(const pod_view *p, slice key, val *bad) {
  const val *note = val_get(val_getc(p->meta, "annotations"), key);
  slice v = val_str(note);
  if (!note || slice_is(v, "runtime/default") || slice_is(v, "docker/default")) return;
  if (slice_has_prefix(v, SLICE_LIT("localhost/"))) return;
  val_append(p->a, bad, val_printf(p->a, "%.*s=\"%.*s\"", SLICE_ARG(key), SLICE_ARG(v)));
}

static bool check_seccomp_notes(const pod_view *p, finding *f) {
  val *bad = val_list(p->a);
  seccomp_note(p, SLICE_LIT("seccomp.security.alpha.kubernetes.io/pod"), bad);
  EACH_CONTAINER(c, p) {
    seccomp_note(p, arena_concat(p->a, SLICE_LIT("container.seccomp.security.alpha.kubernetes.io/"),
                                 val_get_str(c, "name")), bad);
  }
  if (!val_len(bad)) return true;
  slice list = joined(p->a, set_of(bad), "", ", ");
  return found(f, "seccompProfile",
               arena_printf(p->a, "forbidden %s %.*s", plural(bad, "annotation", "annotations"),
                            SLICE_ARG(list)));
}

/* unset gets the containers that neither they nor the pod give a profile. */
static bool seccomp_explicit(const pod_view *p, finding *f, val *unset) {
  val *names = val_list(p->a), *bad = val_list(p->a);
  const val *own = val_getc(p->context, "seccompProfile");
  bool pod_bad = own && !seccomp_fine(val_get_str(own, "type")), pod_fine = own && !pod_bad;
  if (pod_bad) val_append(p->a, bad, val_string(p->a, val_get_str(own, "type")));
  EACH_CONTAINER(c, p) {
    own = val_getc(context_of(c), "seccompProfile");
    if (!own && !pod_fine) name_add(p, unset, c);
    if (!own || seccomp_fine(val_get_str(own, "type"))) continue;
    name_add(p, names, c);
    val_append(p->a, bad, val_string(p->a, val_get_str(own, "type")));
  }
  if (!pod_bad && !val_len(names)) return true;
  slice who = setters_text(p, pod_bad, names), list = quoted(p, set_of(bad));
  return found(f, "seccompProfile",
               arena_printf(p->a, "%.*s must not set securityContext.seccompProfile.type to %.*s",
                            SLICE_ARG(who), SLICE_ARG(list)));
}

static bool check_seccomp(const pod_view *p, finding *f) {
  return seccomp_explicit(p, f, val_list(p->a));
}

static bool check_seccomp_restricted(const pod_view *p, finding *f) {
  if (p->minor >= 25 && is_windows(p)) return true;
  val *unset = val_list(p->a);
  if (!seccomp_explicit(p, f, unset)) return false;
  if (!val_len(unset)) return true;
  slice who = containers_text(p, unset);
  return found(f, "seccompProfile",
               arena_printf(p->a,
                            "pod or %.*s must set securityContext.seccompProfile.type to "
                            "\"RuntimeDefault\" or \"Localhost\"",
                            SLICE_ARG(who)));
}

static bool sysctl_fine(slice name, int minor) {
  static const struct {
    const char *name;
    int since;
  } rows[] = {
      {"kernel.shm_rmid_forced", 0},         {"net.ipv4.ip_local_port_range", 0},
      {"net.ipv4.tcp_syncookies", 0},        {"net.ipv4.ping_group_range", 0},
      {"net.ipv4.ip_unprivileged_port_start", 0}, {"net.ipv4.ip_local_reserved_ports", 27},
      {"net.ipv4.tcp_keepalive_time", 29},   {"net.ipv4.tcp_fin_timeout", 29},
      {"net.ipv4.tcp_keepalive_intvl", 29},  {"net.ipv4.tcp_keepalive_probes", 29},
      {"net.ipv4.tcp_rmem", 32},             {"net.ipv4.tcp_wmem", 32},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (minor >= rows[i].since && slice_is(name, rows[i].name)) return true;
  }
  return false;
}

static bool check_sysctls(const pod_view *p, finding *f) {
  const val *sysctls = val_getc(p->context, "sysctls");
  val *bad = val_list(p->a);
  for (uint32_t i = 0; i < val_len(sysctls); i++) {
    const val *item = val_at(sysctls, i);
    if (!sysctl_fine(val_get_str(item, "name"), p->minor)) name_add(p, bad, item);
  }
  return !val_len(bad) || found(f, "forbidden sysctls", joined(p->a, bad, "", ", "));
}

static bool check_host_process(const pod_view *p, finding *f) {
  val *names = val_list(p->a);
  bool pod = val_true(val_path(p->context, "windowsOptions.hostProcess"));
  EACH_CONTAINER(c, p) {
    if (val_true(val_path(context_of(c), "windowsOptions.hostProcess"))) name_add(p, names, c);
  }
  if (!pod && !val_len(names)) return true;
  slice who = setters_text(p, pod, names);
  return found(f, "hostProcess",
               arena_printf(p->a, "%.*s must not set securityContext.windowsOptions."
                            "hostProcess=true", SLICE_ARG(who)));
}

static bool check_escalation(const pod_view *p, finding *f) {
  if (p->minor >= 25 && is_windows(p)) return true;
  val *names = val_list(p->a);
  EACH_CONTAINER(c, p) {
    const val *allow = val_getc(context_of(c), "allowPrivilegeEscalation");
    if (!allow || val_true(allow)) name_add(p, names, c);
  }
  if (!val_len(names)) return true;
  slice who = containers_text(p, names);
  return found(f, "allowPrivilegeEscalation != false",
               arena_printf(p->a, "%.*s must set securityContext.allowPrivilegeEscalation=false",
                            SLICE_ARG(who)));
}

/* The kinds of volume that restricted knows by name: allowed ones end at "secret". */
static const char *const volume_kinds[] = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret", "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo",
    "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder", "cephfs", "flocker", "fc",
    "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk",
    "portworxVolume", "scaleIO", "storageos"};
enum { VOLUMES_ALLOWED = 9, VOLUME_KINDS = sizeof volume_kinds / sizeof *volume_kinds };

static bool check_volumes(const pod_view *p, finding *f) {
  const val *volumes = val_getc(p->spec, "volumes");
  val *names = val_list(p->a), *types = val_list(p->a);
  for (uint32_t i = 0; i < val_len(volumes); i++) {
    const val *volume = val_at(volumes, i);
    int kind = 0;
    while (kind < VOLUME_KINDS && !val_getc(volume, volume_kinds[kind])) kind++;
    if (kind < VOLUMES_ALLOWED) continue;
    name_add(p, names, volume);
    val_append(p->a, types, val_cstr(p->a, kind < VOLUME_KINDS ? volume_kinds[kind] : "unknown"));
  }
  if (!val_len(names)) return true;
  set_of(types);
  slice who = quoted(p, names), list = quoted(p, types);
  return found(f, "restricted volume types",
               arena_printf(p->a, "%s %.*s %s %s %.*s", plural(names, "volume", "volumes"),
                            SLICE_ARG(who), plural(names, "uses", "use"),
                            plural(types, "restricted volume type", "restricted volume types"),
                            SLICE_ARG(list)));
}

static bool check_non_root(const pod_view *p, finding *f) {
  if (is_relaxed(p)) return true;
  val *refusing = val_list(p->a), *silent = val_list(p->a);
  const val *own = val_getc(p->context, "runAsNonRoot");
  bool pod_bad = own && !val_true(own), pod_good = own && val_true(own);
  EACH_CONTAINER(c, p) {
    own = val_getc(context_of(c), "runAsNonRoot");
    if (own && !val_true(own)) name_add(p, refusing, c);
    if (!own && !pod_good) name_add(p, silent, c);
  }
  if (pod_bad || val_len(refusing)) {
    slice who = setters_text(p, pod_bad, refusing);
    return found(f, "runAsNonRoot != true",
                 arena_printf(p->a, "%.*s must not set securityContext.runAsNonRoot=false",
                              SLICE_ARG(who)));
  }
  if (!val_len(silent)) return true;
  slice who = containers_text(p, silent);
  return found(f, "runAsNonRoot != true",
               arena_printf(p->a, "pod or %.*s must set securityContext.runAsNonRoot=true",
                            SLICE_ARG(who)));
}

static bool is_zero(const val *v) { return val_is_int(v) && val_i64(v) == 0; }

static bool check_user(const pod_view *p, finding *f) {
  if (is_relaxed(p)) return true;
  val *names = val_list(p->a);
  bool pod = is_zero(val_getc(p->context, "runAsUser"));
  EACH_CONTAINER(c, p) if (is_zero(val_getc(context_of(c), "runAsUser"))) name_add(p, names, c);
  if (!pod && !val_len(names)) return true;
  slice who = setters_text(p, pod, names);
  return found(f, "runAsUser=0",
               arena_printf(p->a, "%.*s must not set runAsUser=0", SLICE_ARG(who)));
}

/* replaced_from: the version from which a restricted check stands for this baseline one. */
static const struct {
  check_fn check;
  security_level level;
  int from, upto; /* minor versions, upto excluded */
  int replaced_from;
} checks[] = {
    {check_app_armor, LEVEL_BASELINE, 0, 99, 99},
    {check_capabilities, LEVEL_BASELINE, 0, 99, 22},
    {check_host_namespaces, LEVEL_BASELINE, 0, 99, 99},
    {check_host_path, LEVEL_BASELINE, 0, 99, 0},
    {check_host_ports, LEVEL_BASELINE, 0, 99, 99},
    {check_probe_hosts, LEVEL_BASELINE, 34, 99, 99},
    {check_privileged, LEVEL_BASELINE, 0, 99, 99},
    {check_proc_mount, LEVEL_BASELINE, 0, 99, 35},
    {check_selinux, LEVEL_BASELINE, 0, 99, 99},
    {check_seccomp_notes, LEVEL_BASELINE, 0, 19, 99},
    {check_seccomp, LEVEL_BASELINE, 19, 99, 19},
    {check_sysctls, LEVEL_BASELINE, 0, 99, 99},
    {check_host_process, LEVEL_BASELINE, 0, 99, 99},
    {check_escalation, LEVEL_RESTRICTED, 8, 99, 99},
    {check_capabilities_restricted, LEVEL_RESTRICTED, 22, 99, 99},
    {check_proc_mount_restricted, LEVEL_RESTRICTED, 35, 99, 99},
    {check_volumes, LEVEL_RESTRICTED, 0, 99, 99},
    {check_non_root, LEVEL_RESTRICTED, 0, 99, 99},
    {check_user, LEVEL_RESTRICTED, 23, 99, 99},
    {check_seccomp_restricted, LEVEL_RESTRICTED, 19, 99, 99},
};

static void comma(buf *b) {
  if (b->len) buf_lit(b, ", ");
}

slice pod_security_violations(arena *a, security_level level, int minor, const val *meta,
                              const val *spec, slice *reasons) {
  if (minor > SECURITY_MINOR_MAX) minor = SECURITY_MINOR_MAX;
  pod_view p = {.a = a, .meta = meta, .spec = spec, .minor = minor,
                .context = val_getc(spec, "securityContext")};
  buf all, short_text;
  buf_init(&all, LIMIT_BUFFER);
  buf_init(&short_text, LIMIT_BUFFER);
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    finding f;
    if (checks[i].level > level || minor < checks[i].from || minor >= checks[i].upto) continue;
    if (level == LEVEL_RESTRICTED && minor >= checks[i].replaced_from) continue;
    if (checks[i].check(&p, &f)) continue;
    comma(&all);
    comma(&short_text);
    buf_append(&short_text, f.reason);
    buf_append(&all, f.reason);
    if (f.detail.len) buf_printf(&all, " (%.*s)", SLICE_ARG(f.detail));
  }
  slice text = all.len ? arena_copy(a, buf_slice(&all)) : SLICE_NONE;
  if (reasons) *reasons = arena_copy(a, buf_slice(&short_text));
  buf_dispose(&all);
  buf_dispose(&short_text);
  return text;
}
