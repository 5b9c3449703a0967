/* Columns with a logic of their own: jobs, autoscalers, revisions, and the network. */
#include "respond/table_cell.h"

#include "registry/object.h"

#include <stdlib.h>

#define SHOWN 3u /* of a longer list; what is left is counted */
#define METRICS_SHOWN 2u

/* --- jobs, revisions --- */

val *cell_job_status(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *list = val_path(obj, "status.conditions");
  const char *text = "Running";
  if (condition_true(list, "Complete")) text = "Complete";
  else if (condition_true(list, "Failed")) text = "Failed";
  else if (val_path(obj, "metadata.deletionTimestamp")) text = "Terminating";
  else if (condition_true(list, "Suspended")) text = "Suspended";
  else if (condition_true(list, "FailureTarget")) text = "FailureTarget";
  else if (condition_true(list, "SuccessCriteriaMet")) text = "SuccessCriteriaMet";
  return val_cstr(e->arena, text);
}

val *cell_job_completions(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  long long done = (long long)val_i64(val_path(obj, "status.succeeded"));
  const val *wanted = val_path(obj, "spec.completions");
  long long parallel = (long long)val_i64(val_path(obj, "spec.parallelism"));
  if (wanted) return val_printf(e->arena, "%lld/%lld", done, (long long)val_i64(wanted));
  if (parallel > 1) return val_printf(e->arena, "%lld/1 of %lld", done, parallel);
  return val_printf(e->arena, "%lld/1", done);
}

val *cell_job_duration(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  int64_t from, to = e->now_s;
  if (!time_of(val_path(obj, "status.startTime"), &from)) return val_cstr(e->arena, "");
  time_of(val_path(obj, "status.completionTime"), &to);
  return val_string(e->arena, human_duration(e->arena, to - from));
}

val *cell_revision_owner(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *owners = val_path(obj, "metadata.ownerReferences");
  for (uint32_t i = 0; i < val_len(owners); i++) {
    const val *o = val_at(owners, i);
    slice group, rest, kind = val_get_str(o, "kind"), name = val_get_str(o, "name");
    if (!val_true(val_getc(o, "controller"))) continue;
    bool has_group = slice_cut(val_get_str(o, "apiVersion"), '/', &group, &rest) && group.len;
    slice full = has_group ? arena_printf(e->arena, "%.*s.%.*s", SLICE_ARG(kind),
                                          SLICE_ARG(group))
                           : kind;
    if (!full.len) return val_string(e->arena, name);
    full = arena_lower(e->arena, full);
    return val_printf(e->arena, "%.*s/%.*s", SLICE_ARG(full), SLICE_ARG(name));
  }
  return val_cstr(e->arena, "<none>");
}

/* --- autoscalers --- */

typedef struct metric_row {
  const char *type, *field;
  bool named; /* printed with the resource's name, and may be a percentage */
} metric_row;

static const metric_row metrics[] = {
    {"External", "external", false},
    {"Pods", "pods", false},
    {"Object", "object", false},
    {"Resource", "resource", true},
    {"ContainerResource", "containerResource", true},
};

/* Go prints a nil quantity so, where it does not ask first. */
static slice quantity_text(const val *source, const char *field) {
  slice text = val_get_str(source, field);
  return text.len ? text : SLICE_LIT("<nil>");
}

/* <unknown> without a source, and for an unset quantity where it must be set. */
static slice metric_quantity(const val *source, const char *field, bool must_be_set) {
  slice text = val_get_str(source, field);
  if (!source || (must_be_set && !text.len)) return SLICE_LIT("<unknown>");
  return quantity_text(source, field);
}

static slice percent(arena *a, const val *source, const char *none) {
  const val *v = val_getc(source, "averageUtilization");
  return v ? arena_printf(a, "%lld%%", (long long)val_i64(v)) : slice_cstr(none);
}

static slice metric_text(arena *a, const metric_row *row, const val *spec, const val *status) {
  const val *source = val_getc(spec, row->field), *target = val_getc(source, "target");
  const val *reported = val_getc(status, row->field), *current = val_getc(reported, "current");
  slice average = val_get_str(target, "averageValue"), name = val_get_str(source, "name");
  bool is_pods = slice_is(slice_cstr(row->field), "pods");
  if (reported && !current) current = reported; /* an empty one: present, and all unset */
  if (row->named && !average.len) {
    slice have = percent(a, current, "<unknown>"), want = percent(a, target, "<auto>");
    return arena_printf(a, "%.*s: %.*s/%.*s", SLICE_ARG(name), SLICE_ARG(have), SLICE_ARG(want));
  }
  if (row->named || is_pods) {
    slice have = metric_quantity(current, "averageValue", false);
    if (is_pods) {
      average = quantity_text(target, "averageValue");
      return arena_printf(a, "%.*s/%.*s", SLICE_ARG(have), SLICE_ARG(average));
    }
    return arena_printf(a, "%.*s: %.*s/%.*s", SLICE_ARG(name), SLICE_ARG(have),
                        SLICE_ARG(average));
  }
  if (average.len) {
    slice have = metric_quantity(current, "averageValue", true);
    return arena_printf(a, "%.*s/%.*s (avg)", SLICE_ARG(have), SLICE_ARG(average));
  }
  slice have = metric_quantity(current, "value", false), want = quantity_text(target, "value");
  return arena_printf(a, "%.*s/%.*s", SLICE_ARG(have), SLICE_ARG(want));
}

