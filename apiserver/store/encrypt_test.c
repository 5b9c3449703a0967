/* Encryption at rest: each provider there and back, binding to keys, rotation, damage, bad
 * files. */
#include "store/encrypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define K32 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
#define K16 "YmJiYmJiYmJiYmJiYmJiYg=="
#define HEAD "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n"
#define SECRETS HEAD "- resources: [secrets]\n  providers:\n"
#define KEY SLICE_LIT("/registry/secrets/default/x")

static encryption *make(const char *text) {
  char problem[ENCRYPTION_PROBLEM_MAX] = "";
  encryption *e = encryption_create(slice_cstr(text), problem);
  if (!e) fail_msg("%s", problem);
  return e;
}

static bool seal(const encryption *e, const char *resource, slice key, const char *plain, buf *b) {
  buf_clear(b);
  return encryption_seal(e, SLICE_NONE, slice_cstr(resource), key, slice_cstr(plain), b);
}

/* "value", "value stale" or what is wrong. */
static const char *opened(const encryption *e, slice key, slice stored) {
  static char text[256];
  buf b;
  buf_init(&b, 1000);
  bool stale;
  slice problem;
  if (encryption_open(e, SLICE_NONE, SLICE_LIT("secrets"), key, stored, &b, &stale, &problem)) {
    snprintf(text, sizeof text, "%.*s%s", SLICE_ARG(buf_slice(&b)), stale ? " stale" : "");
  } else {
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(problem));
  }
  buf_dispose(&b);
  return text;
}

static const struct {
  const char *yaml, *prefix;
  size_t more; /* bytes beyond prefix and value "hello" */
} rows[] = {
    {SECRETS "  - aescbc: {keys: [{name: k, secret: " K16 "}]}\n", "k8s:enc:aescbc:v1:k:", 16 + 11},
    {SECRETS "  - aescbc: {keys: [{name: k, secret: " K32 "}]}\n", "k8s:enc:aescbc:v1:k:", 16 + 11},
    {SECRETS "  - aesgcm: {keys: [{name: k, secret: " K32 "}]}\n", "k8s:enc:aesgcm:v1:k:", 28},
    {SECRETS "  - secretbox: {keys: [{name: k, secret: " K32 "}]}\n", "k8s:enc:secretbox:v1:k:",
     40},
    {SECRETS "  - identity: {}\n", "hello", 0},
};

static void there_and_back(void **state) {
  (void)state;
  buf b;
  buf_init(&b, 10000);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    encryption *e = make(rows[i].yaml);
    assert_true(seal(e, "secrets", KEY, "hello", &b));
    assert_true(slice_has_prefix(buf_slice(&b), slice_cstr(rows[i].prefix)));
    size_t plain = rows[i].more ? 5 : 0;
    assert_int_equal(b.len, strlen(rows[i].prefix) + plain + rows[i].more);
    assert_string_equal(opened(e, KEY, buf_slice(&b)), "hello");
    /* A value that was written before there was a key, and resources that have none. */
    assert_true(seal(e, "pods", KEY, "hello", &b));
    assert_string_equal(buf_slice(&b).ptr ? "" : "x", "");
    assert_int_equal(b.len, 5);
    encryption_destroy(e);
  }
  buf_dispose(&b);
}

static void damage_is_noticed(void **state) {
  (void)state;
  buf b;
  buf_init(&b, 10000);
  for (size_t i = 2; i < 4; i++) { /* those that authenticate */
    encryption *e = make(rows[i].yaml);
    assert_true(seal(e, "secrets", KEY, "hello", &b));
    for (size_t at = strlen(rows[i].prefix); at < b.len; at++) {
      b.ptr[at] ^= 1;
      assert_string_not_equal(opened(e, KEY, buf_slice(&b)), "hello");
      b.ptr[at] ^= 1;
    }
    for (size_t len = strlen(rows[i].prefix); len < b.len; len++) {
      assert_string_not_equal(opened(e, KEY, slice_of(b.ptr, len)), "hello");
    }
    encryption_destroy(e);
  }
  encryption *e = make(rows[2].yaml); /* aesgcm binds to the key of the object */
  assert_true(seal(e, "secrets", KEY, "hello", &b));
  assert_string_not_equal(opened(e, SLICE_LIT("/registry/secrets/default/y"), buf_slice(&b)),
                          "hello");
  encryption_destroy(e);
  buf_dispose(&b);
}

