/* Allocation as a transcript: a Service in, what it gets or the refusal. Texts as recorded from a
 * real server. Then both allocators until they are full. */
#include "registry/service_alloc.h"

#include "codec/codec.h"
#include "registry/ip_allocator.h"
#include "registry/object.h"
#include "registry/port_allocator.h"
#include "registry/stored.h"
#include "server.h"
#include "verb/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct fixture {
  env env;
  server server;
  arena *arena;
  request rq;
} fixture;

static const resource_info *services(void) {
  return schema_resource(SLICE_NONE, SLICE_LIT("v1"), SLICE_LIT("services"));
}

static void fixture_start(fixture *f, const char *cidr) {
  memset(f, 0, sizeof *f);
  f->server.env = &f->env;
  f->server.store = store_memory_create(1);
  registry_open(&f->server);
  f->server.options.service_cidr = slice_cstr(cidr);
  rng_init(&f->server.ip_rng, 1);
  rng_init(&f->server.port_rng, 2);
  rng_init(&f->server.uid_rng, 3);
  f->arena = arena_create();
  f->rq = (request){.arena = f->arena, .server = &f->server, .resource = services()};
}

static void fixture_end(fixture *f) {
  request_done(&f->rq);
  service_alloc_destroy(&f->server);
  registry_close(&f->server);
  store_destroy(f->server.store);
  arena_destroy(f->arena);
}

static val *service(fixture *f, const char *name, const char *spec) {
  slice error;
  val *svc = val_map(f->arena), *meta = val_ensure_map(f->arena, svc, "metadata");
  val_setc(f->arena, meta, "name", val_cstr(f->arena, name));
  val_setc(f->arena, meta, "namespace", val_cstr(f->arena, "default"));
  val *tree = json_parse(f->arena, slice_cstr(spec), NULL, &error);
  assert_non_null(tree);
  val_setc(f->arena, svc, "spec", tree);
  return svc;
}

static slice ip_of(const val *svc) { return val_str(val_path(svc, "spec.clusterIP")); }

/* Creates, stores and commits; the refusal's message or SLICE_NONE. */
static slice create(fixture *f, val *svc) {
  f->rq.error = (status_error){0};
  if (!service_alloc_create(&f->rq, svc)) return f->rq.error.message;
  slice key = stored_key(f->arena, services(), SLICE_LIT("default"), object_name(svc));
  blob *bytes = stored_encode(f->arena, services(), svc, store_next_revision(f->server.store));
  assert_int_equal(store_create(f->server.store, key, bytes, NULL), STORE_OK);
  blob_unref(bytes);
  service_alloc_commit(&f->rq, svc);
  return SLICE_NONE;
}

static uint64_t recorded(fixture *f) {
  store_view *v = NULL;
  assert_int_equal(store_view_open(f->server.store, 0, &v), STORE_OK);
  uint64_t n = store_view_count(v, SLICE_LIT("/registry/ipaddresses/"),
                                SLICE_LIT("/registry/ipaddresses0"));
  store_view_close(v);
  return n;
}

static void test_addresses(void **state) {
  (void)state;
  static const struct {
    const char *spec, *problem; /* what stands behind 'Service "x" is invalid: ' */
  } rows[] = {
      {"{\"type\":\"ClusterIP\",\"clusterIP\":\"10.0.0.9\"}",
       "spec.clusterIPs: Invalid value: [\"10.0.0.9\"]: failed to allocate IP 10.0.0.9: provided "
       "IP is already allocated"},
      {"{\"type\":\"ClusterIP\",\"clusterIP\":\"10.0.0.0\"}",
       "spec.clusterIPs: Invalid value: [\"10.0.0.0\"]: failed to allocate IP 10.0.0.0: the "
       "provided network does not match the current range"},
      {"{\"type\":\"ClusterIP\",\"clusterIP\":\"10.0.0.255\"}",
       "spec.clusterIPs: Invalid value: [\"10.0.0.255\"]: failed to allocate IP 10.0.0.255: the "
       "provided network does not match the current range"},
      {"{\"type\":\"ClusterIP\",\"clusterIP\":\"fd00::1\"}",
       "spec.clusterIPs[0]: Invalid value: [\"fd00::1\"]: IPv6 is not configured on this cluster"},
      {"{\"type\":\"ClusterIP\",\"ipFamilyPolicy\":\"RequireDualStack\"}",
       "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured "
       "for dual-stack services"},
      {"{\"type\":\"ClusterIP\",\"ipFamilies\":[\"IPv6\"]}",
       "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"},
  };
  fixture f;
  fixture_start(&f, "");
  val *first = service(&f, "a", "{\"type\":\"ClusterIP\",\"clusterIP\":\"10.0.0.9\"}");
  assert_int_equal(create(&f, first).len, 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    slice got = create(&f, service(&f, "x", rows[i].spec));
    slice want = arena_printf(f.arena, "Service \"x\" is invalid: %s", rows[i].problem);
    if (!slice_eq(got, want)) fail_msg("%.*s", SLICE_ARG(got));
  }
  assert_int_equal(recorded(&f), 1);
  fixture_end(&f);
}

