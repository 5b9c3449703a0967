/* deprecation: the Warning that using an old version brings.
 * Source: recorded from a v1.36.3 server; there are two left. */
#include "version/version.h"

static const struct {
  const char *group, *version, *kind, *text;
} rows[] = {
    {"", "v1", "ComponentStatus", "v1 ComponentStatus is deprecated in v1.19+"},
    {"", "v1", "Endpoints",
     "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"},
};

slice version_deprecation(const resource_info *r) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (slice_is(r->group, rows[i].group) && slice_is(r->version, rows[i].version) &&
        slice_is(r->kind, rows[i].kind)) {
      return slice_cstr(rows[i].text);
    }
  }
  return SLICE_NONE;
}
