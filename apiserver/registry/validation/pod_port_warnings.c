/* Warnings about what containers share with the world around them: ports that repeat or overlap,
 * addresses in old forms, annotations that fields have replaced. Source: pkg/api/pod/warnings.go.
 *
 * Ports are looked up by what makes a pair worth a warning, so that many of them cost no more than
 * their number and the warnings that fit into an answer. */
#include "registry/validation/pod_warnings.h"

#include "base/quote.h"
#include "registry/pod_create.h"
#include "registry/validation/checks.h"
#include "registry/validation/ip_rules.h"

#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_CONTAINER "container.seccomp.security.alpha.kubernetes.io/"
#define SECCOMP_WORDS "non-functional in v1.27+; use the \"seccompProfile\" field instead"

typedef struct port_walk port_walk;
struct port_walk {
  request *rq;
  void (*look)(port_walk *w, const path *at, val *port);
  val *by_number; /* keys of port_keys -> list of [where, port, place], in order of place */
  uint32_t place; /* ports seen */
  val *by_name; /* name -> where */
};

static void pair_warn(port_walk *w, const path *at, const val *port, const val *other) {
  const val *before = val_at(other, 1);
  slice ip = val_get_str(port, "hostIP"), other_ip = val_get_str(before, "hostIP");
  int64_t host = val_i64(val_getc(port, "hostPort")),
          other_host = val_i64(val_getc(before, "hostPort"));
  const char *what = NULL;
  if (slice_eq(ip, other_ip) && host == other_host) what = "duplicate";
  else if (!host || !other_host) what = "overlapping";
  else if (host == other_host && (ip.len == 0) != (other_ip.len == 0)) what = "dangerously ambiguous";
  if (!what) return;
  slice where = val_str(val_at(other, 0));
  warn_at(w->rq, at, "%s port definition with %.*s", what, SLICE_ARG(where));
}

static void host_ip_warn(port_walk *w, const path *at, const val *port) {
  slice name = val_get_str(port, "name"), protocol = val_get_str(port, "protocol"),
        ip = val_get_str(port, "hostIP");
  if (!ip.len || val_i64(val_getc(port, "hostPort"))) return;
  warn_at(w->rq, at,
          "hostIP set without hostPort: {Name:%.*s HostPort:0 ContainerPort:%lld Protocol:%.*s "
          "HostIP:%.*s}",
          SLICE_ARG(name), (long long)val_i64(val_getc(port, "containerPort")),
          SLICE_ARG(protocol), SLICE_ARG(ip));
}

/* Each port stands in the first list, and in the second or in the third and the fourth. */
typedef struct port_keys {
  slice number, no_host, host, host_ip;
} port_keys;

static slice host_key(arena *a, slice number, int64_t host, slice ip) {
  return arena_printf(a, "%.*s/%lld/%.*s", SLICE_ARG(number), (long long)host, SLICE_ARG(ip));
}

static port_keys keys_of(arena *a, const val *port) {
  slice protocol = val_get_str(port, "protocol");
  long long number = (long long)val_i64(val_getc(port, "containerPort"));
  port_keys k = {.number = arena_printf(a, "%lld/%.*s", number, SLICE_ARG(protocol))};
  int64_t host = val_i64(val_getc(port, "hostPort"));
  k.no_host = host_key(a, k.number, 0, SLICE_NONE);
  k.host = arena_printf(a, "%.*s/%lld", SLICE_ARG(k.number), (long long)host);
  k.host_ip = host_key(a, k.number, host, val_get_str(port, "hostIP"));
  return k;
}

static void port_add(port_walk *w, slice key, val *entry) {
  val *list = val_get(w->by_number, key);
  if (!list) val_set(w->rq->arena, w->by_number, key, list = val_list(w->rq->arena));
  val_append(w->rq->arena, list, entry);
}

/* Pairs the port with those of up to three lists, in the order in which they were seen. */
static void pairs_warn(port_walk *w, const path *at, const val *port, const slice keys[3]) {
  const val *lists[3];
  uint32_t next[3] = {0, 0, 0};
  for (int i = 0; i < 3; i++) lists[i] = keys[i].len ? val_get(w->by_number, keys[i]) : NULL;
  while (!request_warnings_full(w->rq)) {
    int first = -1;
    int64_t place = 0;
    for (int i = 0; i < 3; i++) {
      if (next[i] == val_len(lists[i])) continue;
      int64_t of = val_i64(val_at(val_at(lists[i], next[i]), 2));
      if (first < 0 || of < place) first = i, place = of;
    }
    if (first < 0) return;
    pair_warn(w, at, port, val_at(lists[first], next[first]++));
  }
}

