/* served: which of the schema's resources this server serves, as --runtime-config and the feature
 * gates say. Made once at the start and never changed; without a flag it is what the real server
 * serves by default.
 *
 * Look-ups by clients (paths, discovery, OpenAPI) go through here; the server's own parts use the
 * schema's tables, which know every version. Source: apiserver pkg/server/resourceconfig,
 * pkg/server/options/api_enablement.go, pkg/controlplane/apiserver/options. */
#ifndef APISIM_SCHEMA_SERVED_H
#define APISIM_SCHEMA_SERVED_H

#include "base/arena.h"
#include "schema/schema.h"

#define SERVED_RESOURCES_MAX 256
#define SERVED_GROUPS_MAX 64

typedef struct served_set {
  bool made; /* all else is zero where it is false: the default */
  bool standard; /* exactly the default */
  uint64_t resources[SERVED_RESOURCES_MAX / 64]; /* bits by id */
  uint16_t versions[SERVED_GROUPS_MAX]; /* by place in schema_groups: bits by place in versions */
  uint8_t gates; /* bits by place in served_gates */
  const struct crd_registry *customs; /* the server's custom resources (crd/crd.h), or NULL */
} served_set;

/* The feature gates that open resources and make their roles. */
#define SERVED_GATES 4
extern const char *const served_gates[SERVED_GATES];

void served_standard(served_set *s);
/* Turns a resource on or off; served_seal is to follow. */
void served_put(served_set *s, const resource_info *r, bool on);
/* Behind a change of `resources`: makes the rest of them. */
void served_seal(served_set *s);

/* What the flag's values, joined by commas ("api/beta=true,apps/v1/deployments=false"), make of the
 * default. gates: the names of feature gates that are on and that open resources, comma separated.
 * fair: --enable-priority-and-fairness, which needs its own API. False and *problem in the real
 * server's words (in the arena) for what it does not start with; *problem also for what it panics
 * with. */
bool served_configure(served_set *s, arena *a, slice config, slice gates, bool fair,
                      slice *problem);

/* place: in served_gates. */
bool served_gate(const served_set *s, uint32_t place);
bool served_has(const served_set *s, const resource_info *r);
/* NULL where it is not served; else a compiled row or, where there is none, a custom resource's. */
const resource_info *served_resource(const served_set *s, slice group, slice version,
                                     slice resource);
/* Of the compiled rows only, as all that follows: custom resources' groups are crd/crd.h's. */
bool served_group_has_version(const served_set *s, slice group, slice version);
/* NULL where none of the group's versions is. */
const group_info *served_group(const served_set *s, slice group);
/* g is of schema_groups, i a place in its versions. */
bool served_version(const served_set *s, const group_info *g, uint32_t i);
bool served_any_version(const served_set *s, const group_info *g);
/* True when the version has resources and all of them are served. */
bool served_version_whole(const served_set *s, slice group, slice version);

#endif
