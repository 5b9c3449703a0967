/* The tables against facts that everybody knows, and against their own rules: sorted,
 * dense, complete. A wrong row shows up here before it shows up as a wrong byte. */
#include "schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S(text) SLICE_LIT(text)

static void assert_slice(slice got, const char *want) {
  if (!slice_is(got, want)) fail_msg("got \"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static const type_info *type_named(const char *full_name) {
  const type_info *t = schema_type(slice_cstr(full_name));
  assert_non_null(t);
  return t;
}

static void types_are_dense_and_sorted(void **state) {
  (void)state;
  for (int i = 0; i < schema_type_count; i++) {
    const type_info *t = schema_types[i];
    assert_int_equal(t->id, i);
    assert_true(t->name.len > 0);
    assert_int_equal(t->full_name.len > 0, i < schema_named_type_count);
    if (t->full_name.len) assert_ptr_equal(schema_type(t->full_name), t);
    if (t->kind == TYPE_LIST || t->kind == TYPE_MAP) assert_non_null(t->elem);
    for (int f = 0; f < t->field_count; f++) {
      assert_non_null(t->fields[f].type);
      assert_ptr_equal(type_field(t, t->fields[f].name), &t->fields[f]);
    }
    for (int p = 0; p < t->proto_count; p++) {
      const proto_field *pf = &t->protos[p];
      const field_info *f = pf->inlined ? NULL : &t->fields[pf->at];
      if (f) assert_int_equal(f->proto, proto_number(pf));
      assert_ptr_equal(type_field_by_proto(t, proto_number(pf)), f);
      assert_ptr_equal(type_proto_field(t, proto_number(pf)), pf);
    }
  }
}

static void a_pod_looks_like_a_pod(void **state) {
  (void)state;
  const type_info *pod = type_named("io.k8s.api.core.v1.Pod");
  assert_slice(pod->name, "v1.Pod");
  assert_int_equal(pod->field_count, 5);
  assert_slice(pod->fields[0].name, "kind");
  assert_slice(pod->fields[1].name, "apiVersion");
  assert_int_equal(pod->fields[0].proto, 0);
  assert_int_equal(pod->proto_count, 3);
  assert_slice(type_path(pod, "spec.containers")->name, "[]v1.Container");
  assert_slice(type_path(pod, "spec.containers")->elem->name, "v1.Container");
  assert_null(type_path(pod, "spec.nosuch.name"));
  const field_info *containers = type_field(type_path(pod, "spec"), S("containers"));
  assert_true(containers->patch_merge && containers->required && !containers->omitempty);
  assert_slice(containers->patch_merge_key, "name");
  assert_int_equal(containers->list_type, LIST_MAP);
  assert_int_equal(containers->list_key_count, 1);
  const type_info *container = containers->type->elem;
  assert_slice(type_field(container, S("imagePullPolicy"))->type->name, "v1.PullPolicy");
  const field_info *ports = type_field(container, S("ports"));
  assert_int_equal(ports->list_key_count, 2);
  assert_slice(ports->list_keys[1], "protocol");
  assert_slice(type_field(ports->type->elem, S("protocol"))->default_json, "\"TCP\"");
}

static void inlined_structs_are_flat_in_json_and_nested_in_protobuf(void **state) {
  (void)state;
  const type_info *volume = type_named("io.k8s.api.core.v1.Volume");
  assert_slice(volume->fields[1].name, "hostPath");
  assert_int_equal(volume->fields[1].proto, 0);
  assert_int_equal(volume->proto_count, 2);
  assert_int_equal(proto_number(&volume->protos[1]), 2);
  assert_true(volume->protos[1].inlined);
  assert_slice(volume->protos[1].type->name, "v1.VolumeSource");
  assert_null(type_field_by_proto(volume, 2));
  assert_slice(type_field_by_proto(volume, 1)->name, "name");
  assert_null(type_proto_field(volume, 3));
  assert_true(type_field(type_named("io.k8s.api.apps.v1.DeploymentSpec"), S("strategy"))
                  ->patch_retain_keys);
}

static void named_slices_are_wrapped(void **state) {
  (void)state;
  const type_info *t = type_named("io.k8s.api.authentication.v1.UserInfo");
  assert_true(type_path(t, "extra")->elem->wrapped);
  assert_int_equal(type_path(t, "extra")->elem->kind, TYPE_LIST);
}

static void resources_are_found(void **state) {
  (void)state;
  for (int i = 0; i < schema_resource_count; i++) {
    const resource_info *r = &schema_resources[i];
    assert_int_equal(r->id, i);
    assert_ptr_equal(schema_resource(r->group, r->version, r->resource), r);
    assert_ptr_equal(schema_resource_of_kind(r->group, r->version, r->kind), r);
    assert_non_null(schema_kind(r->group, r->version, r->kind));
    assert_true(schema_group_has_version(r->group, r->version));
    assert_non_null(r->storage);
    bool stored = r->storage == r && r->list_type;
    assert_true(!stored || schema_resource_of_prefix(r->etcd_prefix) == r);
    assert_int_equal((r->verbs & VERB_LIST) != 0, r->list_type != NULL);
  }
  const resource_info *hpa = schema_resource(S("autoscaling"), S("v1"),
                                             S("horizontalpodautoscalers"));
  assert_slice(hpa->storage->version, "v2");
  const resource_info *events = schema_resource(S("events.k8s.io"), S("v1"), S("events"));
  assert_slice(events->storage->group, "");
  const resource_info *rc = schema_resource(S(""), S("v1"), S("replicationcontrollers"));
  assert_slice(rc->etcd_prefix, "controllers");
  assert_null(schema_resource_of_prefix(S("replicationcontrollers")));
  assert_null(schema_resource_of_prefix(S("")));
  const subresource_info *scale = schema_subresource(rc, S("scale"));
  assert_true(scale->foreign);
  assert_slice(scale->type->full_name, "io.k8s.api.autoscaling.v1.Scale");
  assert_null(schema_subresource(rc, S("nosuch")));
  assert_null(schema_resource(S("apps"), S("v1"), S("pods")));
  assert_null(schema_group(S("nosuch")));
  char text[GROUP_VERSION_ROOM];
  assert_slice(schema_group_version(hpa, text), "autoscaling/v1");
  assert_slice(schema_group_version(rc, text), "v1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_are_dense_and_sorted),
      cmocka_unit_test(a_pod_looks_like_a_pod),
      cmocka_unit_test(inlined_structs_are_flat_in_json_and_nested_in_protobuf),
      cmocka_unit_test(named_slices_are_wrapped),
      cmocka_unit_test(resources_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
