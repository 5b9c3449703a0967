/* The compressed OpenAPI documents: each inflates to bytes of the hash that the index tells. */
#include "route/openapi.h"

#include "base/heap.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(documents_have_the_told_hashes),
      cmocka_unit_test(the_second_version_comes_first_and_as_protobuf),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
