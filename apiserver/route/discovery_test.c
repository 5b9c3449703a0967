/* Discovery against the real v1.36.3 server: the documents made from the tables have the bytes
 * that it served, told by the head of their SHA-512. The aggregated ones are told by their whole
 * Etag, which is that hash too. */
#include "route/discovery.h"
#include "server.h"

#include "codec/codec.h"
#include "route/accept.h"
#include "route/health.h"
#include "route/route_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD 32

static const struct {
  const char *path;
  const char *hash; /* of the compact document with its newline */
} SERVED[] = {
    {"/apis",
     "9B0263F9A6DD1F3BC05DB00A2ACC5D57"},
    {"/api/v1",
     "F8C87C60054FA9680352E04C3CF25A87"},
    {"/apis/admissionregistration.k8s.io/v1",
     "F7504FF25AB3ADF6C73C4131BE257D5D"},
    {"/apis/apiextensions.k8s.io/v1",
     "11143C122BEAF898D8D78C8580011979"},
    {"/apis/apiregistration.k8s.io/v1",
     "4ABFDEE19174AB5449008AADFF09F3F7"},
    {"/apis/apps/v1",
     "41C96756C0E41BBFAAB038CB5FD43FDB"},
    {"/apis/authentication.k8s.io/v1",
     "244F447C6307DBAA6EB10DD12F72143F"},
    {"/apis/authorization.k8s.io/v1",
     "6859DD27F9DE4011C82F3793CCCC2A95"},
    {"/apis/autoscaling/v1",
     "C9A64DF08E9A9A6123F467B0648356B1"},
    {"/apis/autoscaling/v2",
     "C791785A17DFC5E963D88FA0F898A76D"},
    {"/apis/batch/v1",
     "53D36DADFEF83FE2398CB9D0F4D1EA35"},
    {"/apis/certificates.k8s.io/v1",
     "19A961D720A9B75A4AEA78E8C8B337C0"},
    {"/apis/coordination.k8s.io/v1",
     "2AFC1B57BE1AE16EF16A2C345199ACA3"},
    {"/apis/discovery.k8s.io/v1",
     "FE18C96A0F178793093DB6A9AAD81521"},
    {"/apis/events.k8s.io/v1",
     "1EC43C881FA8E9628879CEFE2B02A2AC"},
    {"/apis/flowcontrol.apiserver.k8s.io/v1",
     "D9E5DE384C8D4342E8CCF027B7E2CE74"},
    {"/apis/networking.k8s.io/v1",
     "07180A8F9CB4A03336112424C34C1F52"},
    {"/apis/node.k8s.io/v1",
     "4D8E48ED38408CFF7921D76278E2E595"},
    {"/apis/policy/v1",
     "DD46261D552B3F81DC01E61D99ADB4D2"},
    {"/apis/rbac.authorization.k8s.io/v1",
     "6920500DA333E97F24A5CAAB9835AB13"},
    {"/apis/resource.k8s.io/v1",
     "6C0072DC2728A8F6F5088CFADA603096"},
    {"/apis/scheduling.k8s.io/v1",
     "6E474E2E24B8D26CB2CE1FDBC94B67D0"},
    {"/apis/storage.k8s.io/v1",
     "DBC599CACBCB705745ED2422ACA6DCE9"},
};

static discovery_doc document_at(arena *a, const char *path) {
  slice group, version, p = slice_cstr(path);
  served_set served;
  served_standard(&served);
  if (slice_is(p, "/apis")) return discovery_groups(a, &served);
  if (slice_is(p, "/api/v1")) {
    return discovery_resources(a, &served, SLICE_LIT(""), SLICE_LIT("v1"));
  }
  assert_true(slice_cut(slice_from(p, 6), '/', &group, &version));
  return discovery_resources(a, &served, group, version);
}

static void hash_of(const discovery_doc *doc, bool newline, char hash[128]) {
  buf b;
  buf_init(&b, 1 << 22);
  json_encode(&b, doc->tree, doc->type);
  if (newline) buf_char(&b, '\n');
  route_hash(buf_slice(&b), hash);
  buf_dispose(&b);
}

static void legacy_documents_are_the_real_ones(void **state) {
  (void)state;
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++) {
    char hash[128];
    discovery_doc doc = document_at(a, SERVED[i].path);
    hash_of(&doc, true, hash);
    if (memcmp(hash, SERVED[i].hash, HEAD) != 0) fail_msg("%s differs", SERVED[i].path);
  }
  arena_destroy(a);
}