val *cell_hpa_targets(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *specs = val_path(obj, "spec.metrics");
  const val *statuses = val_path(obj, "status.currentMetrics");
  slice items[METRICS_SHOWN];
  uint32_t count = val_len(specs), shown = 0;
  if (count == 0) return val_cstr(e->arena, "<none>");
  for (uint32_t i = 0; i < count && i < METRICS_SHOWN; i++) {
    const val *spec = val_at(specs, i);
    items[shown] = SLICE_LIT("<unknown type>");
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
      if (!slice_is(val_get_str(spec, "type"), metrics[m].type)) continue;
      items[shown] = metric_text(e->arena, &metrics[m], spec, val_at(statuses, i));
    }
    shown++;
  }
  slice text = arena_join_with(e->arena, items, shown, ", ");
  if (count <= METRICS_SHOWN) return val_string(e->arena, text);
  return val_printf(e->arena, "%.*s + %u more...", SLICE_ARG(text), count - METRICS_SHOWN);
}

/* --- services, endpoints, ingresses --- */

/* The first few of a list whose length is only known at its end. */
typedef struct shortlist {
  slice items[SHOWN];
  uint32_t shown, count;
} shortlist;

static void shortlist_add(shortlist *l, slice item) {
  if (l->shown < SHOWN) l->items[l->shown++] = item;
  l->count++;
}

static val *shortlist_text(arena *a, const shortlist *l, const char *none) {
  slice text = arena_join_with(a, l->items, l->shown, ",");
  if (l->count > SHOWN) {
    return val_printf(a, "%.*s + %u more...", SLICE_ARG(text), l->count - SHOWN);
  }
  return text.len ? val_string(a, text) : val_cstr(a, none);
}

val *cell_cluster_ip(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *ips = val_path(obj, "spec.clusterIPs");
  if (val_len(ips) == 0) return val_cstr(e->arena, "<none>");
  return val_string(e->arena, val_str(val_at(ips, 0)));
}

/* The load balancer's addresses, sorted. */
static slice balancer_text(arena *a, const val *obj) {
  const val *list = val_path(obj, "status.loadBalancer.ingress");
  slice *items = ARENA_ARRAY(a, slice, val_len(list) + 1);
  uint32_t count = 0;
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice ip = val_get_str(val_at(list, i), "ip"), host = val_get_str(val_at(list, i), "hostname");
    if (ip.len || host.len) items[count++] = ip.len ? ip : host;
  }
  return join_set(a, items, count);
}

static slice all_of(arena *a, const val *list) {
  slice *items = ARENA_ARRAY(a, slice, val_len(list) + 1);
  for (uint32_t i = 0; i < val_len(list); i++) items[i] = val_str(val_at(list, i));
  return arena_join_with(a, items, val_len(list), ",");
}

val *cell_external_ip(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  slice type = val_str(val_path(obj, "spec.type"));
  slice ips = all_of(e->arena, val_path(obj, "spec.externalIPs"));
  if (slice_is(type, "ExternalName")) {
    return val_string(e->arena, val_str(val_path(obj, "spec.externalName")));
  }
  if (slice_is(type, "ClusterIP") || slice_is(type, "NodePort")) {
    return ips.len ? val_string(e->arena, ips) : val_cstr(e->arena, "<none>");
  }
  if (!slice_is(type, "LoadBalancer")) return val_cstr(e->arena, "<unknown>");
  slice balancer = balancer_text(e->arena, obj);
  if (ips.len && balancer.len) {
    return val_printf(e->arena, "%.*s,%.*s", SLICE_ARG(balancer), SLICE_ARG(ips));
  }
  if (ips.len || balancer.len) return val_string(e->arena, ips.len ? ips : balancer);
  return val_cstr(e->arena, "<pending>");
}

val *cell_ports(const cell_env *e, const val *obj, const cell *c) {
  const val *ports = val_path(obj, c->path);
  slice *items = ARENA_ARRAY(e->arena, slice, val_len(ports) + 1);
  for (uint32_t i = 0; i < val_len(ports); i++) {
    const val *p = val_at(ports, i);
    long long port = (long long)val_i64(val_getc(p, "port"));
    long long node = (long long)val_i64(val_getc(p, "nodePort"));
    slice protocol = val_get_str(p, "protocol");
    items[i] = node > 0 ? arena_printf(e->arena, "%lld:%lld/%.*s", port, node,
                                       SLICE_ARG(protocol))
                        : arena_printf(e->arena, "%lld/%.*s", port, SLICE_ARG(protocol));
  }
  if (val_len(ports) == 0) return val_cstr(e->arena, "<none>");
  return val_string(e->arena, arena_join_with(e->arena, items, val_len(ports), ","));
}

