/* deprecation: the Warning that using an old version brings.
 *
 * Two core kinds have their own words. The versions that are off by default name the release since
 * which they are deprecated and the one that will not serve them; those whose time has not come at
 * v1.36 (certificates.k8s.io/v1beta1 and others) have no row.
 * Source: recorded from a v1.36.3 server; apiserver pkg/endpoints/deprecation. */
#include "crd/crd.h"
#include "version/version.h"

static const struct {
  const char *group, *version, *kind, *text;
} rows[] = {
    {"", "v1", "ComponentStatus", "v1 ComponentStatus is deprecated in v1.19+"},
    {"", "v1", "Endpoints",
     "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"},
};

static const struct {
  const char *group, *version;
  int deprecated, removed; /* minor releases of 1 */
  const char *instead; /* the version that is named, or NULL */
} versions[] = {
    {"admissionregistration.k8s.io", "v1alpha1", 35, 38, NULL},
    {"certificates.k8s.io", "v1alpha1", 34, 37, NULL},
    {"coordination.k8s.io", "v1alpha2", 35, 38, NULL},
    {"coordination.k8s.io", "v1beta1", 36, 39, NULL},
    {"networking.k8s.io", "v1beta1", 34, 37, NULL},
    {"resource.k8s.io", "v1alpha3", 36, 39, NULL},
    {"resource.k8s.io", "v1beta1", 35, 38, NULL},
    {"resource.k8s.io", "v1beta2", 36, 39, NULL},
    {"storage.k8s.io", "v1beta1", 34, 37, "storage.k8s.io/v1"},
};

/* Came to its version later than the version's other kinds. */
static bool is_young(const resource_info *r) {
  if (!slice_is(r->group, "resource.k8s.io")) return false;
  return slice_is(r->kind, "ResourcePoolStatusRequest") ||
         (slice_is(r->kind, "DeviceTaintRule") && slice_is(r->version, "v1beta2"));
}

static slice version_text(arena *a, const resource_info *r) {
  char gv[GROUP_VERSION_ROOM];
  for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
    if (!slice_is(r->group, versions[i].group) || !slice_is(r->version, versions[i].version)) {
      continue;
    }
    if (is_young(r)) break;
    slice name = schema_group_version(r, gv);
    slice text = arena_printf(a, "%.*s %.*s is deprecated in v1.%d+, unavailable in v1.%d+",
                              SLICE_ARG(name), SLICE_ARG(r->kind), versions[i].deprecated,
                              versions[i].removed);
    if (!versions[i].instead) return text;
    return arena_printf(a, "%.*s; use %s %.*s", SLICE_ARG(text), versions[i].instead,
                        SLICE_ARG(r->kind));
  }
  return SLICE_NONE;
}

slice version_deprecation(arena *a, const resource_info *r) {
  if (r->custom) return r->custom->deprecated ? r->custom->warning : SLICE_NONE;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (slice_is(r->group, rows[i].group) && slice_is(r->version, rows[i].version) &&
        slice_is(r->kind, rows[i].kind)) {
      return slice_cstr(rows[i].text);
    }
  }
  return r->standard ? SLICE_NONE : version_text(a, r);
}
