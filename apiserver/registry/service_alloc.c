/* service_alloc: families and cluster addresses of a Service; ports are service_ports.c's.
 *
 * A Service that names impossible addresses ends here, with validation's own words. */
#include "registry/service_alloc.h"

#include "registry/ip_allocator.h"
#include "registry/object.h"
#include "registry/service_ports.h"
#include "registry/validation/service_ip.h"
#include "registry/port_range.h"
#include "server.h"

#include <assert.h>

static bool is_service(const request *rq) {
  const resource_info *r = rq->resource;
  return r && r->group.len == 0 && slice_is(r->resource, "services");
}

static bool policy_is(const val *spec, const char *policy) {
  return slice_is(val_get_str(spec, "ipFamilyPolicy"), policy);
}

static bool same_list(const val *a, const val *b, const char *field) {
  const val *x = val_getc(a, field), *y = val_getc(b, field);
  return val_len(x) == val_len(y) && (val_len(x) == 0 || val_equal(x, y));
}

static bool is_headless(const val *spec) {
  return slice_is(val_str(val_at(val_getc(spec, "clusterIPs"), 0)), "None");
}

static val *list_of(arena *a, slice text) {
  val *list = val_list(a);
  val_append(a, list, val_string(a, text));
  return list;
}

static void list_cut(arena *a, val *spec, const char *field, uint32_t len) {
  val *list = val_list(a), *old = val_getc(spec, field);
  for (uint32_t i = 0; i < len && i < val_len(old); i++) val_append(a, list, val_at(old, i));
  val_setc(a, spec, field, list);
}

static service_txn *txn_begin(request *rq) {
  server *s = rq->server;
  if (!s->ips) s->ips = ip_allocator_create(s->options.service_cidr);
  assert(s->ips);
  if (!s->ports) {
    s->ports = port_allocator_create(s->options.node_port_first, s->options.node_port_last);
  }
  service_txn *t = ARENA_NEW(rq->arena, service_txn);
  t->in_sync = port_allocator_in_sync(s, s->ports);
  t->ports_taken = val_list(rq->arena);
  t->ports_left = val_list(rq->arena);
  t->ips_taken = val_list(rq->arena);
  t->ips_left = val_list(rq->arena);
  rq->service_txn = t;
  return t;
}

/* Nothing that concerns families has changed on a Service that prefers two stacks. */
static bool prefers_and_keeps(const val *spec, const val *old) {
  if (!old || !policy_is(spec, "PreferDualStack")) return false;
  if (val_get_str(old, "ipFamilyPolicy").len && !policy_is(old, "PreferDualStack")) return false;
  return slice_eq(val_get_str(spec, "type"), val_get_str(old, "type")) &&
         same_list(spec, old, "clusterIPs") && same_list(spec, old, "ipFamilies");
}

static void policy_default(arena *a, val *spec, const val *old) {
  if (val_getc(spec, "ipFamilyPolicy")) return;
  bool bare = slice_is(val_get_str(spec, "clusterIP"), "None") &&
              !val_len(val_getc(spec, "selector"));
  slice kept = val_get_str(old, "ipFamilyPolicy");
  val *policy = kept.len ? val_string(a, kept)
                         : val_cstr(a, bare ? "RequireDualStack" : "SingleStack");
  val_setc(a, spec, "ipFamilyPolicy", policy);
}

static void policy_invalid(field_errors *errs, const val *spec, const char *why) {
  path root = path_root("spec"), field = path_child(&root, "ipFamilyPolicy");
  field_invalid(errs, &field, val_getc(spec, "ipFamilyPolicy"), "%s", why);
}