static void rotation(void **state) {
  (void)state;
  buf b;
  buf_init(&b, 10000);
  encryption *old = make(rows[0].yaml);
  encryption *both = make(SECRETS "  - secretbox: {keys: [{name: new, secret: " K32 "}]}\n"
                          "  - aescbc: {keys: [{name: k, secret: " K16 "}]}\n"
                          "  - identity: {}\n");
  assert_true(seal(old, "secrets", KEY, "hello", &b));
  assert_string_equal(opened(both, KEY, buf_slice(&b)), "hello stale");
  assert_string_equal(opened(both, KEY, SLICE_LIT("hello")), "hello stale");
  assert_string_equal(opened(old, KEY, SLICE_LIT("hello")), "no matching prefix found");
  assert_true(seal(both, "secrets", KEY, "hello", &b));
  assert_string_equal(opened(both, KEY, buf_slice(&b)), "hello");
  assert_string_equal(opened(old, KEY, buf_slice(&b)), "no matching prefix found");
  assert_string_equal(opened(NULL, KEY, buf_slice(&b)),
                      "identity transformer tried to read encrypted data");
  encryption_destroy(old);
  encryption_destroy(both);
  buf_dispose(&b);
}

/* No two different values, keys or paths share an initialization vector. */
static void vectors_differ(void **state) {
  (void)state;
  encryption *e = make(rows[2].yaml);
  buf a, b;
  buf_init(&a, 1000);
  buf_init(&b, 1000);
  size_t at = strlen(rows[2].prefix);
  seal(e, "secrets", KEY, "hello", &a);
  seal(e, "secrets", KEY, "hellp", &b);
  assert_memory_not_equal(a.ptr + at, b.ptr + at, 12);
  seal(e, "secrets", SLICE_LIT("/registry/secrets/default/y"), "hello", &b);
  assert_memory_not_equal(a.ptr + at, b.ptr + at, 12);
  seal(e, "secrets", KEY, "hello", &b);
  assert_memory_equal(a.ptr, b.ptr, a.len);
  buf_dispose(&a);
  buf_dispose(&b);
  encryption_destroy(e);
}

static void names_of_resources(void **state) {
  (void)state;
  encryption *e = make(HEAD "- resources: [deployments.apps, '*.batch', '*.']\n  providers:\n"
                       "  - secretbox: {keys: [{name: k, secret: " K32 "}]}\n");
  static const struct {
    const char *group, *resource;
    bool sealed;
  } names[] = {{"apps", "deployments", true}, {"apps", "daemonsets", false},
               {"batch", "jobs", true},       {"", "pods", true},
               {"extra", "deployments", false}};
  buf b;
  buf_init(&b, 1000);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    buf_clear(&b);
    assert_true(encryption_seal(e, slice_cstr(names[i].group), slice_cstr(names[i].resource), KEY,
                                SLICE_LIT("v"), &b));
    assert_int_equal(b.len > 1, names[i].sealed);
  }
  buf_dispose(&b);
  encryption_destroy(e);
}

static void bad_files(void **state) {
  (void)state;
  static const char *const files[][2] = {
      {"{", "can't be read"},
      {"kind: Pod\n", "kind is not EncryptionConfiguration: Pod"},
      {"kind: EncryptionConfiguration\napiVersion: v1\n",
       "apiVersion is not apiserver.config.k8s.io/v1: v1"},
      {HEAD, "no resources are named"},
      {HEAD "- providers: [{identity: {}}]\n", "no resources are named"},
      {HEAD "- resources: [secrets]\n", "no providers are named"},
      {SECRETS "  - kms: {name: x}\n", "a provider that is not supported: kms"},
      {SECRETS "  - aesgcm: {}\n", "a provider without keys: aesgcm"},
      {SECRETS "  - aesgcm: {keys: [{secret: " K32 "}]}\n", "a key without a name"},
      {SECRETS "  - aesgcm: {keys: [{name: a, secret: YQ==}]}\n",
       "a secret of the wrong length, of key: a"},
      {SECRETS "  - secretbox: {keys: [{name: a, secret: " K16 "}]}\n",
       "a secret of the wrong length, of key: a"},
      {SECRETS "  - aesgcm: {keys: [{name: a, secret: '!'}]}\n",
       "a secret that is not base64, of key: a"},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char problem[ENCRYPTION_PROBLEM_MAX] = "";
    assert_null(encryption_create(slice_cstr(files[i][0]), problem));
    assert_true(slice_has_prefix(slice_cstr(problem), slice_cstr(files[i][1])));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(there_and_back),     cmocka_unit_test(damage_is_noticed),
      cmocka_unit_test(rotation),           cmocka_unit_test(vectors_differ),
      cmocka_unit_test(names_of_resources), cmocka_unit_test(bad_files),
  };
  return cmocka_run_group_tests_name("encrypt", tests, NULL, NULL);
}
