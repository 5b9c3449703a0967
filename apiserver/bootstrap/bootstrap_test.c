/* Bootstrap against its own promises: every object is stored under its key in exactly the bytes
 * that the codec would write, twice the same for one seed, and quickly. */
#include "bootstrap/bootstrap.h"

#include "bootstrap/bootstrap_objects.h"
#include "codec/codec.h"
#include "registry/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define START_NS ((int64_t)1795187295 * 1000000000 + 600910000) /* 2026-11-20T15:08:15.60091Z */

#define CLIENT_CA_KEY \
  SLICE_LIT("/registry/configmaps/kube-system/extension-apiserver-authentication")

typedef struct fixture {
  env env;
  server server;
  arena *arena;
} fixture;

static void fixture_start(fixture *f, uint64_t seed) {
  memset(f, 0, sizeof *f);
  f->env.wall_ns = START_NS;
  f->server.env = &f->env;
  f->server.store = store_memory_create(1);
  f->server.options.advertise_address = SLICE_LIT("192.0.2.2");
  f->server.options.secure_port = 16543;
  f->server.options.hostname = SLICE_LIT("vm");
  rng_init(&f->server.uid_rng, seed);
  served_standard(&f->server.options.served);
  f->arena = arena_create();
}

static void fixture_end(fixture *f) {
  arena_destroy(f->arena);
  store_destroy(f->server.store);
}

static store_entry *entry_of(fixture *f, const char *key) {
  store_entry *e = NULL;
  assert_int_equal(store_get(f->server.store, slice_cstr(key), 0, &e), STORE_OK);
  return e;
}

static bool entry_has(fixture *f, const char *key, const char *text) {
  store_entry *e = entry_of(f, key);
  bool found = slice_find(blob_slice(e->value), slice_cstr(text)) >= 0;
  store_entry_unref(e);
  return found;
}

static void objects_are_stored_in_canonical_bytes(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE;
  fixture_start(&f, 1);
  f.server.options.access.client_ca_pem = SLICE_LIT("-----BEGIN \"<CERTIFICATE>\"-----\n");
  assert_true(served_configure(&f.server.options.served, f.arena, SLICE_LIT("api/all=true"),
                               SLICE_LIT("ClusterTrustBundle,PodCertificateRequest,GenericWorkload,"
                                         "StorageVersionMigrator"), true, &problem));
  int64_t before = store_revision(f.server.store);
  assert_true(bootstrap_run(&f.server, &problem));
  assert_int_equal(store_revision(f.server.store) - before, bootstrap_object_count);
  for (int i = 0; i < bootstrap_object_count; i++) {
    const bootstrap_object *b = &bootstrap_objects[i];
    const resource_info *r = schema_resource(b->group, b->version, b->resource);
    assert_non_null(r);
    if (slice_find_char(b->name, 1) >= 0) continue;
    slice key = stored_key(f.arena, r, b->namespace, b->name);
    store_entry *e = entry_of(&f, arena_cstr(f.arena, key));
    val *obj = stored_decode(f.arena, r, e);
    assert_non_null(obj);
    blob *again = stored_encode(f.arena, r, obj, e->mod_revision);
    if (!slice_eq(blob_slice(again), blob_slice(e->value))) {
      fail_msg("stored\n%.*s\nencoded\n%.*s", SLICE_ARG(blob_slice(e->value)),
               SLICE_ARG(blob_slice(again)));
    }
    blob_unref(again);
    store_entry_unref(e);
  }
  fixture_end(&f);
}

static void values_are_filled_in(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE;
  fixture_start(&f, 1);
  f.server.options.service_cidr = SLICE_LIT("10.96.0.0/12");
  assert_true(bootstrap_run(&f.server, &problem));
  const char *lease = "/registry/leases/kube-system/apiserver-wlv32tlttr4jl3gtroqexyxapa";
  assert_true(entry_has(&f, lease, "\"renewTime\":\"2026-11-20T15:08:15.600910Z\""));
  assert_true(entry_has(&f, lease, "\"kubernetes.io/hostname\":\"vm\""));
  assert_true(entry_has(&f, lease, "\"192.0.2.2:16543\""));
  assert_true(entry_has(&f, "/registry/services/specs/default/kubernetes",
                        "\"targetPort\":16543}],\"clusterIP\":\"10.96.0.1\""));
  assert_true(entry_has(&f, "/registry/ipaddresses/10.96.0.1", "\"name\":\"10.96.0.1\""));
  assert_true(entry_has(&f, "/registry/servicecidrs/kubernetes", "\"cidrs\":[\"10.96.0.0/12\"]"));
  assert_true(entry_has(&f, "/registry/namespaces/default", "\"2026-11-20T15:08:15Z\""));
  store_entry *none = NULL;
  assert_int_equal(store_get(f.server.store, CLIENT_CA_KEY, 0, &none), STORE_NOT_FOUND);
  fixture_end(&f);
}