static void aggregated_documents_are_the_real_ones(void **state) {
  (void)state;
  static const char *const TAGS[2] = {
      "A74552DF419C4697E3A22F67B8FE55FD8F2CC33F6134FF206B16341598294CDE"
      "9896C7F67B2819217E6BB70E74F97FCC864DDFCDB02FDA565699CC7D6E3CC377",
      "4D7E1BED90B364BC86049DD9E636494980AEF65B7F8CFAA267616FA062B514A8"
      "A3CC2C2851CC9337B8D28B4C80960E2353DE5E0B152E87CC223E02EA3C5C37AC"};
  arena *a = arena_create();
  served_set served;
  served_standard(&served);
  for (int core = 0; core < 2; core++) {
    char hash[128];
    discovery_doc doc = discovery_aggregated(a, &served, core);
    val_delc(doc.tree, "kind");
    val_delc(doc.tree, "apiVersion");
    hash_of(&doc, false, hash);
    assert_memory_equal(hash, TAGS[core], sizeof hash);
  }
  arena_destroy(a);
}

static int chosen(const char *header, bool discovery) {
  arena *a = arena_create();
  body_format form = FORMAT_JSON;
  bool pretty = false;
  bool found = accept_document(a, slice_cstr(header), discovery, false, &form, &pretty);
  arena_destroy(a);
  return found ? (int)form : 99;
}

#define AGGREGATED ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

static void accept_headers_choose_a_form(void **state) {
  (void)state;
  assert_int_equal(chosen("", false), FORMAT_JSON);
  assert_int_equal(chosen("", true), 99);
  assert_int_equal(chosen("*/*", false), FORMAT_JSON);
  assert_int_equal(chosen("application/yaml", false), FORMAT_YAML);
  assert_int_equal(chosen("application/json;q=0.1,application/yaml;q=0.9", false), FORMAT_YAML);
  assert_int_equal(chosen("application/vnd.kubernetes.protobuf,*/*", false), FORMAT_PROTOBUF);
  assert_int_equal(chosen("text/plain", false), 99);
  assert_int_equal(chosen("application/json" AGGREGATED, true), FORMAT_JSON);
  assert_int_equal(chosen("application/json" AGGREGATED, false), 99);
  assert_int_equal(chosen("application/json" AGGREGATED ",application/json", false), FORMAT_JSON);
  assert_int_equal(chosen(",;=;/,q=1;;", false), 99);
  static const char *const json[] = {"application/json"};
  assert_true(accept_routed(SLICE_LIT("text/html, application/json;q=0.1"), json, 1, true));
  assert_true(accept_routed(SLICE_LIT("*/*"), json, 1, true));
  assert_true(accept_routed(SLICE_LIT(""), json, 1, true));
  assert_false(accept_routed(SLICE_LIT(""), json, 1, false));
  assert_false(accept_routed(SLICE_LIT("*/*"), json, 1, false));
  assert_false(accept_routed(SLICE_LIT("application/*"), json, 1, true));
  arena *a = arena_create();
  assert_int_equal(accept_choose(a, SLICE_LIT("application/*"), json, 1), 0);
  assert_int_equal(accept_choose(a, SLICE_LIT("application/yaml"), json, 1), -1);
  arena_destroy(a);
}

static void health_paths_are_the_checks(void **state) {
  (void)state;
  bool single;
  server none = {0};
  assert_true(health_path(&none, SLICE_LIT("/livez"), &single) && !single);
  assert_true(health_path(&none, SLICE_LIT("/readyz/poststarthook/rbac/bootstrap-roles"), &single));
  assert_true(single);
  assert_true(health_path(&none, SLICE_LIT("/readyz/shutdown"), &single));
  assert_false(health_path(&none, SLICE_LIT("/livez/shutdown"), &single));
  assert_false(health_path(&none, SLICE_LIT("/healthz/"), &single));
  assert_false(health_path(&none, SLICE_LIT("/nosuch"), &single));
  assert_false(health_path(&none, SLICE_LIT(""), &single));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(legacy_documents_are_the_real_ones),
      cmocka_unit_test(aggregated_documents_are_the_real_ones),
      cmocka_unit_test(accept_headers_choose_a_form),
      cmocka_unit_test(health_paths_are_the_checks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
