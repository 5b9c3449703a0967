/* Secrets leave bodies; everything else keeps its bytes. */
#include "sim/record/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define JWT "eyJhbGciOiJSUzI1NiIsImtpZCI6Ijl9.eyJhdWQiOlsiaHR0cHM6Ly9rdWJl.c2lnbmF0dXJlb2ZhdG9rZW4"

typedef struct row {
  const char *target, *body, *redacted; /* NULL: as it was */
} row;

static const row rows[] = {
    {"/api/v1/namespaces/d/configmaps", "{\"kind\":\"ConfigMap\",\"data\":{\"a\":\"1\"}}", NULL},
    {"/api/v1/namespaces/d/secrets/s", "{\"kind\":\"Secret\", \"data\":{\"p\":\"aHVu\"}}\n",
     "{\"kind\":\"Secret\", \"data\":{\"p\":\"cmVkYWN0ZWQ=\"}}\n"},
    {"/x", "{\"kind\":\"List\",\"items\":[{\"kind\":\"Secret\",\"stringData\":{\"p\":\"x\"}}]}",
     "{\"kind\":\"List\",\"items\":[{\"kind\":\"Secret\",\"stringData\":{\"p\":\"redacted\"}}]}"},
    {"/api/v1/secrets?limit=5", "{\"kind\":\"SecretList\",\"items\":[{\"data\":{\"p\":\"aHVu\"}}]}",
     "{\"kind\":\"SecretList\",\"items\":[{\"data\":{\"p\":\"cmVkYWN0ZWQ=\"}}]}"},
    {"/api/v1/namespaces/d/secrets/s", "[{\"op\":\"add\",\"path\":\"/data/p\",\"value\":\"aHVu\"}]",
     "[{\"op\":\"add\",\"path\":\"/data/p\",\"value\":\"cmVkYWN0ZWQ=\"}]"},
    {"/api/v1/namespaces/d/secrets/s", "stringData: {p: hunter2}", "\"redacted\""},
    {"/t", "{\"status\":{\"token\":\"" JWT "\"}}", "{\"status\":{\"token\":\"redacted\"}}"},
    {"/api/v1/secretsandmore", "{\"data\":{\"a\":\"1\"}}", NULL},
    {"/api/v1/secrets",
     "{\"type\":\"ADDED\",\"object\":{\"data\":{\"p\":\"x\"}}}\n{\"object\":{\"data\":{\"p\":\"y\"}}}\n",
     "{\"type\":\"ADDED\",\"object\":{\"data\":{\"p\":\"cmVkYWN0ZWQ=\"}}}\n"
     "{\"object\":{\"data\":{\"p\":\"cmVkYWN0ZWQ=\"}}}\n"},
    {"/x", "", NULL},
};

static void each_row(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    arena *a = arena_create();
    slice got = redact_body(a, slice_cstr(rows[i].target), slice_cstr(rows[i].body));
    const char *want = rows[i].redacted ? rows[i].redacted : rows[i].body;
    assert_string_equal(arena_cstr(a, got), want);
    arena_destroy(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
