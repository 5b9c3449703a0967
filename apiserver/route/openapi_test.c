/* The compressed OpenAPI documents: each inflates to bytes of the hash that the index tells. */
#include "route/openapi.h"

#include "base/heap.h"
#include "route/accept.h"
#include "route/openapi_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <zlib.h>

#include <cmocka.h>

static char *inflated(const struct openapi_bytes *b) {
  char *out = heap_alloc(b->len);
  uLongf len = b->len;
  assert_int_equal(uncompress((Bytef *)out, &len, b->zlib, b->zlib_len), Z_OK);
  assert_int_equal(len, b->len);
  return out;
}

static void documents_have_the_told_hashes(void **state) {
  (void)state;
  assert_true(openapi_document_count > 40);
  for (int i = 0; i < openapi_document_count; i++) {
    const openapi_document *d = &openapi_documents[i];
    char *json = inflated(&d->json), hash[128];
    route_hash(slice_of(json, d->json.len), hash);
    assert_memory_equal(hash, d->hash, sizeof hash);
    assert_int_equal(json[0], '{');
    heap_free(json);
  }
}

static void the_second_version_comes_first_and_as_protobuf(void **state) {
  (void)state;
  assert_true(slice_is(openapi_documents[0].path, "v2"));
  char *bytes = inflated(&openapi_documents[0].protobuf);
  assert_memory_equal(bytes, "\n\x03" "2.0", 5); /* field 1: swagger */
  heap_free(bytes);
}

/* What is recorded of a default server is what is left of everything's document. */
static void a_star_fits_either_half(void **state) {
  (void)state;
  static const char *const types[] = {"application/json", "text/plain"};
  static const struct {
    const char *header;
    int want;
  } rows[] = {{"*/json", 0}, {"*/plain;q=", 1}, {"text/*", 1}, {"*/*", 0},
              {"*/foo", -1}, {"foo/*", -1}};
  arena *a = arena_create();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(accept_choose(a, slice_cstr(rows[i].header), types, 2), rows[i].want);
  }
  arena_destroy(a);
}

static void a_cut_document_is_the_real_one(void **state) {
  (void)state;
  const openapi_document *standard = &openapi_documents[0], *all = &openapi_documents[1];
  assert_true(slice_is(all->path, "v2/all"));
  char *parts[] = {inflated(&standard->json), inflated(&standard->protobuf), inflated(&all->json),
                   inflated(&all->protobuf)};
  served_set served;
  served_standard(&served);
  buf json, protobuf;
  buf_init(&json, 1 << 24);
  buf_init(&protobuf, 1 << 24);
  assert_true(openapi_filter(&served, slice_of(parts[2], all->json.len),
                             slice_of(parts[3], all->protobuf.len), false, &json, &protobuf));
  assert_true(slice_eq(buf_slice(&json), slice_of(parts[0], standard->json.len)));
  assert_true(slice_eq(buf_slice(&protobuf), slice_of(parts[1], standard->protobuf.len)));
  buf_dispose(&json);
  buf_dispose(&protobuf);
  for (size_t i = 0; i < 4; i++) heap_free(parts[i]);
}

static void paths_belong_to_resources(void **state) {
  (void)state;
  served_set s;
  served_standard(&s);
  static const char *const on[] = {"/version/", "/apis/", "/apis/apps/", "/apis/apps/v1/",
                                   "/api/v1/namespaces/{name}/finalize", "/api/v1/watch/namespaces",
                                   "/api/v1/watch/namespaces/{namespace}/pods/{name}"};
  static const char *const off[] = {"/apis/internal.apiserver.k8s.io/",
                                    "/apis/coordination.k8s.io/v1beta1/",
                                    "/apis/resource.k8s.io/v1beta1/namespaces/{namespace}/x",
                                    "/apis/resource.k8s.io/v1beta1/watch/resourceclaims",
                                    "/apis/networking.k8s.io/v1beta1/ipaddresses"};
  for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
    if (!openapi_path_served(&s, slice_cstr(on[i]))) fail_msg("%s", on[i]);
  }
  for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
    if (openapi_path_served(&s, slice_cstr(off[i]))) fail_msg("%s", off[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_star_fits_either_half),
      cmocka_unit_test(a_cut_document_is_the_real_one),
      cmocka_unit_test(paths_belong_to_resources),
      cmocka_unit_test(documents_have_the_told_hashes),
      cmocka_unit_test(the_second_version_comes_first_and_as_protobuf),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