static void number_look(port_walk *w, const path *at, val *port) {
  arena *a = w->rq->arena;
  port_keys k = keys_of(a, port);
  bool host = val_i64(val_getc(port, "hostPort")) != 0, ip = val_get_str(port, "hostIP").len > 0;
  host_ip_warn(w, at, port);
  if (!host) {
    pairs_warn(w, at, port, (const slice[3]){k.number});
  } else if (!ip) {
    pairs_warn(w, at, port, (const slice[3]){k.no_host, k.host});
  } else {
    slice any_ip = host_key(a, k.number, val_i64(val_getc(port, "hostPort")), SLICE_NONE);
    pairs_warn(w, at, port, (const slice[3]){k.no_host, any_ip, k.host_ip});
  }
  val *entry = val_list(a);
  val_append(a, entry, val_string(a, path_text(a, at)));
  val_append(a, entry, port);
  val_append(a, entry, val_int(a, w->place++));
  port_add(w, k.number, entry);
  port_add(w, host ? k.host : k.no_host, entry);
  if (host) port_add(w, k.host_ip, entry);
}

static void name_look(port_walk *w, const path *at, val *port) {
  arena *a = w->rq->arena;
  slice name = val_get_str(port, "name"), other = val_str(val_get(w->by_name, name));
  if (!name.len) return;
  if (!other.len) {
    val_set(a, w->by_name, name, val_string(a, path_text(a, at)));
    return;
  }
  slice shown = go_quote(a, name);
  warn_at(w->rq, at,
          "duplicate port name %.*s with %.*s, services and probes that select ports by name will "
          "use %.*s", SLICE_ARG(shown), SLICE_ARG(other), SLICE_ARG(other));
}

static bool container_ports(void *ctx, const path *p, const val *c) {
  port_walk *w = ctx;
  const val *ports = val_getc(c, "ports");
  path list = path_child(p, "ports");
  EACH_ITEM(i, ports) {
    path at = path_index(&list, i);
    w->look(w, &at, val_at(ports, i));
  }
  return true;
}

void pod_warn_ports(request *rq, const path *spec_path, const val *spec) {
  port_walk w = {rq, number_look, val_map(rq->arena), 0, val_map(rq->arena)};
  containers_visit(spec, spec_path, container_ports, &w);
  w.look = name_look;
  containers_visit(spec, spec_path, container_ports, &w);
}

void pod_warn_addresses(request *rq, const path *spec_path, const val *spec) {
  path dns = path_child(spec_path, "dnsConfig"), servers = path_child(&dns, "nameservers"),
       hosts = path_child(spec_path, "hostAliases");
  const val *list = val_path(spec, "dnsConfig.nameservers"), *aliases = val_getc(spec, "hostAliases");
  EACH_ITEM(i, list) {
    path at = path_index(&servers, i);
    ip_warn(rq, &at, val_str(val_at(list, i)));
  }
  EACH_ITEM(i, aliases) {
    path item = path_index(&hosts, i), at = path_child(&item, "ip");
    ip_warn(rq, &at, val_get_str(val_at(aliases, i), "ip"));
  }
}

static void note_warn(request *rq, const path *notes_path, const val *notes, slice key,
                      const char *words) {
  path at = path_key(notes_path, key);
  if (val_get(notes, key)) pod_warn_at(rq, &at, NULL, words);
}

void pod_warn_pod_profile(request *rq, const path *notes_path, const val *notes, const val *spec) {
  if (!val_path(spec, "securityContext.seccompProfile"))
    note_warn(rq, notes_path, notes, SLICE_LIT(SECCOMP_POD), SECCOMP_WORDS);
}

void pod_warn_profiles(request *rq, const path *notes_path, const val *notes, const val *spec,
                       const val *container, bool template) {
  arena *a = rq->arena;
  slice name = val_get_str(container, "name");
  if (val_len(notes) == 0) return;
  if (!val_path(container, "securityContext.seccompProfile")) {
    slice key = arena_printf(a, SECCOMP_CONTAINER "%.*s", SLICE_ARG(name));
    note_warn(rq, notes_path, notes, key, SECCOMP_WORDS);
  }
  /* A pod's own were warned about when they became fields: pod_create.c. */
  if (!template || val_path(container, "securityContext.appArmorProfile")) return;
  slice key = arena_printf(a, APPARMOR_ANNOTATION "%.*s", SLICE_ARG(name));
  const val *note = val_get(notes, key), *of_pod = val_path(spec, "securityContext.appArmorProfile"),
            *meant = note ? apparmor_from_annotation(a, val_str(note)) : NULL;
  if (!of_pod || !meant || !val_equal(of_pod, meant))
    note_warn(rq, notes_path, notes, key, APPARMOR_WORDS);
}