static void single_stack_reduce(arena *a, field_errors *errs, val *spec, const val *old) {
  static const char *const lists[] = {"clusterIPs", "ipFamilies"};
  static const char *const release[] = {
      "must be 'SingleStack' to release the secondary cluster IP",
      "must be 'SingleStack' to release the secondary IP family"};
  static const char *const multiple[] = {
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"};
  bool single = policy_is(spec, "SingleStack");
  for (int i = 0; old && i < 2; i++) {
    uint32_t now = val_len(val_getc(spec, lists[i])), was = val_len(val_getc(old, lists[i]));
    if (single && now > 1 && same_list(spec, old, lists[i])) list_cut(a, spec, lists[i], 1);
    if (!single && now > 0 && now < was) policy_invalid(errs, spec, release[i]);
  }
  for (int i = 0; single && i < 2; i++) {
    if (val_len(val_getc(spec, lists[i])) == 2) policy_invalid(errs, spec, multiple[i]);
  }
}

/* Addresses that are given say their families. */
static void families_from_ips(request *rq, field_errors *errs, val *spec) {
  const val *ips = val_getc(spec, "clusterIPs");
  for (uint32_t i = 0; i < val_len(ips) && !is_headless(spec); i++) {
    slice family = ip_family_of(val_str(val_at(ips, i)));
    if (i < val_len(val_getc(spec, "ipFamilies"))) continue;
    if (ip_allocator_family(rq->server->ips, family)) {
      val_append(rq->arena, val_ensure_list(rq->arena, spec, "ipFamilies"),
                 val_string(rq->arena, family));
      continue;
    }
    path root = path_root("spec"), list = path_child(&root, "clusterIPs");
    path item = path_index(&list, i);
    field_invalid(errs, &item, ips, "%.*s is not configured on this cluster", SLICE_ARG(family));
  }
}

static void second_family_add(arena *a, val *families) {
  bool first_v4 = slice_is(val_str(val_at(families, 0)), "IPv4");
  val_append(a, families, val_cstr(a, first_v4 ? "IPv6" : "IPv4"));
}

static void families_check(request *rq, field_errors *errs, const val *spec) {
  const ip_allocator *ips = rq->server->ips;
  if (policy_is(spec, "RequireDualStack") && ips->cidr_count < 2) {
    policy_invalid(errs, spec, "this cluster is not configured for dual-stack services");
  }
  const val *families = val_getc(spec, "ipFamilies");
  for (uint32_t i = 0; i < val_len(families); i++) {
    if (ip_allocator_family(ips, val_str(val_at(families, i)))) continue;
    path root = path_root("spec"), list = path_child(&root, "ipFamilies");
    path item = path_index(&list, i);
    field_invalid(errs, &item, val_at(families, i), "not configured on this cluster");
  }
}

static bool families_init(request *rq, field_errors *errs, val *spec, const val *old) {
  arena *a = rq->arena;
  const ip_allocator *ips = rq->server->ips;
  if (service_is_type(spec, "ExternalName") || prefers_and_keeps(spec, old)) return true;
  policy_default(a, spec, old);
  service_ips_check(errs, spec, val_getc(old, "clusterIPs"));
  if (errs->count) return false;
  single_stack_reduce(a, errs, spec, old);
  families_from_ips(rq, errs, spec);
  if (errs->count) return false;
  bool bare = slice_is(val_get_str(spec, "clusterIP"), "None") &&
              !val_len(val_getc(spec, "selector"));
  if (!bare) families_check(rq, errs, spec);
  if (errs->count) return false;
  val *families = val_ensure_list(a, spec, "ipFamilies");
  if (!val_len(families)) val_append(a, families, val_string(a, ip_cidr_family(&ips->cidrs[0])));
  if (val_len(families) == 1 && !policy_is(spec, "SingleStack") &&
      (bare || ips->cidr_count == 2)) {
    second_family_add(a, families);
  }
  return true;
}

static bool ip_error(request *rq, field_errors *errs, const val *svc, slice ip, slice problem,
                     bool full) {
  if (full) {
    slice name = object_name(svc);
    return status_set(&rq->error, rq->arena, STATUS_INTERNAL,
                      "Internal error occurred: failed to allocate a serviceIP for Service "
                      "\"%.*s\": range is full",
                      SLICE_ARG(name));
  }
  path root = path_root("spec"), field = path_child(&root, "clusterIPs");
  slice gap = ip.len ? SLICE_LIT(" ") : SLICE_NONE;
  field_invalid(errs, &field, val_path(svc, "spec.clusterIPs"),
                "failed to allocate IP%.*s%.*s: %.*s", SLICE_ARG(gap), SLICE_ARG(ip),
                SLICE_ARG(problem));
  return false;
}

/* Addresses for the families from number `from` on. */
static bool ips_take(request *rq, field_errors *errs, service_txn *t, val *svc, uint32_t from) {
  arena *a = rq->arena;
  val *spec = val_getc(svc, "spec"), *ips = val_ensure_list(a, spec, "clusterIPs");
  const val *families = val_getc(spec, "ipFamilies");
  if (service_is_type(spec, "ExternalName") || is_headless(spec)) return true;
  for (uint32_t i = from; i < val_len(families); i++) {
    const ip_cidr *c = ip_allocator_family(rq->server->ips, val_str(val_at(families, i)));
    slice asked = val_str(val_at(ips, i)), ip = asked, problem = SLICE_NONE;
    bool full = false;
    if (!c) continue;
    if (!ip_take(rq, c, svc, &ip, &problem, &full)) {
      return ip_error(rq, errs, svc, asked, problem, full);
    }
    val *text = val_string(a, ip);
    val_append(a, t->ips_taken, text);
    if (i < val_len(ips)) ips->u.items[i] = text;
    else val_append(a, ips, text);
    if (i == 0) val_setc(a, spec, "clusterIP", text);
  }
  return true;
}

/* Reading never shows an ExternalName's internalTrafficPolicy, so it is not kept either. */
static void policy_hide(val *svc) {
  val *spec = val_getc(svc, "spec");
  slice policy = val_get_str(spec, "internalTrafficPolicy");
  bool valid = slice_is(policy, "Cluster") || slice_is(policy, "Local"); /* else it is refused */
  if (service_is_type(spec, "ExternalName") && valid) val_delc(spec, "internalTrafficPolicy");
}

static bool finish(request *rq, field_errors *errs, val *svc, bool ok) {
  if (ok) {
    policy_hide(svc);
    return true;
  }
  service_alloc_undo(rq, svc);
  if (errs->count) {
    field_errors_to_status(errs, SLICE_NONE, SLICE_LIT("Service"), object_name(svc), &rq->error);
  }
  return false;
}

bool service_alloc_create(request *rq, val *svc) {
  if (!is_service(rq)) return true;
  arena *a = rq->arena;
  val *spec = val_ensure_map(a, svc, "spec");
  slice ip = val_get_str(spec, "clusterIP");
  if (ip.len && !val_len(val_getc(spec, "clusterIPs"))) {
    val_setc(a, spec, "clusterIPs", list_of(a, ip));
  }
  service_txn *t = txn_begin(rq);
  field_errors errs = {.a = a};
  bool ok = families_init(rq, &errs, spec, NULL) && ips_take(rq, &errs, t, svc, 0) &&
            service_ports_create(rq, &errs, t, spec);
  return finish(rq, &errs, svc, ok);
}

/* The node port that `old` gave to the port of this name, unless it is still in use there. */
static void node_ports_carry(arena *a, val *spec, const val *old) {
  const val *now = val_getc(spec, "ports"), *was = val_getc(old, "ports");
  uint64_t *kept = NULL;
  for (uint32_t i = 0; i < val_len(now); i++) {
    int64_t n = val_i64(val_getc(val_at(now, i), "nodePort"));
    if (n <= 0 || n >= 65536) continue;
    if (!kept) kept = ARENA_ARRAY(a, uint64_t, PORT_WORDS);
    kept[n / 64] |= (uint64_t)1 << (n % 64);
  }
  for (uint32_t i = 0; i < val_len(now); i++) {
    val *item = val_at(now, i);
    if (val_i64(val_getc(item, "nodePort"))) continue;
    int64_t n = 0;
    for (uint32_t j = 0; j < val_len(was); j++) {
      const val *other = val_at(was, j);
      if (slice_eq(val_get_str(other, "name"), val_get_str(item, "name"))) {
        n = val_i64(val_getc(other, "nodePort"));
      }
    }
    bool used = kept && n > 0 && n < 65536 && (kept[n / 64] >> (n % 64) & 1);
    if (n && !used) val_setc(a, item, "nodePort", val_int(a, n));
  }
}

static void allocated_carry(arena *a, val *spec, const val *old) {
  bool addresses = !service_is_type(spec, "ExternalName") && !service_is_type(old, "ExternalName");
  if (addresses && !val_get_str(spec, "clusterIP").len && val_get_str(old, "clusterIP").len) {
    val_setc(a, spec, "clusterIP", val_string(a, val_get_str(old, "clusterIP")));
  }
  if (addresses && !val_len(val_getc(spec, "clusterIPs")) && val_getc(old, "clusterIPs")) {
    val_setc(a, spec, "clusterIPs", val_copy(a, val_getc(old, "clusterIPs")));
  }
  if (service_needs_node_ports(spec) && service_needs_node_ports(old)) {
    node_ports_carry(a, spec, old);
  }
  bool health = service_needs_health_port(spec) && service_needs_health_port(old);
  const val *port = val_getc(old, "healthCheckNodePort");
  if (health && port && !val_i64(val_getc(spec, "healthCheckNodePort"))) {
    val_setc(a, spec, "healthCheckNodePort", val_copy(a, port));
  }
}

/* An old client that knows only clusterIP changes the list with it. */
static void addresses_align(arena *a, val *spec, const val *old) {
  slice now = val_get_str(spec, "clusterIP"), was = val_get_str(old, "clusterIP");
  const val *old_list = val_getc(old, "clusterIPs");
  if (slice_eq(now, was)) {
    if (val_len(old_list) && !val_len(val_getc(spec, "clusterIPs"))) {
      val_setc(a, spec, "clusterIPs", val_copy(a, old_list));
    }
    return;
  }
  if (!same_list(spec, old, "clusterIPs")) return;
  if (!now.len) val_delc(spec, "clusterIPs");
  else val_setc(a, spec, "clusterIPs", list_of(a, now));
}

static void ips_leave(arena *a, service_txn *t, const val *old, uint32_t from) {
  const val *ips = val_getc(old, "clusterIPs");
  for (uint32_t i = from; i < val_len(ips); i++) val_append(a, t->ips_left, val_at(ips, i));
}

static bool ips_change(request *rq, field_errors *errs, service_txn *t, val *svc,
                       const val *old) {
  val *spec = val_getc(svc, "spec");
  if (prefers_and_keeps(spec, old)) return true;
  bool named = service_is_type(spec, "ExternalName"),
      was_named = service_is_type(old, "ExternalName");
  if (was_named && !named) return ips_take(rq, errs, t, svc, 0);
  if (is_headless(old)) return true;
  if (named && !was_named) {
    ips_leave(rq->arena, t, old, 0);
    return true;
  }
  uint32_t count = val_len(val_getc(spec, "ipFamilies"));
  uint32_t before = val_len(val_getc(old, "ipFamilies"));
  if (before == 1 && count == 2) return ips_take(rq, errs, t, svc, 1);
  if (before == 2 && count == 1) ips_leave(rq->arena, t, old, 1);
  return true;
}

bool service_alloc_update(request *rq, val *svc, const val *old) {
  if (!is_service(rq) || rq->subresource) return true;
  arena *a = rq->arena;
  val *spec = val_ensure_map(a, svc, "spec");
  const val *old_spec = val_getc(old, "spec");
  allocated_carry(a, spec, old_spec);
  addresses_align(a, spec, old_spec);
  service_txn *t = txn_begin(rq);
  field_errors errs = {.a = a};
  bool ok = families_init(rq, &errs, spec, old_spec) && ips_change(rq, &errs, t, svc, old_spec) &&
            service_ports_update(rq, &errs, t, spec, old_spec);
  return finish(rq, &errs, svc, ok);
}

static void ports_give_back(request *rq, const val *list) {
  for (uint32_t i = 0; !rq->dry_run && i < val_len(list); i++) {
    port_release(rq->server->ports, val_i64(val_at(list, i)));
  }
  if (!rq->dry_run) port_range_release(rq, list);
}

static void ips_give_back(request *rq, const val *svc, const val *list) {
  for (uint32_t i = 0; i < val_len(list); i++) ip_release(rq, svc, val_str(val_at(list, i)));
}

static service_txn *txn_end(request *rq) {
  if (!is_service(rq) || !rq->server->ports) return NULL;
  service_txn *t = rq->service_txn;
  rq->service_txn = NULL;
  return t;
}

void service_alloc_commit(request *rq, const val *svc) {
  service_txn *t = txn_end(rq);
  if (!t) return;
  ports_give_back(rq, t->ports_left);
  ips_give_back(rq, svc, t->ips_left);
  if (!rq->dry_run && t->in_sync) port_allocator_written(rq->server, rq->server->ports);
}

void service_alloc_undo(request *rq, const val *svc) {
  service_txn *t = txn_end(rq);
  if (!t) return;
  ports_give_back(rq, t->ports_taken);
  ips_give_back(rq, svc, t->ips_taken);
}

void service_alloc_deleted(request *rq, const val *svc) {
  if (!is_service(rq) || rq->dry_run) return;
  const val *spec = val_getc(svc, "spec"), *ips = val_getc(spec, "clusterIPs");
  if (!service_is_type(spec, "ExternalName") && !is_headless(spec)) ips_give_back(rq, svc, ips);
  if (!rq->server->ports) return;
  port_range_release(rq, service_node_ports(rq->arena, spec));
  /* The ports follow from the Services that are left. */
  rq->server->ports->revision = -1;
}

void service_alloc_destroy(server *s) {
  ip_allocator_destroy(s->ips);
  port_allocator_destroy(s->ports);
  s->ips = NULL;
  s->ports = NULL;
}