/* net.JoinHostPort: an IPv6 address in brackets. */
static slice host_port(arena *a, slice ip, long long port) {
  bool six = slice_find_char(ip, ':') >= 0;
  return arena_printf(a, "%s%.*s%s:%lld", six ? "[" : "", SLICE_ARG(ip), six ? "]" : "", port);
}

static void subset_add(arena *a, shortlist *l, const val *addresses, const val *port) {
  uint32_t count = val_len(addresses);
  for (uint32_t i = 0; i < count && l->shown < SHOWN; i++) {
    slice ip = val_get_str(val_at(addresses, i), "ip");
    if (port) ip = host_port(a, ip, (long long)val_i64(val_getc(port, "port")));
    l->items[l->shown++] = ip;
  }
  l->count += count;
}

val *cell_endpoints(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *subsets = val_getc(obj, "subsets");
  shortlist l = {.shown = 0};
  if (val_len(subsets) == 0) return val_cstr(e->arena, "<none>");
  for (uint32_t i = 0; i < val_len(subsets); i++) {
    const val *s = val_at(subsets, i), *ports = val_getc(s, "ports");
    const val *addresses = val_getc(s, "addresses");
    if (val_len(ports) == 0) subset_add(e->arena, &l, addresses, NULL);
    for (uint32_t p = 0; p < val_len(ports); p++) {
      subset_add(e->arena, &l, addresses, val_at(ports, p));
    }
  }
  return shortlist_text(e->arena, &l, "");
}

val *cell_slice_ports(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *ports = val_getc(obj, "ports");
  shortlist l = {.shown = 0};
  for (uint32_t i = 0; i < val_len(ports); i++) {
    const val *number = val_getc(val_at(ports, i), "port");
    const val *name = val_getc(val_at(ports, i), "name");
    slice text = SLICE_LIT("*");
    if (number) text = arena_printf(e->arena, "%lld", (long long)val_i64(number));
    else if (name) text = val_str(name);
    shortlist_add(&l, text);
  }
  return shortlist_text(e->arena, &l, "<unset>");
}

val *cell_slice_endpoints(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *endpoints = val_getc(obj, "endpoints");
  shortlist l = {.shown = 0};
  for (uint32_t i = 0; i < val_len(endpoints); i++) {
    const val *addresses = val_getc(val_at(endpoints, i), "addresses");
    for (uint32_t k = 0; k < val_len(addresses); k++) {
      shortlist_add(&l, val_str(val_at(addresses, k)));
    }
  }
  return shortlist_text(e->arena, &l, "<unset>");
}

/* What is left is counted in rules, not in hosts, as the real one does. */
val *cell_hosts(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  const val *rules = val_path(obj, "spec.rules");
  slice items[SHOWN];
  uint32_t shown = 0;
  bool more = false;
  for (uint32_t i = 0; i < val_len(rules); i++) {
    slice host = val_get_str(val_at(rules, i), "host");
    if (shown == SHOWN) more = true;
    if (!more && host.len) items[shown++] = host;
  }
  if (shown == 0) return val_cstr(e->arena, "*");
  slice text = arena_join_with(e->arena, items, shown, ",");
  if (!more) return val_string(e->arena, text);
  return val_printf(e->arena, "%.*s + %u more...", SLICE_ARG(text), val_len(rules) - SHOWN);
}

val *cell_ingress_address(const cell_env *e, const val *obj, const cell *c) {
  (void)c;
  return val_string(e->arena, balancer_text(e->arena, obj));
}

val *cell_ingress_ports(const cell_env *e, const val *obj, const cell *c) {
  return val_cstr(e->arena, val_len(val_path(obj, c->path)) ? "80, 443" : "80");
}

val *cell_class_parameters(const cell_env *e, const val *obj, const cell *c) {
  const val *p = val_path(obj, c->path), *group = val_getc(p, "apiGroup");
  slice kind = val_get_str(p, "kind"), name = val_get_str(p, "name"), g = val_str(group);
  if (!p) return val_cstr(e->arena, "<none>");
  return val_printf(e->arena, "%.*s%s%.*s/%.*s", SLICE_ARG(kind), group ? "." : "", SLICE_ARG(g),
                    SLICE_ARG(name));
}

val *cell_parent_ref(const cell_env *e, const val *obj, const cell *c) {
  const val *p = val_path(obj, c->path);
  slice group = val_get_str(p, "group"), namespace = val_get_str(p, "namespace");
  slice name = val_get_str(p, "name"), resource = val_get_str(p, "resource");
  if (!p) return val_cstr(e->arena, "<none>");
  slice what = group.len ? arena_printf(e->arena, "%.*s.%.*s", SLICE_ARG(resource),
                                        SLICE_ARG(group))
                         : resource;
  what = arena_lower(e->arena, what);
  return val_printf(e->arena, "%.*s%s%.*s/%.*s", SLICE_ARG(what), namespace.len ? "/" : "",
                    SLICE_ARG(namespace), SLICE_ARG(name));
}