/* The range is given out once each; what is given back can be had again. */
static void test_addresses_run_out(void **state) {
  (void)state;
  fixture f;
  fixture_start(&f, "10.1.0.0/28"); /* 14 addresses */
  val *last = NULL;
  for (int i = 0; i < 14; i++) {
    last = service(&f, val_str(val_printf(f.arena, "s%d", i)).ptr, "{\"type\":\"ClusterIP\"}");
    assert_int_equal(create(&f, last).len, 0);
    assert_true(ip_of(last).len > 0);
  }
  assert_int_equal(recorded(&f), 14);
  slice full = create(&f, service(&f, "x", "{\"type\":\"ClusterIP\"}"));
  assert_true(slice_find(full, SLICE_LIT("range is full")) > 0);
  service_alloc_deleted(&f.rq, last);
  val *again = service(&f, "x", "{\"type\":\"ClusterIP\"}");
  assert_int_equal(create(&f, again).len, 0);
  assert_true(slice_eq(ip_of(again), ip_of(last)));
  fixture_end(&f);
}

static int64_t node_port(const val *svc, uint32_t i) {
  return val_i64(val_getc(val_at(val_path(svc, "spec.ports"), i), "nodePort"));
}

static void test_node_ports(void **state) {
  (void)state;
  fixture f;
  fixture_start(&f, "");
  val *a = service(&f, "a", "{\"type\":\"NodePort\",\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},"
                            "{\"port\":53},{\"port\":54,\"nodePort\":30001}]}");
  assert_int_equal(create(&f, a).len, 0);
  assert_int_equal(node_port(a, 0), node_port(a, 1));
  assert_true(node_port(a, 0) >= 30086 && node_port(a, 0) <= 32767);
  slice got = create(&f, service(&f, "b", "{\"type\":\"NodePort\",\"ports\":[{\"port\":1,"
                                          "\"nodePort\":30001}]}"));
  assert_true(slice_is(got, "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: "
                            "30001: provided port is already allocated"));
  got = create(&f, service(&f, "b",
                           "{\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":99}]}"));
  assert_true(slice_is(got, "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 99: "
                            "provided port is not in the valid range. The range of valid ports is "
                            "30000-32767"));
  assert_int_equal(recorded(&f), 1); /* what the refused ones had taken is back */
  fixture_end(&f);
}

/* To ExternalName and back: everything is given up, and had anew. */
static void test_update(void **state) {
  (void)state;
  fixture f;
  fixture_start(&f, "");
  val *a = service(&f, "a", "{\"type\":\"NodePort\",\"ports\":[{\"port\":1}]}");
  assert_int_equal(create(&f, a).len, 0);
  val *named = service(&f, "a", "{\"type\":\"ExternalName\",\"ports\":[{\"port\":1}]}");
  assert_true(service_alloc_update(&f.rq, named, a));
  service_alloc_commit(&f.rq, named);
  assert_int_equal(recorded(&f), 0);
  assert_false(port_is_taken(f.server.ports, node_port(a, 0)));
  val *back = service(&f, "a", "{\"type\":\"ClusterIP\",\"ports\":[{\"port\":1}]}");
  assert_true(service_alloc_update(&f.rq, back, named));
  assert_int_equal(recorded(&f), 1);
  service_alloc_undo(&f.rq, back);
  assert_int_equal(recorded(&f), 0);
  fixture_end(&f);
}

static void test_dry_run(void **state) {
  (void)state;
  fixture f;
  fixture_start(&f, "");
  f.rq.dry_run = true;
  val *a = service(&f, "a", "{\"type\":\"NodePort\",\"ports\":[{\"port\":1},{\"port\":2}]}");
  assert_true(service_alloc_create(&f.rq, a));
  service_alloc_undo(&f.rq, a);
  assert_true(slice_is(ip_of(a), "10.0.0.0"));
  assert_int_equal(node_port(a, 0), 32769);
  assert_int_equal(node_port(a, 1), 32770);
  assert_int_equal(recorded(&f), 0);
  fixture_end(&f);
}

static void test_two_families(void **state) {
  (void)state;
  fixture f;
  fixture_start(&f, "10.0.0.0/24,fd00::/112");
  val *a = service(&f, "a", "{\"type\":\"ClusterIP\",\"ipFamilyPolicy\":\"PreferDualStack\"}");
  assert_int_equal(create(&f, a).len, 0);
  assert_int_equal(val_len(val_path(a, "spec.clusterIPs")), 2);
  assert_true(slice_is(ip_family_of(val_str(val_at(val_path(a, "spec.clusterIPs"), 1))), "IPv6"));
  assert_int_equal(recorded(&f), 2);
  assert_null(ip_allocator_create(SLICE_LIT("10.0.0.0")));
  assert_null(ip_allocator_create(SLICE_LIT("10.0.0.0/33")));
  assert_null(ip_allocator_create(SLICE_LIT("a/b,c")));
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses),   cmocka_unit_test(test_addresses_run_out),
      cmocka_unit_test(test_node_ports),  cmocka_unit_test(test_update),
      cmocka_unit_test(test_dry_run),     cmocka_unit_test(test_two_families),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
