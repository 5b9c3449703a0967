/* --runtime-config: what it makes of the default, and the real server's words for what is wrong
 * (each recorded from a v1.36.3). */
#include "schema/served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S SLICE_LIT

static slice problem_of(arena *a, served_set *s, const char *config, const char *gates) {
  slice problem;
  bool ok = served_configure(s, a, slice_cstr(config), slice_cstr(gates), true, &problem);
  assert_int_equal(ok, problem.len == 0);
  return problem;
}

static void the_default_is_standard(void **state) {
  (void)state;
  served_set s, t;
  arena *a = arena_create();
  served_standard(&s);
  assert_int_equal(problem_of(a, &t, "", "").len, 0);
  assert_memory_equal(&s, &t, sizeof s);
  assert_true(s.standard);
  assert_true(served_group_has_version(&s, S(""), S("v1")));
  assert_false(served_group_has_version(&s, S("resource.k8s.io"), S("v1beta1")));
  assert_null(served_group(&s, S("internal.apiserver.k8s.io")));
  arena_destroy(a);
}

static const struct {
  const char *config, *gates, *group, *version, *resource;
  bool served;
} rows[] = {
    {"api/all=true", "", "resource.k8s.io", "v1beta1", "resourceclaims", true},
    {"api/all=true", "", "certificates.k8s.io", "v1beta1", "clustertrustbundles", false},
    {"api/all=true", "A,ClusterTrustBundle", "certificates.k8s.io", "v1beta1",
     "clustertrustbundles", true},
    {"", "ClusterTrustBundle", "certificates.k8s.io", "v1beta1", "clustertrustbundles", false},
    {"api/beta=true", "", "resource.k8s.io", "v1alpha3", "devicetaintrules", false},
    {"api/alpha=true", "", "resource.k8s.io", "v1alpha3", "devicetaintrules", true},
    {"api/all=true,api/alpha=false", "", "resource.k8s.io", "v1alpha3", "devicetaintrules", false},
    {"api/alpha=false,resource.k8s.io/v1alpha3=1", "", "resource.k8s.io", "v1alpha3",
     "devicetaintrules", true},
    {"resource.k8s.io/v1alpha3", "", "resource.k8s.io", "v1alpha3", "devicetaintrules", true},
    {"apps/v1=false,apps/v1/deployments=true", "", "apps", "v1", "deployments", true},
    {"apps/v1=false,apps/v1/deployments=true", "", "apps", "v1", "daemonsets", false},
    {"apps/v1/deployments=false, apps/v1 = true", "", "apps", "v1", "deployments", false},
    {"apps/v1/foo=true,batch/v1beta1=true,api/legacy=true", "", "apps", "v1", "deployments", true},
    {"v1=false,api/v1=true", "", "", "v1", "pods", true},
};

static void versions_and_resources_are_turned_on_and_off(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    arena *a = arena_create();
    served_set s;
    assert_int_equal(problem_of(a, &s, rows[i].config, rows[i].gates).len, 0);
    bool served = served_resource(&s, slice_cstr(rows[i].group), slice_cstr(rows[i].version),
                                  slice_cstr(rows[i].resource)) != NULL;
    if (served != rows[i].served) fail_msg("row %zu: %s", i, rows[i].config);
    arena_destroy(a);
  }
}

static const char *const problems[][2] = {
    {"foo.k8s.io/v1=true,bar/v2=false", "unknown api groups bar/v2,foo.k8s.io/v1"},
    {"meta.k8s.io/v1=true", "unknown api groups meta.k8s.io/v1"},
    {"apps/v2=true", "group version apps/v2 that has not been registered"},
    {"apps=true", "runtime-config invalid key apps"},
    {"=", "runtime-config invalid key "},
    {"apps/v1/deployments/scale=true",
     "runtime-config invalid key apps/v1/deployments/scale"},
    {"api/all=false",
     "[--runtime-config=api/all=false conflicts with --enable-priority-and-fairness=true, invalid "
     "runtime-config with only api/all=false]"},
    {"api/ga=false,v1=true",
     "--runtime-config=api/ga=false conflicts with --enable-priority-and-fairness=true"},
    {"api/all=maybe", "invalid value api/all=maybe"},
    {"api/all", "invalid value api/all="},
    {"api/beta=TRUE", "invalid value api/beta=TRUE"},
    {"apps/v1/Deployments=false",
     "invalid key apps/v1/Deployments: group/version/resource and resource is always lowercase "
     "plural, not \"Deployments\""},
    {"apps/v1=banana",
     "invalid value of apps/v1: banana, err: strconv.ParseBool: parsing \"banana\": invalid "
     "syntax"},
    {"v1/pods=false", "runtime-config /v1=false: kube-apiserver v1.36 panics with it"},
};

static void mistakes_get_the_real_words(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
    arena *a = arena_create();
    served_set s;
    slice got = problem_of(a, &s, problems[i][0], "");
    if (!slice_is(got, problems[i][1])) fail_msg("%s: %.*s", problems[i][0], SLICE_ARG(got));
    arena_destroy(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_default_is_standard),
      cmocka_unit_test(versions_and_resources_are_turned_on_and_off),
      cmocka_unit_test(mistakes_get_the_real_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