static void both_families_are_told(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE;
  fixture_start(&f, 1);
  f.server.options.service_cidr = SLICE_LIT("fd00:10::/108,10.96.0.0/12");
  assert_true(bootstrap_run(&f.server, &problem));
  assert_true(entry_has(&f, "/registry/servicecidrs/kubernetes",
                        "\"cidrs\":[\"fd00:10::/108\",\"10.96.0.0/12\"]"));
  assert_true(entry_has(&f, "/registry/services/specs/default/kubernetes",
                        "\"clusterIPs\":[\"fd00:10::1\"]"));
  assert_true(entry_has(&f, "/registry/services/specs/default/kubernetes",
                        "\"ipFamilies\":[\"IPv6\"]"));
  assert_true(entry_has(&f, "/registry/endpointslices/default/kubernetes",
                        "\"addressType\":\"IPv4\""));
  fixture_end(&f);
}

static void one_seed_gives_the_same_bytes(void **state) {
  (void)state;
  fixture a, b;
  slice problem = SLICE_NONE;
  fixture_start(&a, 7);
  fixture_start(&b, 7);
  assert_true(bootstrap_run(&a.server, &problem) && bootstrap_run(&b.server, &problem));
  store_entry *x = entry_of(&a, "/registry/namespaces/kube-system");
  store_entry *y = entry_of(&b, "/registry/namespaces/kube-system");
  assert_true(slice_eq(blob_slice(x->value), blob_slice(y->value)));
  store_entry_unref(x);
  store_entry_unref(y);
  fixture_end(&a);
  fixture_end(&b);
}

static void what_the_cluster_needs_comes_back(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE, key = SLICE_LIT("/registry/services/specs/default/kubernetes");
  fixture_start(&f, 1);
  assert_true(bootstrap_run(&f.server, &problem));
  store *s = f.server.store;
  int64_t before = store_revision(s);
  bootstrap_repair(&f.server);
  assert_int_equal(store_revision(s), before); /* all is there */
  store_entry *e = entry_of(&f, "/registry/services/specs/default/kubernetes");
  assert_int_equal(store_delete(s, key, e->mod_revision, e->value, NULL), STORE_OK);
  store_entry_unref(e);
  bootstrap_repair(&f.server);
  e = entry_of(&f, "/registry/services/specs/default/kubernetes");
  assert_int_equal(e->mod_revision, store_revision(s));
  store_entry_unref(e);
  fixture_end(&f);
}

static void the_server_s_address_is_told_again(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE;
  fixture_start(&f, 1);
  assert_true(bootstrap_run(&f.server, &problem));
  int64_t before = store_revision(f.server.store);
  f.server.options.advertise_address = SLICE_LIT("192.0.2.77");
  f.server.options.secure_port = 7443;
  rng uids = f.server.uid_rng;
  bootstrap_repair(&f.server);
  assert_int_equal(store_revision(f.server.store), before + 3);
  assert_memory_equal(&uids, &f.server.uid_rng, sizeof uids);
  assert_true(entry_has(&f, "/registry/services/endpoints/default/kubernetes", "192.0.2.77"));
  assert_true(entry_has(&f, "/registry/services/endpoints/default/kubernetes", "7443"));
  assert_true(entry_has(&f, "/registry/endpointslices/default/kubernetes", "192.0.2.77"));
  assert_true(entry_has(&f, "/registry/endpointslices/default/kubernetes", "\"generation\":2"));
  assert_true(entry_has(&f, "/registry/services/specs/default/kubernetes",
                        "\"targetPort\":7443"));
  bootstrap_repair(&f.server);
  assert_int_equal(store_revision(f.server.store), before + 3);
  fixture_end(&f);
}

static void a_wrong_service_cidr_is_a_problem(void **state) {
  (void)state;
  fixture f;
  slice problem = SLICE_NONE, ip;
  fixture_start(&f, 1);
  f.server.options.service_cidr = SLICE_LIT("10.0.0.0");
  assert_false(bootstrap_run(&f.server, &problem));
  assert_true(problem.len > 0);
  assert_true(bootstrap_first_ip(f.arena, SLICE_LIT("10.1.2.3/16"), &ip));
  assert_true(slice_is(ip, "10.1.0.1"));
  assert_true(bootstrap_first_ip(f.arena, SLICE_LIT("fd00:10::/108"), &ip));
  assert_true(slice_is(ip, "fd00:10::1"));
  assert_false(bootstrap_first_ip(f.arena, SLICE_LIT("10.0.0.0/33"), &ip));
  assert_false(bootstrap_first_ip(f.arena, SLICE_LIT("/"), &ip));
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objects_are_stored_in_canonical_bytes),
      cmocka_unit_test(values_are_filled_in),
      cmocka_unit_test(both_families_are_told),
      cmocka_unit_test(one_seed_gives_the_same_bytes),
      cmocka_unit_test(what_the_cluster_needs_comes_back),
      cmocka_unit_test(the_server_s_address_is_told_again),
      cmocka_unit_test(a_wrong_service_cidr_is_a_problem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
